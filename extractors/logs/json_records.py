"""Records of JSON: a line each, or in an array, which may stand within an object; text as written.

orjson reads a line in a third of the time that the standard library takes (3.13 against Python
3.11). Where a number with a fraction is wanted, the latter reads the line again, as it is written.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import orjson

from extractors.logs.paths import Record
from schemas.errors import SourceFormatError, SourceIncompleteError

_BLOCK = 1 << 20
_MOST = 64 << 20
_SMALL = 8 << 20
_BLANK = " \t\r\n\x1e"
_EXACT = json.JSONDecoder(parse_float=str, parse_int=str, strict=False)


class Read(NamedTuple):
    """One record, or what stands in its place.

    Attributes:
        number: its line; of an array, which one it is; from 1.
        record: what it is; None where it is no JSON object.
        line: its text; of a record of an array, nothing.
    """

    number: int
    record: Record | None
    line: bytes = b""

    @property
    def text(self) -> str:
        """Its text without a line end."""
        return self.line.decode(errors="replace").rstrip("\r\n")

    def as_written(self) -> Record:
        """Returns the record with each number as its text."""
        if not self.line:
            return self.record or {}
        exact: Record = _EXACT.decode(self.line.decode().strip(_BLANK))
        return exact


def is_line_of_json(line: bytes, is_wanted: Callable[[Record], bool]) -> bool:
    """Whether a file whose first line that is not blank is `line` has a record a line."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return isinstance(record, dict) and (is_wanted(record) or not _lists_in(record))


def json_lines(path: Path, name: str) -> Iterator[Read]:
    """Yields the records of a file that has one a line; blank lines are none.

    Raises:
        SourceFormatError: a line that goes on and on.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MOST + 1):
            number += 1
            if len(line) > _MOST:
                raise SourceFormatError(
                    f"{name}: line {number} is larger than {_MOST:,} bytes: is it format: json?"
                )
            if line.strip(b" \t\r\n\x1e"):
                yield _of_line(number, line)


def _of_line(number: int, line: bytes) -> Read:
    try:
        record = orjson.loads(line.strip(b"\x1e"))
    except orjson.JSONDecodeError:
        record = None
    return Read(number, record if isinstance(record, dict) else None, line)


def json_documents(path: Path, name: str, is_wanted: Callable[[Record], bool]) -> Iterator[Read]:
    """Yields the records of a file of arrays, or of objects, one after the other.

    An object that is no record itself, and has one list of objects, is what the records are in.

    Raises:
        SourceIncompleteError: it ends in the middle.
        SourceFormatError: it is no JSON, or has several such lists.
    """
    with path.open(encoding="utf-8", newline="") as file:
        stream = _Stream(file, name)
        while char := stream.peek():
            if char == "[":
                yield from _numbered(stream, stream.items())
            elif char == "{":
                yield from _numbered(stream, _of_object(stream, is_wanted))
            else:
                raise stream.no_json()


def _numbered(stream: "_Stream", values: Iterator[Any]) -> Iterator[Read]:
    for value in values:
        stream.count += 1
        if isinstance(value, dict):
            yield Read(stream.count, value)
        else:
            yield Read(stream.count, None, json.dumps(value, ensure_ascii=False).encode())


def _of_object(stream: "_Stream", is_wanted: Callable[[Record], bool]) -> Iterator[Any]:
    """Yields the object itself, or what its one list of objects holds."""
    if not stream.fits(_SMALL):
        yield from stream.listed()
        return
    record = stream.value()
    lists = _lists_in(record)
    if is_wanted(record) or not lists:
        yield record
        return
    filled = [one for one in lists if one]
    if len(filled) > 1:
        raise stream.several_lists()
    yield from (filled or lists)[0]


def _lists_in(record: Record) -> list[list[Any]]:
    """Returns the lists of objects in it, and the empty ones."""
    values = [value for value in record.values() if isinstance(value, list)]
    return [value for value in values if all(isinstance(one, dict) for one in value)]


class _Stream:
    """JSON text, decoded value by value as it is read; memory holds one value and a block."""

    def __init__(self, file: IO[str], name: str) -> None:
        self._file = file
        self._name = name
        self._buffer = ""
        self._at = 0
        self._is_over = False
        self.count = 0

    def _fill(self) -> bool:
        """Reads on, as much again as there is; whether anything came."""
        if self._is_over:
            return False
        rest = self._buffer[self._at :]
        more = self._file.read(max(_BLOCK, len(rest)))
        self._is_over = not more
        self._buffer, self._at = rest + more, 0
        return bool(more)

    def peek(self) -> str:
        """Returns the next sign that is not blank; the empty text at the end."""
        while True:
            while self._at < len(self._buffer):
                if self._buffer[self._at] not in _BLANK:
                    return self._buffer[self._at]
                self._at += 1
            if not self._fill():
                return ""

    def value(self) -> Any:  # noqa: ANN401 - whatever stands there
        """Returns the next value, numbers as their text.

        Raises:
            SourceIncompleteError: the file ends in it.
            SourceFormatError: it is none, or never ends.
        """
        self.peek()
        while True:
            try:
                value, end = _EXACT.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError):
                end = None
            if end is not None and end < len(self._buffer):
                self._at = end
                return value
            if end is None and len(self._buffer) - self._at > _MOST:
                raise self.no_json()
            if not self._fill():
                if end is None:
                    raise self._cut()
                self._at = len(self._buffer)
                return value

    def fits(self, size: int) -> bool:
        """Whether the next value ends within so many characters."""
        self.peek()
        while True:
            try:
                _EXACT.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError):
                if len(self._buffer) - self._at > size or not self._fill():
                    return False
            else:
                return True

    def items(self) -> Iterator[Any]:
        """Yields the items of the list that begins here."""
        self._at += 1
        char = self.peek()
        while char and char != "]":
            yield self.value()
            char = self._after_item("]")
        if not char:
            raise self._cut()
        self._at += 1

    def listed(self) -> Iterator[Any]:
        """Yields the items of the lists of objects in the object that begins here."""
        self._at += 1
        char, has_list = self.peek(), False
        while char and char != "}":
            self.value()
            if self.peek() != ":":
                raise self.no_json() if self.peek() else self._cut()
            self._at += 1
            if self.peek() != "[":
                self.value()
            elif has_list:
                raise self.several_lists()
            else:
                has_list = True
                yield from self.items()
            char = self._after_item("}")
        if not char:
            raise self._cut()
        self._at += 1

    def _after_item(self, end: str) -> str:
        """Goes past a comma; returns what comes then, or the sign of the end."""
        char = self.peek()
        if char == ",":
            self._at += 1
            return self.peek()
        if char and char != end:
            raise self.no_json()
        return char

    def _cut(self) -> SourceIncompleteError:
        return SourceIncompleteError(
            f"{self._name}: ends in the middle, after {self.count:,} records: it was cut off, or "
            "is still being written"
        )

    def no_json(self) -> SourceFormatError:
        """The error of what is no JSON here."""
        return SourceFormatError(
            f"{self._name}: is no JSON after {self.count:,} records: state the format of the log"
        )

    def several_lists(self) -> SourceFormatError:
        """The error of an object with several lists of objects."""
        return SourceFormatError(
            f"{self._name}: has several lists of records in one object: export one of them alone"
        )

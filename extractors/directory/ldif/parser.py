"""Entries of a content LDIF (RFC 2849), as slapcat, ldapsearch and ldifde write it, in a stream.

What would change a directory, or would be fetched from elsewhere, is refused with its line.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, NoReturn

from extractors.directory.ldap.protocol.ranges import has_ranges, with_whole_ranges
from extractors.directory.ldap.protocol.raw_entries import Attributes, RawEntry
from extractors.directory.ldif.search_result import SearchResult
from schemas.errors import SourceFormatError, SourceIncompleteError, raise_as

_BATCH = 1000
_NAME = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)(?:;[A-Za-z0-9=*-]+)*\Z")
_UTF8_MARK, _UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_STATE = re.compile(rb";(?:(?:ad|vu|vd|md)csn-|deleted)", re.IGNORECASE)
_CHANGES = frozenset({b"control", b"newrdn", b"deleteoldrdn", b"newsuperior"})

Line = tuple[int, bytes]


def read_ldif(
    file: BinaryIO,
    name: str,
    *,
    ends_with_empty_line: bool = False,
    referrals: Literal["refuse", "ignore"] = "refuse",
) -> Iterator[list[RawEntry]]:
    """Yields the entries, up to 1,000 at a time, in the file's order; `name` is for messages.

    `ends_with_empty_line` makes it an error when the file does not end like that, as those of
    slapcat and ldifde do: nothing else shows that a file was cut off between two lines. What
    ldapsearch says of its search must say that it found everything; `referrals` is for entries that
    it says are on another server.

    Raises:
        SourceIncompleteError: no entry at all, or a file that was cut off.
        SourceFormatError: no LDIF, or one that describes changes; with the line.
    """
    result = SearchResult(name, referrals)
    batch: list[RawEntry] = []
    count = 0
    names: dict[bytes, str] = {}
    for record, is_ended in _records(file, name, result.comment):
        if result.record(record):
            continue
        result.entry()
        if ends_with_empty_line and not is_ended:
            raise SourceIncompleteError(
                f"{name}: ends at line {record[-1][0]} without an empty line: it was cut off"
            )
        entry = _entry(record, name, names)
        if not is_ended and not entry[1]:
            raise SourceIncompleteError(
                f"{name}: ends at line {record[-1][0]} with a dn alone: it was cut off"
            )
        batch.append(entry)
        count += 1
        if len(batch) == _BATCH:
            yield _whole(batch, name)
            batch = []
    if batch:
        yield _whole(batch, name)
    result.check_end()
    if not count:
        raise SourceIncompleteError(f"{name}: holds no entry: see why the export wrote nothing")


def _whole(batch: list[RawEntry], name: str) -> list[RawEntry]:
    if not has_ranges(batch):
        return batch
    return raise_as(
        lambda: with_whole_ranges(batch, lambda _dn, _attribute: []),
        {
            SourceIncompleteError: lambda _: SourceIncompleteError(
                f"{name}: an attribute's values go on after its range: export them all"
            )
        },
    )


def dn_lines(file: BinaryIO, name: str) -> Iterator[tuple[int, str]]:
    """Yields where each entry begins, and its DN."""
    for record, _ in _records(file, name, lambda _number, _line: None):
        number, line = record[0]
        if line[:3].lower() == b"dn:":
            yield number, _dn(_value(line[3:], name, number), name, number)


def _records(
    file: BinaryIO, name: str, comment: Callable[[int, bytes], None]
) -> Iterator[tuple[list[Line], bool]]:
    """Yields the lines of each entry, and whether an empty line ends it; comments go elsewhere.

    ldapsearch begins the next page right after a page's result.
    """
    record: list[Line] = []
    for number, line in _whole_lines(file, name):
        if not line:
            if record:
                yield record, True
            record = []
        elif line.startswith(b"#"):
            if record and line.startswith(b"# extended LDIF"):
                yield record, True
                record = []
            comment(number, line)
        elif not record and line.lower().startswith(b"version:"):
            _check_version(line, name, number)
        else:
            record.append((number, line))
    if record:
        yield record, False


def _check_version(line: bytes, name: str, number: int) -> None:
    if line.partition(b":")[2].strip() != b"1":
        _refuse(name, number, "LDIF has version 1 only")


def _whole_lines(file: BinaryIO, name: str) -> Iterator[Line]:
    """Yields lines with what was folded put together, each with the number that it starts at."""
    parts: list[bytes] = []
    number = started_at = 0
    for raw in file:
        number += 1
        line = raw.removesuffix(b"\n").removesuffix(b"\r")
        if number == 1:
            line = _unmarked(line, name)
        if line.startswith(b" "):
            if not parts:
                _refuse(name, number, "starts with a space and goes on from no line")
            parts.append(line[1:])
            continue
        if parts:
            yield started_at, b"".join(parts)
        parts, started_at = [line] if line else [], number
        if not line:
            yield number, b""
    if parts:
        yield started_at, b"".join(parts)


def _unmarked(line: bytes, name: str) -> bytes:
    if line.startswith(_UTF16_MARKS):
        raise SourceFormatError(f"{name}: is UTF-16: export it without -u, or convert it to UTF-8")
    return line.removeprefix(_UTF8_MARK)


def _entry(record: list[Line], name: str, names: dict[bytes, str]) -> RawEntry:
    number, line = record[0]
    key, colon, rest = line.partition(b":")
    if key.lower() != b"dn" or not colon:
        _refuse(name, number, "an entry starts with dn:")
    dn = _dn(_value(rest, name, number), name, number)
    attributes: Attributes = {}
    for number, line in record[1:]:
        key, colon, rest = line.partition(b":")
        attribute = names.get(key)
        if attribute is None or not colon:
            attribute = _attribute_name(key, rest if colon else None, name, number)
            if attribute is None:
                continue
            names[key] = attribute
        attributes.setdefault(attribute, []).append(_value(rest, name, number))
    return dn, attributes


def _attribute_name(key: bytes, rest: bytes | None, name: str, number: int) -> str | None:
    """Returns the attribute's name; None for `changetype: add`, which ldifde writes everywhere."""
    lowered = key.lower()
    if rest is None or not _NAME.match(key):
        _refuse(name, number, "is neither an attribute with its value nor a comment")
    if _STATE.search(key):
        _refuse(name, number, "bears a state of replication: export it without --replication (-r)")
    if lowered == b"changetype":
        if rest.strip().lower() == b"add":
            return None
        _refuse(name, number, "changetype: describes a change: export the entries themselves")
    if lowered in _CHANGES:
        _refuse(
            name, number, f"{lowered.decode()}: describes a change: export the entries themselves"
        )
    if lowered == b"dn":
        _refuse(name, number, "a second dn: an empty line is missing between two entries")
    return key.decode()


def _value(rest: bytes, name: str, number: int) -> bytes:
    """Returns the value after the first colon."""
    if rest.startswith(b":"):
        return raise_as(
            lambda: base64.b64decode(rest[1:].strip(b" "), validate=True),
            {binascii.Error: lambda _: _wrong(name, number, "is no base64, or was cut off")},
        )
    if rest.startswith(b"<"):
        _refuse(name, number, "takes its value from a URL: export the value itself")
    if b"\0" in rest:
        _refuse(name, number, "has a NUL byte: it is no text")
    return rest.lstrip(b" ")


def _dn(value: bytes, name: str, number: int) -> str:
    return raise_as(
        value.decode, {UnicodeDecodeError: lambda _: _wrong(name, number, "the dn is not UTF-8")}
    )


def _refuse(name: str, number: int, why: str) -> NoReturn:
    raise _wrong(name, number, why)


def _wrong(name: str, number: int, why: str) -> SourceFormatError:
    return SourceFormatError(f"{name}: line {number}: {why}")

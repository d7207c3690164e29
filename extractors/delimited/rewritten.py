"""Dialects that polars does not read, rewritten into one that it does: escapes, long separators.

Each line keeps its number. What stands for an escaped character, or for a separator, is a control
character that the file does not have; cells and rejects are given their own characters back.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

import polars as pl

from extractors.exports.text import TextFile, facts_of
from extractors.zones.private_file import open_private
from schemas.errors import SourceFormatError
from schemas.source_file.kinds.csv_source import CsvOptions
from schemas.tables import ROW

_BLOCK = 1 << 24
_STAND_INS = bytes(
    [*range(1, 8), 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 29, 30, 31]
)
"""Control characters that may stand for others."""

_DAMAGE = b"\x1a"
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t"} | dict.fromkeys((b"0", b"b", b"Z"), _DAMAGE)
"""What MySQL's OUTFILE and PostgreSQL's COPY write after a backslash, and what is meant."""


@dataclass(slots=True)
class Rewritten:
    """A file in a dialect that polars reads.

    Attributes:
        text: the file.
        separator: what stands between fields in it; None for what the source file says.
        meant: by what stands for it, the characters of cells.
        written: the same, as they are written in the export, for rejects.
        blank: cells that mean nothing, as they stand in the file.
    """

    text: TextFile
    separator: str | None = None
    meant: dict[str, str] = field(default_factory=dict)
    written: dict[str, str | int | None] = field(default_factory=dict)
    blank: tuple[str, ...] = ()

    @property
    def is_changed(self) -> bool:
        """Whether cells are other than they stand in the file."""
        return bool(self.meant or self.blank)

    def restored(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Returns the rows with their own characters, and the cells that mean nothing empty."""
        cells = pl.exclude(ROW)
        if self.blank:
            rows = rows.with_columns(
                pl.when(cells.is_in(self.blank)).then(pl.lit("")).otherwise(cells).name.keep()
            )
        if self.meant:
            before, after = list(self.meant), list(self.meant.values())
            rows = rows.with_columns(cells.str.replace_many(before, after))
        return rows

    def as_written(self, text: str) -> str:
        """Returns a line, or a field, as it is written in the export."""
        return text.translate(str.maketrans(self.written)) if self.written else text


def to_rewritten(text: TextFile, options: CsvOptions, folder: Path) -> Rewritten:
    """Returns the file as polars reads it: the same, or a private copy in `folder`.

    Raises:
        SourceFormatError: a backslash at the end, or too many control characters in the file.
    """
    is_escaped, is_long = options.escape != "none", len(options.separator.encode()) > 1
    is_long &= options.separator != "auto"
    if not is_escaped and not is_long:
        return Rewritten(text, blank=options.blank)
    free = _free_stand_ins(text)
    made = Rewritten(text, blank=options.blank)
    if is_long:
        sign = next(free)
        made.separator = sign.decode()
        made.written[made.separator] = options.separator
    path = text.path
    if is_escaped:
        path = _without_escapes(path, options, made, free, folder)
    if is_long:
        path = _with_separator(path, options, (made.separator or "").encode(), folder)
    facts = facts_of(path, None if options.quote == "none" else options.quote)
    if facts is None or facts.count != text.facts.count:
        raise SourceFormatError(f"{text.export.name}: its escapes leave open where lines end")
    made.text = replace(text, path=path, facts=facts)
    return made


def _free_stand_ins(text: TextFile) -> Iterator[bytes]:
    there: set[int] = set()
    with text.path.open("rb") as file:
        while block := file.read(_BLOCK):
            there.update(sign for sign in _STAND_INS if sign in block)
    for sign in _STAND_INS:
        if sign not in there:
            yield bytes([sign])
    raise SourceFormatError(
        f"{text.export.name}: has every control character in it: see the export"
    )


@dataclass(slots=True)
class _Escapes:
    """The escapes of a file: what stands for each, and the line ends that were escaped so far."""

    free: Iterator[bytes]
    stand_ins: dict[bytes, bytes] = field(default_factory=dict)
    escaped_ends: int = 0

    def stand_in(self, match: re.Match[bytes]) -> bytes:
        """Returns what stands for an escape, or for a line end."""
        token = match[0]
        if token == b"\n":
            # A line end that was escaped is none here: the lines after it keep their numbers.
            ends, self.escaped_ends = b"\n" * (1 + self.escaped_ends), 0
            return ends
        self.escaped_ends += token.endswith(b"\n")
        if token not in self.stand_ins:
            self.stand_ins[token] = next(self.free)
        return self.stand_ins[token]


def _without_escapes(
    path: Path, options: CsvOptions, made: Rewritten, free: Iterator[bytes], folder: Path
) -> Path:
    escape, escapes = options.escape.encode(), _Escapes(free)
    pattern = re.compile(re.escape(escape) + rb"(?:\r\n|[\x00-\x7f]|[\xc2-\xf4][\x80-\xbf]+|$)|\n")
    target = folder / "unescaped"
    with path.open("rb") as file, open_private(target) as out:
        for block in _whole_lines(file, escape):
            if block.endswith(escape) and _is_odd(block, escape):
                raise SourceFormatError(
                    f"{made.text.export.name}: ends in a backslash: it was cut off"
                )
            is_plain = escape not in block and not escapes.escaped_ends
            out.write(block if is_plain else pattern.sub(escapes.stand_in, block))
        out.write(b"\n" * escapes.escaped_ends)
    for token, sign in escapes.stand_ins.items():
        after = token[len(escape) :]
        is_null = token == escape + b"N"
        meant = _ESCAPED.get(after, b"N" if is_null else after)
        made.meant[sign.decode()] = meant.decode(errors="replace")
        made.written[sign.decode()] = token.decode(errors="replace")
        if is_null:
            made.blank = (*made.blank, sign.decode())
    return target


def _whole_lines(file: IO[bytes], escape: bytes) -> Iterator[bytes]:
    """Yields blocks that end with a line, none of them with an escaped line end."""
    while block := file.read(_BLOCK):
        while not block.endswith(b"\n") or _is_odd(block[:-1].removesuffix(b"\r"), escape):
            more = file.readline()
            if not more:
                break
            block += more
        yield block


def _is_odd(block: bytes, escape: bytes) -> bool:
    """Whether a block ends in an escape that is not itself escaped."""
    return (len(block) - len(block.rstrip(escape))) % 2 == 1


def _with_separator(path: Path, options: CsvOptions, sign: bytes, folder: Path) -> Path:
    separator = options.separator.encode()
    quote = b"" if options.quote == "none" else options.quote.encode()
    one = re.escape(separator[:1])
    is_run = separator == separator[:1] * len(separator)
    between = rb"(?:%s)+" % one if is_run else re.escape(separator)
    quoted = b""
    if quote:
        q, s = re.escape(quote), re.escape(separator)
        quoted = rb"(?:(?<![^\n])|(?<=%s))%s[^%s]*(?:%s%s[^%s]*)*%s|" % (s, q, q, q, q, q, q)
    pattern = re.compile(quoted + between)

    def part(match: re.Match[bytes]) -> bytes:
        token = match[0]
        if quote and token.startswith(quote):
            return token
        count, rest = divmod(len(token), len(separator))
        # A run that is no whole number of them could be parted in several ways: its line has then
        # too few fields, and is a reject.
        return token if rest else sign * count

    target = folder / "separated"
    with path.open("rb") as file, open_private(target) as out:
        block = b""
        for line in file:
            block += line
            if len(block) >= _BLOCK and not (quote and block.count(quote) % 2):
                out.write(pattern.sub(part, block))
                block = b""
        out.write(pattern.sub(part, block))
    return target

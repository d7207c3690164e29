"""Makes an export one plain UTF-8 file: unpacked, decoded strictly, without a byte order mark."""

import codecs
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from extractors.exports.compression import is_archive, unpack
from extractors.exports.export import Export
from extractors.zones.private_file import open_private
from schemas.errors import SourceFormatError, SourceIncompleteError, raise_as

_BLOCK = 1 << 20
_HEAD = 1 << 12
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOST, _FEW = 0.6, 0.1
_ASCII = bytes(range(128))
_FALLBACK = "cp1252"
_TOLD = 3


@dataclass(frozen=True, slots=True)
class LineFacts:
    """Facts of a file, known from a look at every physical line.

    Attributes:
        count: the physical lines of the file.
        has_quotes: whether a quote is anywhere in it.
        has_returns: whether a carriage return stands anywhere but at the end of a line.
    """

    count: int
    has_quotes: bool
    has_returns: bool


@dataclass(frozen=True, slots=True)
class TextFile:
    """An export as UTF-8.

    Attributes:
        export: the file it comes from.
        original: where its bytes are as they lie there, compressed or not.
        unpacked: the same, unpacked.
        path: where the text is in UTF-8: the same again, or a private copy.
        encoding: the encoding it was written in.
        facts: what is known of its lines.
        warning: what a person should know about the encoding; None where there is nothing.
    """

    export: Export
    original: Path
    unpacked: Path
    path: Path
    encoding: str
    facts: LineFacts
    warning: str | None


def to_text_file(export: Export, encoding: str, quote: str | None, folder: Path) -> TextFile:
    """Returns the export as UTF-8: in place where it is that, else in a private file in `folder`.

    Raises:
        SourceUnavailableError: it cannot be fetched from its zone.
        SourceIncompleteError: empty, a cut archive, or changed since it was found.
        SourceFormatError: bytes that the encoding does not have, or no text at all.
    """
    original = export.zone.fetch(export.file, folder)
    unpacked = original
    if is_archive(original):
        unpacked = folder / "unpacked"
        unpack(original, export.name, unpacked)
    with unpacked.open("rb") as file:
        head = file.read(_HEAD)
    _check_is_text(export, head)
    name = _encoding_of(head)
    if encoding != "auto":
        name = codecs.lookup(encoding).name.replace("utf-8-sig", "utf-8")
    if name in {None, "utf-8"} and not head.startswith(codecs.BOM_UTF8):
        facts = facts_of(unpacked, quote)
        if facts is not None:
            return TextFile(export, original, unpacked, unpacked, "utf-8", facts, None)
    return _to_decoded(export, original, unpacked, name, quote, folder)


def _to_decoded(
    export: Export,
    original: Path,
    unpacked: Path,
    encoding: str | None,
    quote: str | None,
    folder: Path,
) -> TextFile:
    """Returns the export as a private copy in UTF-8, from an encoding that is stated or found."""
    warning = None
    if encoding is None and _is_mostly_utf8(unpacked):
        encoding = "utf-8"
    if encoding is None:
        encoding = _FALLBACK
        warning = (
            f"{export.name}: is not UTF-8 and was read as Windows-1252: "
            "state encoding: windows-1252 if that is right"
        )
    if encoding == "utf-8":
        check_lines(export, unpacked)
    path = _decoded(export, unpacked, encoding, folder)
    facts = facts_of(path, quote)
    if facts is None:
        raise SourceFormatError(f"{export.name}: is not {encoding}: state the right encoding:")
    return TextFile(export, original, unpacked, path, encoding, facts, warning)


def _check_is_text(export: Export, head: bytes) -> None:
    if not head:
        raise SourceIncompleteError(f"{export.name}: is empty: see why the export wrote nothing")
    if head.startswith(b"PK\x03\x04"):
        raise SourceFormatError(
            f"{export.name}: is a spreadsheet or a zip file, not delimited text: export it as CSV"
        )
    if head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")):
        raise SourceFormatError(f"{export.name}: is compressed: name it .gz or .zst")


def _encoding_of(head: bytes) -> str | None:
    """Returns the encoding by its byte order mark or by UTF-16's NULs; None without either."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    pairs = len(head) // 2
    if not pairs:
        return None
    even = head[: 2 * pairs : 2].count(0) / pairs
    odd = head[1 : 2 * pairs : 2].count(0) / pairs
    if odd >= _MOST and even <= _FEW:
        return "utf-16-le"
    if even >= _MOST and odd <= _FEW:
        return "utf-16-be"
    return None


def facts_of(path: Path, quote: str | None) -> LineFacts | None:
    """Looks at every line, at memory speed; None where a byte is not UTF-8."""
    line = pl.col("line").str
    facts = pl.scan_lines(path, glob=False).select(
        pl.len(),
        (line.contains(quote, literal=True) if quote else pl.lit(value=False))
        .any()
        .alias("quotes"),
        line.contains("\r", literal=True).any().alias("returns"),
    )
    try:
        return LineFacts(*facts.collect(engine="streaming").row(0))
    except pl.exceptions.ComputeError:
        return None


def _is_mostly_utf8(path: Path) -> bool:
    """Whether most bytes beyond ASCII are UTF-8: then a few are damaged, and it is no Windows-1252.

    Read as Windows-1252, every name with an accent in it would be wrong, and only a warning.
    """
    decoder, high, good = codecs.getincrementaldecoder("utf-8")("ignore"), 0, 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            high += len(block.translate(None, _ASCII))
            good += len(decoder.decode(block).encode().translate(None, _ASCII))
    return 2 * good > high


def check_lines(export: Export, path: Path) -> None:
    """Raises where a few lines of a file are not UTF-8, and the others are: it is damaged there.

    To state another encoding would turn every other accent into something else.

    Raises:
        SourceFormatError: it is so.
    """
    broken: list[int] = []
    good_count = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.isascii():
                is_good = _is_utf8(line)
                good_count += is_good
                broken += [] if is_good else [number]
    if broken and len(broken) <= max(1, good_count):
        raise SourceFormatError(
            f"{export.name}: {_lines_text(broken)} bytes that are not UTF-8, and every other line "
            f"is UTF-8: mend {'that line' if len(broken) == 1 else 'these lines'} in the export"
        )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines_text(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"line {numbers[0]} has"
    more = len(numbers) - _TOLD
    first = ", ".join(map(str, numbers[:_TOLD]))
    return f"lines {first} and {more:,} more have" if more > 0 else f"lines {first} have"


def _decoded(export: Export, path: Path, encoding: str, folder: Path) -> Path:
    target, line, is_first = folder / "text", 1, True
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    with path.open("rb") as file, open_private(target) as out:
        while True:
            block = file.read(_BLOCK)
            text = raise_as(
                partial(_to_utf8, decoder, block),
                {UnicodeError: partial(_undecodable, export, encoding, line)},
            )
            if is_first and text:
                text, is_first = text.removeprefix(codecs.BOM_UTF8), False
            out.write(text)
            line += text.count(b"\n")
            if not block:
                return target


def _to_utf8(decoder: codecs.IncrementalDecoder, block: bytes) -> bytes:
    """Returns the block in UTF-8; an empty one is the end of the file."""
    return decoder.decode(block, final=not block).encode()


def _undecodable(
    export: Export, encoding: str, line: int, error: UnicodeError
) -> SourceFormatError:
    """The error of bytes that the encoding does not have; their block begins in `line`."""
    line += _lines_before(error, encoding)
    return SourceFormatError(
        f"{export.name}: line {line} has bytes that are not {encoding}: state the right encoding:"
    )


def _lines_before(error: UnicodeError, encoding: str) -> int:
    if not isinstance(error, UnicodeDecodeError):
        return 0
    codec = encoding if error.encoding == "charmap" else error.encoding
    return error.object[: error.start].decode(codec, "ignore").count("\n")

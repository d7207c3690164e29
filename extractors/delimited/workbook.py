"""What an .xlsx file says beside its values: sheets, number formats, errors, what is hidden.

ECMA-376, part 1: 18.2 (workbook), 18.3 (worksheet), 18.8.30 (number formats). Values come from
calamine, by fastexcel 0.21, which tells neither the format of a number nor an error's cell.
"""

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from posixpath import join, normpath
from typing import TypeVar
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.parsers.expat import ExpatError, ParserCreate

from schemas.errors import SourceFormatError, raise_as
from schemas.tables import FORMULA_ERROR, NO_FORMULA_VALUE, TOO_MANY_DIGITS

T = TypeVar("T")

_MOST_BYTES = 2 << 30
_BOMB_BYTES = 100 << 20
_BOMB_RATIO = 150
_BLOCK = 1 << 20
_DIGITS_KEPT = 15
_OLE = b"\xd0\xcf\x11\xe0"
_MAIN = "xl/workbook.xml"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_ID = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")
_PADDED = re.compile(r'^(?:0|\\.|"[^"]*"|[-/ ()])+$')
_TOKEN = re.compile(r'0|\\(.)|"([^"]*)"|([-/ ()])')


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook: its name, whether it is hidden, and its file in the archive."""

    name: str
    is_hidden: bool
    member: str


@dataclass(slots=True)
class Bounds:
    """Where cells are, from 1; zeros where none is."""

    first_column: int = 0
    last_column: int = 0
    last_row: int = 0

    def take(self, row: int, column: int) -> None:
        """Takes a cell in."""
        self.first_column = min(self.first_column or column, column)
        self.last_column = max(self.last_column, column)
        self.last_row = max(self.last_row, row)


@dataclass(slots=True)
class SheetFacts:
    """What a sheet says beside its values; rows and columns count from 1.

    Attributes:
        texts: cells that are another text than their value: a number with leading zeros, and those
            that nobody can read (`READ_FAULTS`).
        hidden_rows: how many rows are hidden.
        merged: how many areas of cells are merged.
        values: where the cells with a value are, which is what calamine gives.
        cells: where these are, and formulas without a stored value.
    """

    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    hidden_rows: int = 0
    merged: int = 0
    values: Bounds = field(default_factory=Bounds)
    cells: Bounds = field(default_factory=Bounds)


def to_sheets(path: Path, name: str) -> list[Sheet]:
    """Returns the sheets of the workbook in their order.

    Raises:
        SourceFormatError: no workbook, an encrypted or old one, or one that unpacks beyond measure.
    """
    with path.open("rb") as file:
        if file.read(len(_OLE)) == _OLE:
            raise SourceFormatError(f"{name}: is an encrypted or an old workbook: save it as .xlsx")
    return _guarded(name, partial(_sheets, path, name))


def to_facts(path: Path, name: str, sheet: Sheet) -> SheetFacts:
    """Returns what the sheet says beside its values.

    Raises:
        SourceFormatError: it is no well-formed XML, or is larger than it says.
    """
    return _guarded(name, partial(_facts, path, name, sheet))


def _guarded(name: str, work: Callable[[], T]) -> T:
    def broken(_: Exception) -> SourceFormatError:
        return SourceFormatError(f"{name}: is no whole .xlsx workbook: export it again")

    kinds = (zipfile.BadZipFile, ParseError, ExpatError, KeyError, ValueError, EOFError)
    return raise_as(work, dict.fromkeys(kinds, broken))


def _sheets(path: Path, name: str) -> list[Sheet]:
    with zipfile.ZipFile(path) as archive:
        _check_size(archive, name)
        if _MAIN not in archive.namelist():
            raise SourceFormatError(f"{name}: is no .xlsx workbook: {_MAIN} is not in it")
        targets = {
            relation.get("Id"): relation.get("Target", "")
            for relation in _tree(archive, "xl/_rels/workbook.xml.rels", name)
        }
        found = []
        for sheet in _named(_tree(archive, _MAIN, name), "sheets"):
            target = targets[sheet.get(_ID) or sheet.get(_STRICT_ID)]
            member = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
            is_hidden = sheet.get("state", "visible") != "visible"
            found.append(Sheet(sheet.get("name", ""), is_hidden, member))
        return found


def _check_size(archive: zipfile.ZipFile, name: str) -> None:
    members = archive.infolist()
    size = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members) or 1
    if size > _MOST_BYTES or (size > _BOMB_BYTES and size > _BOMB_RATIO * packed):
        raise SourceFormatError(
            f"{name}: unpacks to {size / 1e6:,.0f} MB, {size // packed} times its size: no export "
            "of accounts does; it is not opened"
        )
    if any(member.flag_bits & 1 for member in members):
        raise SourceFormatError(f"{name}: is encrypted: export it without a password")


def _tree(archive: zipfile.ZipFile, member: str, name: str) -> Element:
    parser = XMLParser(target=TreeBuilder())  # noqa: S314 - a document type is refused below
    head = archive.read(member)
    if b"<!DOCTYPE" in head[:_BLOCK]:
        raise SourceFormatError(f"{name}: {member} declares a document type: no workbook does")
    parser.feed(head)
    return parser.close()


def _named(tree: Element, name: str) -> list[Element]:
    """The children of the first child of that name, whatever its namespace."""
    return next((list(child) for child in tree if child.tag.rpartition("}")[2] == name), [])


def _padding(archive: zipfile.ZipFile, name: str) -> dict[str, str]:
    """By the style of a cell: its number format, where that shows leading zeros."""
    if "xl/styles.xml" not in archive.namelist():
        return {}
    tree = _tree(archive, "xl/styles.xml", name)
    codes = {one.get("numFmtId"): one.get("formatCode", "") for one in _named(tree, "numFmts")}
    found = {}
    for number, style in enumerate(_named(tree, "cellXfs")):
        code = codes.get(style.get("numFmtId"), "").partition(";")[0]
        if code.count("0") > 1 and _PADDED.match(code):
            found[str(number)] = code
    return found


def shown(number: str, code: str) -> str | None:
    """A whole number as a format of zeros and signs shows it; None where that cannot be told."""
    if not number.isdigit():
        return None
    tokens = [match.groups() for match in _TOKEN.finditer(code)]
    places = sum(not any(token) for token in tokens)
    digits = number.zfill(places)
    ahead, rest = digits[: len(digits) - places], iter(digits[len(digits) - places :])
    text = ""
    for escaped, quoted, sign in tokens:
        literal = escaped or quoted or sign
        if literal is not None:
            text += literal
        else:
            text += ahead + next(rest)
            ahead = ""
    return text


class _Look:
    """Looks at each cell of a sheet as it is parsed."""

    def __init__(self, facts: SheetFacts, padding: dict[str, str]) -> None:
        self._facts, self._padding = facts, padding
        self._row = self._column = 0
        self._style = self._kind = self._text = ""
        self._is_formula = self._in_value = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """A tag opens."""
        tag = tag.rpartition(":")[2]
        if tag == "c":
            self._open(attributes)
        elif tag in {"v", "t"}:
            self._in_value = True
        elif tag == "f":
            self._is_formula = True
        elif tag == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
            self._facts.hidden_rows += attributes.get("hidden") in {"1", "true"}
        elif tag == "mergeCell":
            self._facts.merged += 1

    def data(self, text: str) -> None:
        """Text of a value."""
        if self._in_value:
            self._text += text

    def end(self, tag: str) -> None:
        """A tag closes."""
        tag = tag.rpartition(":")[2]
        if tag in {"v", "t"}:
            self._in_value = False
        elif tag == "c":
            self._close()

    def _open(self, attributes: dict[str, str]) -> None:
        found = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column += 1
        if found:
            self._column = _column_number(found[1])
        self._style, self._kind = attributes.get("s", ""), attributes.get("t", "n")
        self._text, self._is_formula = "", False

    def _close(self) -> None:
        place, facts = (self._row, self._column), self._facts
        is_number = self._kind == "n"
        if not self._text:
            if self._is_formula and is_number:
                facts.texts[place] = NO_FORMULA_VALUE
                facts.cells.take(*place)
            return
        facts.cells.take(*place)
        facts.values.take(*place)
        if self._kind == "e":
            facts.texts[place] = FORMULA_ERROR
        elif is_number and _is_beyond(self._text):
            facts.texts[place] = TOO_MANY_DIGITS
        elif is_number and self._style in self._padding:
            text = shown(self._text.removesuffix(".0"), self._padding[self._style])
            if text is not None:
                facts.texts[place] = text


def _is_beyond(number: str) -> bool:
    """Whether a whole number has more digits than a spreadsheet keeps."""
    return len(number) > _DIGITS_KEPT and abs(float(number)) >= 10**_DIGITS_KEPT


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def _facts(path: Path, name: str, sheet: Sheet) -> SheetFacts:
    facts = SheetFacts()
    with zipfile.ZipFile(path) as archive:
        look = _Look(facts, _padding(archive, name))
        parser = ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = look.start, look.end
        parser.CharacterDataHandler = look.data
        parser.StartDoctypeDeclHandler = partial(_no_document_type, name)
        with archive.open(sheet.member) as file:
            while block := file.read(_BLOCK):
                parser.Parse(block, False)
            parser.Parse(b"", True)
    return facts


def _no_document_type(name: str, *_: object) -> None:
    raise SourceFormatError(f"{name}: declares a document type: no workbook does")

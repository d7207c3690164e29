"""Text in a width: paragraphs and tables in which no word is broken that fits.

rich 15 shrinks a table's widest column first, whatever is in it, and breaks the words there.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

_GAP = "  "


def wrapped(text: str, width: int | None) -> list[str]:
    """The text's lines, none wider than `width` but for a word that is; further ones indented.

    Without a width, the lines as they are.
    """
    if width is None:
        return text.split("\n")
    lines: list[str] = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())] + _GAP
        lines += _fill(line, width, indent, breaks=False)
    return lines


def _fill(text: str, width: int, indent: str = "", *, breaks: bool) -> list[str]:
    filled = textwrap.wrap(
        text,
        max(width, 1),
        subsequent_indent=indent,
        break_long_words=breaks,
        break_on_hyphens=False,
    )
    return filled or [""]


@dataclass(slots=True)
class _Column:
    """A column as it is laid out; its cells are its heading and then the rows'."""

    cells: list[str]
    is_number: bool
    width: int = 0

    def __post_init__(self) -> None:
        self.width = max(cell_len(line) for cell in self.cells for line in cell.split("\n"))

    @property
    def longest_word(self) -> int:
        return max(cell_len(word) for cell in self.cells for word in cell.split() or [""])

    @property
    def longest_word_of_heading(self) -> int:
        return max(map(cell_len, self.cells[0].split()), default=1)

    def lines(self, row: int) -> list[str]:
        return [
            part
            for line in self.cells[row].split("\n")
            for part in ([line] if cell_len(line) <= self.width else self._filled(line))
        ]

    def _filled(self, line: str) -> list[str]:
        return _fill(line, self.width, breaks=True)

    def padded(self, line: str) -> str:
        room = " " * (self.width - cell_len(line))
        return room + line if self.is_number else line + room


def table_lines(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int | None
) -> list[str]:
    """A table's lines, its heading first; numbers stand to the right, None is blank.

    Without a width each row is one line per line of its cells.
    """
    laid = [
        _Column(
            [name, *(_text(row[number]) for row in rows)],
            bool(rows) and all(isinstance(row[number], int | None) for row in rows),
        )
        for number, name in enumerate(columns)
    ]
    if width is not None:
        _shrink(laid, width)
    return [line for row in range(len(rows) + 1) for line in _row_lines(laid, row)]


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def _shrink(columns: list[_Column], width: int) -> None:
    """Takes room from the columns that have words to wrap; then, if it must be, breaks words."""
    for least in ("longest_word", "longest_word_of_heading"):
        while sum(column.width for column in columns) + len(_GAP) * (len(columns) - 1) > width:
            wide = [column for column in columns if column.width > getattr(column, least)]
            if not wide:
                break
            max(wide, key=lambda column: column.width).width -= 1


def _row_lines(columns: list[_Column], row: int) -> list[str]:
    cells = [column.lines(row) for column in columns]
    height = max(map(len, cells), default=0)
    return [
        _GAP.join(
            column.padded(lines[number] if number < len(lines) else "")
            for column, lines in zip(columns, cells, strict=True)
        ).rstrip()
        for number in range(height)
    ]

"""Lines of a fixed form: the Common Log Format of web servers, and columns of a fixed width."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from schemas.tables import ROW

LINE = "line"

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
COMMON_LOG = (
    r"^(?:\S+:\d+ )?(\S+) (\S+) (.*?) \[([^\]]+)\] "
    + _QUOTED
    + r" (\d{3}|-) (\d+|-)(?: "
    + _QUOTED
    + " "
    + _QUOTED
    + r")?(?: .*)?$"
)
"""nginx's and Apache's `common` and `combined`, also with the virtual host before them, and with
further fields behind (nginx 1.30, Apache 2.4)."""

COMMON_NAMES = (
    "host", "ident", "user", "time", "request", "status", "size", "referer", "agent",
)  # fmt: skip
"""What Apache's documentation calls them (mod_log_config)."""


def line_batches(path: Path, block_bytes: int) -> Iterator[pl.DataFrame]:
    """Yields the lines of a file, some at a time: `ROW` and `LINE`, but for blank ones."""
    number = 1
    with path.open("rb") as file:
        while content := file.read(block_bytes):
            content += b"" if content.endswith(b"\n") else file.readline()
            lines = content.decode().split("\n")
            if not lines[-1]:
                lines.pop()
            frame = pl.DataFrame({LINE: lines}, schema={LINE: pl.String()})
            frame = frame.with_row_index(ROW, number).cast({ROW: pl.UInt32()})
            number += frame.height
            text = pl.col(LINE).str.strip_chars_end("\r")
            yield frame.with_columns(text).filter(pl.col(LINE).str.strip_chars() != "")


def common_log(lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns the rows of lines in the Common Log Format, and the lines that are not in it.

    A dash is a blank cell, as the servers mean it.
    """
    groups = pl.col(LINE).str.extract_groups(COMMON_LOG)
    parts = lines.select(
        *(
            groups.struct.field(str(number)).alias(name)
            for number, name in enumerate(COMMON_NAMES, 1)
        ),
        ROW,
        LINE,
    )
    is_good = pl.col("time").is_not_null()
    cells = pl.col(COMMON_NAMES).fill_null("").replace("-", "")
    rows = parts.filter(is_good).with_columns(cells)
    return rows.drop(LINE), parts.filter(~is_good).select(ROW, LINE)


def is_common_log(line: str) -> bool:
    """Whether a line is in the Common Log Format."""
    return bool(pl.Series([line]).str.contains(COMMON_LOG)[0])


def of_widths(lines: pl.DataFrame, widths: dict[str, int]) -> pl.DataFrame:
    """Returns the rows of lines whose columns have fixed widths, in characters; blanks are cut off.

    The last column has what is left of a line.
    """
    begins = 0
    columns = []
    for number, (name, width) in enumerate(widths.items(), 1):
        length = width if number < len(widths) else None
        columns.append(pl.col(LINE).str.slice(begins, length).str.strip_chars().alias(name))
        begins += width
    return lines.select(*columns, ROW)

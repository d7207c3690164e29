"""PyMySQL's rows as columns of text, a column at a time; the same text as a cell at a time.

PyMySQL makes an object of every cell, three million of them for 300,000 rows of ten: its packets
are read by it, and cut into cells here. What is not of a form that is known to come out the same is
made by its own converters, as it would have been.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from extractors.sql.session.values import column_text, floats_text, local_text, without_zeros

_WHOLE = {1, 2, 3, 8, 9, 13}
_FLOATS = {4, 5}
_DECIMALS = {0, 246}
_TIMES = {7, 12}
_DATE = 10
_TEXTS = {15, 253, 254, 249, 250, 251, 252}
"""VARCHAR, VAR_STRING, STRING and the BLOBs, which are texts where they have a character set."""

# Without a year before 1000: Python has no year 0, and polars has.
_DAY = r"[1-9][0-9]{3}-[0-9][0-9]-[0-9][0-9]"
_IS_DATE = rf"^{_DAY}$"
_IS_TIME = rf"^{_DAY} [0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,6}})?$"
_IS_DECIMAL = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$"
_NULL, _TWO_BYTES, _THREE_BYTES = 0xFB, 0xFC, 0xFD

Cells = list[bytes | None]


@dataclass(frozen=True, slots=True)
class Form:
    """How PyMySQL makes the values of a column.

    Attributes:
        kind: the column's type, by the protocol's number.
        encoding: of its text; None where it stays bytes.
        converter: what makes a value of the text; None where it stays text.
    """

    kind: int
    encoding: str | None
    converter: Callable[[Any], Any] | None

    def values(self, cells: Cells) -> list[Any]:
        """The values that PyMySQL makes of `cells`.

        Raises:
            ValueError: the bytes of one are no text of its encoding.
        """
        return [None if cell is None else self._value(cell) for cell in cells]

    def _value(self, cell: bytes) -> object:
        text = cell if self.encoding is None else cell.decode(self.encoding)
        return text if self.converter is None else self.converter(text)

    def text(self, name: str, cells: Cells, zone: str | None) -> pl.Series | None:
        """The text of `values`; None where that must be made value by value."""
        raw = pl.Series(name, cells, dtype=pl.Binary)
        if self.encoding is None:
            is_plain = self.kind in _TEXTS and self.converter is None
            return raw.bin.encode("hex") if is_plain else None
        if self.encoding not in {"ascii", "utf8"}:
            return None
        try:
            text = raw.cast(pl.String)
        except pl.exceptions.PolarsError:  # no UTF-8: PyMySQL says which cell
            return None
        if self.kind in _TEXTS:
            return text if self.converter is None and self.encoding == "utf8" else None
        return _text_of(text, self.kind, zone)


def _text_of(text: pl.Series, kind: int, zone: str | None) -> pl.Series | None:
    """A column's text made canonical; None where some cell of it is out of the ordinary."""
    made: pl.Series | None = None
    if kind in _WHOLE:
        numbers = text.cast(pl.Int64, strict=False)
        made = numbers.cast(pl.String)
    elif kind in _FLOATS:
        made = floats_text(text.cast(pl.Float64, strict=False))
    elif kind in _DECIMALS and _all_are(text, _IS_DECIMAL):
        made = without_zeros(text)
        made = made.set(made == "-0", "0")
    elif kind in _TIMES and zone in {None, "UTC"} and _all_are(text, _IS_TIME):
        times = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
        made = local_text(times, zone)
    elif kind == _DATE and _all_are(text, _IS_DATE):
        made = text.str.to_date("%Y-%m-%d", strict=False).dt.to_string("%Y-%m-%d")
    return made if made is not None and made.null_count() == text.null_count() else None


def _all_are(text: pl.Series, pattern: str) -> bool:
    return bool(text.str.contains(pattern).all())


def to_column(
    name: str,
    cells: Cells,
    form: Form,
    zone: str | None,
    adapted: Callable[[list[Any]], list[Any]],
) -> pl.Series:
    """The text of a column's cells; `adapted` mends values of types that have no text of their own.

    Raises:
        ValueError: the bytes of a cell are no text of its encoding.
    """
    text = form.text(name, cells, zone)
    return column_text(name, adapted(form.values(cells)), zone) if text is None else text


def cut_row(packet: bytes, width: int, cells: Cells) -> None:
    """Adds the `width` cells of a row's packet to `cells`, null where there is no value.

    Raises:
        ValueError: the packet holds more, or less.
    """
    at, end = 0, len(packet)
    for _ in range(width):
        size = packet[at] if at < end else end
        at += 1
        if size >= _NULL:
            if size == _NULL:
                cells.append(None)
                continue
            more = 2 if size == _TWO_BYTES else 3 if size == _THREE_BYTES else 8
            size = int.from_bytes(packet[at : at + more], "little")
            at += more
        cells.append(packet[at : at + size])
        at += size
    if at != end:
        raise ValueError("a row that ends before its packet, or after it")


@cache
def streaming_cursor() -> type[Any]:
    """Returns PyMySQL's streaming cursor, which lets go of a result whose connection is lost."""
    from pymysql.cursors import SSCursor

    class StreamingCursor(SSCursor):  # type: ignore[misc] # no types of its own
        """Its rows are not gathered first."""

        connection: Any

        def forms(self) -> list[Form]:
            """How the values of each column are made."""
            result = self._result
            return [
                Form(field.type_code, encoding, converter)
                for field, (encoding, converter) in zip(
                    result.fields, result.converters, strict=True
                )
            ]

        def next_columns(self, count: int) -> list[Cells]:
            """Reads at most `count` rows, and returns their cells by column; none at the end.

            Raises:
                ValueError: a row is not as wide as the columns are many.
            """
            result = self._result
            cells: Cells = []
            width = len(result.fields)
            while result.unbuffered_active and len(cells) < count * width:
                packet = result.connection._read_packet()
                if result._check_packet_is_eof(packet):
                    result.unbuffered_active, result.connection, result.rows = False, None, None
                    self.warning_count = result.warning_count
                else:
                    cut_row(packet.get_all_data(), width, cells)
            return [cells[place::width] for place in range(width)] if cells else []

        def close(self) -> None:
            """Reads what is left of the result, where the connection is there to read it from.

            PyMySQL's own fails on a lost one, with an AttributeError in place of what went wrong.
            """
            if self.connection is not None and not self.connection.open:
                if self._result is not None:
                    self._result.unbuffered_active = False
                self.connection = None
            super().close()

        __del__ = close

    return StreamingCursor

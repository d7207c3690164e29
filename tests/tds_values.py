"""Values in TDS 7.4: columns and cells as a SQL Server sends them, parameters as it gets them.

[MS-TDS], sections 2.2.5.4 and 2.2.5.5; only the types that the tests need.
"""

import datetime
import decimal
import struct
from collections.abc import Callable
from typing import Any

COLLATION = b"\x09\x04\xd0\x00\x34"
_FIRST_DAY = datetime.date(1, 1, 1)
_LONGEST_TEXT = 4000
_DECIMAL_SCALE = 10
_TYPES = {
    "bit": b"\x68\x01",
    "int": b"\x26\x08",
    "float": b"\x6d\x08",
    "decimal": b"\x6a\x11\x26" + bytes([_DECIMAL_SCALE]),
    "datetime2": b"\x2a\x07",
    "date": b"\x28",
    "binary": b"\xa5\x40\x1f",
    "text": b"\xe7\x40\x1f" + COLLATION,
}
_OF_DUCKDB = (
    ("BOOL", "bit"), ("INT", "int"), ("DOUBLE", "float"), ("DEC", "decimal"),
    ("TIMESTAMP", "datetime2"), ("DATE", "date"), ("BLOB", "binary"),
)  # fmt: skip


def kind_of(declared: str) -> str:
    """The kind a DuckDB type is sent as."""
    upper = declared.upper()
    return next((kind for word, kind in _OF_DUCKDB if word in upper), "text")


def column(name: str, kind: str) -> bytes:
    """A column's part of COLMETADATA: nullable."""
    return struct.pack("<IH", 0, 9) + _TYPES[kind] + short_text(name)


def short_text(text: str) -> bytes:
    """A text with its length in one byte."""
    return bytes([len(text)]) + text.encode("utf-16-le")


def cell(kind: str, value: Any) -> bytes:
    """A cell's part of ROW."""
    if value is None:
        return b"\xff\xff" if kind in {"text", "binary"} else b"\x00"
    if kind != "text":
        return _SHAPES[kind](value)
    text = str(value)
    if len(text) > _LONGEST_TEXT:
        raise ValueError(f"this stand-in sends at most {_LONGEST_TEXT} characters")
    encoded = text.encode("utf-16-le")
    return struct.pack("<H", len(encoded)) + encoded


def _decimal(value: Any) -> bytes:
    number = int(decimal.Decimal(value).scaleb(_DECIMAL_SCALE).to_integral_value())
    return b"\x11" + bytes([number >= 0]) + abs(number).to_bytes(16, "little")


def _ticks(value: datetime.datetime) -> int:
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    return seconds * 10_000_000 + value.microsecond * 10


def _days(value: datetime.date) -> bytes:
    return (value - _FIRST_DAY).days.to_bytes(3, "little")


_SHAPES: dict[str, Callable[[Any], bytes]] = {
    "bit": lambda value: b"\x01" + bytes([int(value)]),
    "int": lambda value: b"\x08" + struct.pack("<q", value),
    "float": lambda value: b"\x08" + struct.pack("<d", value),
    "decimal": _decimal,
    "datetime2": lambda value: b"\x08" + _ticks(value).to_bytes(5, "little") + _days(value.date()),
    "date": lambda value: b"\x03" + _days(value),
    "binary": lambda value: struct.pack("<H", len(value)) + value,
}


def parameter(data: bytes, at: int) -> tuple[Any, int]:
    """The value of a parameter whose type stands at `at`, and where the next one begins."""
    kind, at = data[at], at + 1
    match kind:
        case 0xE7 | 0xEF:
            longest, at = int.from_bytes(data[at : at + 2], "little"), at + 7
            found, at = _long(data, at) if longest == 0xFFFF else _sized(data, at, 2)
            return None if found is None else found.decode("utf-16-le"), at
        case 0x26 | 0x68:
            found, at = _sized(data, at + 1, 1)
            signed = kind == 0x26
            return None if not found else int.from_bytes(found, "little", signed=signed), at
        case 0x38:
            return int.from_bytes(data[at : at + 4], "little", signed=True), at + 4
        case 0x63:
            found, at = _sized(data, at + 9, 4)
            return None if found is None else found.decode("utf-16-le"), at
        case 0x2A:
            scale = data[at]
            found, at = _sized(data, at + 1, 1)
            return None if not found else _moment(found, scale), at
    raise ValueError(f"this stand-in takes no parameter of type {kind:#x}")


def _sized(data: bytes, at: int, width: int) -> tuple[bytes | None, int]:
    length = int.from_bytes(data[at : at + width], "little")
    at += width
    if width > 1 and length == (1 << 8 * width) - 1:
        return None, at
    return data[at : at + length], at + length


def _long(data: bytes, at: int) -> tuple[bytes | None, int]:
    total, at = int.from_bytes(data[at : at + 8], "little"), at + 8
    if total == 0xFFFFFFFFFFFFFFFF:
        return None, at
    found = b""
    while length := int.from_bytes(data[at : at + 4], "little"):
        found, at = found + data[at + 4 : at + 4 + length], at + 4 + length
    return found, at + 4


def _moment(found: bytes, scale: int) -> datetime.datetime:
    ticks = int.from_bytes(found[:-3], "little") * 10 ** (7 - scale)
    day = _FIRST_DAY + datetime.timedelta(days=int.from_bytes(found[-3:], "little"))
    midnight = datetime.datetime.combine(day, datetime.time())
    return midnight + datetime.timedelta(microseconds=ticks // 10)

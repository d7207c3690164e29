"""What an ODBC driver hands over wrongly, made from the bytes it got from the server instead."""

from collections.abc import Callable
from datetime import datetime

import pyodbc

_MARIADB = ("libmaodbc", "maodbc")


def read_exactly(connection: pyodbc.Connection) -> None:
    """Has MariaDB's driver give what the server sent.

    Its own conversions make false of a computed BIT(1) and a negative number of a large INT
    UNSIGNED, lose the sign of a TIME and whatever is over a day, make NULL of a date of zeros, and
    digits of its own of a FLOAT.
    """
    if str(connection.getinfo(pyodbc.SQL_DRIVER_NAME)).lower().startswith(_MARIADB):
        for kind, convert in _FROM_BYTES.items():
            connection.add_output_converter(kind, convert)


def _bit(sent: bytes | None) -> bool | None:
    return None if sent is None else sent not in {b"\0", b"0"}


def _text(sent: bytes | None) -> str | None:
    return None if sent is None else sent.decode("ascii")


def _time(sent: bytes | None) -> str | None:
    text = _text(sent)
    return text.rstrip("0").rstrip(".") if text and "." in text else text


def _datetime(sent: bytes | None) -> datetime | str | None:
    text = _text(sent)
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:  # zeros for a year, a month or a day
        return text


def _int(sent: bytes | None) -> int | None:
    return None if sent is None else int(sent)


def _float(sent: bytes | None) -> float | None:
    return None if sent is None else float(sent)


_FROM_BYTES: dict[int, Callable[[bytes | None], object]] = {
    pyodbc.SQL_BIT: _bit,
    pyodbc.SQL_INTEGER: _int,
    pyodbc.SQL_REAL: _float,
    pyodbc.SQL_TYPE_DATE: _text,
    pyodbc.SQL_TYPE_TIME: _time,
    pyodbc.SQL_TYPE_TIMESTAMP: _datetime,
}

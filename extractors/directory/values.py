"""The values of a directory, decoded once and exactly: ids, times, numbers, text.

As text, times are in ISO 8601, ids in their usual form, bytes in base64.
"""

import base64
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from extractors.directory.entries import Cell, Entries

NEVER = frozenset({0, (1 << 63) - 1})
"""The FILETIMEs that stand for no time at all."""

_TICKS = 10_000_000
_FIRST = datetime(1601, 1, 1, tzinfo=UTC)
_LAST_S = int((datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _FIRST).total_seconds())
_NUMBER = re.compile(rb"-?[0-9]{1,20}\Z")
_GENERALIZED = re.compile(
    rb"(?P<day>[0-9]{8})(?P<hour>[0-9]{2})(?:(?P<minute>[0-9]{2})(?P<second>[0-9]{2})?)?"
    rb"(?:[.,](?P<fraction>[0-9]{1,30}))?(?P<zone>Z|[+-][0-9]{2}(?:[0-9]{2})?)\Z"
)
_GUID_BYTES, _SID_HEAD, _MOST_SUB_AUTHORITIES = 16, 8, 15
_LEAP_SECOND, _LAST_HOUR, _LAST_MINUTE = 60, 23, 59

_FILETIMES = frozenset(
    {
        "accountexpires",
        "badpasswordtime",
        "lastlogoff",
        "lastlogon",
        "lastlogontimestamp",
        "lockouttime",
        "msds-userpasswordexpirytimecomputed",
        "pwdlastset",
    }
)
_GENERALIZED_TIMES = frozenset(
    {
        "authtimestamp",
        "accountunlocktime",
        "createtimestamp",
        "krbprincipalexpiration",
        "loginexpirationtime",
        "pwdendtime",
        "pwdstarttime",
        "krblastsuccessfulauth",
        "krbpasswordexpiration",
        "modifytimestamp",
        "passwordexpirationtime",
        "pwdaccountlockedtime",
        "pwdchangedtime",
        "pwdlastsuccess",
        "whenchanged",
        "whencreated",
    }
)


def to_texts(entries: Entries, attribute: str, separator: str) -> list[str | None]:
    """Returns each entry's values as text, several in alphabetical order with `separator` between.

    In order, because a directory promises none; a time that means never is no value.
    """
    decode = _decoder_of(attribute)
    return [_text(cell, decode, separator) for cell in entries.cells(attribute)]


def first_texts(entries: Entries, attribute: str) -> list[str | None]:
    """Returns each entry's first value as text."""
    decode = _decoder_of(attribute)
    return [None if value is None else decode(value) for value in entries.first(attribute)]


def _text(cell: Cell, decode: Callable[[bytes], str | None], separator: str) -> str | None:
    if not isinstance(cell, list):
        return None if cell is None else decode(cell)
    texts = sorted(text for text in map(decode, cell) if text is not None)
    return separator.join(texts) if texts else None


def _decoder_of(attribute: str) -> Callable[[bytes], str | None]:
    name = attribute.split(";", maxsplit=1)[0].lower()
    if name == "objectguid":
        return _or_plain(guid_text)
    if name == "guid":  # eDirectory's: bytes in the order in which they are written
        return _or_plain(lambda value: value.hex() if len(value) == _GUID_BYTES else None)
    if name in {"objectsid", "sidhistory"}:
        return _or_plain(sid_text)
    if name in _FILETIMES:
        return _filetime
    if name in _GENERALIZED_TIMES:
        return _or_plain(generalized_time_text)
    return plain_text


def _filetime(value: bytes) -> str | None:
    return plain_text(value) if is_absurd_filetime(value) else filetime_text(value)


def _or_plain(decode: Callable[[bytes], str | None]) -> Callable[[bytes], str | None]:
    """`decode`, and where a value is not of its kind, the value as it is."""
    return lambda value: decode(value) or plain_text(value)


def plain_text(value: bytes) -> str:
    """Text in UTF-8; in base64 where it is none."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def whole_number(value: bytes) -> int | None:
    """A number as directories write it; None for what is none."""
    return int(value) if _NUMBER.match(value) else None


def guid_text(value: bytes) -> str | None:
    """An objectGUID as usual, `6f9619ff-8b86-d011-b42d-00c04fc964ff`; None unless 16 bytes."""
    return str(uuid.UUID(bytes_le=value)) if len(value) == _GUID_BYTES else None


def sid_text(value: bytes) -> str | None:
    """A SID as usual, `S-1-5-21-…`; None for what is none (MS-DTYP 2.4.2.2)."""
    if len(value) < _SID_HEAD or value[0] != 1 or value[1] > _MOST_SUB_AUTHORITIES:
        return None
    if len(value) != _SID_HEAD + 4 * value[1]:
        return None
    authority = int.from_bytes(value[2:8], "big")
    head = str(authority) if authority < 1 << 32 else f"0x{authority:012X}"
    parts = (int.from_bytes(value[at : at + 4], "little") for at in range(8, len(value), 4))
    return "-".join(("S-1", head, *map(str, parts)))


def is_absurd_filetime(value: bytes) -> bool:
    """Whether a FILETIME is neither a time nor one of the two that stand for never."""
    number = whole_number(value)
    return number not in NEVER and (number is None or not 0 < number // _TICKS <= _LAST_S)


def filetime_to_time(value: bytes) -> datetime | None:
    """A FILETIME (100 ns since 1601, as text) in UTC, to the microsecond; None for never."""
    number = whole_number(value)
    if number is None or number in NEVER or is_absurd_filetime(value):
        return None
    return _FIRST + timedelta(seconds=number // _TICKS, microseconds=number % _TICKS // 10)


def filetime_text(value: bytes) -> str | None:
    """A FILETIME in ISO 8601, UTC, with as much of a fraction as it has; None for never."""
    time, number = filetime_to_time(value), whole_number(value)
    if time is None or number is None:
        return None
    return _iso(time, f"{number % _TICKS:07d}")


def generalized_time_text(value: bytes) -> str | None:
    """A generalized time (RFC 4517, 3.3.13) in ISO 8601, UTC; None for what is none.

    A fraction counts for the smallest unit written: `2026010203.5Z` is half past three. What is
    smaller than a nanosecond is cut off.
    """
    parts = _GENERALIZED.match(value)
    if parts is None:
        return None
    hour, minute = int(parts["hour"]), int(parts["minute"] or 0)
    second, unit_s = int(parts["second"] or 0), 1 if parts["second"] else 60
    if parts["minute"] is None:
        unit_s = 3600
    if hour > _LAST_HOUR or minute > _LAST_MINUTE or second > _LEAP_SECOND:
        return None
    digits = (parts["fraction"] or b"0").decode()
    nanoseconds = unit_s * 10**9 * int(digits) // 10 ** len(digits)
    offset_s = _offset_s(parts["zone"])
    if offset_s is None:
        return None
    seconds = hour * 3600 + minute * 60 + second + nanoseconds // 10**9 - offset_s
    try:
        day = datetime.strptime(parts["day"].decode(), "%Y%m%d").replace(tzinfo=UTC)
        return _iso(day + timedelta(seconds=seconds), f"{nanoseconds % 10**9:09d}")
    except (ValueError, OverflowError):
        return None


def _offset_s(zone: bytes) -> int | None:
    if zone == b"Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:5] or 0)
    if hours > _LAST_HOUR or minutes > _LAST_MINUTE:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if zone.startswith(b"-") else 1)


def _iso(time: datetime, fraction: str) -> str:
    digits = fraction.rstrip("0")
    text = time.replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{text}.{digits}Z" if digits else f"{text}Z"

"""The text of an attribute: times in ISO 8601, ids in their usual form, bytes in base64."""

import base64
from collections.abc import Callable

from extractors.directory_entries import Cell, Entries
from extractors.directory_values import (
    filetime_text,
    generalized_time_text,
    guid_text,
    is_absurd_filetime,
    sid_text,
)

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
        "createtimestamp",
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
    """Each entry's values as text, several in order of the alphabet with `separator` between.

    In order, because a directory promises none; a time that means never is no value.
    """
    decode = _decoder_of(attribute)
    return [_text(cell, decode, separator) for cell in entries.cells(attribute)]


def first_texts(entries: Entries, attribute: str) -> list[str | None]:
    """Each entry's first value as text."""
    decode = _decoder_of(attribute)
    return [None if value is None else decode(value) for value in entries.first(attribute)]


def _text(cell: Cell, decode: Callable[[bytes], str | None], separator: str) -> str | None:
    if not isinstance(cell, list):
        return None if cell is None else decode(cell)
    said = sorted(text for text in map(decode, cell) if text is not None)
    return separator.join(said) if said else None


def _decoder_of(attribute: str) -> Callable[[bytes], str | None]:
    name = attribute.split(";", maxsplit=1)[0].lower()
    if name == "objectguid":
        return _or_plain(guid_text)
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

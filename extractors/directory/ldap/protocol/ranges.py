"""Attributes that a server sends in parts, `member;range=0-1499` first, followed to their end.

Active Directory does so unasked where an attribute has more values than it allows in one answer
(MS-ADTS 3.1.1.3.1.3.3).
"""

import re
from collections.abc import Callable

from extractors.directory.ldap.protocol.raw_entries import Attributes, RawEntry
from schemas.errors import SourceIncompleteError

_RANGE = re.compile(r"(?P<name>.+);range=(?P<low>\d{1,10})-(?P<high>\d{1,10}|\*)", re.IGNORECASE)

Ask = Callable[[str, str], list[RawEntry]]
"""Reads the one entry of a DN with one attribute."""


def has_ranges(entries: list[RawEntry]) -> bool:
    """Whether any entry has an attribute that was sent in parts."""
    names: set[str] = set()
    for _, attributes in entries:
        names.update(attributes)
    return any(";range=" in name.lower() for name in names)


def with_whole_ranges(entries: list[RawEntry], ask: Ask) -> list[RawEntry]:
    """Returns the entries with all values of every attribute, under its name without a range.

    Raises:
        SourceIncompleteError: a part that was requested did not come, or is another one.
    """
    return [(dn, _whole(dn, attributes, ask)) for dn, attributes in entries]


def _whole(dn: str, attributes: Attributes, ask: Ask) -> Attributes:
    parts = {name: part for name in attributes if (part := _RANGE.fullmatch(name))}
    if not parts:
        return attributes
    whole = {name: values for name, values in attributes.items() if name not in parts}
    for name, part in parts.items():
        if int(part["low"]):
            raise _broken(part["name"])
        # Beside the part, Windows sends the attribute itself, empty.
        rest = _rest(dn, part, attributes[name], ask)
        whole[part["name"]] = whole.get(part["name"], []) + rest
    return whole


def _rest(dn: str, part: re.Match[str], values: list[bytes], ask: Ask) -> list[bytes]:
    name, values = part["name"], list(values)
    while part["high"] != "*":
        if int(part["high"]) + 1 != len(values):
            raise _broken(name)
        entries = ask(dn, f"{name};range={len(values)}-*")
        parts = _parts_of(entries[0][1], name) if len(entries) == 1 else []
        if len(parts) != 1 or int(parts[0][0]["low"]) != len(values) or not parts[0][1]:
            raise _broken(name)
        part = parts[0][0]
        values += parts[0][1]
    return values


def _parts_of(attributes: Attributes, name: str) -> list[tuple[re.Match[str], list[bytes]]]:
    matches = ((_RANGE.fullmatch(key), values) for key, values in attributes.items())
    return [
        (part, values)
        for part, values in matches
        if part is not None and part["name"].lower() == name.lower()
    ]


def _broken(name: str) -> SourceIncompleteError:
    return SourceIncompleteError(
        f"the values of {name} of an entry came in parts that do not fit together: "
        "it was changed meanwhile: run again"
    )

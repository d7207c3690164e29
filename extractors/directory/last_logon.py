"""When a domain's accounts last logged in: each controller has a `lastLogon` of its own."""

from extractors.directory.entries import Entries, Find, Search
from extractors.directory.values import is_absurd_filetime, whole_number

Logons = dict[bytes, bytes]
"""By objectGUID: the newest FILETIME, as the directory writes it."""


def add_logons(logons: Logons, find: Find, users: Search) -> None:
    """Adds what one controller knows of the accounts that the search `users` finds."""
    entries = find(Search(users.base, users.filter, users.scope, ("objectGUID", "lastLogon")))
    for guid, value in zip(entries.first("objectGUID"), entries.first("lastLogon"), strict=True):
        if guid is None or value is None or is_absurd_filetime(value):
            continue
        if (whole_number(value) or 0) > (whole_number(logons.get(guid, b"0")) or 0):
            logons[guid] = value


def with_logons(accounts: Entries, logons: Logons) -> Entries:
    """Returns the accounts with their newest logon of all controllers as `lastLogonTimestamp`."""
    newest = [None if guid is None else logons.get(guid) for guid in accounts.first("objectGUID")]
    return Entries(accounts.dns, {**accounts.columns, "lastlogontimestamp": list(newest)})

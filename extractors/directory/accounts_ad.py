"""Accounts of an Active Directory domain: which attributes say what.

Flags: Microsoft, "UserAccountControl property flags" and [MS-ADTS] 2.2.16, read 2026-08.
"""

from collections.abc import Callable
from datetime import datetime

from extractors.directory.account_fields import Cells, DirectoryProfile
from extractors.directory.dn import normal_dn
from extractors.directory.entries import Entries, Find, Searches
from extractors.directory.values import (
    filetime_to_time,
    first_texts,
    is_absurd_filetime,
    plain_text,
    whole_number,
)

_DISABLED = 0x2
_LOCKED_OUT = 0x10
_MACHINE = 0x800 | 0x1000 | 0x2000  # a trust between domains, a computer, a controller
_PASSWORD_EXPIRED = 0x800000
_MANAGED = frozenset({b"msds-managedserviceaccount", b"msds-groupmanagedserviceaccount"})
_COMPUTED = "msDS-User-Account-Control-Computed"

_FACTS = {
    "is_disabled": ("userAccountControl",),
    "is_expired": ("accountExpires",),
    "is_locked_out": (_COMPUTED,),
    "is_password_expired": (_COMPUTED,),
}

AD_PROFILE = DirectoryProfile(
    users_filter="(|(&(objectCategory=person)(objectClass=user))"
    "(objectClass=msDS-ManagedServiceAccount)(objectClass=msDS-GroupManagedServiceAccount))",
    groups_filter="(objectClass=group)",
    field_attributes={
        "integration_specific_id": ("objectGUID",),
        "email": ("mail",),
        "given_name": ("givenName",),
        "family_name": ("sn",),
        "username": ("sAMAccountName",),
        "user_status": ("userAccountControl", "accountExpires"),
        "account_type": ("objectClass", "sAMAccountName"),
        "last_login": ("lastLogonTimestamp",),
    },
    link_attributes=("objectClass", "userAccountControl", "objectGUID", "objectSid",
                     "primaryGroupID", "sAMAccountName"),
    group_attributes=("cn", "description", "objectClass", "objectGUID", "objectSid", "groupType",
                      "managedBy"),
    fact_attributes=_FACTS,
)  # fmt: skip

Logons = dict[bytes, bytes]
"""When accounts last logged in, by objectGUID: the newest FILETIME, as the directory writes it.

Each controller has a `lastLogon` of its own.
"""

_SECURITY = 0x80000000
_SCOPES = {0x2: "global", 0x4: "domain local", 0x8: "universal"}


def are_accounts(entries: Entries) -> list[bool]:
    """Returns which entries are accounts of somebody or something: no computers, no trusts."""
    flags = _numbers(entries, "userAccountControl")
    classes = [_classes(values) for values in entries.values("objectClass")]
    return [
        bool(names & _MANAGED) or not (b"computer" in names or (number or 0) & _MACHINE)
        for names, number in zip(classes, flags, strict=True)
    ]


def ad_fields(entries: Entries, now: datetime) -> dict[str, Callable[[], Cells]]:
    """Returns by field the function that makes its cells, one an entry."""
    return {
        "integration_specific_id": lambda: first_texts(entries, "objectGUID"),
        "given_name": lambda: first_texts(entries, "givenName"),
        "family_name": lambda: first_texts(entries, "sn"),
        "username": lambda: first_texts(entries, "sAMAccountName"),
        "user_status": lambda: _statuses(entries, now),
        "account_type": lambda: _types(entries),
        "last_login": lambda: first_texts(entries, "lastLogonTimestamp"),
    }


def ad_facts(entries: Entries, now: datetime) -> dict[str, Callable[[], Cells]]:
    """Returns by fact the function that makes its cells: `true`, `false`, null where unknown."""
    return {
        "is_disabled": lambda: _flags(entries, "userAccountControl", _DISABLED),
        "is_expired": lambda: [_truth_text(expired) for expired in _expired(entries, now)],
        "is_locked_out": lambda: _flags(entries, _COMPUTED, _LOCKED_OUT),
        "is_password_expired": lambda: _flags(entries, _COMPUTED, _PASSWORD_EXPIRED),
    }


def group_remarks(entries: Entries, names: dict[str, str]) -> list[str]:
    """Returns what each group is: `global security group, managed by ann`.

    `names` are people's, by normal DN.
    """
    return [
        _remark(number, plain_text(manager) if manager else None, names)
        for number, manager in zip(
            _numbers(entries, "groupType"), entries.first("managedBy"), strict=True
        )
    ]


def _statuses(entries: Entries, now: datetime) -> Cells:
    """Returns SUSPENDED where disabled or expired; null, a reject, where that is unreadable."""
    flags = _numbers(entries, "userAccountControl")
    return [
        None
        if number is None or expired is None
        else "SUSPENDED"
        if number & _DISABLED or expired
        else "ACTIVE"
        for number, expired in zip(flags, _expired(entries, now), strict=True)
    ]


def _expired(entries: Entries, now: datetime) -> list[bool | None]:
    """Returns whether each has expired; null where `accountExpires` is no time."""
    return [_has_passed(value, now) for value in entries.first("accountExpires")]


def _has_passed(value: bytes | None, now: datetime) -> bool | None:
    """Whether an account has expired; -1 and times beyond the year 9999 are never, as 0 is."""
    number = 0 if value is None else whole_number(value)
    if number is None or number < -1:
        return None
    if value is None or number == -1 or is_absurd_filetime(value):
        return False
    time = filetime_to_time(value)
    return time is not None and time <= now


def _types(entries: Entries) -> Cells:
    """Returns `service` of managed service accounts, and of those of the domain's own tickets."""
    logins = first_texts(entries, "sAMAccountName")
    return [
        "service"
        if _classes(values) & _MANAGED or (login or "").lower().startswith("krbtgt")
        else "user"
        for values, login in zip(entries.values("objectClass"), logins, strict=True)
    ]


def _flags(entries: Entries, attribute: str, flag: int) -> Cells:
    return [
        _truth_text(None if number is None else bool(number & flag))
        for number in _numbers(entries, attribute)
    ]


def _truth_text(is_so: bool | None) -> str | None:  # noqa: FBT001, RUF100 - one truth to one word
    return None if is_so is None else "true" if is_so else "false"


def _numbers(entries: Entries, attribute: str) -> list[int | None]:
    return [None if value is None else whole_number(value) for value in entries.first(attribute)]


def _classes(values: list[bytes]) -> set[bytes]:
    return {value.lower() for value in values}


def _remark(group_type: int | None, manager: str | None, names: dict[str, str]) -> str:
    parts = []
    if group_type is not None:
        sort = "security" if group_type & _SECURITY else "distribution"
        scope = next((name for bit, name in _SCOPES.items() if group_type & bit), "")
        parts.append(f"{scope} {sort} group".strip())
    if manager:
        name = names.get(normal_dn(manager), "somebody who is no account")
        parts.append(f"managed by {name}")
    return ", ".join(parts)


def add_logons(logons: Logons, find: Find, users: Searches) -> None:
    """Adds what one controller knows of the accounts that the search `users` finds."""
    entries = users.of(("objectGUID", "lastLogon")).read(find)
    for guid, value in zip(entries.first("objectGUID"), entries.first("lastLogon"), strict=True):
        if guid is None or value is None or is_absurd_filetime(value):
            continue
        if (whole_number(value) or 0) > (whole_number(logons.get(guid, b"0")) or 0):
            logons[guid] = value


def with_logons(accounts: Entries, logons: Logons) -> Entries:
    """Returns the accounts with their newest logon of all controllers as `lastLogonTimestamp`."""
    newest = [None if guid is None else logons.get(guid) for guid in accounts.first("objectGUID")]
    return Entries(accounts.dns, {**accounts.columns, "lastlogontimestamp": list(newest)})

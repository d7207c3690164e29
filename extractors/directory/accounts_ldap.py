"""Accounts of a directory such as OpenLDAP, 389 or FreeIPA: which attributes say what."""

from collections.abc import Callable
from datetime import datetime

from extractors.directory.account_fields import Cells, DirectoryProfile
from extractors.directory.entries import Entries
from extractors.directory.values import first_texts, plain_text, to_texts, whole_number
from schemas.source_file.directory_source import LdapMeaning

_STATUS_ATTRIBUTES = ("pwdAccountLockedTime", "nsAccountLock", "shadowExpire")
_LOGINS = ("authTimestamp", "pwdLastSuccess")
_NO_SHELLS = ("nologin", "false")
_DAY_S = 86400


def ldap_profile(source: LdapMeaning) -> DirectoryProfile:
    """Returns the profile of such a directory."""
    group_ids = () if source.group_id == "dn" else (source.group_id,)
    return DirectoryProfile(
        users_filter="(|(objectClass=person)(objectClass=organizationalPerson)"
        "(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=account))",
        groups_filter="(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)"
        "(objectClass=groupOfMembers)(objectClass=posixGroup)(objectClass=groupOfURLs))",
        field_attributes={
            "integration_specific_id": () if source.id == "dn" else (source.id,),
            "email": ("mail",),
            "given_name": ("givenName",),
            "family_name": ("sn",),
            "username": ("uid",),
            "user_status": status_attributes(source),
            "account_type": (),
            "last_login": _LOGINS,
        },
        link_attributes=("uid", "gidNumber"),
        group_attributes=("cn", "description", "objectClass", "gidNumber", *group_ids),
    )


def ldap_fields(
    entries: Entries, source: LdapMeaning, now: datetime
) -> dict[str, Callable[[], Cells]]:
    """Returns by field the function that makes its cells, one an entry."""
    return {
        "integration_specific_id": lambda: _ids(entries, source.id),
        "email": lambda: first_texts(entries, "mail"),
        "given_name": lambda: first_texts(entries, "givenName"),
        "family_name": lambda: first_texts(entries, "sn"),
        "username": lambda: first_texts(entries, "uid"),
        "user_status": lambda: _statuses(entries, source, now),
        "last_login": lambda: _last_logins(entries),
    }


def group_ids(entries: Entries, source: LdapMeaning) -> Cells:
    """Each group's id."""
    return _ids(entries, source.group_id)


def _ids(entries: Entries, attribute: str) -> Cells:
    return list(entries.dns) if attribute == "dn" else first_texts(entries, attribute)


def status_attributes(source: LdapMeaning) -> tuple[str, ...]:
    """Returns the attributes that say whether an account is shut."""
    if source.status_from == "auto":
        return _STATUS_ATTRIBUTES
    return () if source.status_from == "none" else (source.status_from,)


def _statuses(entries: Entries, source: LdapMeaning, now: datetime) -> Cells:
    """Returns SUSPENDED by any attribute; what is not understood is kept as it is, a reject."""
    statuses: Cells = ["ACTIVE"] * len(entries)
    today = int(now.timestamp() // _DAY_S)
    for attribute in status_attributes(source):
        for row, value in enumerate(entries.first(attribute)):
            if value is not None and statuses[row] == "ACTIVE":
                statuses[row] = _status(attribute, plain_text(value).strip(), today)
    return statuses


def _status(attribute: str, text: str, today: int) -> str:
    match attribute:
        case "pwdAccountLockedTime":
            # A time, or 000001010000Z: shut for good (draft-behera-ldap-password-policy, 5.3.3).
            is_shut: bool | None = True
        case "nsAccountLock":
            is_shut = {"true": True, "false": False}.get(text.lower())
        case "shadowExpire":
            # The first day on which it is shut; -1 is never (shadow(5)).
            day = whole_number(text.encode())
            is_shut = None if day is None else 0 <= day <= today
        case _:
            is_shut = text.rsplit("/", 1)[-1] in _NO_SHELLS
    if is_shut is None:
        return f"{attribute}: {text}"
    return "SUSPENDED" if is_shut else "ACTIVE"


def _last_logins(entries: Entries) -> Cells:
    """Returns the latest of the times that the server keeps, all in one form of ISO 8601."""
    by_attribute = [to_texts(entries, attribute, " ") for attribute in _LOGINS]
    return [
        max(filter(None, times), key=_moment, default=None)
        for times in zip(*by_attribute, strict=True)
    ]


def _moment(text: str) -> str:
    """Returns a time in UTC as it sorts: `05Z` before `05.5Z`."""
    return text.removesuffix("Z")

"""Accounts of a directory such as OpenLDAP, 389 or FreeIPA: which attributes say what."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from extractors.directory.account_fields import Cells, DirectoryProfile, one_of_several
from extractors.directory.entries import Entries
from extractors.directory.locks import (
    EXPIRIES,
    LOCKS,
    MAIL_ONLY,
    POLICY,
    Moment,
    lockouts_of,
    read_locks,
)
from extractors.directory.values import first_texts, plain_text, to_texts
from schemas.source_file.kinds.directory_source import LdapMeaning

_LOGINS = ("authTimestamp", "pwdLastSuccess")
_PASSWORD_ENDS = ("passwordExpirationTime", "krbPasswordExpiration")
_FACTS = {
    "is_disabled": tuple(name for name in LOCKS if name not in EXPIRIES),
    "is_expired": EXPIRIES,
    "is_locked_out": tuple(LOCKS),
    "is_password_expired": _PASSWORD_ENDS,
}
_NO_POLICIES = Entries([], {})


def ldap_profile(source: LdapMeaning) -> DirectoryProfile:
    """Returns the profile of such a directory."""
    group_ids = () if source.group_id == "dn" else (source.group_id,)
    return DirectoryProfile(
        users_filter="(|(objectClass=person)(objectClass=organizationalPerson)"
        "(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=account))",
        groups_filter="(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)"
        "(objectClass=groupOfMembers)(objectClass=posixGroup)(objectClass=groupOfURLs)"
        "(&(objectClass=organizationalRole)(roleOccupant=*)))",
        field_attributes={
            "integration_specific_id": () if source.id == "dn" else (source.id,),
            "email": ("mail",),
            "given_name": ("givenName",),
            "family_name": ("sn",),
            "username": ("uid",),
            "user_status": _status_attributes_read(source),
            "account_type": (),
            "last_login": _LOGINS,
        },
        link_attributes=("uid", "gidNumber"),
        group_attributes=("cn", "description", "objectClass", "gidNumber", *group_ids),
        fact_attributes={name: (*made_from, POLICY) for name, made_from in _FACTS.items()},
    )


def ldap_fields(
    entries: Entries, source: LdapMeaning, now: datetime, policies: Entries = _NO_POLICIES
) -> dict[str, Callable[[], Cells]]:
    """Returns by field the function that makes its cells, one an entry.

    `policies` are the directory's password policies.
    """
    return {
        "integration_specific_id": lambda: _ids(entries, source.id),
        "given_name": lambda: first_texts(entries, "givenName"),
        "family_name": lambda: first_texts(entries, "sn"),
        "username": lambda: _logins(entries),
        "user_status": lambda: _statuses(entries, source, to_moments(entries, now, policies)),
        "last_login": lambda: _last_logins(entries),
    }


def _logins(entries: Entries) -> Cells:
    """Returns each login; of several, the RDN's own, else the first in the alphabet."""
    several = [sorted(map(plain_text, values)) for values in entries.values("uid")]
    return [
        own or (texts[0] if texts else None)
        for own, texts in zip(one_of_several(entries, "uid"), several, strict=True)
    ]


def group_ids(entries: Entries, source: LdapMeaning) -> Cells:
    """Each group's id."""
    return _ids(entries, source.group_id)


def _ids(entries: Entries, attribute: str) -> Cells:
    return list(entries.dns) if attribute == "dn" else one_of_several(entries, attribute)


def status_attributes(source: LdapMeaning) -> tuple[str, ...]:
    """Returns the attributes that say whether an account is shut."""
    if source.status_from == "auto":
        return tuple(LOCKS)
    return () if source.status_from == "none" else (source.status_from,)


def _status_attributes_read(source: LdapMeaning) -> tuple[str, ...]:
    """Returns those attributes, and what else is read to understand them, or to tell of."""
    attributes = status_attributes(source)
    told_of = MAIL_ONLY if source.status_from == "auto" else ()
    return (*attributes, POLICY, *told_of) if attributes else ()


def to_moments(entries: Entries, now: datetime, policies: Entries) -> list[Moment]:
    """Returns of each entry by what its locks are read."""
    if not len(policies):
        return [Moment(now)] * len(entries)
    lockouts = lockouts_of(entries, policies)
    moments = {lockout: Moment(now, lockout) for lockout in set(lockouts)}
    return [moments[lockout] for lockout in lockouts]


def _statuses(entries: Entries, source: LdapMeaning, moments: list[Moment]) -> Cells:
    """Returns each status; what is not understood is kept as it is, a reject."""
    meanings = read_locks(entries, status_attributes(source), moments)
    return ["ACTIVE" if one in {"open", "locked_out"} else one for one in meanings]


def ldap_facts(
    entries: Entries, now: datetime, policies: Entries
) -> dict[str, Callable[[], Cells]]:
    """Returns by fact the function that makes its cells: `true` or `false`."""

    def says(name: str) -> Cells:
        meanings = read_locks(entries, _FACTS[name], to_moments(entries, now, policies))
        wanted = {"locked_out"} if name == "is_locked_out" else {"SUSPENDED", "DEPROVISIONED"}
        return ["true" if one in wanted else "false" for one in meanings]

    return {name: partial(says, name) for name in _FACTS}


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

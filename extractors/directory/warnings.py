"""What a person should know of a read: members that are no accounts, counted, and odd accounts."""

import re
from collections import Counter

from extractors.directory.accounts import is_active_directory
from extractors.directory.accounts_ldap import status_attributes, to_moments
from extractors.directory.dn import is_below, normal_dn
from extractors.directory.entries import Entries, Find, Searches
from extractors.directory.locks import FOR_GOOD, MAIL_ONLY, ROLE, Moment, read_locks
from extractors.directory.members import Members
from extractors.directory.request import DirectoryRequest
from extractors.directory.values import plain_text
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapMeaning

_FOREIGN = re.compile(r"cn=s-1-[0-9-]+,cn=foreignsecurityprincipals,", re.IGNORECASE)

_EVERYBODY = re.compile(r"cn=s-1-(?:1-0|5-11),")
_GROUPS = frozenset(
    {b"group", b"groupofnames", b"groupofuniquenames", b"groupofmembers", b"posixgroup"}
)


def member_notes(members: Members, find: Find, users: Searches) -> tuple[str, ...]:
    """Returns a warning a sort of trouble with members, so that none vanishes unseen.

    `users` is the search that the accounts were read with. It takes one search more, where any
    member below the accounts' base is no account.
    """
    notes = []
    if members.unmatched_members:
        notes.append(_describe_unmatched_members(members.unmatched_members, find, users))
    if members.unmatched_uids:
        notes.append(
            f"{_times(members.unmatched_uids)} by login name (memberUid) of "
            f"{len(members.unmatched_uids):,} that no account has"
        )
    if members.unknown_groups:
        notes.append(
            f"{_times(members.unknown_groups)} in {len(members.unknown_groups):,} groups that are "
            "not among the groups read: see groups.base and groups.filter"
        )
    return tuple(f"{note}; they are left out" for note in notes)


def _describe_unmatched_members(
    unmatched_members: Counter[str], find: Find, users: Searches
) -> str:
    bases = [normal_dn(search.base) for search in users.each]
    inside = {dn for dn in unmatched_members if any(is_below(dn, base) for base in bases)}
    foreign = {dn for dn in unmatched_members if _FOREIGN.match(dn)}
    sorts: Counter[str] = Counter()
    others = _describe_unmatched(find, users) if inside - foreign else {}
    for dn in unmatched_members:
        if dn in foreign and _EVERYBODY.match(dn):
            sorts["that stand for everybody (Authenticated Users), and are not spelled out"] += 1
        elif dn in foreign:
            sorts["foreign security principals"] += 1
        elif dn not in inside:
            sorts[f"outside {users.where}"] += 1
        elif users.leaves_out(dn):
            sorts["that users.without leaves out"] += 1
        else:
            sorts[others.get(dn, "not there at all")] += 1
    parts = ", ".join(f"{count:,} {sort}" for sort, count in sorted(sorts.items()))
    count = f"{_times(unmatched_members)} of {len(unmatched_members):,}"
    return f"{count} members that are no accounts: {parts}"


def _describe_unmatched(find: Find, users: Searches) -> dict[str, str]:
    """Finds what else is below the accounts' base, by normalized DN."""
    others = users.of(("objectClass",), lambda users_filter: f"(!{users_filter})").read(find)
    sorts = {}
    for dn, values in zip(others.dns, others.values("objectClass"), strict=True):
        classes = {value.lower() for value in values}
        sorts[normal_dn(dn)] = _sort_of(classes)
    return sorts


def _sort_of(classes: set[bytes]) -> str:
    if b"computer" in classes:
        return "computers"
    return "groups that groups leaves out" if classes & _GROUPS else "that users leaves out"


def _times(counted: Counter[str]) -> str:
    count = sum(counted.values())
    return f"{count:,} membership{'' if count == 1 else 's'}"


def account_notes(
    request: DirectoryRequest, entries: Entries, policies: Entries, left_out: int
) -> tuple[str, ...]:
    """Returns a line for each: computers left out, attributes nobody has, several mail values.

    And what the status does not say, though somebody may expect it to. `policies` are the
    directory's password policies.
    """
    requested, source, notes = request.account_fields, request.source, list[str]()
    if left_out:
        notes.append(
            f"computers and trusts that match users.filter, and are left out: {left_out:,}"
        )
    absent = [name for name in requested.attributes if not entries.has(name)]
    if absent:
        notes.append(
            f"no account has the attribute {', '.join(absent)}: it is misspelt, or the reading "
            "account may not read it"
        )
    if not is_active_directory(source) and "email" in requested.fields:
        several = sum(len(values) > 1 for values in entries.values("mail"))
        if several:
            notes.append(
                "accounts with several mail values, of which last time's counts, else the first of "
                f"the directory's own domain or in the alphabet: {several:,}"
            )
    if is_active_directory(source) or isinstance(source, ActiveDirectorySource):
        return tuple(notes)
    if "user_status" in requested.fields:
        notes += _lock_notes(source, entries, to_moments(entries, request.now, policies))
        if "pwdAccountLockedTime" in status_attributes(source) and not len(policies):
            notes += _endless_notes(entries)
    return tuple(notes)


def _lock_notes(source: LdapMeaning, entries: Entries, moments: list[Moment]) -> list[str]:
    attributes = status_attributes(source)
    notes = []
    for name in attributes:
        count = read_locks(entries, (name,), moments).count("locked_out")
        if count:
            notes.append(
                f"accounts locked out for a while by {name}, a fact apart from the status "
                f"(is_locked_out): {count:,}"
            )
    if ROLE in attributes:
        by_role = read_locks(entries, (ROLE,), moments)
        unseen = zip(by_role, entries.first("nsAccountLock"), strict=True)
        count = sum(one == "SUSPENDED" and lock is None for one, lock in unseen)
        if count:
            notes.append(
                "accounts in nsManagedDisabledRole that show no nsAccountLock, and are taken for "
                f"SUSPENDED: {count:,}"
            )
    for name in MAIL_ONLY if source.status_from == "auto" else ():
        shut = [value for value in entries.first(name) if value not in {None, b"active"}]
        if shut:
            notes.append(
                f"accounts with a {name} other than active, which is taken for the mailbox's and "
                f"not for the account's: {len(shut):,}; map it in columns.user_status where it is"
            )
    return notes


def _endless_notes(entries: Entries) -> list[str]:
    """Returns a note on those whose lock may have ended: no policy was seen that says so."""
    since = (value for value in entries.first("pwdAccountLockedTime") if value is not None)
    count = sum(plain_text(value).strip() not in FOR_GOOD for value in since)
    text = (
        "accounts locked since a time (pwdAccountLockedTime) and taken for SUSPENDED, for no "
        f"password policy is seen that ends a lockout (pwdLockoutDuration): {count:,}"
    )
    return [text] if count else []

"""What the searches for accounts and for groups saw, compared with the last accepted read."""

import polars as pl

from extractors.directory.absence.seen import LINKS, STAMPS, Watch, check_still_seen, seen_of
from extractors.directory.accounts import is_active_directory
from extractors.directory.accounts_ldap import to_moments
from extractors.directory.entries import Entries, Searches
from extractors.directory.locks import without_lockouts
from extractors.directory.request import DirectoryRequest

_MEMBERS = ("member", "uniqueMember", "roleOccupant", "memberUid")
_NO_LINKS: frozenset[str] = frozenset()


def seen_accounts(
    request: DirectoryRequest, search: Searches, accounts: Entries, policies: Entries
) -> pl.DataFrame:
    """Returns which account showed which attribute that was read, but for mere lockouts.

    `policies` are the directory's password policies.

    Raises:
        SourceIncompleteError: one that accounts showed in the last accepted read is hidden.
    """
    apart = {*(name.lower() for name in STAMPS), "objectclass"}
    attributes = tuple(name for name in search.attributes if name.lower() not in apart)
    moments = to_moments(accounts, request.now, policies)
    seen = seen_of(without_lockouts(accounts, moments), attributes)
    links = LINKS | {name.lower() for name in request.source.references}
    watch = Watch(
        where=f"{request.origin} {search.where}".strip(),
        sort="accounts",
        attributes=attributes,
        links=links,
        stamps_tell=not is_active_directory(request.source),
    )
    check_still_seen(seen, request.last_seen.get("users"), watch)
    return seen


def seen_groups(
    request: DirectoryRequest, search: Searches, groups: Entries, users: pl.DataFrame
) -> pl.DataFrame:
    """Returns which group named members; `users` is what the search for accounts saw.

    Groups whose members the server works out by a URL are left out.

    Raises:
        SourceIncompleteError: the members of groups that named some are hidden.
    """
    static = groups.where([value is None for value in groups.first("memberURL")])
    seen = seen_of(static, _MEMBERS)
    before = request.last_seen
    is_one_gone = any(
        not before[name]["dn"].is_in(now["dn"].implode()).all()
        for name, now in (("users", users), ("groups", seen))
        if name in before
    )
    watch = Watch(
        where=f"{request.origin} {search.where}".strip(),
        sort="groups",
        attributes=_MEMBERS,
        links=frozenset(name.lower() for name in _MEMBERS) if is_one_gone else _NO_LINKS,
        stamps_tell=not is_active_directory(request.source),
    )
    check_still_seen(seen, before.get("groups"), watch)
    return seen

"""The groups of a directory: searched, named, and who their members are."""

from urllib.parse import unquote

import polars as pl

from extractors.directory.absence.seen import STAMPS
from extractors.directory.accounts import is_active_directory, profile_of, to_searches
from extractors.directory.accounts_ad import group_remarks
from extractors.directory.accounts_ldap import group_ids
from extractors.directory.dn import normal_dn
from extractors.directory.entries import Entries, Find, Search, Searches, joined
from extractors.directory.filter import in_brackets, to_filter
from extractors.directory.group_tables import GroupTexts, describe, group_labels
from extractors.directory.members import (
    MEMBERS,
    Directory,
    Members,
    add_login_names,
    add_primary_groups,
    add_primary_groups_by_sid,
    add_selected,
    named_by_groups,
    named_by_members,
    reached_groups,
    urls_of,
)
from extractors.directory.request import DirectoryRequest
from extractors.directory.values import first_texts
from schemas.errors import ConfigError, SourceFormatError, SourceIncompleteError, raise_as
from schemas.source_file.kinds.directory_source import Scope

_SCOPES: dict[str, Scope] = {"sub": "subtree", "one": "level", "base": "base", "": "base"}
_PARTS = 4


def groups_search(request: DirectoryRequest) -> Searches | None:
    """Returns the searches for the groups; None where the source has none.

    Raises:
        ConfigError: a filter is none.
    """
    branches = request.source.groups or ()
    if not branches:
        return None
    defaults = ("source.groups", request.base_dn, profile_of(request.source).groups_filter)
    return to_searches(branches, defaults, _group_attributes(request))


def _group_attributes(request: DirectoryRequest) -> tuple[str, ...]:
    naming = MEMBERS if request.source.membership == "member" else ("memberOf",)
    of_kind = profile_of(request.source).group_attributes
    return (*of_kind, *naming, "memberUid", "memberURL", *STAMPS)


def find_groups(find: Find, search: Searches) -> Entries:
    """Finds the groups.

    Raises:
        SourceIncompleteError: there are none.
    """
    groups = search.read(find)
    if not len(groups):
        raise SourceIncompleteError(
            f"{search.where or 'the export'}: no group there: check groups.base and "
            "groups.filter, and that the reading account may see them; or say groups: null"
        )
    return groups


def with_groups_between(
    request: DirectoryRequest, search: Searches, accounts: Entries, groups: Entries
) -> Entries:
    """Returns the groups, and after them those that are no entitlements and lie inside them.

    Which groups are entitlements is one question, who is in them another: `groups.filter` and
    `groups.base` answer the first. `search` is the one that found the groups. The others
    are searched for only where a group names what is neither an account nor a group of these.

    Raises:
        SourceIncompleteError: they cannot be read whole.
    """
    every = Search(
        request.base_dn,
        profile_of(request.source).groups_filter,
        "subtree",
        search.attributes,
    )
    if request.source.nested_groups == "direct" or search.each == (every,):
        return groups
    members = _named(request, accounts, groups)
    if not (members.unmatched_members or members.unknown_groups):
        return groups
    known = {normal_dn(dn) for dn in groups.dns}
    found = request.find(every)
    others = found.where([normal_dn(dn) not in known for dn in found.dns])
    both = joined(groups, others)
    inside = reached_groups(_named(request, accounts, both).inside())
    between = set(inside.filter(pl.col("group") < len(groups))["member"])
    return both.where([row < len(groups) or row in between for row in range(len(both))])


def check_members_are_named(request: DirectoryRequest, accounts: Entries, groups: Entries) -> None:
    """Raises where accounts, or groups in groups, should name their groups and none does.

    Raises:
        SourceIncompleteError: no entry shows memberOf, or no group does, and one is in another.
    """
    source = request.source
    if source.membership == "member" or groups.has("memberOf"):
        return
    if not accounts.has("memberOf"):
        raise SourceIncompleteError(
            "no account and no group shows memberOf: the directory keeps none, or the reading "
            "account may not see it: say membership: member",
            key="source.membership",
        )
    if source.nested_groups == "direct":
        return
    text = profile_of(source).groups_filter
    every = request.find(Search(request.base_dn, text, "subtree", (*MEMBERS, "memberOf")))
    if not every.has("memberOf") and named_by_groups(Directory(accounts, every), every).nested:
        raise SourceIncompleteError(
            "groups lie in groups, and no group shows memberOf (OpenLDAP's dynlist keeps it for "
            "groups where its rule ends with *): say membership: member, or nested_groups: direct",
            key="source.membership",
        )


def members_of(
    request: DirectoryRequest, users: Searches, accounts: Entries, groups: Entries
) -> Members:
    """Returns who is in which group, by all attributes that name a member or a group."""
    directory = Directory(accounts, groups)
    members = _named(request, accounts, groups, directory)
    is_domain = is_active_directory(request.source)
    add_login_names(members, accounts, groups, exactly=not is_domain)
    if is_domain:
        add_primary_groups_by_sid(members, accounts, groups)
    else:
        add_primary_groups(members, accounts, groups)
    add_dynamic_members(members, directory, groups, request.find, users)
    return members


def _named(
    request: DirectoryRequest,
    accounts: Entries,
    groups: Entries,
    directory: Directory | None = None,
) -> Members:
    """Returns who is in which group by the DNs that groups name, or that members name."""
    directory = directory or Directory(accounts, groups)
    if request.source.membership == "member":
        return named_by_groups(directory, groups)
    return named_by_members(directory, accounts, groups)


def group_texts(request: DirectoryRequest, accounts: Entries, groups: Entries) -> GroupTexts:
    """Returns the texts of each group."""
    source = request.source
    labels = group_labels(groups, first_texts(groups, "cn"))
    descriptions = first_texts(groups, "description")
    if is_active_directory(source) or source.kind == "active_directory":
        names = first_texts(accounts, "sAMAccountName")
        by_dn = {normal_dn(dn): name for dn, name in zip(accounts.dns, names, strict=True) if name}
        ids = first_texts(groups, "objectGUID")
        return GroupTexts(ids, labels, describe(descriptions, group_remarks(groups, by_dn)))
    return GroupTexts(group_ids(groups, source), labels, descriptions)


def add_dynamic_members(
    members: Members, directory: Directory, groups: Entries, find: Find, users: Searches
) -> None:
    """Adds the accounts that the groups' URLs select (groupOfURLs); each search is made once.

    `users` is the search that the accounts were read with.

    Raises:
        SourceFormatError: a URL is no LDAP URL, or is of another server.
    """
    selected: dict[Search, list[str]] = {}
    for group, url in urls_of(groups):
        search = to_search(url, users)
        if search not in selected:
            selected[search] = find(search).dns
        add_selected(members, directory, group, selected[search])


def to_search(url: str, users: Searches) -> Search:
    """Returns the search that an LDAP URL describes (RFC 4516), narrowed to accounts.

    Raises:
        SourceFormatError: it is none, or is of another server.
    """
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if scheme.lower() != "ldap" or host or not slash:
        raise SourceFormatError(
            "a dynamic group's memberURL is not of this server (ldap:///base??scope?filter): "
            "leave the group out by groups.filter"
        )
    parts = [unquote(part) for part in path.split("?")] + [""] * _PARTS
    base, _, scope, text = parts[:_PARTS]
    if scope.lower() not in _SCOPES:
        raise SourceFormatError(
            "a dynamic group's memberURL has a scope that is none of sub, one, base; "
            "leave the group out by groups.filter"
        )
    raise_as(
        lambda: to_filter(text or "(objectClass=*)", "memberURL"),
        {
            ConfigError: lambda error: SourceFormatError(
                f"a dynamic group's {error}; leave the group out by groups.filter"
            )
        },
    )
    selects = f"(&{users.filter}{in_brackets(text or '(objectClass=*)')})"
    return Search(base, selects, _SCOPES[scope.lower()], ())

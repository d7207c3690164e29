"""The groups of a directory: searched, named, and who their members are."""

from urllib.parse import unquote

from extractors.directory.absence.seen import STAMPS
from extractors.directory.accounts import is_active_directory, profile_of
from extractors.directory.accounts_ad import group_remarks
from extractors.directory.accounts_ldap import group_ids
from extractors.directory.dn import normal_dn
from extractors.directory.entries import Entries, Find, Search
from extractors.directory.filter import in_brackets, to_filter
from extractors.directory.group_tables import GroupTexts, describe, group_labels
from extractors.directory.members import (
    Directory,
    Members,
    add_login_names,
    add_primary_groups,
    add_primary_groups_by_sid,
    add_selected,
    named_by_groups,
    named_by_members,
    urls_of,
)
from extractors.directory.request import DirectoryRequest
from extractors.directory.values import first_texts
from schemas.errors import ConfigError, SourceFormatError, SourceIncompleteError, raise_as
from schemas.source_file.directory_source import Scope

_SCOPES: dict[str, Scope] = {"sub": "subtree", "one": "level", "base": "base", "": "base"}
_PARTS = 4


def groups_search(request: DirectoryRequest) -> Search | None:
    """Returns the search for the groups; None where the source has none.

    Raises:
        ConfigError: the filter is none.
    """
    branch = request.source.groups
    if branch is None:
        return None
    profile = profile_of(request.source)
    if branch.filter is not None:
        to_filter(branch.filter, "source.groups.filter")
    by_member = request.source.membership == "member"
    naming = ("member", "uniqueMember") if by_member else ("memberOf",)
    return Search(
        branch.base or request.base_dn,
        in_brackets(branch.filter) if branch.filter is not None else profile.groups_filter,
        branch.scope,
        (*profile.group_attributes, *naming, "memberUid", "memberURL", *STAMPS),
    )


def find_groups(find: Find, search: Search) -> Entries:
    """Finds the groups.

    Raises:
        SourceIncompleteError: there are none.
    """
    groups = find(search)
    if not len(groups):
        raise SourceIncompleteError(
            f"{search.base}: no group there: check groups.base and groups.filter, and that the "
            "reading account may see them; or say groups: null"
        )
    return groups


def members_of(
    request: DirectoryRequest, users: Search, accounts: Entries, groups: Entries
) -> Members:
    """Returns who is in which group, by all attributes that name a member or a group."""
    directory = Directory(accounts, groups)
    if request.source.membership == "member":
        members = named_by_groups(directory, groups)
    else:
        members = named_by_members(directory, accounts, groups)
    add_login_names(members, accounts, groups)
    if is_active_directory(request.source):
        add_primary_groups_by_sid(members, accounts, groups)
    else:
        add_primary_groups(members, accounts, groups)
    add_dynamic_members(members, directory, groups, request.find, users)
    return members


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
    members: Members, directory: Directory, groups: Entries, find: Find, users: Search
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


def to_search(url: str, users: Search) -> Search:
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

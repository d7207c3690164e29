"""Groups whose members a search selects (groupOfURLs): each search made once."""

from urllib.parse import unquote

from extractors.directory_entries import Entries, Find, Search
from extractors.group_members import Directory, Members, add_selected, urls_of
from extractors.ldap_filter import in_brackets, to_filter
from schemas.directory_sources import Scope
from schemas.errors import ConfigError, SourceFormatError

_SCOPES: dict[str, Scope] = {"sub": "subtree", "one": "level", "base": "base", "": "base"}
_PARTS = 4


def add_dynamic_members(
    members: Members, directory: Directory, groups: Entries, find: Find, users: Search
) -> None:
    """Adds the accounts that the groups' URLs select; `users` is what the accounts were read with.

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
    """The search an LDAP URL describes (RFC 4516), narrowed to accounts.

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
    problem = None
    try:
        to_filter(text or "(objectClass=*)", "memberURL")
    except ConfigError as error:
        problem = f"a dynamic group's {error}"
    if scope.lower() not in _SCOPES:
        problem = "a dynamic group's memberURL has a scope that is none of sub, one, base"
    if problem:
        raise SourceFormatError(f"{problem}; leave the group out by groups.filter")
    selects = f"(&{users.filter}{in_brackets(text or '(objectClass=*)')})"
    return Search(base, selects, _SCOPES[scope.lower()], ())

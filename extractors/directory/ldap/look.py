"""Of which kind a directory is, and where people and groups lie: for who writes a source file."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from ldap3 import Connection

from extractors.directory.dn import normal_dn
from extractors.directory.entries import Find, Search
from extractors.directory.ldap.protocol.connection import connected, reopen
from extractors.directory.ldap.protocol.forest import is_active_directory, root_dse_values
from extractors.directory.ldap.source import finder
from schemas.errors import SourceFormatError, SourceIncompleteError
from schemas.look import Directory, DirectoryAddress, Places
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource
from schemas.source_file.secrets import Resolve

_PEOPLE = "(|(objectClass=inetOrgPerson)(objectClass=posixAccount)(objectClass=account))"
_AD_PEOPLE = "(&(objectCategory=person)(objectClass=user))"
_GROUPS = (
    "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup)"
    "(objectClass=groupOfMembers))"
)
_AD_GROUPS = "(objectClass=group)"
_NO_ATTRIBUTES = ("1.1",)


def seen(address: DirectoryAddress, workspace: Path, resolve: Resolve) -> Directory:
    """Returns what the directory has; `extractors.look` says what it raises."""
    source = _source_of(address)
    with connected(source, workspace, resolve) as (connection, endpoint):
        is_domain = is_active_directory(connection)
        roots = [address.base_dn] if address.base_dn else _roots_of(connection)
        model = _as_domain(source, roots[0]) if is_domain else source
        find = finder(connection, model, partial(reopen, connection, source, endpoint))
        looks = [_below(find, root, is_domain=is_domain) for root in roots]
    directory = max(looks, key=lambda look: look.people.counts.total())
    if not directory.people.counts:
        who = "does the account read it?" if address.username else "as nobody: name an account"
        raise SourceIncompleteError(f"{endpoint}: nobody is seen below {' or '.join(roots)}: {who}")
    return directory


def _below(find: Find, root: str, *, is_domain: bool) -> Directory:
    """Returns what lies below a root; nothing where it is not read whole."""
    filters = (_AD_PEOPLE, _AD_GROUPS) if is_domain else (_PEOPLE, _GROUPS)
    with suppress(SourceIncompleteError, SourceFormatError):
        found = (find(Search(root, text, "subtree", _NO_ATTRIBUTES)).dns for text in filters)
        return Directory(is_domain, root, *(_places(dns, root) for dns in found))
    nowhere = Places(root, Counter())
    return Directory(is_domain, root, nowhere, nowhere)


def _as_domain(source: LdapSource, root: str) -> ActiveDirectorySource:
    names = ("host", "port", "protocol", "authentication", "username", "password")
    options = {name: getattr(source, name) for name in names}
    return ActiveDirectorySource.model_validate(
        {**options, "kind": "active_directory", "base_dn": root}
    )


def _common_base(places: Iterable[str], base: str) -> str:
    """Returns the deepest entry that all the places are, or lie below; `base` at least."""
    parts = [_rdns(place) for place in places]
    shared = len(_rdns(base))
    shortest = min(map(len, parts), default=0)
    for count in range(shortest, shared, -1):
        if len({",".join(map(normal_dn, one[-count:])) for one in parts}) == 1:
            return ",".join(parts[0][-count:])
    return base


def _source_of(address: DirectoryAddress) -> LdapSource:
    return LdapSource.model_validate(
        {
            "kind": "ldap",
            "host": address.host,
            "port": address.port,
            "protocol": address.protocol,
            "base_dn": address.base_dn or "dc=unknown",
            "authentication": "simple" if address.username else "anonymous",
            "username": address.username,
            "password": address.password,
        }
    )


def _roots_of(connection: Connection) -> list[str]:
    own = root_dse_values(connection, "defaultNamingContext")
    roots = own or root_dse_values(connection, "namingContexts")
    if not roots:
        raise SourceIncompleteError(
            "the server does not say what it has: write the base into the URL, as "
            "ldaps://host/dc=example,dc=org"
        )
    return roots


def _places(dns: Iterable[str], root: str) -> Places:
    counts = Counter(",".join(_rdns(dn)[1:]) for dn in dns)
    return Places(_common_base(counts, root), counts)


def _rdns(dn: str) -> list[str]:
    """Returns a DN's parts as they are written: a comma behind a backslash parts nothing."""
    parts, part, is_escaped = [], "", False
    for character in dn:
        if character == "," and not is_escaped:
            parts.append(part)
            part = ""
        else:
            part += character
        is_escaped = character == "\\" and not is_escaped
    return [*parts, part] if dn else []

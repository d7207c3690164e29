"""How a directory's server tells changes, and whether a read can go on from what is kept."""

import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from ldap3 import Connection

from extractors.directory.absence.seen import LINKS
from extractors.directory.entries import to_entries
from extractors.directory.ldap.incremental.changes import SYNC_REQUEST, dirsync
from extractors.directory.ldap.incremental.finder import ChangeMethod
from extractors.directory.ldap.incremental.state import DirectoryState
from extractors.directory.ldap.protocol.forest import root_dse, root_dse_values
from extractors.directory.ldap.protocol.schema import unkept_attributes
from extractors.directory.ldap.protocol.search import PagedSearch, read_pages
from extractors.directory.locks import LOCKS
from extractors.directory.values import first_texts, whole_number
from schemas.errors import ConfigError
from schemas.source_file.delta import DirectoryDelta
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource
from schemas.source_file.quantities import duration_text

_CONSTRUCTED_OR_OWN = 0x4 | 0x1  # systemFlags: made when read, or not replicated ([MS-ADTS] 2.2.10)
_DN_SYNTAXES = frozenset({"2.5.5.1", "2.5.5.7", "2.5.5.14"})  # alone, with bytes, with text

KNOWN = LINKS | {
    "authtimestamp",
    "ismemberof",
    "lastlogon",
    "memberof",
    "msds-user-account-control-computed",
    "nsrole",
    "pwdlastsuccess",
    *(name.lower() for name in LOCKS),
}
"""Attributes that change without the entry's being modified, whatever the schema has of them.

They are links, computed, or kept by one server, in one kind of directory or another.
"""

_IDS = ("nsUniqueId", "entryUUID", "ibm-entryUuid", "orclGuid", "GUID")
"""What identifies an entry for good: the one that all entries have first (389 may lack entryUUID).

389 gives an nsUniqueId to each entry, an entryUUID to what came over LDAP since its plugin is on.
"""

VIRTUAL_ONLY = "2.16.840.1.113730.3.4.19"
"""The control that shows only what a server generates (389, OpenDJ, PingDirectory)."""

_log = logging.getLogger(__name__)


def to_change_method(
    connection: Connection,
    source: LdapSource | ActiveDirectorySource,
    delta: DirectoryDelta,
    host: str,
    attributes: tuple[str, ...],
) -> ChangeMethod | None:
    """Returns how the server at `host` tells changes: as the file says, or as it allows.

    None where nothing tells an entry from another one that takes its name.

    Raises:
        ConfigError: the file names a method that this kind of directory does not have.
    """
    if isinstance(source, ActiveDirectorySource):
        return _method_of_domain(connection, delta, host, attributes)
    if delta.by in {"dirsync", "usn_changed"}:
        raise ConfigError(
            f"{delta.by} is Active Directory's; write modify_timestamp or syncrepl",
            key="source.delta.by",
        )
    by = delta.by
    if by == "auto":
        stamped = _first_value(connection, source.base_dn, "modifyTimestamp") is not None
        can_sync = SYNC_REQUEST in root_dse_values(connection, "supportedControl")
        by = "syncrepl" if can_sync and not stamped else "modify_timestamp"
    attribute = _id_attribute(connection, source)
    if attribute is None:
        return None
    return ChangeMethod(host, by, attribute, unreported_in_tree(connection), may_expand=True)


def _id_attribute(connection: Connection, source: LdapSource) -> str | None:
    """Returns what identifies an entry for good, by what the one at the accounts' base shows."""
    base = source.users[0].base or source.base_dn
    for name in _IDS:
        if _first_value(connection, base, name) is not None:
            return name
    _log.warning(
        "%s: is read whole: shows none of %s, so delta cannot go on", base, ", ".join(_IDS)
    )
    return None


def can_show_generated(connection: Connection) -> bool:
    """Whether the server can show just what it generates: class of service, virtual attributes."""
    return VIRTUAL_ONLY in root_dse_values(connection, "supportedControl")


def _method_of_domain(
    connection: Connection, delta: DirectoryDelta, host: str, attributes: tuple[str, ...]
) -> ChangeMethod:
    if delta.by in {"modify_timestamp", "syncrepl"}:
        raise ConfigError(
            f"{delta.by} is not Active Directory's; write dirsync or usn_changed",
            key="source.delta.by",
        )
    root = root_dse(connection, "defaultNamingContext") or ""
    settings = root_dse(connection, "dsServiceName")
    invocation = _first_value(connection, settings, "invocationId") if settings else None
    server = invocation.hex() if invocation else host
    by = delta.by
    if by == "auto":
        may = dirsync(connection, root, ("objectGUID",), b"", rounds=1) is not None
        by = "dirsync" if may else "usn_changed"
    return ChangeMethod(
        server, by, "objectGUID", unreported_in_domain(connection, attributes), root
    )


def usable_state(
    last: DirectoryState | None, method: ChangeMethod, delta: DirectoryDelta, now: datetime
) -> DirectoryState | None:
    """Returns `last` where a read can go on from it: of the same server and method, and young."""
    if last is None:
        return None
    if (last.server, last.by) != (method.server, method.by):
        _log.info("the directory is read whole: another server answers, or in another way")
        return None
    age = now - last.full_at
    if age >= delta.full_every:
        _log.info("the directory is read whole: the last time is %s ago", duration_text(age))
        return None
    return last


def unreported_in_domain(connection: Connection, attributes: tuple[str, ...]) -> frozenset[str]:
    """Returns those of `attributes` that a controller computes or keeps, and those that are links.

    In lower case; by the schema, as far as it can be seen.
    """
    schema = root_dse(connection, "schemaNamingContext")
    if schema is None or not attributes:
        return KNOWN
    names = "".join(f"(lDAPDisplayName={name})" for name in attributes)
    facts = ("lDAPDisplayName", "systemFlags", "linkID", "attributeSyntax")
    search = PagedSearch(schema, f"(|{names})", "level", facts, referrals="ignore")
    return KNOWN | {
        name.lower()
        for name, *rest in _rows(connection, search, facts)
        if name is not None and _is_unreported(*rest)
    }


def unreported_in_tree(connection: Connection) -> frozenset[str]:
    """Returns the attributes that change without a trace, by the schema; in lower case."""
    return KNOWN | unkept_attributes(connection)


def _rows(
    connection: Connection, search: PagedSearch, names: tuple[str, ...]
) -> Iterator[list[str | None]]:
    """Yields of each entry the first value of each of the attributes."""
    entries = to_entries(chain.from_iterable(read_pages(connection, search)))
    columns = [first_texts(entries, name) for name in names]
    return (list(row) for row in zip(*columns, strict=True))


def _is_unreported(flags: str | None, link: str | None, syntax: str | None) -> bool:
    number = whole_number((flags or "0").encode()) or 0
    return bool(number & _CONSTRUCTED_OR_OWN) or link is not None or syntax in _DN_SYNTAXES


def _first_value(connection: Connection, dn: str, attribute: str) -> bytes | None:
    search = PagedSearch(dn, scope="base", attributes=(attribute,), page_size=1)
    entries = to_entries(chain.from_iterable(read_pages(connection, search)))
    return next(iter(entries.first(attribute)), None)

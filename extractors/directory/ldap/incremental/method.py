"""How a directory's server tells changes, and whether a read can go on from what is kept."""

import logging
from datetime import datetime

from ldap3 import Connection

from extractors.directory.ldap.incremental.changes import SYNC_REQUEST, dirsync
from extractors.directory.ldap.incremental.finder import ChangeMethod
from extractors.directory.ldap.incremental.state import DirectoryState
from extractors.directory.ldap.protocol.forest import root_dse, root_dse_values
from extractors.directory.ldap.protocol.schema import operational_attributes
from extractors.directory.ldap.protocol.search import PagedSearch, read_pages
from extractors.directory.values import plain_text, whole_number
from schemas.errors import ConfigError
from schemas.source_file.delta import DirectoryDelta
from schemas.source_file.directory_source import ActiveDirectorySource, LdapSource
from schemas.source_file.quantities import duration_text

_CONSTRUCTED_OR_OWN = 0x4 | 0x1  # systemFlags: made when read, or not replicated ([MS-ADTS] 2.2.10)

KNOWN = frozenset(
    {
        "authtimestamp",
        "lastlogon",
        "memberof",
        "msds-user-account-control-computed",
        "nsaccountlock",
        "pwdaccountlockedtime",
        "pwdlastsuccess",
    }
)
"""Attributes that change without the entry's being modified, whatever the schema has of them.

They are computed, or kept by one server, in one kind of directory or another.
"""

_log = logging.getLogger(__name__)


def to_change_method(
    connection: Connection,
    source: LdapSource | ActiveDirectorySource,
    delta: DirectoryDelta,
    host: str,
    attributes: tuple[str, ...],
) -> ChangeMethod:
    """Returns how the server at `host` tells changes: as the file says, or as it allows.

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
    return ChangeMethod(host, by, "entryUUID", unreported_in_tree(connection))


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
    """Returns those of `attributes` that a controller computes, keeps, or follows a link back for.

    In lower case; by the schema, as far as it can be seen.
    """
    schema = root_dse(connection, "schemaNamingContext")
    if schema is None or not attributes:
        return KNOWN
    names = "".join(f"(lDAPDisplayName={name})" for name in attributes)
    facts = ("lDAPDisplayName", "systemFlags", "linkID")
    search = PagedSearch(schema, f"(|{names})", "level", facts, referrals="ignore")
    return KNOWN | {
        plain_text(attribute["lDAPDisplayName"][0]).lower()
        for page in read_pages(connection, search)
        for _, attribute in page
        if _is_unreported(attribute)
    }


def unreported_in_tree(connection: Connection) -> frozenset[str]:
    """Returns the attributes that the server itself keeps, by its schema; in lower case."""
    return KNOWN | (operational_attributes(connection) or frozenset())


def _is_unreported(attribute: dict[str, list[bytes]]) -> bool:
    flags = whole_number(attribute.get("systemFlags", [b"0"])[0]) or 0
    link = whole_number(attribute.get("linkID", [b"0"])[0]) or 0
    return bool(flags & _CONSTRUCTED_OR_OWN) or link % 2 == 1  # an odd link is the method back


def _first_value(connection: Connection, dn: str, attribute: str) -> bytes | None:
    search = PagedSearch(dn, scope="base", attributes=(attribute,), page_size=1)
    for page in read_pages(connection, search):
        for _, attributes in page:
            return next(iter(attributes.get(attribute, ())), None)
    return None

"""A directory read over LDAP: connected once, searched page by page, proved whole."""

from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from ldap3 import Connection

from extractors.directory.account_fields import RequestedFields
from extractors.directory.accounts import users_search
from extractors.directory.entries import Entries, Find, Search, to_entries
from extractors.directory.last_logon import Logons, add_logons
from extractors.directory.ldap.incremental.finder import DeltaFinder
from extractors.directory.ldap.incremental.method import still_good, to_way
from extractors.directory.ldap.incremental.state import to_directory_state, to_reader_state
from extractors.directory.ldap.protocol.connection import connected
from extractors.directory.ldap.protocol.forest import check_one_domain, controllers_of
from extractors.directory.ldap.protocol.schema import check_known
from extractors.directory.ldap.protocol.search import PagedSearch, read_pages
from extractors.directory.read import probe_directory, read_directory
from extractors.directory.request import DirectoryRequest
from schemas.raw import Probe, Raw, ReaderState
from schemas.source_file.directory_source import ActiveDirectorySource, LdapSource
from schemas.source_file.secrets import Resolve

_NO_ATTRIBUTES = ("1.1",)  # RFC 4511, 4.5.1.8


def read_ldap_source(
    source: LdapSource | ActiveDirectorySource,
    workspace: Path,
    wanted: RequestedFields,
    *,
    now: datetime,
    resolve: Resolve,
    state: ReaderState | None = None,
) -> Raw:
    """The accounts, the groups and who is in which, each searched for once.

    With `delta` in the file, only what changed since `state` is read, where that can be told.

    Raises:
        ConfigError: a filter is none, an attribute is secret, or the password would go in clear.
        SourceUnavailableError: no host answers, the bind is refused, or the connection is lost.
        SourceIncompleteError: a limit was hit, or what is needed cannot be read.
        SourceFormatError: an attribute that the schema does not know, or an answer that is no LDAP.
    """
    with connected(source, workspace, resolve) as (connection, endpoint):
        _check_before(source, connection, wanted)
        reading = DirectoryRequest(
            source=source,
            wanted=wanted,
            find=finder(connection, source),
            base_dn=source.base_dn,
            origin=str(endpoint),
            now=now,
            taken_at=now,
            logons=_logons(source, connection, workspace, wanted, resolve),
        )
        if source.delta is None:
            return read_directory(reading)
        way = to_way(connection, source, source.delta, str(endpoint), wanted.attributes)
        last = to_directory_state(state)
        last = still_good(last, way, source.delta, now)
        delta = DeltaFinder(reading.find, connection, way, last, now)
        raw = read_directory(replace(reading, find=delta.find))
        kept = to_reader_state(delta.state())
        return replace(raw, proof=(*raw.proof, *delta.said), state=kept)


def _logons(
    source: LdapSource | ActiveDirectorySource,
    connection: Connection,
    workspace: Path,
    wanted: RequestedFields,
    resolve: Resolve,
) -> Logons | None:
    """What all controllers know, where the source wants that."""
    if not isinstance(source, ActiveDirectorySource) or "last_login" not in wanted.fields:
        return None
    if source.last_login_from != "lastLogon":
        return None
    users = users_search(source, wanted, source.base_dn)
    logons: Logons = {}
    for host in controllers_of(connection):
        one = source.model_copy(update={"host": host})
        with connected(one, workspace, resolve) as (controller, _):
            add_logons(logons, finder(controller, one), users)
    return logons


def probe_ldap_source(
    source: LdapSource | ActiveDirectorySource,
    workspace: Path,
    wanted: RequestedFields,
    *,
    now: datetime,
    resolve: Resolve,
) -> tuple[Probe, ...]:
    """What the first page of accounts and of groups looks like.

    Raises:
        ConfigError: as `read_ldap_source`; likewise the others.
    """
    with connected(source, workspace, resolve) as (connection, endpoint):
        reading = DirectoryRequest(
            source=source,
            wanted=wanted,
            find=finder(connection, source, most_pages=1),
            base_dn=source.base_dn,
            origin=str(endpoint),
            now=now,
            taken_at=now,
            part=" on the first page",
        )
        _check_before(source, connection, wanted)
        return probe_directory(reading)


def _check_before(
    source: LdapSource | ActiveDirectorySource, connection: Connection, wanted: RequestedFields
) -> None:
    check_known(connection, wanted.attributes)
    if isinstance(source, ActiveDirectorySource):
        check_one_domain(connection, source.users.base or source.base_dn)


def finder(
    connection: Connection,
    source: LdapSource | ActiveDirectorySource,
    *,
    most_pages: int | None = None,
) -> Find:
    """What searches over `connection`; only the first pages where that is all that is wanted."""
    is_domain = isinstance(source, ActiveDirectorySource)

    def find(search: Search) -> Entries:
        asked = PagedSearch(
            base=search.base,
            filter=search.filter,
            scope=search.scope,
            attributes=search.attributes or _NO_ATTRIBUTES,
            page_size=source.page_size,
            referrals="ignore" if is_domain else "refuse",
            timeout_s=source.search_timeout.total_seconds(),
        )
        pages = read_pages(connection, asked)
        return to_entries(chain.from_iterable(islice(pages, most_pages)))

    return find

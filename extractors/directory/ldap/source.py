"""A directory read over LDAP: connected once, searched page by page, proved whole."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ldap3 import Connection

from extractors.directory.account_fields import RequestedFields
from extractors.directory.accounts import users_search
from extractors.directory.accounts_ad import Logons, add_logons
from extractors.directory.entries import Entries, Find, Search, each_once, to_entries
from extractors.directory.ldap.incremental.finder import DeltaFinder
from extractors.directory.ldap.incremental.method import (
    VIRTUAL_ONLY,
    can_show_generated,
    to_change_method,
    usable_state,
)
from extractors.directory.ldap.incremental.state import to_directory_state, to_reader_state
from extractors.directory.ldap.protocol.connection import connected, reopen
from extractors.directory.ldap.protocol.forest import (
    check_kind,
    check_one_domain,
    controllers_of,
)
from extractors.directory.ldap.protocol.schema import check_known
from extractors.directory.ldap.protocol.search import SMALLEST_PAGE, PagedSearch, read_pages
from extractors.directory.read import probe_directory, read_directory
from extractors.directory.request import DirectoryRequest
from schemas.raw import LastRead, Probe, Raw, ReaderState
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource
from schemas.source_file.secrets import Resolve

_NEVER_READ = LastRead()
_NO_ATTRIBUTES = ("1.1",)  # RFC 4511, 4.5.1.8


def read_ldap_source(
    source: LdapSource | ActiveDirectorySource,
    workspace: Path,
    account_fields: RequestedFields,
    *,
    now: datetime,
    resolve: Resolve,
    state: ReaderState | None = None,
    last_read: LastRead = _NEVER_READ,
) -> Raw:
    """Reads the accounts, the groups and who is in which, each searched for once.

    With `delta` in the file, only what changed since `state` is read, where the server tells it.
    What entries showed to `last_read`, and do not now, must not only be hidden.

    Raises:
        ConfigError: a filter is none, an attribute is secret, or the password would go in clear.
        SourceUnavailableError: no host answers, the bind is refused, or the connection is lost.
        SourceIncompleteError: a limit was hit, or what is needed cannot be read.
        SourceFormatError: an attribute that the schema does not know, or an answer that is no LDAP.
    """
    with connected(source, workspace, resolve) as (connection, endpoint):
        begin_anew = partial(reopen, connection, source, endpoint)
        known = _check_before(source, connection, account_fields)
        request = DirectoryRequest(
            source=source,
            account_fields=account_fields,
            find=finder(connection, source, begin_anew),
            base_dn=source.base_dn,
            origin=str(endpoint),
            now=now,
            taken_at=now,
            known=known,
            last_seen=last_read.seen,
            logons=_logons(source, connection, workspace, account_fields, resolve),
        )
        if source.delta is None:
            return read_directory(request)
        method = to_change_method(
            connection, source, source.delta, str(endpoint), account_fields.attributes
        )
        if method is None:
            return read_directory(request)
        last = usable_state(to_directory_state(state), method, source.delta, now)
        generated = None
        if can_show_generated(connection):
            only = (VIRTUAL_ONLY, True, None)
            generated = finder(connection, source, begin_anew, controls=(only,))
        delta = DeltaFinder(request.find, connection, method, last, now, generated)
        raw = read_directory(replace(request, find=delta.find))
        kept = to_reader_state(delta.state())
        return replace(raw, proof=(*raw.proof, *delta.proofs), state=kept)


def probe_ldap_source(
    source: LdapSource | ActiveDirectorySource,
    workspace: Path,
    account_fields: RequestedFields,
    *,
    now: datetime,
    resolve: Resolve,
) -> tuple[Probe, ...]:
    """Returns what the first page of accounts and of groups looks like.

    Raises:
        ConfigError: as `read_ldap_source`; likewise the others.
    """
    with connected(source, workspace, resolve) as (connection, endpoint):
        request = DirectoryRequest(
            source=source,
            account_fields=account_fields,
            find=finder(
                connection, source, partial(reopen, connection, source, endpoint), most_pages=1
            ),
            base_dn=source.base_dn,
            origin=str(endpoint),
            now=now,
            taken_at=now,
            part=" on the first page",
        )
        _check_before(source, connection, account_fields)
        return probe_directory(request)


def finder(
    connection: Connection,
    source: LdapSource | ActiveDirectorySource,
    begin_anew: Callable[[], None],
    *,
    most_pages: int | None = None,
    controls: tuple[Any, ...] = (),
) -> Find:
    """Returns what searches over `connection`: all, or only the first `most_pages` pages.

    After a search that may have filled a page `begin_anew` binds the connection anew: OpenLDAP with
    a subordinate database gives, with success, a part to the next one where the last page was full
    (2.5.13). `controls` are further ones of each request, as ldap3 takes them.
    """
    is_domain = isinstance(source, ActiveDirectorySource)
    full = source.page_size or SMALLEST_PAGE

    def find(search: Search) -> Entries:
        paged = PagedSearch(
            base=search.base,
            filter=search.filter,
            scope=search.scope,
            attributes=search.attributes or _NO_ATTRIBUTES,
            page_size=source.page_size,
            referrals="ignore" if is_domain else "refuse",
            controls=controls,
            timeout_s=source.search_timeout.total_seconds(),
            dereference=source.dereference if isinstance(source, LdapSource) else "never",
        )
        pages = read_pages(connection, paged)
        entries = to_entries(chain.from_iterable(islice(pages, most_pages)))
        if len(entries) >= full:
            begin_anew()
        # With aliases, an entry may come once for itself and once for each of them.
        return entries if paged.dereference == "never" else each_once(entries)

    return find


def _logons(
    source: LdapSource | ActiveDirectorySource,
    connection: Connection,
    workspace: Path,
    account_fields: RequestedFields,
    resolve: Resolve,
) -> Logons | None:
    """Returns what all controllers know of logons; None where the source does not ask for it."""
    if not isinstance(source, ActiveDirectorySource) or "last_login" not in account_fields.fields:
        return None
    if source.last_login_from != "lastLogon":
        return None
    users = users_search(source, account_fields, source.base_dn)
    logons: Logons = {}
    for host in controllers_of(connection):
        one_host = source.model_copy(update={"host": host})
        with connected(one_host, workspace, resolve) as (controller, endpoint):
            begin_anew = partial(reopen, controller, one_host, endpoint)
            add_logons(logons, finder(controller, one_host, begin_anew), users)
    return logons


def _check_before(
    source: LdapSource | ActiveDirectorySource,
    connection: Connection,
    account_fields: RequestedFields,
) -> frozenset[str] | None:
    """Returns the attributes of the schema, in lower case; None where it cannot be read."""
    stated: tuple[str, ...] = ()
    if isinstance(source, LdapSource):
        apart = {"auto", "none", "dn", "entryUUID"}
        named = (source.status_from, source.id, source.group_id)
        stated = tuple(name for name in named if name not in apart)
    check_kind(connection, source)
    known = check_known(connection, (*account_fields.attributes, *stated))
    if isinstance(source, ActiveDirectorySource):
        for branch in source.users:
            check_one_domain(connection, branch.base or source.base_dn)
    return known

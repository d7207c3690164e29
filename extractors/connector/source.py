"""A source of kind `connector`: what a connector lists, in the order in which Lumos asks for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from extractors.connector.connector import Connector
from extractors.connector.last_activity import moment_of, read_last_activity, with_last_activity
from extractors.connector.rows import (
    ACCOUNT_ID,
    SHAPES,
    PageRows,
    keys_of,
    to_page_rows,
    usable_labels,
)
from extractors.connector.ways import opened_way
from extractors.text_rows import raw_table
from schemas.errors import (
    ConfigError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.raw import Probe, Raw, RawTable
from schemas.source_file.columns import Named
from schemas.source_file.kinds.connector_source import ConnectorSource
from schemas.source_file.secrets import Resolve
from schemas.tables import ACCOUNT_FIELDS, ROW

_SCHEMA = "list_custom_attributes_schema"
_OF_EACH = "get_account_entitlement_associations"
_READ = ("list_accounts", "list_resources", "list_entitlements", "find_entitlement_associations")


def read_connector_source(
    source: ConnectorSource,
    workspace: Path,
    *,
    now: datetime,
    resolve: Resolve,
    named: Named,
    sleep: Callable[[float], None] = time.sleep,
) -> Raw:
    """Reads accounts, resources, entitlements, who holds what, and the last activity.

    What the connector has no capability for is no table; accounts it must list.

    Raises:
        ConfigError: a secret is not in its place, there is no such program, the connector takes
            auth or settings for wrong, or cannot list accounts.
        SourceUnavailableError: it cannot be reached or started, or its upstream cannot.
        SourceIncompleteError: its pages have no end, or there is no account.
        SourceFormatError: it answers otherwise than the SDK has it.
    """
    with opened_connector(source, workspace, resolve, sleep) as connector:
        attributes, notes = _attributes(connector, source)
        accounts, count = _accounts(connector, attributes, named)
        if not accounts.read_count:
            raise SourceIncompleteError(
                f"{accounts.origin}: no account: an empty snapshot is never uploaded"
            )
        tables = {"resources": _table(connector, "list_resources", "resources")}
        tables["entitlements"] = _table(connector, "list_entitlements", "entitlements")
        tables["associations"] = _associations(connector, accounts)
        accounts, others = _with_activity(connector, accounts)
        taken_at = _recency(connector, now)
    if others:
        listed = ", ".join(map(repr, others[:3]))
        notes.append(f"{connector.name}: events that are no login are activity: {listed}")
    proofs = [f"{accounts.origin}: {accounts.read_count:,} accounts in {count:,} pages to the last"]
    proofs += [
        f"{table.origin}: {table.read_count:,} rows to the last page"
        for table in tables.values()
        if table is not None
    ]
    return Raw(
        accounts=accounts,
        entitlements=tables["entitlements"],
        resources=_without_global(tables["resources"]),
        associations=tables["associations"],
        taken_at=taken_at,
        proof=tuple(proofs),
        warnings=tuple(notes),
    )


def probe_connector_source(
    source: ConnectorSource,
    workspace: Path,
    *,
    resolve: Resolve,
    named: Named,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Probe, ...]:
    """Has the connector try its credentials, and reads its first accounts.

    Raises:
        ConfigError, SourceError: as `read_connector_source`.
    """
    with opened_connector(source, workspace, resolve, sleep) as connector:
        if connector.can("validate_credentials"):
            told = connector.ask("validate_credentials", {})
            if not isinstance(told, dict) or told.get("valid") is not True:
                raise SourceUnavailableError(
                    f"{connector.name}: validate_credentials: the credentials in auth are not valid"
                )
        attributes, _ = _attributes(connector, source)
        shape = SHAPES["accounts"]
        request = {"custom_attributes": attributes} if attributes else {}
        first = next(connector.pages("list_accounts", request, partial(keys_of, shape)))
        rows = to_page_rows(shape, first, attributes).rows
        can = [name for name in _READ if connector.can(name)]
        said = f"{rows.height:,} accounts on the first page; it can {', '.join(can)}"
        names = tuple(dict.fromkeys((*shape.columns, *attributes, *sorted(named.columns))))
        return (Probe("accounts", f"{connector.name}: list_accounts", said, names),)


@contextmanager
def opened_connector(
    source: ConnectorSource, workspace: Path, resolve: Resolve, sleep: Callable[[float], None]
) -> Iterator[Connector]:
    """The connector, which has said what it can do.

    Raises:
        ConfigError: it cannot list accounts; or as `read_connector_source`.
    """
    with opened_way(source, workspace) as way:
        connector = Connector(way, source, resolve, sleep)
        if not connector.can("list_accounts"):
            raise ConfigError(f"{connector.name} has no list_accounts", key="source")
        yield connector


def _attributes(connector: Connector, source: ConnectorSource) -> tuple[list[str], list[str]]:
    """Returns the custom attributes that are asked for, without which none may come; and notes."""
    wanted = list(source.custom_attributes) if source.custom_attributes != "all" else []
    if source.custom_attributes == "all" and connector.can(_SCHEMA):
        pages = connector.whole(_SCHEMA, {}, lambda told: [str(told)], _names_of)
        wanted = [name for page in pages for name in page]
    usable = usable_labels(wanted)
    left_out = sorted(set(wanted) - set(usable))
    if not left_out:
        return usable, []
    listed = ", ".join(map(repr, left_out))
    return usable, [f"{connector.name}: custom attributes that no label can be: {listed}"]


def _names_of(response: Any) -> list[str]:  # noqa: ANN401 - JSON holds anything
    if not isinstance(response, list):
        raise SourceFormatError(f"{_SCHEMA}: the response is no list of attributes")
    return [
        row["name"]
        for row in response
        if isinstance(row, dict)
        and row.get("customized_type") == "account"
        and isinstance(row.get("name"), str)
    ]


def _accounts(connector: Connector, attributes: list[str], named: Named) -> tuple[RawTable, int]:
    shape = SHAPES["accounts"]
    others = sorted(named.columns - {*attributes, *ACCOUNT_FIELDS})
    is_told = bool(attributes) or connector.can(_SCHEMA)
    further = [*attributes, *others] if is_told or others else None
    request = {"custom_attributes": attributes} if attributes else {}
    pages = connector.whole(
        "list_accounts",
        request,
        partial(keys_of, shape),
        lambda response: to_page_rows(shape, response, further),
    )
    table = _joined("accounts", pages, f"{connector.name}: list_accounts")
    kept = [
        name
        for name in table.rows.columns
        if name in {ROW, ACCOUNT_ID, "user_status", *named.columns}
        or table.rows[name].null_count() < table.rows.height
    ]
    return replace(table, rows=table.rows.select(kept)), len(pages)


def _table(connector: Connector, capability: str, table: str) -> RawTable | None:
    if not connector.can(capability):
        return None
    pages = _pages(connector, capability, {}, table)
    return _joined(table, pages, f"{connector.name}: {capability}")


def _pages(
    connector: Connector, capability: str, request: dict[str, Any], table: str
) -> list[PageRows]:
    shape = SHAPES[table]
    return connector.whole(
        capability, request, partial(keys_of, shape), lambda page: to_page_rows(shape, page)
    )


def _joined(table: str, pages: list[PageRows], origin: str) -> RawTable:
    rows = pl.concat((page.rows for page in pages), how="diagonal")
    return raw_table(table, rows, origin, pl.concat(page.rejected for page in pages))


def _associations(connector: Connector, accounts: RawTable) -> RawTable | None:
    """Reads who holds what, of all at once or of each account in turn."""
    whole = _table(connector, "find_entitlement_associations", "associations")
    if whole is not None or not connector.can(_OF_EACH):
        return whole
    pages = [
        page
        for account_id in accounts.rows[ACCOUNT_ID]
        for page in _pages(connector, _OF_EACH, {"account_id": account_id}, "associations")
    ]
    return _joined("associations", pages, f"{connector.name}: {_OF_EACH}")


def _without_global(table: RawTable | None) -> RawTable | None:
    """Leaves out the global resource, which is not declared: its id is empty."""
    if table is None:
        return None
    rows = table.rows.filter(pl.col(ACCOUNT_ID) != "")
    return replace(table, rows=rows, dropped_count=table.rows.height - rows.height)


def _with_activity(connector: Connector, accounts: RawTable) -> tuple[RawTable, list[str]]:
    if not connector.can("get_last_activity"):
        return accounts, []
    events = read_last_activity(connector, accounts.rows[ACCOUNT_ID])
    rows, others = with_last_activity(accounts.rows, events)
    return replace(accounts, rows=rows), others


def _recency(connector: Connector, now: datetime) -> datetime:
    """Returns when the data were made, as far as the connector tells; else now.

    A connector over files or a snapshot says how old these are (get_data_recency).
    """
    if not connector.can("get_data_recency"):
        return now
    told = connector.ask("get_data_recency", {})
    moments = told.get("data") if isinstance(told, dict) else None
    read = [
        moment_of(text)
        for name, text in (moments.items() if isinstance(moments, dict) else ())
        if name in _READ and isinstance(text, str)
    ]
    return min([now, *(moment.astimezone(UTC) for moment in read if moment is not None)])

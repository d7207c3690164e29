"""A source of kind `sql`: one query a capability, all read in one read-only transaction."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from extractors.sql.connect.connect import open_session
from extractors.sql.incremental.reader import DeltaReader
from extractors.sql.queries.freshness import check_fresh
from extractors.sql.queries.labels import check_labels
from extractors.sql.queries.partition import part_column
from extractors.sql.queries.reader import NO_NAMES, Reader, about, times
from extractors.sql.session.session import Session
from extractors.sql.statements.statement import Statement
from schemas.errors import SourceIncompleteError
from schemas.raw import LastRead, Probe, Raw, RawTable, ReaderState
from schemas.source_file.columns import Named
from schemas.source_file.kinds.sql_source import Query, SqlSource
from schemas.source_file.quantities import duration_text
from schemas.source_file.secrets import Resolve
from schemas.tables import ACCOUNTS, ROW

TABLES = {
    "accounts": "list_accounts",
    "entitlements": "list_entitlements",
    "resources": "list_resources",
    "associations": "find_entitlement_associations",
}
_ROWS_OF_ACCOUNTS = {"list_accounts", "list_updated_accounts", "get_account"}
_NO_NAMES = Named()
_NEVER_READ = LastRead()
_BACK_IN_TIME = "a database whose newest change is older than it was"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def read_sql_source(  # noqa: PLR0913 - what a read is judged by
    source: SqlSource,
    workspace: Path,
    *,
    now: datetime,
    resolve: Resolve,
    named: Named = _NO_NAMES,
    id_column: str = "integration_specific_id",
    state: ReaderState | None = None,
    last_read: LastRead = _NEVER_READ,
) -> Raw:
    """Reads everything the queries return, from one snapshot where the database has such a thing.

    With `delta` in the file, only what changed of the accounts since `state` is read, where
    that can be told.

    Args:
        source: the database and its queries.
        workspace: what paths are relative to.
        now: when this is, UTC.
        resolve: fetches the password.
        named: what the source file's mapping names of the accounts; the query's labels need not
            be Lumos's then.
        id_column: the column of the accounts' ids.
        state: what the run that was accepted last left.
        last_read: what that run remembers: when the newest row was written.

    Raises:
        ConfigError: a query is no read, or the url, a driver or a secret is not right.
        SourceUnavailableError: the server cannot be reached, or refuses the login.
        SourceIncompleteError: the connection was lost, a statement was cancelled, or there is not
            one account.
        SourceStaleError: its data are older than `freshness` allows.
        SourceFormatError: the server refuses a query, or a label is missing.
    """
    with open_session(source, workspace, resolve) as session:
        reader = Reader(source, workspace, session, times(_BEGINNING, now), id_column)
        return read_whole(reader, now, named, id_column, state, last_read)


def read_whole(
    reader: Reader,
    now: datetime,
    named: Named = _NO_NAMES,
    id_column: str = "integration_specific_id",
    state: ReaderState | None = None,
    last_read: LastRead = _NEVER_READ,
) -> Raw:
    """Reads the same in a session that is open, by its reader.

    Where the newest change is older than that of `last_read`, all is read whatever `state` says.

    Raises:
        ConfigError, SourceIncompleteError, SourceFormatError: as `read_sql_source`.
    """
    options = reader.source.delta
    delta = DeltaReader(reader, options, named, id_column, now) if options else None
    reader.check_credentials()
    age = check_fresh(reader, now)
    behind = age.behind(last_read.changed_at)
    if behind:
        reader.warnings.append(
            f"freshness: the newest change is {duration_text(behind)} older than that of the last "
            "accepted run: a backup was restored, or its row was deleted"
        )
        state = None
    listed = delta.rows(state) if delta else reader.needed_rows("list_accounts", named.columns)
    accounts = _accounts(reader, *listed, named.columns)
    others = {name: reader.table(name, TABLES[name]) for name in TABLES if name != "accounts"}
    tables = [accounts, *(table for table in others.values() if table is not None)]
    counts = "; ".join(f"{table.origin}: {table.read_count:,} rows" for table in tables)
    return Raw(
        accounts=accounts,
        entitlements=others["entitlements"],
        resources=others["resources"],
        associations=others["associations"],
        taken_at=now,
        proof=(f"{counts}; {reader.session.snapshot}", *age.proof, *(delta.proof if delta else ())),
        warnings=tuple(reader.warnings),
        state=delta.state() if delta else None,
        remembered=LastRead(changed_at=age.changed_at),
        older=_BACK_IN_TIME if behind else "",
    )


def _accounts(
    reader: Reader, accounts: pl.DataFrame, origin: str, named: frozenset[str]
) -> RawTable:
    """Adds to the accounts what other capabilities say of their columns."""
    if not accounts.height:
        raise SourceIncompleteError(
            f"{origin}: returned no row, and an empty snapshot is never uploaded: run the query "
            "by hand, as the same account"
        )
    schema, activity = (
        reader.rows("list_custom_attributes_schema"),
        reader.rows("get_last_activity"),
    )
    if schema is not None:
        accounts, warnings = with_attributes(accounts, schema[0], named)
        reader.warnings += warnings
    if activity is not None:
        accounts, warnings = with_last_activity(accounts, activity[0], reader.id_column)
        reader.warnings += warnings
    return reader.to_raw_table("accounts", accounts, origin)


def probe_sql_source(
    source: SqlSource,
    workspace: Path,
    *,
    now: datetime,
    resolve: Resolve,
    named: frozenset[str] = NO_NAMES,
) -> tuple[Probe, ...]:
    """Looks at what each query would return; only `validate_credentials` and `freshness` are run.

    Raises:
        ConfigError, SourceUnavailableError, SourceFormatError: as `read_sql_source`.
    """
    probes = []
    with open_session(source, workspace, resolve) as session:
        reader = Reader(source, workspace, session)
        reader.check_credentials()
        check_fresh(reader, now)
        for capability, query in _in_order(reader.queries):
            statement = reader.statement(capability, query)
            with about(capability):
                names = _probed_names(session, statement, named)
            table = next((t for t, c in TABLES.items() if c == capability), None)
            if names is not None and table is not None:
                summary = f"{len(names)} columns, on {session.server}: {session.snapshot}"
                probes.append(Probe(table, statement.origin, summary, names))
    return tuple(probes)


def _probed_names(
    session: Session, statement: Statement, named: frozenset[str]
) -> tuple[str, ...] | None:
    """Returns the names of the columns it would return; None where nothing tells."""
    labels = session.describe(statement)
    if labels is None:
        return None
    if statement.partition is not None:
        part_column(statement, statement.partition, labels)
    own_names = named if statement.capability in _ROWS_OF_ACCOUNTS else NO_NAMES
    return check_labels(labels, statement.capability, statement.origin, own_names)


def _in_order(queries: dict[str, Query]) -> list[tuple[str, Query]]:
    """Orders the queries, those of tables first; without `validate_credentials`."""
    names = dict.fromkeys([*TABLES.values(), *queries])
    return [
        (name, queries[name])
        for name in names
        if name in queries and name != "validate_credentials"
    ]


# `list_custom_attributes_schema`: which further columns of the accounts are attributes.


def with_attributes(
    accounts: pl.DataFrame, schema: pl.DataFrame, named: frozenset[str]
) -> tuple[pl.DataFrame, list[str]]:
    """Keeps the accounts' attributes that `schema` names, under its names; with warnings.

    A column that it does not name is left out, unless the source file itself names it.
    """
    of_accounts = schema.filter(pl.col("customized_type").str.to_lowercase() == "account")
    wanted = {name.lower(): name for name in of_accounts["name"].drop_nulls().to_list()}
    further = [c for c in accounts.columns if c not in ACCOUNTS and c != ROW and c not in named]
    kept = {column: wanted[column.lower()] for column in further if column.lower() in wanted}
    left_out = [column for column in further if column not in kept]
    absent = sorted(set(wanted.values()) - set(kept.values()) - set(accounts.columns))
    warnings = []
    if left_out:
        warnings.append(
            "list_accounts: columns that list_custom_attributes_schema does not name are left "
            f"out: {', '.join(left_out)}"
        )
    if absent:
        warnings.append(
            f"list_custom_attributes_schema: names {', '.join(absent)}, which list_accounts does "
            "not return"
        )
    return accounts.drop(left_out).rename(kept), warnings


# `get_last_activity` in a sync: each account's newest login and activity, as columns of it.

_EVENTS = {
    "last_login": "last_login",
    "login": "last_login",
    "last_activity": "last_activity",
    "activity": "last_activity",
}
_SHAPES = ("%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")


def with_last_activity(
    accounts: pl.DataFrame, activity: pl.DataFrame, id_column: str
) -> tuple[pl.DataFrame, list[str]]:
    """Adds `last_login` and `last_activity` to accounts that have no such columns yet.

    `id_column` is that of the accounts' ids.

    The newest of an account's rows counts, by time; one that is no time counts only where the
    account has no other, and is then a reject. Rows of another event are left out, with a warning.
    """
    event = pl.col("event_type").str.to_lowercase().replace_strict(_EVENTS, default=None)
    times = activity.select(
        pl.col("account_id").alias(id_column),
        event.alias("event"),
        "happened_at",
        pl.coalesce(_read(shape) for shape in _SHAPES).alias("at"),
    )
    unknown = times["event"].null_count()
    warnings = [f"get_last_activity: {unknown} rows of another event_type"] if unknown else []
    for name in ("last_login", "last_activity"):
        if name in accounts.columns:
            continue
        newest = (
            times.filter(pl.col("event") == name)
            .sort("at", descending=True, nulls_last=True)
            .unique(id_column, keep="first", maintain_order=True)
            .select(id_column, pl.col("happened_at").alias(name))
        )
        if newest.height and id_column in accounts.columns:
            accounts = accounts.join(newest, on=id_column, how="left", maintain_order="left")
    return accounts, warnings


def _read(shape: str) -> pl.Expr:
    return pl.col("happened_at").str.to_datetime(shape, strict=False, time_unit="us")

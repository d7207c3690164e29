"""A source's queries within its one session: each as a statement, read, its columns labelled."""

from contextlib import AbstractContextManager
from copy import copy
from functools import partial
from pathlib import Path

import polars as pl

from extractors.discovery.queries import check_sight, queries_of
from extractors.sql_bindings import bindables
from extractors.sql_connection import join_snapshot
from extractors.sql_cursor import read_cursor
from extractors.sql_duckdb import read_duckdb
from extractors.sql_jdbc import read_jdbc
from extractors.sql_labels import labelled
from extractors.sql_partition import read_in_parts
from extractors.sql_postgresql_text import read_postgresql_text
from extractors.sql_session import NO_VALUES, Fetched, Session, Values
from extractors.sql_statements import Statement, to_statement
from schemas.errors import ConfigError
from schemas.raw import RawTable
from schemas.secrets import Resolve
from schemas.sql_source import Query, SqlSource
from schemas.tables import REJECTS, ROW

NO_NAMES: frozenset[str] = frozenset()


class Reader:
    """Reads the queries of one source, and gathers what a person should know in `warnings`."""

    def __init__(
        self,
        source: SqlSource,
        workspace: Path,
        session: Session,
        resolve: Resolve,
        values: Values = NO_VALUES,
        id_column: str = "integration_specific_id",
    ) -> None:
        self.source = source
        self.resolve = resolve
        self.workspace = workspace
        self.session = session
        self.id_column = id_column
        self.values: Values = bindables(values, session)
        self.warnings = list(session.warnings)
        self.queries = queries_of(source, session.engine)

    def with_values(self, values: Values) -> "Reader":
        """The same, in the same session and with the same `warnings`, but for the values."""
        other = copy(self)
        other.values = bindables(values, self.session)
        return other

    def statement(self, capability: str, query: Query) -> Statement:
        """The query as a statement.

        Raises:
            ConfigError: as `to_statement`.
        """
        return to_statement(
            capability,
            query,
            self.workspace,
            self.session.engine,
            allow_procedures=self.source.allow_procedures,
        )

    def fetched(self, capability: str) -> tuple[Statement, Fetched] | None:
        """What a capability's query returns; None where the source has none."""
        query = self.queries.get(capability)
        if query is None:
            return None
        statement = self.statement(capability, query)
        if statement.partition is not None:
            found = read_in_parts(
                self.session,
                statement,
                statement.partition,
                self._read,
                self._join,
                self.id_column,
            )
            return statement, found
        return statement, self._read(self.session, statement)

    def _read(self, session: Session, statement: Statement) -> Fetched:
        return read_statement(session, statement, self.values)

    def _join(self, name: str) -> AbstractContextManager[Session]:
        return join_snapshot(self.source, self.workspace, self.resolve, name)

    def check_credentials(self) -> None:
        """Runs `validate_credentials`, where there is one.

        Raises:
            SourceIncompleteError: what is to be discovered is hidden from the account.
        """
        found = self.fetched("validate_credentials")
        if found is not None:
            check_sight(self.source, found[1].labels, found[1].rows.to_series().to_list())

    def rows(
        self, capability: str, named: frozenset[str] = NO_NAMES
    ) -> tuple[pl.DataFrame, str] | None:
        """A capability's rows under Lumos's labels, and where they are from.

        None where the source has no such query. What a person should know joins `warnings`.
        """
        found = self.fetched(capability)
        if found is None:
            return None
        statement, fetched = found
        rows, said = labelled(
            fetched, capability, statement.origin, trim_ids=self.source.trim_ids, named=named
        )
        self.warnings += said
        return rows, statement.origin

    def table(
        self, table: str, capability: str, named: frozenset[str] = NO_NAMES
    ) -> RawTable | None:
        """A capability's rows as a table; None where the source has no such query."""
        found = self.rows(capability, named)
        return None if found is None else self.to_raw_table(table, *found)

    def needed_rows(
        self, capability: str, named: frozenset[str] = NO_NAMES
    ) -> tuple[pl.DataFrame, str]:
        """A capability's rows, and where they are from, where the query must be there.

        Raises:
            ConfigError: it is not.
        """
        found = self.rows(capability, named)
        if found is None:
            raise ConfigError(f"source.queries: {capability} is missing")
        return found

    def needed_table(
        self, table: str, capability: str, named: frozenset[str] = NO_NAMES
    ) -> RawTable:
        """The same, as a table.

        Raises:
            ConfigError: the query is missing.
        """
        return self.to_raw_table(table, *self.needed_rows(capability, named))

    def to_raw_table(self, table: str, rows: pl.DataFrame, origin: str) -> RawTable:
        """The rows with their numbers, from 1: a database's rows have no lines."""
        numbers = pl.int_range(1, rows.height + 1, dtype=pl.UInt32, eager=True).alias(ROW)
        numbered, none = rows.with_columns(numbers), pl.DataFrame(schema=REJECTS)
        return RawTable(table, numbered, none, rows.height, origin, self.session.zone)


def read_statement(session: Session, statement: Statement, values: Values) -> Fetched:
    """Everything the statement returns, by the fastest way that is exact for the database.

    Raises:
        SourceIncompleteError: it did not come whole.
        SourceFormatError: the server refuses it.
    """
    if session.by_psycopg:
        from extractors.sql_postgresql import read_postgresql  # noqa: PLC0415 - loads psycopg

        return read_postgresql(session, statement, values)
    if session.engine == "postgresql":
        return read_postgresql_text(session, statement, partial(_read_plain, session, values))
    if session.engine == "duckdb" and session.way == "native":
        return read_duckdb(session, statement, values)
    return _read_plain(session, values, statement)


def _read_plain(session: Session, values: Values, statement: Statement) -> Fetched:
    if session.jdbc is not None:
        return read_jdbc(session.jdbc, statement, values)
    return read_cursor(session, statement, values)

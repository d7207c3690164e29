"""A source's queries within its one session: each as a statement, read, its columns labelled."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from datetime import datetime
from pathlib import Path

import polars as pl

from extractors.sql.discovery.queries import check_sight, queries_of
from extractors.sql.queries.labels import labelled
from extractors.sql.queries.partition import read_in_parts
from extractors.sql.session.session import NO_VALUES, Fetched, Session, Values
from extractors.sql.statements.statement import Statement, to_statement
from schemas.errors import ConfigError, IngestError
from schemas.raw import RawTable
from schemas.source_file.kinds.sql_source import Query, SqlSource
from schemas.tables import REJECTS, ROW

NO_NAMES: frozenset[str] = frozenset()


@contextmanager
def about(capability: str) -> Iterator[None]:
    """Says of the block's errors that they are about a query, unless they are about another key."""
    try:
        yield
    except IngestError as error:
        error.key = error.key or capability
        raise


class Reader:
    """Reads the queries of one source, and gathers what a person should know in `warnings`."""

    def __init__(
        self,
        source: SqlSource,
        workspace: Path,
        session: Session,
        values: Values = NO_VALUES,
        id_column: str = "integration_specific_id",
    ) -> None:
        self.source = source
        self.workspace = workspace
        self.session = session
        self.id_column = id_column
        self.values = values
        self.warnings = list(session.warnings)
        self.queries = queries_of(source, session.engine)

    def with_values(self, values: Values) -> "Reader":
        """Returns a reader of the same session with other values; it shares `warnings`."""
        other = copy(self)
        other.values = values
        return other

    def statement(self, capability: str, query: Query) -> Statement:
        """Makes the query a statement.

        Raises:
            ConfigError: as `to_statement`.
        """
        with about(capability):
            statement = to_statement(
                capability,
                query,
                self.workspace,
                self.session.engine,
                allow_procedures=self.source.allow_procedures,
            )
            return self.session.checked(statement)

    def fetched(self, capability: str) -> tuple[Statement, Fetched] | None:
        """Reads what a capability's query returns; None where the source has none."""
        query = self.queries.get(capability)
        if query is None:
            return None
        statement = self.statement(capability, query)
        with about(capability):
            if statement.partition is None:
                return statement, self.session.read(statement, self.values)
            return statement, read_in_parts(
                self.session, statement, statement.partition, self.values, self.id_column
            )

    def check_credentials(self) -> None:
        """Runs `validate_credentials`, where there is one.

        Raises:
            SourceIncompleteError: what is to be discovered is hidden from the account.
        """
        read = self.fetched("validate_credentials")
        if read is not None:
            _, fetched = read
            check_sight(self.source, fetched.labels, fetched.rows.to_series().to_list())

    def rows(
        self, capability: str, named: frozenset[str] = NO_NAMES
    ) -> tuple[pl.DataFrame, str] | None:
        """Reads a capability's rows under Lumos's labels, and says where they are from.

        None where the source has no such query. What a person should know joins `warnings`.
        """
        read = self.fetched(capability)
        if read is None:
            return None
        statement, fetched = read
        with about(capability):
            rows, warnings = labelled(
                fetched, capability, statement.origin, trim_ids=self.source.trim_ids, named=named
            )
        self.warnings += warnings
        return rows, statement.origin

    def table(
        self, table: str, capability: str, named: frozenset[str] = NO_NAMES
    ) -> RawTable | None:
        """Reads a capability's rows as a table; None where the source has no such query."""
        listed = self.rows(capability, named)
        return None if listed is None else self.to_raw_table(table, *listed)

    def needed_rows(
        self, capability: str, named: frozenset[str] = NO_NAMES
    ) -> tuple[pl.DataFrame, str]:
        """Reads a capability's rows, and says where they are from; the query must be there.

        Raises:
            ConfigError: it is not.
        """
        listed = self.rows(capability, named)
        if listed is None:
            raise ConfigError(f"{capability} is missing", key="source.queries")
        return listed

    def needed_table(
        self, table: str, capability: str, named: frozenset[str] = NO_NAMES
    ) -> RawTable:
        """Reads the same as a table.

        Raises:
            ConfigError: the query is missing.
        """
        return self.to_raw_table(table, *self.needed_rows(capability, named))

    def to_raw_table(self, table: str, rows: pl.DataFrame, origin: str) -> RawTable:
        """Numbers the rows from 1: a database's rows have no lines."""
        numbers = pl.int_range(1, rows.height + 1, dtype=pl.UInt32, eager=True).alias(ROW)
        numbered, none = rows.with_columns(numbers), pl.DataFrame(schema=REJECTS)
        return RawTable(table, numbered, none, rows.height, origin, self.session.zone)


def times(since: datetime, until: datetime) -> Mapping[str, object]:
    """Returns the values of a window of time, by placeholder; both UTC."""
    return {"since": since, "until": until}

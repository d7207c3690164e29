"""The accounts of a database, of which only the changed are read, where these can be told."""

import logging
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from extractors.sql.incremental.merge import UncertainError, put_together, unreported
from extractors.sql.incremental.state import (
    AccountsState,
    check_age,
    fingerprint_of,
    to_accounts_state,
    to_reader_state,
)
from extractors.sql.queries.labels import check_labels, labelled
from extractors.sql.queries.reader import Reader, about
from extractors.sql.session.session import Session
from extractors.sql.statements.lexer import quoted_name
from extractors.sql.statements.statement import Statement
from schemas.errors import SourceError
from schemas.raw import ReaderState
from schemas.source_file.columns import Named
from schemas.source_file.delta import SqlDelta

_log = logging.getLogger(__name__)

_STATUS = frozenset({"user_status"})
_CLOCKS = {
    "postgresql": "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')",
    "mysql": "SELECT CAST(UTC_TIMESTAMP() AS CHAR)",
    "mariadb": "SELECT CAST(UTC_TIMESTAMP() AS CHAR)",
    "mssql": "SELECT CONVERT(varchar(19), SYSUTCDATETIME(), 120)",
    "oracle": "SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD HH24:MI:SS') FROM dual",
}
"""The server's time in UTC, to the second; the clock of the others is ours."""


class DeltaReader:
    """Reads `list_accounts` whole, or the ids of it and what changed since the last read.

    Attributes:
        proof: a sentence for the proof of a complete read, once it was made.
    """

    def __init__(
        self, reader: Reader, delta: SqlDelta, named: Named, key: str, now: datetime
    ) -> None:
        """Reads the clock: what changes from here on is told the next time.

        Args:
            reader: of a source with the queries that this needs.
            delta: what the source file says of it.
            named: what the source file names; without a status, that is the column `user_status`.
            key: the column of the id.
            now: this moment by our clock, UTC.
        """
        self.proof: tuple[str, ...] = ()
        self._reader = reader
        self._delta = delta
        self._named = named.columns
        self._status_columns = named.status_columns or _STATUS
        self._key = key
        self._at = _time(reader.session, now)
        self._state: AccountsState | None = None

    def rows(self, kept: ReaderState | None) -> tuple[pl.DataFrame, str]:
        """Reads the accounts: their rows under their labels, and where they are from.

        Raises:
            ConfigError, SourceError: as `read_sql_source`.
        """
        reader = self._reader
        listed, updated = (
            reader.statement(name, reader.queries[name])
            for name in ("list_accounts", "list_updated_accounts")
        )
        fingerprint = fingerprint_of(
            reader.source, self._key, listed.rendered("named"), updated.rendered("named")
        )
        last = None
        try:
            last = to_accounts_state(kept, fingerprint, self._at)
            check_age(last, self._delta, self._at)
            rows, full_at = self._merged(listed, last), last.full_at
        except UncertainError as reason:
            _log.info("%s: read whole: %s", listed.origin, reason)
            if reason.is_warning:
                reader.warnings.append(f"{listed.origin}: read whole: {reason}")
            rows, full_at = self._whole(listed), self._at
            if last is not None:
                self._warn_of_unreported(updated, rows, last)
        self._state = AccountsState(fingerprint, full_at, self._at, rows)
        return rows, listed.origin

    def state(self) -> ReaderState | None:
        """Returns what the next read goes on from."""
        return to_reader_state(self._state) if self._state else None

    def _whole(self, listed: Statement) -> pl.DataFrame:
        rows, _ = self._reader.needed_rows("list_accounts", self._named)
        self.proof = (f"{listed.origin}: all of {rows.height:,} accounts read",)
        return rows

    def _merged(self, listed: Statement, last: AccountsState) -> pl.DataFrame:
        """Puts what is there now together, of what was there and what changed.

        The ids come first: where the database has no snapshot, an account that comes after them is
        left for the next time.

        Raises:
            UncertainError: that cannot be told for certain.
        """
        with about(listed.capability):
            swept = self._swept(listed, tuple(last.rows.columns))
        merged = put_together(swept, self._updated(last), last.rows, self._key)
        changes = f"{merged.changed:,} changed, {merged.gone:,} gone since"
        since = f"on top of all that was read on {last.full_at:%Y-%m-%d}"
        if merged.unreported:
            self._reader.warnings.append(
                f"{merged.unreported:,} accounts have another status, and list_updated_accounts "
                "does not tell: that status is taken; look at its WHERE, and at the source's "
                "timezone"
            )
        self.proof = (f"accounts: {swept.height:,} ids; {changes}, {since}",)
        return merged.rows

    def _updated(self, last: AccountsState) -> pl.DataFrame:
        """Reads what `list_updated_accounts` tells since the last read."""
        changes = self._reader.with_values({"since": last.at - self._delta.overlap})
        return changes.needed_rows("list_updated_accounts", self._named)[0]

    def _reported(self, updated: Statement, last: AccountsState) -> pl.DataFrame | None:
        """Reads what `list_updated_accounts` tells; None where it cannot: all is read by now."""
        session = self._reader.session
        if not session.tries_optional_queries:
            return None  # an error would end the transaction, and the tables that are still to come
        try:
            with session.savepoint(updated):
                return self._updated(last)
        except SourceError as error:
            self._reader.warnings.append(f"whether all changes were told is not known: {error}")
        return None

    def _warn_of_unreported(
        self, updated: Statement, rows: pl.DataFrame, last: AccountsState
    ) -> None:
        """Compares a whole read with what was put together until then.

        The changes come last: where the database has no snapshot, what changed before a row was
        read is told after it.
        """
        reported = self._reported(updated, last)
        if reported is None:
            return
        names = {name.lower(): name for name in reported.columns}
        own = names.get(self._key.lower())
        count = unreported(rows, reported[own], last.rows, self._key) if own is not None else 0
        if count:
            self._reader.warnings.append(
                f"{count:,} accounts had changed without {updated.origin} telling: look at its "
                "WHERE, and at the source's timezone"
            )

    def _swept(self, listed: Statement, before: tuple[str, ...]) -> pl.DataFrame:
        """Reads the ids that `list_accounts` has now, and what the status of each is told by.

        They are in its order where a subquery keeps that.
        """
        session = self._reader.session
        labels = session.describe(listed) if listed.is_query else None
        if labels is None:
            raise UncertainError(
                "its ids cannot be read alone: it is a procedure, or cannot stand in another query"
            )
        names = check_labels(labels, listed.capability, listed.origin, self._named)
        if names != before or self._key not in names:
            raise UncertainError("its columns are others than before")
        swept = [self._key, *(n for n in names if n in self._status_columns - {self._key})]
        columns = [quoted_name(labels[names.index(name)], session.engine) for name in swept]
        sweep = replace(listed.within(", ".join(columns)), origin=f"{listed.origin}, its ids")
        fetched = session.read(sweep)
        trims = self._reader.source.trim_ids
        rows, _ = labelled(
            fetched, sweep.capability, sweep.origin, trim_ids=trims, named=self._named
        )
        return rows


def _time(session: Session, now: datetime) -> datetime:
    sql = _CLOCKS.get(session.engine)
    if sql is None:
        return now
    clock = Statement("clock", "the database's clock", (sql,), is_query=True)
    return datetime.fromisoformat(session.read(clock).rows.item()).replace(tzinfo=UTC)

"""How old a database's data are: by a query of the source, and by itself if it is a standby."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from extractors.sql.queries.reader import Reader, about
from extractors.sql.statements.statement import Statement
from schemas.errors import SourceFormatError, SourceIncompleteError, SourceStaleError, raise_as
from schemas.source_file.kinds.sql_source import Freshness
from schemas.source_file.quantities import duration_text

_KEY = "freshness"
_GRACE = timedelta(minutes=5)
"""What two clocks may differ by."""
_STANDBY_MAX_AGE = timedelta(days=1)
"""Of a standby whose source file names no bound."""

_BEHIND = """
SELECT CASE WHEN NOT pg_is_in_recovery() THEN 'primary'
    WHEN EXISTS (SELECT 1 FROM pg_stat_wal_receiver)
        AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 'caught up'
    ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::bigint
        ::text, 'unknown') END AS behind
"""
"""How many seconds a PostgreSQL is behind its primary. One that is connected to it and has replayed
all that came is not behind, however long ago the last change was; the time of that is all that one
knows which is not (PostgreSQL 15 documentation, 9.27.4 "Recovery Control Functions").
"""


@dataclass(frozen=True, slots=True)
class Age:
    """How old a database's data are.

    Attributes:
        proof: what shows that they are young enough.
        changed_at: when the newest row was written, UTC; None where no query asks for it.
    """

    proof: tuple[str, ...]
    changed_at: datetime | None

    def behind(self, last: datetime | None) -> timedelta:
        """Returns by how much the newest row is older than that of the last accepted run."""
        if last is None or self.changed_at is None:
            return timedelta(0)
        return max(last - self.changed_at, timedelta(0))


def check_fresh(reader: Reader, now: datetime) -> Age:
    """Raises unless the database's data are young enough; else how old they are.

    Args:
        reader: of the source; of its session, PostgreSQL is asked whether it is a standby.
        now: this moment, UTC.

    Raises:
        ConfigError: the query is no read.
        SourceStaleError: they are older than `max_age`, or dated ahead of the clock.
        SourceIncompleteError: nothing says how old they are.
        SourceFormatError: the query does not return one time with a zone.
    """
    freshness = reader.source.freshness
    proof: list[str] = []
    at = None
    if reader.session.engine == "postgresql":
        max_age = freshness.max_age if freshness else _STANDBY_MAX_AGE
        proof += _check_standby(reader, max_age)
    if freshness is not None:
        with about(_KEY):
            at = _changed_at(reader, freshness)
            _check_age(now - at, freshness.max_age)
        proof.append(f"{_KEY}: changed {duration_text(max(now - at, timedelta(0)))} ago")
    return Age(tuple(proof), at)


def _check_standby(reader: Reader, max_age: timedelta) -> tuple[str, ...]:
    session = reader.session
    asked = Statement(_KEY, f"{session.server}, its standby", (_BEHIND,), is_query=True)
    behind = session.read(asked).rows.item()
    if behind == "primary":
        return ()
    if behind == "caught up":
        return (f"{session.server}: a standby that has replayed all that came",)
    place = f"{session.server} is a standby that is not connected to its primary, or behind it"
    if behind == "unknown":
        raise SourceIncompleteError(
            f"{place}, and does not know how far: look at its replication, or read the primary"
        )
    age = timedelta(seconds=int(behind))
    if age > max_age:
        raise SourceStaleError(
            f"{place}: its newest change is {duration_text(age)} old and {_KEY}.max_age is "
            f"{duration_text(max_age)}: look at its replication, or read the primary"
        )
    return (f"{session.server}: a standby, its newest change {duration_text(age)} old",)


def _check_age(age: timedelta, max_age: timedelta) -> None:
    if age > max_age:
        raise SourceStaleError(
            f"{_KEY}: the newest change is {duration_text(age)} old and max_age is "
            f"{duration_text(max_age)}: see why nothing was written, or raise max_age"
        )
    if age < -_GRACE:
        raise SourceStaleError(
            f"{_KEY}: the newest change is {duration_text(-age)} ahead of the clock: correct the "
            "clocks, or the source's timezone"
        )


def _changed_at(reader: Reader, freshness: Freshness) -> datetime:
    statement = reader.statement(_KEY, freshness.query)
    rows = reader.session.read(statement).rows
    if rows.shape != (1, 1):
        raise SourceFormatError(
            f"{_KEY}: returns {rows.height:,} rows of {rows.width} columns: select one time alone, "
            "such as max(changed_at)"
        )
    text = rows.item()
    if text is None:
        raise SourceIncompleteError(
            f"{_KEY}: returns no time: the table is empty, or the column is"
        )
    return _time(text, reader.session.zone)


def _time(text: str, zone: str | None) -> datetime:
    def read() -> datetime:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None and zone is None:
            raise SourceFormatError(
                f"{_KEY}: returns a time without a zone: state the source's timezone"
            )
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone or "UTC"))
        return zoned.astimezone(UTC)

    no_time = SourceFormatError(f"{_KEY}: returns no time: select one, or a text in ISO 8601")
    return raise_as(read, {ValueError: lambda _: no_time, OverflowError: lambda _: no_time})

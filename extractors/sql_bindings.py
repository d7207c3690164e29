"""What placeholders stand for, as each database takes it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from extractors.sql_session import Session, Values


def times(since: datetime, until: datetime) -> Mapping[str, object]:
    """The values of a window of time, by placeholder; both UTC."""
    return {"since": since, "until": until}


def bindables(values: Values, session: Session) -> Values:
    """`values` as the session's database takes them."""
    return {name: _bindable(value, session) for name, value in values.items()}


def _bindable(value: object, session: Session) -> object:
    """A time as the database compares it: a moment, or the clock of the zone its columns are in."""
    takes_moments = session.jdbc is not None or session.by_psycopg
    if not isinstance(value, datetime) or takes_moments:
        return value
    local = value.astimezone(ZoneInfo(session.zone) if session.zone else UTC).replace(tzinfo=None)
    return local.isoformat(" ", "seconds") if session.engine == "sqlite" else local

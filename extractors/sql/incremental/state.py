"""What a database's reader keeps of a read of the accounts, and whether it can be gone on from."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from extractors.sql.incremental.merge import UncertainError
from schemas.raw import ReaderState
from schemas.source_file.delta import SqlDelta
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.quantities import duration_text

_ROWS = "accounts"
_SHAPING = {"url", "driver", "dsn", "username", "timezone", "trim_ids", "discover"}
"""What rows and their values depend on, beside the queries."""


@dataclass(frozen=True, slots=True)
class AccountsState:
    """The accounts of a complete read, brought up to date since.

    Attributes:
        fingerprint: of all that the rows depend on, but for the rows in the database.
        full_at: when everything was read, by the database's clock, UTC.
        at: when that was brought up to date; changes are read since then.
        rows: `list_accounts` under its labels, as text.
    """

    fingerprint: str
    full_at: datetime
    at: datetime
    rows: pl.DataFrame


def fingerprint_of(source: SqlSource, *parts: str) -> str:
    """Returns a name for what a source's rows depend on; `parts` are its queries as sent."""
    texts = [source.model_dump_json(include=_SHAPING), *parts]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def to_reader_state(state: AccountsState) -> ReaderState:
    """Returns the state as a run keeps it for the next one."""
    marks = {
        "fingerprint": state.fingerprint,
        "full_at": state.full_at.isoformat(),
        "at": state.at.isoformat(),
    }
    return ReaderState(marks, {_ROWS: state.rows})


def to_accounts_state(kept: ReaderState | None, fingerprint: str, now: datetime) -> AccountsState:
    """Restores the state that the last run kept.

    Args:
        kept: as it was kept.
        fingerprint: of the rows that are wanted now.
        now: by the same clock.

    Raises:
        UncertainError: there is none, it is none of ours, of other rows, or of a time to come.
    """
    if kept is None:
        raise UncertainError("nothing is kept to go on from")
    if kept.marks.get("fingerprint") != fingerprint:
        raise UncertainError("the queries, the url or what shapes the values changed")
    full_at, at = (_moment(kept.marks.get(name)) for name in ("full_at", "at"))
    rows = kept.frames.get(_ROWS)
    if full_at is None or at is None or rows is None or set(rows.dtypes) != {pl.String}:
        raise UncertainError("what is kept is damaged, or of another version", is_warning=True)
    if at > now:
        raise UncertainError(f"the clock went back: the last read was at {at:%Y-%m-%d %H:%M} UTC")
    return AccountsState(fingerprint, full_at, at, rows)


def check_age(state: AccountsState, delta: SqlDelta, now: datetime) -> None:
    """Raises unless the complete read is young enough; `now` is by the clock of the state.

    Raises:
        UncertainError: it is too old.
    """
    if now - state.full_at >= delta.full_every:
        raise UncertainError(
            f"the last complete read is older than full_every ({duration_text(delta.full_every)})"
        )


def _moment(written: str | None) -> datetime | None:
    """Returns the moment, UTC; None where it is none."""
    try:
        moment = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None

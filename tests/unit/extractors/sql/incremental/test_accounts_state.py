"""What is kept of a read of the accounts, and when it is not gone on from."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from extractors.sql.incremental.merge import UncertainError
from extractors.sql.incremental.state import (
    AccountsState,
    check_age,
    fingerprint_of,
    to_accounts_state,
    to_reader_state,
)
from schemas.raw import ReaderState
from schemas.source_file.delta import SqlDelta
from schemas.source_file.kinds.sql_source import SqlSource

KEY = "integration_specific_id"


NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def rows(**ids: str | None) -> pl.DataFrame:
    """Accounts: each id and its email."""
    return pl.DataFrame(
        {KEY: list(ids), "email": list(ids.values())},
        schema={KEY: pl.String, "email": pl.String},
        strict=True,
    )


def ids(*found: str | None) -> pl.Series:
    return pl.Series(found, dtype=pl.String)


BEFORE = rows(a="a@x", b="b@x", c=None)


def source(**more: object) -> SqlSource:
    queries = {"list_accounts": "SELECT 1", "list_updated_accounts": "SELECT 1"}
    more = {"timezone": "UTC", **more}
    return SqlSource(kind="sql", url="sqlite:///a.db", queries=queries, delta={}, **more)


def test_a_memory_is_found_again_as_it_was():
    state = AccountsState("f", NOW - timedelta(days=1), NOW, BEFORE)
    found = to_accounts_state(to_reader_state(state), "f", NOW)
    check_age(found, SqlDelta(), NOW)
    assert (found.fingerprint, found.full_at, found.at) == ("f", NOW - timedelta(days=1), NOW)
    assert found.rows.equals(BEFORE)


@pytest.mark.parametrize(
    ("fingerprint", "now", "reason"),
    [
        ("g", NOW, "the queries, the url"),
        ("f", NOW - timedelta(seconds=1), "the clock went back"),
        ("f", NOW + timedelta(days=6), r"full_every \(7d\)"),
    ],
)
def test_a_memory_of_other_rows_or_another_time_is_not_gone_on_from(
    fingerprint: str, now: datetime, reason: str
):
    kept = to_reader_state(AccountsState("f", NOW - timedelta(days=1), NOW, BEFORE))
    with pytest.raises(UncertainError, match=reason):
        check_age(to_accounts_state(kept, fingerprint, now), SqlDelta(), now)
    with pytest.raises(UncertainError, match="nothing is kept"):
        to_accounts_state(None, "f", NOW)


@pytest.mark.parametrize(
    ("marks", "frames"),
    [
        ({"at": None}, {}),
        ({"at": "yesterday"}, {}),
        ({"full_at": "2026-06-01T12:00:00"}, {}),
        ({}, {"accounts": None}),
        ({}, {"accounts": BEFORE.with_columns(n=pl.lit(1))}),
        ({}, {"accounts": pl.DataFrame()}),
    ],
)
def test_a_damaged_memory_is_not_gone_on_from(
    marks: dict[str, str | None], frames: dict[str, pl.DataFrame | None]
):
    whole = to_reader_state(AccountsState("f", NOW, NOW, BEFORE))
    kept = ReaderState(
        {name: text for name, text in (whole.marks | marks).items() if text is not None},
        {name: rows for name, rows in (whole.frames | frames).items() if rows is not None},
    )
    with pytest.raises(UncertainError, match="damaged") as caught:
        to_accounts_state(kept, "f", NOW)
    assert caught.value.is_warning


@pytest.mark.parametrize(
    "other",
    [
        {"timezone": "Europe/Paris"},
        {"trim_ids": True},
        {"username": "another"},
        {"driver": "odbc"},
        {"dsn": "another"},
        {"discover": "postgresql"},
    ],
)
def test_whatever_shapes_the_rows_is_in_the_fingerprint(other: dict[str, object]):
    mine = fingerprint_of(source(), KEY, "list", "updated")
    assert fingerprint_of(source(statement_timeout="1m"), KEY, "list", "updated") == mine
    assert fingerprint_of(source(**other), KEY, "list", "updated") != mine
    assert fingerprint_of(source(), KEY, "list", "other") != mine
    assert fingerprint_of(source(), KEY, "other", "updated") != mine

"""What a database's accounts are put together from, and when they cannot be."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from extractors.sql.incremental.merge import UncertainError, put_together, unreported
from extractors.sql.incremental.state import (
    AccountsState,
    check_age,
    fingerprint_of,
    to_accounts_state,
    to_reader_state,
)
from schemas.errors import ConfigError
from schemas.raw import ReaderState
from schemas.source_file.delta import SqlDelta
from schemas.source_file.file import to_source
from schemas.source_file.sql_source import SqlSource

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


def test_each_id_of_the_sweep_has_its_row_from_the_update_or_else_from_before():
    merged = put_together(ids("d", "c", "a"), rows(a="new", d="", b="gone"), BEFORE, KEY)
    assert merged.rows.equals(rows(d="", c=None, a="new"))
    assert (merged.changed, merged.gone) == (2, 1)


def test_an_update_may_have_its_columns_in_another_order_and_case():
    updated = rows(b="new").select(pl.col("email").alias("EMAIL"), pl.col(KEY).alias(KEY.upper()))
    merged = put_together(ids("a", "b", "c"), updated, BEFORE, KEY)
    assert merged.rows.equals(rows(a="a@x", b="new", c=None))


TWICE = pl.concat([BEFORE, rows(b="again")])
NAMELESS = pl.concat([BEFORE, rows(a="x").with_columns(pl.lit(None, pl.String).alias(KEY))])


@pytest.mark.parametrize(
    ("swept", "updated", "before", "reason"),
    [
        (ids("a", "d"), rows(a="x"), BEFORE, "1 ids are new"),
        (ids("a", "a"), rows(), BEFORE, "list_accounts: 1 rows have an id that another"),
        (ids("a", None), rows(), BEFORE, "list_accounts: 1 rows have no id"),
        (ids("a"), TWICE, BEFORE, "list_updated_accounts: 1 rows have an id that another"),
        (ids("a"), NAMELESS, BEFORE, "list_updated_accounts: 1 rows have no id"),
        (ids("a"), rows(), TWICE, "memory: 1 rows have an id that another"),
        (ids("a"), rows(), NAMELESS, "memory: 1 rows have no id"),
        (ids("a"), rows().select(KEY), BEFORE, "other columns"),
        (ids("a"), rows().with_columns(team=pl.lit("x")), BEFORE, "other columns"),
        (ids("a"), rows().rename({"email": "mail"}), BEFORE, "other columns"),
        (ids("a"), rows().with_columns(EMAIL=pl.lit("x")), BEFORE, "other columns"),
    ],
)
def test_what_does_not_add_up_is_not_put_together(
    swept: pl.Series, updated: pl.DataFrame, before: pl.DataFrame, reason: str
):
    with pytest.raises(UncertainError, match=reason):
        put_together(swept, updated, before, KEY)


@pytest.mark.parametrize(("changed", "is_uncertain"), [(200, False), (201, True)])
def test_where_more_than_a_fifth_changed_everything_is_read(changed: int, is_uncertain: bool):
    before = rows(**{f"a{n}": "old" for n in range(1000)})
    updated = rows(**{f"a{n}": "new" for n in range(changed)}, **{f"z{n}": "" for n in range(500)})
    swept, before = before[KEY], pl.concat([before, rows(**{f"z{n}": "" for n in range(500)})])
    if is_uncertain:
        with pytest.raises(UncertainError, match="201 of 1,000 accounts changed"):
            put_together(swept, updated, before, KEY)
    else:
        assert put_together(swept, updated, before, KEY).changed == changed


def test_an_updated_id_that_was_never_listed_is_a_doubt_and_a_warning():
    with pytest.raises(UncertainError, match="2 ids that list_accounts does not have") as caught:
        put_together(ids("a", "b", "c"), rows(A="new", b="x", **{"c ": ""}), BEFORE, KEY)
    assert caught.value.is_warning


def test_changes_that_were_not_told_are_counted():
    now = rows(a="other", b="told", c=None, d="new")
    assert unreported(now, ids("b"), BEFORE, KEY) == 1
    assert unreported(now, ids("a", "b"), BEFORE, KEY) == 0
    assert unreported(rows(a="a@x", b="b@x", c=""), ids(), BEFORE, KEY) == 1
    assert unreported(BEFORE[::-1], ids(), BEFORE, KEY) == 0
    assert unreported(now.with_columns(team=pl.lit("x")), ids(), BEFORE, KEY) == 0


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


FILE = """
app: {name: HR}
source:
  kind: sql
  url: sqlite:///a.db
  timezone: UTC
  delta: {}
"""
PARTITIONED = """
  queries:
    list_accounts: SELECT 1
    list_updated_accounts: {sql: SELECT 1, partition: {column: n, parts: 2}}
"""
BOTH = "  queries: {list_accounts: SELECT 1, list_updated_accounts: SELECT 1}\n"


@pytest.mark.parametrize(
    "wrong",
    [
        "  queries: {list_accounts: SELECT 1}\n",
        "  discover: postgresql\n",
        "  discover: postgresql\n  queries: {list_updated_accounts: SELECT 1}\n",
        f"  discover: mongodb\n{BOTH}",
        PARTITIONED,
    ],
)
def test_a_delta_without_its_queries_is_a_wrong_source_file(wrong: str):
    with pytest.raises(ConfigError, match="list_updated_accounts") as caught:
        to_source(FILE + wrong, "hr", "hr.yaml")
    assert "\n" not in str(caught.value)


def test_a_delta_with_its_queries_is_a_source_file():
    assert to_source(FILE + BOTH, "hr", "hr.yaml").file.source.kind == "sql"
    partitioned = BOTH.replace("SELECT 1,", "{sql: SELECT 1, partition: {column: n, parts: 2}},", 1)
    assert to_source(FILE + partitioned, "hr", "hr.yaml").file.source.kind == "sql"


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("  timezone: UTC\n", "", "timezone: UTC if its times carry a zone"),
        ("delta: {}", "delta: {overlap: 59s}", "1m"),
        ("delta: {}", "delta: {overlap: 0s}", "1m"),
    ],
)
def test_a_delta_without_a_zone_or_an_overlap_is_a_wrong_source_file(
    written: str, instead: str, said: str
):
    with pytest.raises(ConfigError, match=said) as caught:
        to_source((FILE + BOTH).replace(written, instead), "hr", "hr.yaml")
    assert "\n" not in str(caught.value)
    assert to_source(FILE.replace("{}", "{overlap: 1m}") + BOTH, "hr", "hr.yaml")

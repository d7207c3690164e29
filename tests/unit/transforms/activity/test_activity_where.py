"""Rows that are no activity: by their result, by their word; each counted, none a reject."""

from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest

from schemas.errors import ConfigError, SourceFormatError
from schemas.tables import REJECTS
from tests.unit.builders import raw_table
from tests.unit.transforms.activity.test_activity import (
    NOW,
    activity,
    event,
    gathered,
    reasons,
    sent,
)
from transforms.activity.records import Gathering, RecordFilter
from transforms.activity.where import WhereCount, names_result, unasked_results

AT = "2026-07-01T10:00:00Z"
LOG = "source: {kind: csv, activity: log.csv}"


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ("{outcome: [SUCCESS]}", ["a", "b"]),
        ("{outcome: SUCCESS}", ["a", "b"]),
        ("{Outcome: [success]}", ["a", "b"]),
        ('{outcome: [SUCCESS, ""]}', ["a", "b", "d"]),
        ("{outcome: [SUCCESS], step: ['1']}", ["a"]),
        ("{outcome: [none of them]}", []),
    ],
)
def test_only_rows_with_a_word_that_where_names_are_sent(where: str, kept: list[str]) -> None:
    rows = [
        event("a", AT, outcome="SUCCESS", step="1"),
        event("b", AT, outcome=" Success ", step="2"),
        event("c", AT, outcome="FAILURE", step="1"),
        event("d", AT, outcome="", step="1"),
        event("", "no time", "no event", outcome="FAILURE", step="1"),
    ]
    made = gathered(rows, more=f"{LOG}, where: {where}")
    assert [who for who, _, _ in sent(made)] == kept
    assert reasons(made) == []
    assert (made.count.read, made.count.excluded) == (5, 5 - len(kept))
    assert made.count.accepted == len(kept)


def test_rows_with_the_words_are_counted_of_all_and_of_the_time_asked_for() -> None:
    rows = [
        event("a", "2026-06-01T10:00:00Z", outcome="SUCCESS"),
        event("b", AT, outcome="SUCCEEDED"),
        event("c", AT, outcome="SUCCEEDED"),
        event("d", "2026-06-01T10:00:00Z", outcome="FAILURE"),
        event("e", AT, outcome="left out"),
    ]
    where = "where: {outcome: SUCCESS}, leave_out: [{column: outcome, is: [left out]}]"
    assert gathered(rows, more=f"{LOG}, {where}").where == WhereCount(1, 3, 1, 3)
    since = datetime(2026, 6, 15, tzinfo=UTC)
    assert gathered(rows, more=f"{LOG}, {where}", since=since).where == WhereCount(1, 3, 0, 2)


def test_a_row_that_is_meant_is_judged_under_its_own_line() -> None:
    rows = [event("a", AT, ok="0"), event("b", "never", ok="1"), event("c", AT, ok="1")]
    made = gathered(rows, more=f"{LOG}, where: {{ok: ['1']}}")
    assert made.rejects["row"].to_list() == [3]
    assert [who for who, _, _ in sent(made)] == ["c"]


def test_a_column_that_where_names_must_be_there() -> None:
    rows = [event("a", AT, outcome="SUCCESS")]
    with pytest.raises(SourceFormatError, match=r"no column 'outcom', wanted under activity"):
        gathered(rows, more=f"{LOG}, where: {{outcom: [SUCCESS]}}")


@pytest.mark.parametrize(
    "event_type",
    [
        "{column: what, values: {in: LOGIN}, ignore: [Logout, Failed login]}",
        "{column: what, values: {in: LOGIN, ignore: [logout, failed LOGIN]}}",
    ],
)
def test_words_that_are_no_activity_are_counted_apart_from_rejects(event_type: str) -> None:
    rows = [
        {"account_id": "a", "what": what, "timestamp": at}
        for what, at in (("in", AT), ("LOGOUT", AT), ("Failed login", "x"), ("odd", AT))
    ]
    made = gathered(rows, more=f"columns: {{event_type: {event_type}}}")
    assert [who for who, _, _ in sent(made)] == ["a"]
    assert reasons(made) == [("event_type", "has no mapping to LOGIN or ACTIVITY")]
    assert (made.count.read, made.count.ignored, made.count.rejected) == (4, 2, 1)
    assert made.count.accepted == 1


def test_one_of_lumos_s_own_words_can_be_ignored_and_what_maps_to_it_is_not() -> None:
    rows = [event("a", AT, "ACTIVITY"), event("b", AT, "did")]
    made = gathered(rows, more="columns: {event_type: {column: event_type, values: {did: ACTIVITY},"
        " ignore: [activity]}}")  # fmt: skip
    assert [who for who, _, _ in sent(made)] == ["b"]


@pytest.mark.parametrize("more", ["where: {outcome: []}", "where: {outcome: {a: b}}"])
def test_where_needs_words(more: str) -> None:
    with pytest.raises(ConfigError, match=r"activity\.where"):
        activity(f"{more}, {LOG}")


def test_a_word_is_an_event_or_ignored() -> None:
    with pytest.raises(ConfigError, match="'In' is among values and among ignore"):
        activity("columns: {event_type: {column: what, values: {In: LOGIN}, ignore: [in]}}")


@pytest.mark.parametrize(
    "name",
    ["outcome.result", "Status", "status_code", "errorCode", "eventOutcome", "http.status", "RC",
     "loginSuccess", "responseElements.ConsoleLogin.failure", "HttpCode", "is_denied"],
)  # fmt: skip
def test_a_column_that_is_called_like_a_result_is_asked_about(name: str) -> None:
    assert names_result(name)
    assert unasked_results([name, "who"], ["site"]) == [name]
    assert unasked_results(["other_status", "who"], [name]) == []


@pytest.mark.parametrize("name", ["event", "src", "successor", "who", "state_of_mind", "march"])
def test_other_columns_are_not(name: str) -> None:
    assert not names_result(name)


def test_the_accounts_own_times_have_nothing_that_where_could_ask() -> None:
    with pytest.raises(ConfigError, match=r"activity\.where and leave_out are for logs"):
        activity("where: {ok: ['1']}")


def test_rows_and_lines_that_leave_out_names_are_counted_and_no_rejects() -> None:
    rows = [event("a", AT), event("reboot", AT), event("b", AT, "wtmp begins")]
    table = raw_table("activity", rows)
    line = {"table": "activity", "file": "log", "row": 9, "value": "Total: 3", "is_cell": False}
    rejects = pl.DataFrame([line], schema=REJECTS)
    table = replace(table, rejects=rejects, read_count=4)
    rules = "[{column: account_id, is: [reboot]}, {line: wtmp}, {line: '^Total'}]"
    gathering = Gathering(RecordFilter(activity(f"{LOG}, leave_out: {rules}"), "app-1", NOW))
    gathering.add(table)
    made = gathering.result()
    assert [who for who, _, _ in sent(made)] == ["a"]
    assert (made.count.read, made.count.excluded, made.count.rejected) == (4, 3, 0)

"""What a person is told of records: files that came too late, accounts missed by a hair."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.unit.builders import raw_table
from tests.unit.transforms.activity.test_activity import NOW, activity, event, gathered, sent
from transforms.activity.late import LateFile
from transforms.activity.records import Gathering, Known, RecordFilter

MARK = datetime(2026, 7, 10, tzinfo=UTC)
DAY = timedelta(days=1)
LOG = "source: {kind: csv, activity: log.csv}"


def late(
    *times: str, written_at: datetime | None = MARK + DAY, ok: str = "1", more: str = ""
) -> tuple[LateFile, ...]:
    """The late files where one file has rows of these times."""
    gathering = Gathering(RecordFilter(activity(f"{LOG}{more}"), "app-1", NOW, MARK))
    for at in times:  # a table each: a file comes in parts
        table = raw_table("activity", [event("a", at, ok=ok)])
        gathering.add(replace(table, origin="b.csv", written_at=written_at))
    return gathering.result().late


def test_a_file_written_since_the_watermark_with_rows_from_before_it_alone_came_too_late() -> None:
    old = ("2026-07-01T00:00:00Z", "2026-07-09T23:59:59Z")
    assert late(*old) == (LateFile("b.csv", 2),)
    assert late(*old, "no time") == (LateFile("b.csv", 3),)


@pytest.mark.parametrize("written_at", [MARK - DAY, None])
def test_one_that_was_written_before_was_read_before(written_at: datetime | None) -> None:
    assert late("2026-07-01T00:00:00Z", written_at=written_at) == ()


def test_one_with_a_newer_row_is_none_even_where_that_row_is_not_meant() -> None:
    times = ("2026-07-01T00:00:00Z", "2026-07-10T00:00:00Z")
    assert late(*times) == ()
    assert late(*times, ok="0", more=", where: {ok: ['1']}") == ()
    assert late(*times[:1], ok="0", more=", where: {ok: ['1']}") == (LateFile("b.csv", 1),)


def test_one_account_under_two_spellings_of_its_address_is_one() -> None:
    rows = [
        {"email": "Ann@Corp.example", "event_type": "LOGIN", "timestamp": "2026-07-01T10:00:00Z"},
        {"email": "ann@corp.example", "event_type": "LOGIN", "timestamp": "2026-07-02T10:00:00Z"},
        {"email": "ann@corp.example", "event_type": "LOGIN", "timestamp": "2026-07-01T09:00:00Z"},
    ]
    made = gathered(rows)
    assert [at for _, _, at in sent(made)] == ["2026-07-02T10:00:00Z"]
    assert made.records["email"].to_list() == ["ann@corp.example"]


def test_an_account_that_nobody_knows_is_told_by_what_it_misses_a_known_one() -> None:
    known = Known(pl.Series(["e1", "00012", "x"]), pl.Series(["ann@corp.example"]))
    rows = [event(who, "2026-07-01T10:00:00Z") for who in ("E1", "E1", "12", "x", "nobody")]
    made = gathered(rows, known=known)
    assert made.count.unknown == 4
    assert dict(made.misses) == {"case": 2, "leading zeros": 1}
    rejected = gathered(rows, known=known, more="unknown_accounts: reject")
    lacks = "names an account that the last accepted snapshot does not have"
    assert rejected.rejects["reason"].unique().sort().to_list() == [
        lacks,
        f"{lacks}; one differs in case alone",
        f"{lacks}; one differs in leading zeros alone",
    ]

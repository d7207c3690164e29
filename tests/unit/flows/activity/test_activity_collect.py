"""How many rejected rows of activity a run bears: told by their codes, whatever their words."""

from dataclasses import replace

import polars as pl
import pytest

from flows.activity.collect import check_rejects, check_where, warnings_of
from flows.activity.job import ActivityJob
from schemas.contracts import NO_EVENT, NOBODY
from schemas.errors import ContractError
from schemas.source_file.file import to_source
from schemas.tables import ACTIVITY, REJECTS, UNREADABLE_LINE
from transforms.activity.late import LateFile
from transforms.activity.records import UNKNOWN, ActivityCount, Gathered
from transforms.activity.where import WhereCount
from transforms.tables.moments.times import NOT_A_TIME

TEXT = """
app: {id: app-1}
source: {kind: csv, accounts: a.csv}
activity: {max_rejected_rows: 10%, source: {kind: csv, activity: log.csv}}
"""


def job() -> ActivityJob:
    source = to_source(TEXT, "log", "sources/log.yaml")
    assert source.file.activity is not None
    return ActivityJob(source, source.file.activity, "app-1")


def gathered(*rejects: tuple[str | None, str], read: int, outside: int = 0) -> Gathered:
    """What was read, with rejects as (column, code); their words are others than ours."""
    rows = [
        ("activity", "log.csv", row, None, column, code, f"other words {row}", None, False, None)
        for row, (column, code) in enumerate(rejects, 2)
    ]
    count = ActivityCount(read=read, outside=outside, rejected=len(rows))
    frame = pl.DataFrame(rows, schema=REJECTS, orient="row")
    return Gathered(pl.DataFrame(schema=ACTIVITY), frame, count, None)


def test_accounts_that_nobody_knows_never_end_a_run() -> None:
    check_rejects(job(), gathered(*[("account_id", UNKNOWN.code)] * 30, read=30))


@pytest.mark.parametrize(
    ("column", "code"), [("event_type", NO_EVENT.code), (None, NOBODY.code), ("email", "new_code")]
)
def test_a_row_of_the_time_asked_for_counts_among_the_rows_of_that_time(
    column: str | None, code: str
) -> None:
    check_rejects(job(), gathered(*[(column, code)] * 2, read=120, outside=100))
    with pytest.raises(ContractError, match="3 of 20 activity rows are rejected"):
        check_rejects(job(), gathered(*[(column, code)] * 3, read=120, outside=100))


@pytest.mark.parametrize(
    ("column", "code"), [(None, UNREADABLE_LINE), ("timestamp", NOT_A_TIME.code)]
)
def test_a_row_that_tells_no_time_counts_among_all_that_were_read(
    column: str | None, code: str
) -> None:
    check_rejects(job(), gathered(*[(column, code)] * 12, read=120, outside=100))
    with pytest.raises(ContractError, match="13 of 120 activity rows are rejected"):
        check_rejects(job(), gathered(*[(column, code)] * 13, read=120, outside=100))


ALL_ALLOWED = TEXT.replace("10%", "100%")


@pytest.mark.parametrize("column", ["event_type", "timestamp"])
def test_a_log_of_which_every_row_is_rejected_is_never_accepted(column: str) -> None:
    allowing = to_source(ALL_ALLOWED, "log", "sources/log.yaml")
    assert allowing.file.activity is not None
    lenient = ActivityJob(allowing, allowing.file.activity, "app-1")
    check_rejects(lenient, gathered(*[(column, "any")] * 29, read=30))
    for read in (1, 30):
        every = gathered(*[(column, "any")] * read, read=read)
        with pytest.raises(ContractError, match=f"{read} of {read} activity rows .* every one"):
            check_rejects(lenient, every)


def test_rows_that_are_not_meant_are_no_part_of_a_share() -> None:
    made = gathered(*[("event_type", "any")] * 3, read=1000)
    check_rejects(job(), made)
    others = replace(made, count=replace(made.count, excluded=480, ignored=500))
    with pytest.raises(ContractError, match="3 of 20 activity rows are rejected"):
        check_rejects(job(), others)


def test_what_a_person_should_know_of_records_is_told() -> None:
    made = replace(
        gathered(read=5),
        count=ActivityCount(read=5, unknown=3),
        misses={"case": 2},
        late=(LateFile("logs/b.csv", 7),),
    )
    unknown, late = warnings_of(job(), made)
    assert unknown.endswith("3 activity rows name accounts that the last accepted snapshot lacks "
        "(2 by case alone)")  # fmt: skip
    assert late.startswith("logs/b.csv: was written since the last run, and all of its 7 rows")
    unmatched = replace(made, count=ActivityCount(), where=WhereCount(unmatched=5), late=())
    [nothing] = warnings_of(job(), unmatched)
    assert nothing == "none of 5 activity rows has a word that activity.where names"


@pytest.mark.parametrize(
    ("count", "says"),
    [
        (WhereCount(unmatched=1, unmatched_inside=1), "none of 1 activity rows has"),
        (WhereCount(unmatched=9), "none of 9 activity rows has"),
        (WhereCount(7, 30, 0, 20), "none of 20 activity rows since the last run has"),
    ],
)
def test_a_log_without_the_words_that_are_meant_ends_the_run(count: WhereCount, says: str) -> None:
    made = replace(gathered(read=0), where=count)
    with pytest.raises(ContractError, match=f"{says} .* unmatched_where: warn"):
        check_where(job(), made)
    check_where(replace(job(), kind="backfill"), made)
    source = to_source(TEXT.replace("10%", "10%, unmatched_where: warn"), "l", "sources/l.yaml")
    assert source.file.activity is not None
    lenient = ActivityJob(source, source.file.activity, "app-1")
    check_where(lenient, made)
    [warning] = warnings_of(lenient, made)
    assert warning.startswith(says)


@pytest.mark.parametrize(
    "count", [WhereCount(), WhereCount(1, 30, 1, 30), WhereCount(1, 19, 0, 19), WhereCount(5, 0)]
)
def test_a_quiet_time_is_none_in_which_words_changed(count: WhereCount) -> None:
    check_where(job(), replace(gathered(read=0), where=count))

"""How many rejected rows of activity a run bears: told by their codes, whatever their words."""

import polars as pl
import pytest

from flows.activity.collect import check_rejects
from flows.activity.job import ActivityJob
from schemas.contracts import NO_EVENT, NOBODY
from schemas.errors import ContractError
from schemas.source_file.file import to_source
from schemas.tables import ACTIVITY, REJECTS, UNREADABLE_LINE
from transforms.activity.records import UNKNOWN, ActivityCount, Gathered
from transforms.tables.times import NOT_A_TIME

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

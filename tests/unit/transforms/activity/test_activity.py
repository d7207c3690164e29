import random
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError, SourceFormatError
from schemas.source_file.blocks import Activity
from schemas.source_file.file import to_source
from schemas.tables import ACTIVITY
from tests.unit.builders import Rows, raw_table
from transforms.activity.from_accounts import to_events
from transforms.activity.records import Gathered, Gathering, Known, RecordFilter

NOW = datetime(2026, 8, 1, tzinfo=UTC)


def activity(more: str = "") -> Activity:
    """The smallest activity block, and `more` keys of it."""
    text = f"app: {{name: X}}\nsource: {{kind: csv, accounts: a.csv}}\nactivity: {{{more}}}\n"
    found = to_source(text, "x", "sources/x.yaml").file.activity
    assert found is not None
    return found


def event(who: str, at: str, what: str = "LOGIN", **cells: str) -> dict[str, str]:
    """A raw row under the canonical names."""
    return {"account_id": who, "event_type": what, "timestamp": at, **cells}


def gathered(
    *tables: Rows,
    more: str = "",
    known: Known | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Gathered:
    gathering = Gathering(RecordFilter(activity(more), "app-1", NOW, since, until, known))
    for rows in tables:
        gathering.add(raw_table("activity", rows))
    return gathering.result()


def sent(made: Gathered) -> list[tuple[str | None, str, str]]:
    """(account, event, time) of each record to be sent, in order."""
    rows = made.records.select("account_id", "event_type", "timestamp").rows()
    return [(who, what, f"{at:%Y-%m-%dT%H:%M:%SZ}") for who, what, at in rows]


def reasons(made: Gathered) -> list[tuple[str | None, str]]:
    return made.rejects.select("column", "reason").rows()


def test_the_newest_login_and_the_newest_activity_of_each_account_are_sent():
    made = gathered(
        [
            event("a", "2026-07-01T10:00:00Z"),
            event("a", "2026-07-02T10:00:00Z"),
            event("a", "2026-06-30T10:00:00Z", "ACTIVITY"),
            event("b", "2026-07-01T10:00:00+02:00"),
        ]
    )
    assert sent(made) == [
        ("a", "ACTIVITY", "2026-06-30T10:00:00Z"),
        ("b", "LOGIN", "2026-07-01T08:00:00Z"),
        ("a", "LOGIN", "2026-07-02T10:00:00Z"),
    ]
    assert (made.count.read, made.count.accepted, made.count.reduced) == (4, 4, 1)
    assert made.newest == datetime(2026, 7, 2, 10, tzinfo=UTC)
    assert made.records.schema == pl.Schema(ACTIVITY)


def test_the_newest_of_each_day_goes_by_the_days_of_the_zone():
    rows = [
        event("a", "2026-07-01T21:30:00Z"),
        event("a", "2026-07-01T22:30:00Z"),
        event("a", "2026-07-02T10:00:00Z"),
    ]
    by_paris = gathered(rows, more="keep: newest_per_day, timezone: Europe/Paris")
    assert [at for _, _, at in sent(by_paris)] == ["2026-07-01T21:30:00Z", "2026-07-02T10:00:00Z"]
    by_utc = gathered(rows, more="keep: newest_per_day")
    assert [at for _, _, at in sent(by_utc)] == ["2026-07-01T22:30:00Z", "2026-07-02T10:00:00Z"]


def test_all_are_sent_where_all_are_asked_for_and_each_once():
    rows = [event("a", "2026-07-01T10:00:00Z"), event("a", "2026-07-02T10:00:00Z")]
    made = gathered(rows, rows, more="keep: all")
    assert len(sent(made)) == 2
    assert (made.count.read, made.count.accepted, made.count.merged) == (4, 2, 2)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("LOGIN", "LOGIN"),
        ("last_login", "LOGIN"),
        ("ACCOUNT_LOGIN", "LOGIN"),
        ("last_activity", "ACTIVITY"),
        ("in", "LOGIN"),
        ("IN", "LOGIN"),
    ],
)
def test_lumos_s_own_words_need_no_mapping_and_others_are_mapped_in_any_case(word: str, meant: str):
    more = "columns: {event_type: {column: what, values: {in: LOGIN}}}"
    row = {"account_id": "a", "what": word, "timestamp": "2026-07-01T10:00:00Z"}
    assert sent(gathered([row], more=more)) == [("a", meant, "2026-07-01T10:00:00Z")]


def test_an_event_without_a_mapping_is_a_reject_and_never_a_login():
    made = gathered([event("a", "2026-07-01T10:00:00Z", "logout"), event("a", "", "")])
    assert sent(made) == []
    assert reasons(made) == [
        ("event_type", "has no mapping to LOGIN or ACTIVITY"),
        ("event_type", "has no mapping to LOGIN or ACTIVITY"),
        ("timestamp", "has no time"),
    ]
    assert made.rejects["value"].to_list() == ["logout", "", ""]
    assert made.count.rejected == 2


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2026-07-01T10:00:00", "is no time in the stated format, or names no zone"),
        ("yesterday", "is no time in the stated format"),
        ("1970-01-01T00:00:00Z", "is before 1990 or in the future"),
        ("2026-08-03T00:00:00Z", "is before 1990 or in the future"),
        ("", "has no time"),
    ],
)
def test_a_time_that_cannot_be_used_is_a_reject_or_a_warning_by_choice(at: str, reason: str):
    made = gathered([event("a", at)])
    [(column, said)] = reasons(made)
    assert column == "timestamp"
    assert said.startswith(reason)
    warned = gathered([event("a", at)], more="unusable_times: warn")
    assert reasons(warned) == []
    assert (warned.count.accepted, warned.count.left_out, sent(warned)) == (1, 1, [])


def test_accounts_that_nobody_knows_are_sent_and_counted_or_rejected_by_choice():
    known = Known(pl.Series(["a"]), pl.Series(["b@x.example"]))
    rows = [
        event("a", "2026-07-01T10:00:00Z"),
        event("z", "2026-07-01T10:00:00Z"),
        event("", "2026-07-01T10:00:00Z", email="B@x.example"),
    ]
    made = gathered(rows, known=known)
    assert (len(sent(made)), made.count.unknown) == (3, 1)
    strict = gathered(rows, known=known, more="unknown_accounts: reject")
    assert [who for who, _, _ in sent(strict)] == [None, "a"]
    assert reasons(strict) == [
        ("account_id", "names an account that the last accepted snapshot does not have")
    ]
    assert strict.rejects["key"].to_list() == ["z"]


def test_a_record_of_nobody_or_with_a_damaged_name_is_a_reject():
    at = "2026-07-01T10:00:00Z"
    made = gathered([event("", at), event("a\x00", at), event("a", at, email="no address")])
    assert reasons(made) == [
        (None, "neither an account's id nor an e-mail address"),
        ("account_id", "has a control or replacement character"),
        ("email", "is no e-mail address"),
    ]


def test_what_is_of_another_time_is_neither_sent_nor_judged():
    rows = [
        event("a", "2026-06-30T23:59:59Z", "logout"),
        event("a", "2026-07-01T00:00:00Z"),
        event("b", "2026-07-02T00:00:00Z"),
    ]
    first, second = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC)
    made = gathered(rows, since=first, until=second)
    assert sent(made) == [("a", "LOGIN", "2026-07-01T00:00:00Z")]
    assert (made.count.outside, made.count.rejected, made.newest) == (2, 0, first)


def test_lumos_s_names_of_the_connector_model_are_understood():
    last = {"account_id": "a", "event_type": "last_login", "happened_at": "2026-07-01T10:00:00Z"}
    assert len(sent(gathered([last]))) == 1
    listed = {"account_id": "a", "activity_type": "ACCOUNT_LOGIN", "timestamp": last["happened_at"]}
    assert len(sent(gathered([listed]))) == 1


@pytest.mark.parametrize("missing", ["account_id", "event_type", "timestamp"])
def test_a_log_that_does_not_tell_who_what_or_when_is_refused(missing: str):
    row = event("a", "2026-07-01T10:00:00Z")
    row["other"] = row.pop(missing)
    with pytest.raises(SourceFormatError, match=f"no column for {missing}"):
        gathered([row])


def test_a_column_that_the_file_names_must_be_there():
    with pytest.raises(SourceFormatError, match="no column 'who', wanted for account_id"):
        gathered([event("a", "2026-07-01T10:00:00Z")], more="columns: {account_id: who}")


def test_the_accounts_last_login_and_activity_are_events():
    accounts = pl.DataFrame(
        {
            "integration_specific_id": ["a", "b"],
            "email": ["a@x.example", None],
            "last_login": [NOW, None],
            "last_activity": [NOW - timedelta(days=1), None],
        },
        schema_overrides={"email": pl.String},
    ).with_columns(pl.col("last_login", "last_activity").cast(pl.Datetime("us", "UTC")))
    events = to_events(accounts, "app-1")
    assert events.select("account_id", "event_type", "timestamp").rows() == [
        ("a", "LOGIN", NOW),
        ("a", "ACTIVITY", NOW - timedelta(days=1)),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        "since: tomorrow",
        "timezone: Paris",
        "keep: oldest",
        "parallel: 0",
        "columns: {event_type: {constant: LOGOUT}}",
        "columns: {event_type: {column: x, values: {in: LOGOUT}}}",
        "app: {name: X, id: y}",
        "source: {kind: csv, activity: logs/*.csv, archive_to: done/}",
        "source: {kind: sql, url: 'x://y', queries: {}}",
    ],
)
def test_an_activity_block_that_cannot_be_meant_is_one_line(wrong: str):
    with pytest.raises(ConfigError, match=r"^sources/x.yaml:3: activity"):
        activity(wrong)


PEOPLE = st.sampled_from(["a", "b", "c", "", "d\x00"])
TIMES = st.one_of(
    st.integers(0, 60).map(lambda n: f"2026-07-{1 + n // 24:02d}T{n % 24:02d}:00:00Z"),
    st.sampled_from(["", "2026-07-01", "2031-01-01T00:00:00Z", "1980-01-01T00:00:00Z"]),
)
ROWS = st.lists(
    st.builds(
        event,
        PEOPLE,
        TIMES,
        st.sampled_from(["LOGIN", "ACTIVITY", "logout"]),
        email=st.sampled_from(["", "a@x.example", "b@x.example", "none"]),
    ),
    max_size=25,
)
KEEPS = st.sampled_from(["keep: newest", "keep: newest_per_day", "keep: all"])


@given(ROWS, KEEPS, st.sampled_from(["reject", "warn"]), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_every_row_is_accounted_for_and_neither_order_nor_parts_matter(
    rows: list[dict[str, str]], keep: str, times: str, shuffle: random.Random
):
    more = f"{keep}, unusable_times: {times}"
    since = datetime(2026, 7, 1, 6, tzinfo=UTC)
    made = gathered(rows, more=more, since=since) if rows else gathered(more=more)
    count = made.count
    assert count.read == len(rows) == count.accepted + count.merged + count.rejected
    left = count.reduced + count.outside + count.left_out
    assert count.accepted == made.records.height + left
    assert made.records.is_unique().all()
    other = list(rows)
    shuffle.shuffle(other)
    cut = shuffle.randint(0, len(other))
    parts = [part for part in (other[:cut], other[cut:]) if part]
    again = gathered(*parts, more=more, since=since)
    assert again.records.equals(made.records)
    assert again.count == count


@given(ROWS)
@settings(deadline=None)
def test_what_is_kept_is_the_newest_that_an_account_has(rows: list[dict[str, str]]):
    everything = gathered(*([rows] if rows else []), more="keep: all").records
    newest = gathered(*([rows] if rows else [])).records
    who = pl.coalesce("account_id", "email").alias("who")
    key = [who, pl.col("account_id").is_null().alias("nameless"), pl.col("event_type")]
    expected = everything.group_by(key).agg(pl.col("timestamp").max()).sort(pl.all())
    found = newest.group_by(key).agg(pl.col("timestamp").first(), pl.len()).sort(pl.all())
    assert found.drop("len").equals(expected)
    assert (found["len"] == 1).all()

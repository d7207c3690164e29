"""Activity through the command line: a log in, records in the sandbox."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from terminal import SOURCE, Workspace, rows

ACTIVITY = """
activity:
  source: {kind: csv, activity: logs/*.csv, max_age: null}
  columns:
    account_id: who
    event_type: {column: what, values: {in: LOGIN, did: ACTIVITY}}
    timestamp: at
  poll: {every: 0.1s, give_up_after: 60s}
"""


@pytest.fixture
def logging(workspace: Workspace) -> Workspace:
    """The workspace with five accounts in the app, and a source that has activity."""
    workspace.source(SOURCE + ACTIVITY)
    workspace.export(*rows(5))
    assert workspace.run("sync", "hr").code == 0
    return workspace


def log(workspace: Workspace, *lines: str, name: str = "a") -> Path:
    """Writes a log of `who,what,at` lines."""
    path = workspace.path / "logs" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["who,what,at", *lines]) + "\n", "utf-8")
    return path


def held(workspace: Workspace) -> list[tuple[str, str, str]]:
    """The records that the sandbox holds, oldest upload first."""
    url, page, found = f"{workspace.sandbox.url}/sandbox/activity", 1, []
    while True:
        answer = httpx.get(url, params={"size": 100, "page": page}, timeout=60).json()
        found += answer["items"]
        if page >= answer["pages"]:
            break
        page += 1
    return [(one["external_id"], one["event_type"], one["at"][:19]) for one in reversed(found)]


def run_of(said: Any) -> dict[str, Any]:
    assert said.code == 0, said.err
    [run] = said.document["sources"]
    return run


def test_the_newest_login_and_activity_of_each_account_reach_lumos(logging: Workspace):
    log(
        logging,
        "a0001,in,2026-07-01T10:00:00Z",
        "a0001,in,2026-07-02T10:00:00Z",
        "a0001,did,2026-07-02T11:00:00Z",
        "a0002,in,2026-07-01T10:00:00Z",
        "a0002,in,2026-07-01T10:00:00Z",
    )
    run = run_of(logging.run("activity", "hr", "--json"))
    assert (run["kind"], run["state"]) == ("activity", "done")
    counts = {name.removeprefix("activity_"): count for name, count in run["counts"].items()}
    assert (counts["read"], counts["accepted"], counts["merged"]) == (5, 4, 1)
    assert (counts["reduced"], counts["sent"]) == (1, 3)
    accounts = logging.accounts()
    assert accounts["a0001"]["last_login"].startswith("2026-07-02T10:00:00")
    assert accounts["a0001"]["last_activity"].startswith("2026-07-02T11:00:00")
    assert accounts["a0002"]["last_login"].startswith("2026-07-01T10:00:00")
    listed = logging.run("runs", "--json").document
    assert [(one["kind"], one["state"]) for one in listed] == [
        ("activity", "done"),
        ("sync", "done"),
    ]
    assert {"run_id", "source", "state", "started_at", "ended_at", "counts", "job_id"} <= set(run)


def test_every_file_that_may_hold_new_records_is_read_and_no_other(logging: Workspace):
    old = log(logging, "a0001,in,2026-07-01T10:00:00Z", name="one")
    log(logging, "a0002,in,2026-07-20T10:00:00Z", name="two")
    run_of(logging.run("activity", "hr", "--json"))
    assert len(held(logging)) == 2
    moment = datetime(2026, 7, 2, tzinfo=UTC).timestamp()
    old.write_text("who,what\nno time here,in\n", "utf-8")
    os.utime(old, (moment, moment))
    log(logging, "a0003,in,2026-07-20T11:00:00Z", name="three")
    run_of(logging.run("activity", "hr", "--json"))
    assert [who for who, _, _ in held(logging)] == ["a0001", "a0002", "a0003"]


def test_a_file_named_for_another_day_is_not_opened_where_its_span_is_said(logging: Workspace):
    logging.source(SOURCE + ACTIVITY.replace("max_age: null", "max_age: null, covers: 1d"))
    log(logging, "broken", name="log-2026-07-01")
    log(logging, "a0001,in,2026-07-02T10:00:00Z", name="log-2026-07-02")
    log(logging, "broken", name="log-2026-07-03")
    said = logging.run("backfill", "hr", "--since", "2026-07-02", "--until", "2026-07-03")
    assert said.code == 0, said.err
    assert len(held(logging)) == 1


def test_the_accounts_own_times_are_the_activity_where_no_other_source_is_named(
    workspace: Workspace,
):
    text = SOURCE.replace("  user_status: state", "  user_status: state\n  last_login: seen")
    workspace.source(text + "activity: {}\n")
    header = "id,email,given,family,state,team,roles,seen"
    cells = [f"{line},2026-07-0{n}T10:00:00Z" for n, line in enumerate(rows(3), 1)]
    workspace.export(*cells, header=header)
    assert workspace.run("sync", "hr").code == 0
    assert run_of(workspace.run("activity", "hr", "--json"))["counts"]["activity_sent"] == 3
    assert ("a0003", "LOGIN", "2026-07-03T10:00:00") in held(workspace)


def test_a_database_s_own_query_is_the_activity_of_its_source(workspace: Workspace):
    with closing(sqlite3.connect(workspace.path / "hr.db")) as database, database:
        database.execute("CREATE TABLE people (id TEXT, mail TEXT)")
        database.execute("CREATE TABLE logins (who TEXT, at TEXT)")
        database.executemany(
            "INSERT INTO people VALUES (?, ?)", [(f"p{n}", f"p{n}@x.example") for n in range(3)]
        )
        database.executemany(
            "INSERT INTO logins VALUES (?, ?)",
            [(f"p{n % 3}", f"2026-07-0{1 + n} 10:00:00") for n in range(6)],
        )
    workspace.source(
        "app: {name: HR Portal, create: {category: HR & Learning, description: x}}\n"
        "source:\n  kind: sql\n  url: sqlite:///hr.db\n  queries:\n"
        "    list_accounts: SELECT id AS integration_specific_id, mail AS email FROM people\n"
        "    list_activity_records: SELECT who AS account_id, 'ACCOUNT_LOGIN' AS activity_type, "
        "at AS timestamp FROM logins WHERE at >= {since} AND at < {until}\n"
        "activity: {since: 2026-07-02, keep: all}\n"
    )
    said = workspace.run("check", "hr")
    assert said.code == 0, said.err
    assert workspace.run("sync", "hr").code == 0
    zoneless = workspace.run("activity", "hr")
    assert zoneless.code == 1
    assert "names no zone and none is stated (5 of 5 activity rows" in zoneless.err
    path = workspace.path / "sources" / "hr.yaml"
    text = path.read_text("utf-8").replace("  queries:", "  timezone: UTC\n  queries:")
    path.write_text(text, "utf-8")
    run = run_of(workspace.run("activity", "hr", "--json"))
    assert (run["counts"]["activity_sent"], run["counts"]["activity_read"]) == (5, 5)
    assert ("p2", "LOGIN", "2026-07-06T10:00:00") in held(workspace)


def test_a_check_tells_what_is_wrong_with_a_log(logging: Workspace):
    log(logging, "a0001,in,2026-07-01T10:00:00Z")
    said = logging.run("check", "hr")
    assert said.code == 0, said.err
    assert "activity: logs/a.csv" in said.out
    logging.source(SOURCE + ACTIVITY.replace("timestamp: at", "timestamp: when"))
    said = logging.run("check", "hr")
    assert said.code == 1
    assert "no column 'when', wanted for timestamp" in said.err
    logging.source(SOURCE + ACTIVITY.replace("activity:\n", "activity:\n  app: Nothing\n", 1))
    said = logging.run("check", "hr")
    assert said.code == 2
    assert "activity.app: Lumos has no app of this exact name" in said.err


def test_a_wrong_mapping_fails_the_run_and_moves_nothing(logging: Workspace):
    lines = [f"a0001,{'in' if n % 2 else 'sso'},2026-07-01T10:{n:02d}:00Z" for n in range(20)]
    log(logging, *lines)
    said = logging.run("activity", "hr")
    assert said.code == 1
    assert said.err.count("\n") <= 3
    assert "event_type has no mapping to LOGIN or ACTIVITY (10 of 20" in said.err
    assert held(logging) == []
    log(logging, *[line.replace("sso", "in") for line in lines])
    assert run_of(logging.run("activity", "hr", "--json"))["counts"]["activity_read"] == 20


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("activity", "plain"), "has no block activity"),
        (("activity",), "name a source or say --all"),
        (("backfill", "hr", "--since", "x", "--until", "2026-07-02"), "--since: write a date"),
        (("backfill", "hr", "--since", "2026-07-02", "--until", "2026-07-01"), "after --since"),
        (("backfill", "hr", "--since", "2026-07-02", "--until", "2999-01-01"), "in the future"),
        (
            ("backfill", "hr", "--since", "2026-07-01", "--until", "2026-07-02", "--window", "3"),
            "--window: write a duration",
        ),
        (
            ("backfill", "hr", "--since", "1990-01-01", "--until", "2026-07-02", "--window", "1m"),
            "more than 10000 windows",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exits_2(
    logging: Workspace, words: tuple[str, ...], said: str
):
    logging.source(SOURCE.replace("HR Portal", "Other"), "plain")
    answer = logging.run(*words)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert said in answer.err
    assert held(logging) == []


@pytest.mark.parametrize("fault", ["429=0.1*2", "500", "cut_before", "slow=0.2", "state_missing*3"])
def test_what_passes_is_borne_and_nothing_is_lost(logging: Workspace, fault: str):
    log(logging, "a0001,in,2026-07-01T10:00:00Z")
    name, _, count = fault.partition("*")
    logging.fault(f"{name}@/activity_records{'*' + count if count else ''}")
    run_of(logging.run("activity", "hr", "--json"))
    assert held(logging) == [("a0001", "LOGIN", "2026-07-01T10:00:00")]


def test_a_batch_that_may_have_been_taken_is_sent_again_with_the_same_bytes(logging: Workspace):
    log(logging, "a0001,in,2026-07-01T10:00:00Z")
    logging.fault("cut_after@/activity_records")
    run_of(logging.run("activity", "hr", "--json"))
    assert set(held(logging)) == {("a0001", "LOGIN", "2026-07-01T10:00:00")}


def test_a_job_that_lumos_forgets_fails_the_run_and_its_records_are_sent_again(logging: Workspace):
    log(logging, "a0001,in,2026-07-01T10:00:00Z")
    logging.fault("job_forgotten@/activity_records")
    said = logging.run("activity", "hr")
    assert said.code == 1
    assert "Lumos does not know the job (404)" in said.err
    assert run_of(logging.run("activity", "hr", "--json"))["counts"]["activity_sent"] == 1


def test_a_job_that_never_ends_is_waited_for_by_the_next_run(logging: Workspace):
    logging.source(SOURCE + ACTIVITY.replace("give_up_after: 60s", "give_up_after: 0.3s"))
    log(logging, "a0001,in,2026-07-01T10:00:00Z")
    logging.fault("job_stuck@/activity_records")
    for _ in range(2):
        said = logging.run("activity", "hr")
        assert said.code == 1
        assert "is still RUNNING after" in said.err
        assert "activity.poll.give_up_after" in said.err
    assert logging.stats()["requests"]["POST /activity_records"] == 1


def test_batches_go_several_at_once_where_that_is_asked_for(logging: Workspace):
    more = "  records_per_request: 3\n  parallel: 4\n  keep: all\n"
    logging.source(SOURCE + ACTIVITY + more)
    log(logging, *[f"a000{1 + n % 5},in,2026-07-01T10:{n:02d}:00Z" for n in range(40)])
    run = run_of(logging.run("activity", "hr", "--json"))
    assert run["counts"]["activity_batches"] == 14
    assert len(set(run["job_ids"])) == 14
    assert len(set(held(logging))) == len(held(logging)) == 40


def test_a_backfill_leaves_the_watermark_where_it_is(logging: Workspace):
    log(logging, "a0001,in,2026-07-10T10:00:00Z")
    run_of(logging.run("activity", "hr", "--json"))
    log(logging, "a0002,in,2026-07-02T10:00:00Z", "a0002,in,2026-07-03T10:00:00Z", name="old")
    words = ("backfill", "hr", "--since", "2026-07-01", "--until", "2026-07-05")
    dry = logging.run(*words, "--dry-run", "--json")
    assert [one["records"] for one in dry.document["windows"]] == [0, 1, 1, 0]
    assert len(held(logging)) == 1
    assert logging.run(*words).code == 0
    assert len(held(logging)) == 3
    again = logging.run(*words, "--json").document
    assert [one["run"] for one in again["windows"]] == [None] * 4
    assert len(held(logging)) == 3
    assert logging.run(*words, "--again").code == 0
    assert len(held(logging)) == 5
    since = run_of(logging.run("activity", "hr", "--json"))["since"]
    assert since == "2026-07-10T09:00:00+00:00"


def test_a_backfill_that_a_person_stops_says_so_and_goes_on(logging: Workspace):
    log(logging, *[f"a0001,in,2026-06-{day:02d}T10:00:00Z" for day in range(1, 7)])
    words = ("backfill", "hr", "--since", "2026-06-01", "--until", "2026-06-07")
    logging.fault("slow=20@/activity_records/job*1")
    program = "from flows.cli.main import main; main()"
    child = subprocess.Popen(
        [sys.executable, "-c", program, *words, "--workspace", logging.path],
        env={
            **os.environ,
            "LUMOS_API_URL": logging.sandbox.url,
            "LUMOS_API_TOKEN": logging.sandbox.token,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    while not held(logging):
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 1, said
    assert "hr: stopped" in said
    assert "0 of 6 windows are done; the same command goes on" in said
    assert "Traceback" not in said
    assert logging.run(*words).code == 0
    assert len(held(logging)) == 6


def test_two_backfills_and_a_nightly_run_side_by_side(logging: Workspace):
    """Each sends what is its own, and only the nightly moves the watermark."""
    log(logging, "a0001,in,2026-06-03T08:00:00Z", "a0002,in,2026-07-03T08:00:00Z", name="june")
    env = {
        **os.environ,
        "LUMOS_API_URL": logging.sandbox.url,
        "LUMOS_API_TOKEN": logging.sandbox.token,
    }
    commands = [
        ["backfill", "hr", "--since", "2026-06-01", "--until", "2026-06-08"],
        ["backfill", "hr", "--since", "2026-07-01", "--until", "2026-07-08"],
        ["activity", "hr"],
    ]
    program = [sys.executable, "-c", "from flows.cli.main import main; main()"]
    running = [
        subprocess.Popen(
            [*program, *words, "--workspace", logging.path, "--json"],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for words in commands
    ]

    ended = [(one.communicate()[1], one.returncode) for one in running]

    assert [code for _, code in ended] == [0, 0, 0], ended
    sent = held(logging)
    assert set(sent) == {
        ("a0001", "LOGIN", "2026-06-03T08:00:00"),
        ("a0002", "LOGIN", "2026-07-03T08:00:00"),
    }
    again = logging.run("activity", "hr", "--json")
    assert again.code == 0
    assert held(logging) == sent


def hashes(state: Path) -> list[str]:
    """The hashes of the batches that are done, by the ledger in the folder `state`."""
    with closing(sqlite3.connect(state / "ledger.db")) as connection:
        query = "SELECT content_hash FROM ledger_batches WHERE done_at IS NOT NULL ORDER BY 1"
        return [row[0] for row in connection.execute(query)]


def test_a_backfill_killed_twenty_times_ends_in_the_same_batches(logging: Workspace):
    first = datetime(2026, 6, 1, tzinfo=UTC)
    lines = [
        f"a000{1 + n % 5},in,{first + timedelta(hours=5 * n):%Y-%m-%dT%H:%M:%SZ}"
        for n in range(144)
    ]
    log(logging, *lines)
    span = ("2026-06-01", "2026-07-01")
    whole = logging.run("backfill", "hr", "--since", span[0], "--until", span[1])
    assert whole.code == 0, whole.err
    expected = hashes(logging.path / ".lumos-ingest")
    assert len(expected) == 30
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        _kill_and_go_on(logging, span, Path(folder))
        assert hashes(Path(folder)) == expected


def _kill_and_go_on(logging: Workspace, span: tuple[str, str], state: Path) -> None:
    """Starts the backfill, kills it, twenty times, and lets it come to its end."""
    env = {
        **os.environ,
        "LUMOS_API_URL": logging.sandbox.url,
        "LUMOS_API_TOKEN": logging.sandbox.token,
        "LUMOS_INGEST_STATE": str(state),
    }
    chance = random.Random(5)
    for _ in range(20):
        point = str(chance.randint(2, 30))
        words = [sys.executable, Path(__file__).with_name("killed_backfill.py"), logging.path]
        child = subprocess.run([*words, point, *span], env=env, capture_output=True, check=False)
        assert child.returncode == -signal.SIGKILL, child.stderr
    said = logging.run(
        "backfill", "hr", "--since", span[0], "--until", span[1],
        env={"LUMOS_INGEST_STATE": str(state)},
    )  # fmt: skip
    assert said.code == 0, said.err

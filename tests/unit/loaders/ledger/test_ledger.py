import dataclasses
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from loaders.ledger.ledger import Ledger, open_ledger
from loaders.ledger.tables import VERSION, VERSION_TABLE
from schemas.errors import ConfigError, StateError
from schemas.run import Run, SeenBreach, StageUse

NOW = datetime(2026, 11, 23, 2, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{path}") as ledger:
        yield ledger


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_the_ledger_and_its_journal_are_for_their_owner_alone(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with open_ledger(f"sqlite:///{path}") as ledger:
            os.umask(0)
            ledger.start_run("hr", "me@host", NOW)
            modes = ledger.in_transaction(
                lambda connection: (
                    connection.exec_driver_sql("UPDATE ledger_runs SET actor = 'you'"),
                    {entry.name: mode(entry) for entry in path.parent.iterdir()},
                )[1]
            )
    finally:
        os.umask(before)
    assert modes == {"ledger.sqlite": 0o600, "ledger.sqlite-journal": 0o600}


def test_a_ledger_that_others_could_read_is_closed_to_them(path: Path) -> None:
    open_ledger(f"sqlite:///{path}").close()
    path.chmod(0o644)
    open_ledger(f"sqlite:///{path}").close()
    assert mode(path) == 0o600


def test_opening_a_ledger_again_changes_nothing_and_needs_no_alembic(path: Path) -> None:
    with open_ledger(f"sqlite:///{path}") as ledger:
        run = ledger.start_run("hr", "me@host", NOW)
    content = path.read_bytes()
    code = (
        "import sys; from loaders.ledger.ledger import open_ledger;"
        f"print([run.run_id for run in open_ledger('sqlite:///{path}').runs()],"
        " 'alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"['{run.run_id}'] False"
    assert path.read_bytes() == content


def test_a_ledger_of_a_newer_version_is_left_alone(path: Path) -> None:
    open_ledger(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    content = path.read_bytes()
    with pytest.raises(StateError, match=f"newer version .9999. than .* knows .{VERSION}"):
        open_ledger(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_file_that_is_no_ledger_is_left_alone(path: Path) -> None:
    path.write_bytes(b"accounts;of;jane.canary\n" * 500)
    with pytest.raises(StateError, match="file is not a database") as caught:
        open_ledger(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"accounts;")
    assert caught.value.__context__ is None


def test_a_ledger_in_a_folder_that_is_not_there_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No such file or directory") as caught:
        open_ledger(f"sqlite:///{tmp_path}/gone/ledger.sqlite")
    assert caught.value.__context__ is None


def test_a_damaged_ledger_is_one_line(path: Path) -> None:
    with open_ledger(f"sqlite:///{path}") as ledger:
        for _ in range(40):
            ledger.update_run(ledger.start_run("hr", "me@host", NOW).run_id, error="x" * 900)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(StateError, match="cannot be used: ") as caught:
        open_ledger(f"sqlite:///{path}").runs()
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_line_and_loses_nothing(path: Path) -> None:
    with open_ledger(f"sqlite:///{path}") as ledger:
        kept = ledger.start_run("hr", "me@host", NOW)
    code = f"""
import resource
from datetime import UTC, datetime
from loaders.ledger.ledger import open_ledger
from schemas.errors import StateError
ledger = open_ledger("sqlite:///{path}")
size = {path.stat().st_size}
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    for _ in range(100):
        ledger.update_run(ledger.start_run("hr", "me", datetime.now(UTC)).run_id, error="x" * 999)
except StateError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"the ledger {path} cannot be used: ")
    assert done.stdout.count("\n") == 1
    with open_ledger(f"sqlite:///{path}") as ledger:
        assert ledger.run(kept.run_id) == kept


def test_a_ledger_that_another_process_keeps_locked_is_one_line(path: Path) -> None:
    open_ledger(f"sqlite:///{path}").close()
    with open_ledger(f"sqlite:///{path}?timeout=0.05") as ledger:
        other = sqlite3.connect(path)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StateError, match="database is locked"):
            ledger.runs()
        other.close()
        assert ledger.runs() == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ledger.sqlite",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?uri=true",
        "mysql://u:secretword@h/d",
        "postgresql+asyncpg://u:secretword@h/d",
        "nosuch://u:secretword@h/d",
        "postgresql://u:secretword@h:port/d",
    ],
)
def test_a_url_of_another_kind_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="LUMOS_INGEST_LEDGER") as caught:
        open_ledger(url)
    assert "secretword" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_server_that_does_not_answer_is_told_without_user_and_password(scheme: str) -> None:
    with pytest.raises(StateError, match="cannot be used") as caught:
        open_ledger(f"{scheme}://someuser:secretword@127.0.0.1:9/state")
    assert "postgresql://127.0.0.1:9/state" in str(caught.value)
    assert "secretword" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_run_keeps_every_field_it_is_given(ledger: Ledger) -> None:
    started = ledger.start_run("hr", "me@host", NOW)
    changes = {
        "state": "held",
        "ended_at": NOW + timedelta(minutes=3),
        "app_id": "a",
        "base_run_id": "b",
        "content_hash": "c",
        "counts": {"accounts_read": 10**12},
        "plan": {"removed": 3, "breaches": [{"guard": "é", "allowed": None}]},
        "job_ids": ("j1", "j2"),
        "error": "e",
        "approved_by": "you@host",
        "approved_at": NOW,
        "kind": "backfill",
        "since": NOW,
        "until": NOW,
        "request_count": 3,
        "accounts_per_request": 4,
        "breaches": (SeenBreach("é", 1, 2, "10%", "rows"), SeenBreach("b", 0, 0, "0")),
        "next_watermark_at": NOW,
        "end_number": 1,
        "api_url": "https://lumos.example",
        "approves_run_id": "h",
        "stages": (StageUse("extract", 1.25, 10**9), StageUse("é", 0.0, 0)),
    }
    fields = {field.name for field in dataclasses.fields(Run)}
    assert fields - set(changes) == {"run_id", "source", "actor", "started_at"}
    changed = ledger.update_run(started.run_id, **changes)
    assert changed == dataclasses.replace(started, **changes)
    assert ledger.run(started.run_id) == changed
    assert changed.started_at.tzinfo is UTC


def test_a_run_is_named_for_the_time_it_began_in_utc(ledger: Ledger) -> None:
    paris = NOW.astimezone(timezone(timedelta(hours=1)))
    run = ledger.start_run("hr", "me@host", paris)
    assert run.run_id.startswith("20261123T020000Z-")
    assert len(run.run_id) == 23
    assert run.started_at == NOW
    assert run == ledger.run(run.run_id)


def test_a_moment_without_a_zone_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="zone"):
        ledger.start_run("hr", "me@host", NOW.replace(tzinfo=None))
    run = ledger.start_run("hr", "me@host", NOW)
    with pytest.raises(ValueError, match="ended_at"):
        ledger.update_run(run.run_id, ended_at=NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "finished"),
        ("state", None),
        ("counts", {"a": "1"}),
        ("counts", [1]),
        ("job_ids", ["j"]),
        ("job_ids", (1,)),
        ("breaches", ({"guard": "g", "count": 1, "of": 2, "limit": "1"},)),
        ("request_count", "3"),
        ("next_watermark_at", "2026-11-23"),
        ("ended_at", "2026-11-23"),
        ("error", 7),
    ],
)
def test_what_a_field_cannot_hold_is_refused_and_not_written(
    ledger: Ledger, field: str, value: object
) -> None:
    run = ledger.start_run("hr", "me@host", NOW)
    with pytest.raises(ValueError, match=f"a run's {field} cannot hold that value"):
        ledger.update_run(run.run_id, **{"app_id": "a", field: value})
    assert ledger.run(run.run_id) == run


@pytest.mark.parametrize("field", ["run_id", "number", "sate"])
def test_what_is_no_field_of_a_run_cannot_change(ledger: Ledger, field: str) -> None:
    run = ledger.start_run("hr", "me@host", NOW)
    with pytest.raises(TypeError, match=field):
        ledger.update_run(run.run_id, **{field: "x"})


def test_a_run_that_is_not_there_is_told_as_such(ledger: Ledger) -> None:
    assert ledger.run("20260101T000000Z-aaaaaa") is None
    with pytest.raises(StateError, match="has no run 20260101T000000Z-aaaaaa"):
        ledger.update_run("20260101T000000Z-aaaaaa", state="done")


def test_what_breaks_inside_a_transaction_undoes_it(ledger: Ledger) -> None:
    run = ledger.start_run("hr", "me@host", NOW)

    def broken(connection: object) -> None:
        connection.exec_driver_sql("DELETE FROM ledger_runs")  # type: ignore[attr-defined]
        raise KeyError

    with pytest.raises(KeyError):
        ledger.in_transaction(broken)
    assert ledger.runs() == [run]

"""The sample application's database: the same in SQLite and PostgreSQL, of any size, as shipped."""

import importlib.util
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from extractors.read import read_account, read_source
from schemas.raw import Raw
from schemas.source_file.file import to_source
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import no_secrets
from tests.discovery_rows import table

pytest_plugins = ["tests.postgresql_server"]

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAM = EXAMPLES / "sample_application.py"
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def run(*words: str) -> str:
    return subprocess.run(
        [sys.executable, PROGRAM, *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture(scope="module")
def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sample_application", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def source(url: str) -> SqlSource:
    text = (EXAMPLES / "sources" / "app_database.yaml").read_text("utf-8")
    found = to_source(text, "app_database", "app_database.yaml").file.source
    assert isinstance(found, SqlSource)
    return found.model_copy(update={"url": url})


def read(url: str, workspace: Path) -> Raw:
    (workspace / "queries").symlink_to(EXAMPLES / "queries")
    return read_source(source(url), workspace, now=NOW)


def tables(raw: Raw) -> list[list[tuple[Any, ...]]]:
    return [table(one) for one in (raw.accounts, raw.entitlements, raw.resources, raw.associations)]


@pytest.mark.parametrize(("night", "folder"), [("1", "exports"), ("2", "exports-next-day")])
def test_what_is_shipped_is_what_the_program_makes(night: str, folder: str):
    shipped = (EXAMPLES / folder / "app_database.sql").read_text("utf-8")
    assert run("--sql", "--night", night) == shipped


def test_sqlite_and_postgresql_hold_and_give_the_same(
    new_database: Callable[[], str], tmp_path: Path
):
    url = new_database()
    run("--accounts", "300", "--url", url)
    run("--accounts", "300", "--file", str(tmp_path / "app.db"))
    (tmp_path / "other").mkdir()
    in_sqlite = read("sqlite:///app.db", tmp_path)
    in_postgresql = read(url, tmp_path / "other")
    assert tables(in_sqlite) == tables(in_postgresql)
    assert in_sqlite.accounts.read_count == 336
    columns = in_sqlite.accounts.rows.columns
    assert {"Department", "Purpose", "last_login"} <= set(columns)


def test_the_text_makes_the_same_database_as_the_program(tmp_path: Path):
    run("--file", str(tmp_path / "app.db"))
    (tmp_path / "other").mkdir()
    with closing(sqlite3.connect(tmp_path / "other" / "app.db")) as connection:
        connection.executescript(run("--sql"))
    assert tables(read("sqlite:///app.db", tmp_path)) == tables(
        read("sqlite:///app.db", tmp_path / "other")
    )


def test_one_account_is_asked_for_by_a_bound_value(program: ModuleType, tmp_path: Path):
    made = program.sample_tables(20)
    program.write_sqlite(made, tmp_path / "app.db")
    (tmp_path / "queries").symlink_to(EXAMPLES / "queries")
    wanted = made["accounts"][7]
    found = read_account(source("sqlite:///app.db"), tmp_path, wanted[0], resolve=no_secrets)
    assert table(found, "integration_specific_id", "email") == [(wanted[0], wanted[1])]


def test_statuses_and_types_come_as_they_do_in_life(program: ModuleType):
    made = program.sample_tables(5_000)
    shares = {name: n / 5_000 for name, n in Counter(one[5] for one in made["accounts"]).items()}
    assert shares == {
        "ACTIVE": pytest.approx(0.86, abs=0.03),
        "SUSPENDED": pytest.approx(0.06, abs=0.02),
        "DEPROVISIONED": pytest.approx(0.05, abs=0.02),
        "PENDING": pytest.approx(0.03, abs=0.02),
    }
    assert len(made["service_accounts"]) == 600
    assert {one[7] is None for one in made["accounts"] if one[5] == "PENDING"} == {True}


def test_the_next_day_changes_a_few(program: ModuleType):
    first, second = (program.sample_tables(100, night=night) for night in (1, 2))
    before, after = ({row[0]: row for row in one["accounts"]} for one in (first, second))
    assert len(after.keys() - before.keys()) == 2
    assert [after[one][5] for one in before if after[one] != before[one]] == ["DEPROVISIONED"]
    assert first["service_accounts"] == second["service_accounts"]

"""Ledger and archive are backed up and restored; what Lumos took since is not forgotten over it."""

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from terminal import Said, Workspace, rows

pytest_plugins = ["tests.postgresql_server"]


class Keeper(Protocol):
    """Backs up a ledger, and puts it back as it was."""

    env: dict[str, str]

    def back_up(self) -> None: ...

    def restore(self) -> None: ...


@dataclass
class SqliteKeeper:
    state: Path
    kept: Path

    env = {}  # noqa: RUF012 - none is needed

    def back_up(self) -> None:
        with (
            contextlib.closing(sqlite3.connect(self.state / "ledger.db")) as ledger,
            contextlib.closing(sqlite3.connect(self.kept / "ledger.db")) as copy,
        ):
            ledger.backup(copy)

    def restore(self) -> None:
        for file in self.state.glob("ledger.db*"):
            file.unlink()
        shutil.copy(self.kept / "ledger.db", self.state / "ledger.db")


@dataclass
class PostgresqlKeeper:
    url: str
    other_url: str
    kept: Path

    @property
    def env(self) -> dict[str, str]:
        return {"LUMOS_INGEST_LEDGER": self.url}

    def back_up(self) -> None:
        words = ["pg_dump", "--no-owner", "--file", str(self.kept / "ledger.sql")]
        subprocess.run([*words, self._plain(self.url)], check=True)

    def restore(self) -> None:
        self.url = self.other_url
        words = ["psql", "--quiet", "-v", "ON_ERROR_STOP=1", "-f", str(self.kept / "ledger.sql")]
        subprocess.run([*words, self._plain(self.url)], check=True, stdout=subprocess.DEVNULL)

    @staticmethod
    def _plain(url: str) -> str:
        return url.replace("postgresql+psycopg", "postgresql")


@pytest.fixture(params=["sqlite", "postgresql"])
def keeper(request: pytest.FixtureRequest, workspace: Workspace, tmp_path: Path) -> Keeper:
    kept = tmp_path / "backup"
    kept.mkdir()
    if request.param == "sqlite":
        return SqliteKeeper(workspace.path / ".lumos-ingest", kept)
    new_database: Callable[[], str] = request.getfixturevalue("new_database")
    return PostgresqlKeeper(new_database(), new_database(), kept)


def sync(workspace: Workspace, keeper: Keeper, count: int) -> Said:
    workspace.export(*rows(count))
    return workspace.run("sync", "hr", env=keeper.env)


def test_after_a_restore_the_guards_go_by_what_lumos_has_taken_since(
    workspace: Workspace, keeper: Keeper, tmp_path: Path
) -> None:
    archive = workspace.path / ".lumos-ingest" / "archive"
    assert sync(workspace, keeper, 40).code == 0
    keeper.back_up()
    shutil.copytree(archive, tmp_path / "backup" / "archive")
    assert sync(workspace, keeper, 46).code == 0

    shutil.rmtree(archive)
    keeper.restore()
    shutil.copytree(tmp_path / "backup" / "archive", archive)
    reason = ("--reason", "of Sunday's backup")
    assert workspace.run("repair", *reason, env=keeper.env).code == 0
    # Six accounts that the restored ledger has never heard of would be gone.
    held = sync(workspace, keeper, 40)
    assert held.code == 3
    assert "max_removed_accounts: 6 of 46 accounts that Lumos holds" in held.err
    assert len(workspace.accounts()) == 46
    done = sync(workspace, keeper, 46)
    assert done.code == 0, done.err
    assert sync(workspace, keeper, 45).code == 0
    assert len(workspace.accounts()) == 45

"""A PostgreSQL read with a Kerberos ticket, by the libpq that psycopg's own wheel brings along."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.kerberos_postgresql import Realm

pytest_plugins = ["tests.postgresql_server", "tests.kerberos_postgresql"]
pytestmark = pytest.mark.xdist_group("database_kerberos")

_PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from extractors.read import read_source
from schemas.errors import IngestError
from schemas.source_file.kinds.sql_source import SqlSource

options = eval(sys.argv[1])
sql = (
    "SELECT CASE WHEN encrypted THEN 'gss' ELSE 'plain' END || ' ' || coalesce(principal, 'nobody')"
    " AS integration_specific_id FROM pg_stat_gssapi WHERE pid = pg_backend_pid()"
)
source = SqlSource(kind="sql", queries={"list_accounts": sql}, **options)
try:
    raw = read_source(source, Path(), now=datetime.now(UTC))
    print(raw.accounts.rows["integration_specific_id"].item())
except IngestError as error:
    print(type(error).__name__, error)
"""


def read(
    realm: "Realm", cache: Path, host: str = "localhost", more: str = "", **options: object
) -> str:
    """What a process with the tickets in `cache` says: how it got in, or in one line why not."""
    given = {"url": f"postgresql://{host}:{realm.port}/postgres{more}", "kerberos": True}
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM, repr(given | options)],
        env=realm.environment(cache),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("\n") == 1
    return ran.stdout.strip()


def test_a_ticket_logs_in_and_encrypts(realm: "Realm", tmp_path: Path) -> None:
    realm.get_ticket("lumos", tmp_path / "tickets")
    said = read(realm, tmp_path / "tickets", username="lumos")
    assert said == "gss lumos@TEST.EXAMPLE"


def test_a_ticket_logs_in_where_the_url_wants_no_encryption_by_it(
    realm: "Realm", tmp_path: Path
) -> None:
    realm.get_ticket("other", tmp_path / "tickets")
    said = read(realm, tmp_path / "tickets", more="?gssencmode=disable", username="other")
    assert said == "plain other@TEST.EXAMPLE"


def test_no_ticket_is_one_line(realm: "Realm", tmp_path: Path) -> None:
    for user in ("lumos", "other"):
        said = read(realm, tmp_path / "none", username=user)
        assert said.startswith("ConfigError")
        assert "kinit" in said


def test_a_ticket_of_somebody_else_is_one_line(realm: "Realm", tmp_path: Path) -> None:
    realm.get_ticket("lumos", tmp_path / "tickets")
    said = read(realm, tmp_path / "tickets", more="?gssencmode=disable", username="other")
    assert said.startswith("ConfigError")
    assert "klist" in said


def test_a_server_that_asks_for_no_ticket_is_not_taken_at_its_word(
    realm: "Realm", tmp_path: Path
) -> None:
    realm.get_ticket("other", tmp_path / "tickets")
    said = read(realm, tmp_path / "tickets", more="?gssencmode=disable", username="trusted")
    assert said.startswith("ConfigError")
    assert "pg_hba.conf" in said


def test_a_host_that_kerberos_does_not_know_is_one_line(realm: "Realm", tmp_path: Path) -> None:
    realm.get_ticket("other", tmp_path / "tickets")
    said = read(realm, tmp_path / "tickets", "127.0.0.1", username="other")
    assert said.startswith("ConfigError")
    assert "postgres/HOST" in said

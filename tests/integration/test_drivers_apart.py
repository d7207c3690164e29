"""Databricks's connector and IBM's DB2 driver, which are told what we make of URLs: no server.

Both run in a process of their own (`tests.driver_probe`): they are too large for our environment.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from extractors.sql.statements.statement import Bound, Statement
from tests.recorded.databricks.answers import SHAPES

pytest_plugins = ["tests.snowflake_emulator"]
Probe = Callable[..., Any]


@pytest.fixture(scope="module")
def probe(emulators_python: Path) -> Probe:
    site = next(emulators_python.parents[1].glob("lib/python*/site-packages"))

    def probed(*words: str) -> Any:
        command = [sys.executable, "-m", "tests.driver_probe", site, *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert ran.returncode == 0, ran.stderr[-2000:]
        return json.loads(ran.stdout)

    return probed


@pytest.fixture(scope="module")
def databricks(probe: Probe) -> dict[str, Any]:
    return probe("databricks")


@pytest.fixture(scope="module")
def db2(probe: Probe) -> dict[str, Any]:
    return probe("db2")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def test_databricks_s_own_dialect_makes_of_the_url_what_the_url_says(databricks: Any) -> None:
    assert databricks["arguments"] == {
        "server_hostname": "h.example",
        "http_path": "/sql/1.0/warehouses/w",
        "access_token": None,
        "catalog": "main",
        "schema": "raw",
        "use_inline_params": False,
        "user_agent_entry": "lumos",
        "_disable_pandas": True,
        "_socket_timeout": 15,
    }


def test_databricks_s_own_dialect_compiles_the_built_in_queries_to_what_they_are(
    databricks: Any,
) -> None:
    names = ("list_accounts", "list_entitlements", "list_resources")
    assert databricks["compiled"] == dict.fromkeys((*names, "find_entitlement_associations"), True)


@pytest.mark.parametrize("driver", ["databricks", "db2"])
def test_a_driver_apart_takes_our_marks_and_has_the_cursor_that_we_use(
    driver: str, request: pytest.FixtureRequest
) -> None:
    found = request.getfixturevalue(driver)
    statement = Statement("get_account", "", ("SELECT ", Bound("account_id")), is_query=True)
    marks = {"databricks": "SELECT :account_id", "db2": "SELECT ?"}
    assert statement.rendered(found["paramstyle"]) == marks[driver]
    needed = {"execute", "fetchmany", "fetchone", "close", "description"}
    assert needed <= set(found["cursor"])


def test_databricks_s_connector_hands_over_what_is_recorded(databricks: Any) -> None:
    assert databricks["row"] == ["Row", True]
    assert databricks["rows"] == [[repr(cell) for cell in row] for row in SHAPES.rows]
    assert databricks["texts"][5] == ['["a","b"]', None]


def test_db2_s_driver_is_told_all_that_its_own_dialect_would_and_more(db2: Any) -> None:
    ours, theirs = (
        {name.upper(): value for name, _, value in (one.partition("=") for one in told.split(";"))}
        for told in (db2["told"], db2["theirs"])
    )
    assert theirs.items() <= ours.items()
    assert {name: ours[name] for name in set(ours) - set(theirs)} == {
        "CONNECTTIMEOUT": "15",
        "RECEIVETIMEOUT": "1800",
        "CLIENTAPPLNAME": "lumos-ingest",
    }
    assert db2["schema"] == "APP"


def test_db2_s_own_dialect_still_cuts_a_password_which_is_why_we_do_without(db2: Any) -> None:
    assert db2["password_of_theirs"] == "a;"


def test_a_db2_server_that_is_not_there_is_one_line_of_ours(probe: Probe, free_port: int) -> None:
    refused, unknown, missing = probe(
        "dead",
        f"jdbc:db2://127.0.0.1:{free_port}/hr:",
        "jdbc:db2://no.such.host.invalid:50000/hr:",
        f"jdbc:db2://127.0.0.1:{free_port}/hr:sslConnection=true;sslCertLocation=/no.pem;",
    )
    for kind, line, seconds, is_bare in (refused, unknown, missing):
        assert kind == "SourceUnavailableError", line
        assert "\n" not in line
        assert "c4nary" not in line
        assert seconds < 20
        assert is_bare
    assert refused[1].startswith("127.0.0.1/hr: cannot be reached (SQLSTATE 08001, error 30081)")
    assert "08001, error 1336" in unknown[1]
    assert "HY507" in missing[1]


def test_a_login_of_db2_ends_in_time_where_the_server_says_nothing(probe: Probe) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        [(kind, line, seconds, _)] = probe("dead", f"jdbc:db2://127.0.0.1:{port}/hr:")
    assert kind == "SourceUnavailableError", line
    assert seconds <= 10


def test_the_lock_of_what_lives_apart_has_exact_versions_and_no_address() -> None:
    lock = Path(__file__).parents[1] / "emulators.lock"
    for line in lock.read_text().splitlines():
        assert "==" in line
        assert "://" not in line

"""A database of which only the changed accounts are read: the upload is that of a whole read."""

import re
import signal
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from terminal import Workspace
from test_killed import killed

from loaders.archive.archive import open_archive

COLUMNS = """
      SELECT id AS INTEGRATION_SPECIFIC_ID, mail AS email, given AS given_name,
      family AS family_name, state AS user_status, team AS "Team" FROM people"""
SOURCE = f"""
app: {{name: HR Portal, create: {{category: HR & Learning, description: Internal HR portal}}}}
source:
  kind: sql
  url: sqlite:///hr.db
  timezone: UTC
  delta: {{}}
  queries:
    list_accounts: >{COLUMNS}
    list_updated_accounts: >{COLUMNS} WHERE changed_at >= {{since}}
    list_entitlements: >
      SELECT 'R1' AS integration_specific_id, '' AS integration_specific_resource_id,
      'ROLE' AS entitlement_type, 'Reader' AS label
    find_entitlement_associations: >
      SELECT id AS account_id, 'R1' AS integration_specific_entitlement_id,
      '' AS integration_specific_resource_id FROM people WHERE team = 'Ops'
guards: {{max_removed_accounts: 100%, max_removed_associations: 100%}}
upload: {{poll: {{every: 0.1s, give_up_after: 60s}}}}
"""
WHOLE = SOURCE.replace("  delta: {}\n", "").replace("HR Portal,", "HR Portal whole,")


@pytest.fixture
def people(workspace: Workspace) -> Iterator[sqlite3.Connection]:
    """The table, as its owner writes to it."""
    with sqlite3.connect(workspace.path / "hr.db", isolation_level=None) as connection:
        connection.execute(
            "CREATE TABLE people (id TEXT, mail TEXT, given TEXT, family TEXT, state TEXT, "
            "team TEXT, changed_at TEXT)"
        )
        for n in range(1, 31):
            put(connection, f"{n:05}", team="Ops" if n % 2 else None)
        connection.execute("UPDATE people SET changed_at = '2026-01-01 00:00:00'")
        workspace.source(SOURCE)
        workspace.source(WHOLE, "whole")
        yield connection
    connection.close()


def put(people: sqlite3.Connection, one: str, **more: object) -> None:
    person = {"mail": f"{one}@example.com", "given": "G", "family": "F", "state": "ACTIVE"} | more
    people.execute("DELETE FROM people WHERE id = ?", [one])
    people.execute(
        "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, ?)",
        [one, *map(person.get, ("mail", "given", "family", "state", "team")), now()],
    )


def now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"


def hashes(workspace: Workspace) -> dict[str, str]:
    """By source: the hash of the accounts that it uploaded last."""
    with sqlite3.connect(workspace.path / ".lumos-ingest" / "ledger.db") as ledger:
        found = dict(
            ledger.execute(
                "SELECT source, content_hash FROM ledger_runs WHERE state = 'done' ORDER BY number"
            )
        )
    ledger.close()
    return found


def said(workspace: Workspace, *words: str) -> str:
    ran: Any = workspace.run(*words)
    assert ran.code == 0, ran.err
    return str(ran.err)


def memories(workspace: Workspace) -> list[Path]:
    return sorted((workspace.path / ".lumos-ingest").rglob("memory*.parquet"))


def test_the_second_night_reads_what_changed_and_uploads_what_a_whole_read_does(
    workspace: Workspace, people: sqlite3.Connection
):
    assert "all of 30 accounts read" in said(workspace, "sync", "hr")
    said(workspace, "sync", "whole")
    first = hashes(workspace)
    assert first["hr"] == first["whole"]

    put(people, "00001", team="Sales", mail=None)
    people.execute("DELETE FROM people WHERE id = '00003'")
    put(people, "00031", team="Ops")
    assert killed(workspace, "stage:checking the rows") == -signal.SIGKILL
    workspace.fault("job_fails*1")
    assert workspace.run("sync", "hr").code == 1
    kept = memories(workspace)
    assert "2 changed, 1 gone" in said(workspace, "preview", "hr")
    assert memories(workspace) == kept
    assert all(one.stat().st_mode & 0o077 == 0 for one in kept)

    night = said(workspace, "sync", "hr")
    assert "accounts: 30 ids; 2 changed, 1 gone since, on top of all that was read on" in night
    said(workspace, "sync", "whole")
    second = hashes(workspace)
    assert second["hr"] == second["whole"] != first["hr"]
    # Within the overlap the same changes are told again.
    assert "30 ids; 2 changed, 0 gone" in said(workspace, "sync", "hr")


@pytest.mark.usefixtures("people")
def test_what_a_source_of_another_kind_left_is_not_gone_on_from(workspace: Workspace):
    said(workspace, "sync", "hr")
    [marks] = [one for one in memories(workspace) if one.name == "memory.parquet"]
    of_ldap = pl.read_parquet(marks).with_columns(pl.col("value").replace("sql", "ldap"))
    archive = open_archive(str(marks.parents[2]))
    archive.save_frame("hr", marks.parent.name, "memory", of_ldap)
    night = said(workspace, "sync", "hr")
    assert "it was of another kind before" in night
    assert "all of 30 accounts read" in night


@pytest.mark.usefixtures("people")
def test_a_check_describes_the_query_of_the_changed(workspace: Workspace):
    said(workspace, "check", "hr")
    workspace.source(re.sub(r"(updated_accounts: >\s+SELECT id AS) \w+", r"\1 nr", SOURCE))
    ran = workspace.run("check", "hr")
    assert ran.code == 1
    assert "list_updated_accounts" in ran.err
    assert "integration_specific_id" in ran.err

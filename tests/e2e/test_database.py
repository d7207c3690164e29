"""A database reaches Lumos: its queries in a source file, the commands as a person types them."""

import re
import sqlite3
from pathlib import Path

import pytest
from terminal import Workspace

from schemas.source_file import to_source

SOURCE = """
app: {name: HR Portal, create: {category: HR & Learning, description: Internal HR portal}}
source:
  kind: sql
  url: jdbc:sqlite:hr.db
  queries:
    validate_credentials: SELECT 1
    list_accounts: {file: queries/accounts.sql}
    get_account: >
      SELECT id AS integration_specific_id, mail AS email FROM people WHERE id = {account_id}
    list_entitlements: >
      SELECT id AS integration_specific_id, '' AS integration_specific_resource_id,
      'ROLE' AS entitlement_type, label AS label, assignable AS is_assignable FROM roles
    find_entitlement_associations: >
      SELECT who AS account_id, what AS integration_specific_entitlement_id,
      '' AS integration_specific_resource_id FROM grants;
upload: {poll: {every: 0.1s, give_up_after: 60s}}
"""

ACCOUNTS = """
SELECT id AS INTEGRATION_SPECIFIC_ID, mail AS email, given AS given_name, family AS family_name,
    state AS user_status, team AS "Team" FROM people;
"""


@pytest.fixture
def database(workspace: Workspace) -> Workspace:
    (workspace.path / "queries").mkdir()
    (workspace.path / "queries" / "accounts.sql").write_text(ACCOUNTS, "utf-8")
    with sqlite3.connect(workspace.path / "hr.db") as connection:
        connection.executescript("""
            CREATE TABLE people (id INTEGER, mail TEXT, given TEXT, family TEXT, state TEXT,
                team TEXT);
            INSERT INTO people VALUES (1, 'zoe@example.com', 'Zoë', 'Moreau', 'ACTIVE', 'Ops'),
                (2, NULL, 'Sam', 'Okafor', 'INACTIVE', NULL);
            CREATE TABLE roles (id TEXT, label TEXT, assignable INTEGER);
            INSERT INTO roles VALUES ('R1', 'Reader', 1), ('R2', 'Writer', 0);
            CREATE TABLE grants (who INTEGER, what TEXT);
            INSERT INTO grants VALUES (1, 'R1'), (1, 'R2'), (2, 'R1');
        """)
    connection.close()
    workspace.source(SOURCE)
    return workspace


def test_every_account_of_a_database_arrives_with_its_permissions(database: Workspace):
    said = database.run("sync", "hr", "--json")
    assert said.code == 0, said.err
    held = database.accounts()
    assert {one: account["status"] for one, account in held.items()} == {
        "1": "ACTIVE",
        "2": "SUSPENDED",
    }
    assert [one["name"] for one in held["1"]["permissions"]] == ["Reader", "Writer"]
    assert held["1"]["attributes"] == [{"type": "Team", "name": "Ops"}]


def test_a_query_with_a_typo_is_one_line_and_uploads_nothing(database: Workspace):
    (database.path / "queries" / "accounts.sql").write_text("SELECT id FROM poeple", "utf-8")
    said = database.run("sync", "hr")
    assert said.code == 1
    assert "list_accounts (queries/accounts.sql): refused (SQLITE_ERROR: no such table: poeple" in (
        said.err
    )
    assert database.stats()["uploads"] == 0


def test_a_query_that_writes_is_a_wrong_source_file(database: Workspace):
    (database.path / "queries" / "accounts.sql").write_text("DELETE FROM people", "utf-8")
    said = database.run("sync", "hr")
    assert said.code == 2
    assert "only reads are sent" in said.err


def test_a_check_names_the_columns_and_what_could_be_written(database: Workspace):
    said = database.run("check", "hr", "--privileges", "--json")
    assert said.code == 0, said.err
    [source] = said.document["sources"].values()
    assert any("list_accounts (queries/accounts.sql), 6 columns" in one for one in source["facts"])
    assert any("the account could write: hr.db: the file" in one for one in source["notes"])


def test_a_check_reads_one_account_by_its_id(database: Workspace):
    said = database.run("check", "hr", "--account", "1")
    assert said.code == 0, said.err
    assert "get_account: the account is there" in said.out
    assert "zoe@example.com" not in said.out + said.err
    gone = database.run("check", "hr", "--account", "77")
    assert gone.code == 1
    assert "get_account: returned 0 rows for this id, not one" in gone.err


def test_every_example_of_the_guide_is_a_source_file():
    text = (Path(__file__).parents[2] / "docs" / "databases.md").read_text("utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        head = "" if example.startswith("app:") else "app: {name: HR}\n"
        assert to_source(head + example, "hr", "hr.yaml").file.source.kind == "sql"

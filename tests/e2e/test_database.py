"""A database reaches Lumos: its queries in a source file, the commands as a person types them."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from terminal import Said, Workspace

from schemas.source_file.file import to_source

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


def one_line(said: Said) -> str:
    """All that stands on stderr but notes on the stages of a run: what went wrong."""
    lines = [line for line in said.err.splitlines() if not re.match(r"(INFO|WARNING)\b", line)]
    assert len(lines) == 1, said.err
    assert "Traceback" not in said.err + said.out
    return lines[0]


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


ID = "integration_specific_id"
WRONG_QUERIES = {
    "a typo": ("SELECT id FORM people WHERE", 1, "refused (SQLITE_ERROR, at people): correct"),
    "a missing table": ("SELECT id FROM poeple", 1, "SQLITE_ERROR, at poeple): check the name"),
    "a write": ("DELETE FROM people", 2, "only reads are sent"),
    "a missing label": ("SELECT mail FROM people", 1, f"no column label {ID}; it has mail"),
    "two columns with one label": (f"SELECT id AS {ID}, mail AS {ID} FROM people", 1, "with AS"),
    "no rows": (f"SELECT id AS {ID} FROM people WHERE id = 7", 1, "returned no row"),
    "no end": (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT max(i) AS {ID} FROM n",
        1,
        "cancelled before it ended (SQLITE_INTERRUPT",
    ),
    "a bad value": (
        f"SELECT json_extract(mail, '$') AS {ID} FROM people",
        1,
        "refused (SQLITE_ERROR): a value in the rows",
    ),
}
UNSEEN = {"two columns with one label", "no rows", "no end", "a bad value"}
"""What a check, which describes the queries and runs none, cannot know of an SQLite."""


@pytest.mark.parametrize(
    ("command", "wrong"),
    [(command, one) for one in WRONG_QUERIES for command in ("check", "preview", "sync")],
)
def test_a_wrong_query_is_one_line_and_uploads_nothing(
    database: Workspace, command: str, wrong: str
):
    sql, code, words = WRONG_QUERIES[wrong]
    (database.path / "queries" / "accounts.sql").write_text(sql, "utf-8")
    database.source(SOURCE.replace("  queries:", "  statement_timeout: 1s\n  queries:"))
    said = database.run(command, "hr")
    assert database.stats()["uploads"] == 0
    if command == "check" and wrong in UNSEEN:
        assert said.code == 0, said.err
        return
    assert said.code == code
    assert "list_accounts (queries/accounts.sql): " in one_line(said)
    assert (": sources/hr.yaml:" in one_line(said)) == (code == 2)
    assert words in one_line(said)


SQLITE = "url: jdbc:sqlite:hr.db"
MYSQL = "url: mysql://127.0.0.1:1/hr"
JDBC = "driver: jdbc\n  url: jdbc:postgresql://127.0.0.1:1/hr"
WRONG_PLACES = {
    "a closed port": ("url: postgresql://127.0.0.1:1/hr", 1, "cannot be reached"),
    "an unknown host": ("url: mysql://no.such.host.invalid/hr", 1, "is not known"),
    "no file": ("url: sqlite:///none.db", 2, "none.db: no such file: check the path"),
    "a file that is no database": ("url: sqlite:///sources/hr.yaml", 2, "file is not a database"),
    "a secret that is not there": (
        "url: mysql://127.0.0.1:1/hr\n  password: {env: NOWHERE}",
        2,
        "NOWHERE",
    ),
    "a password in the url": ("url: postgresql://jo:canary-1@h/hr", 2, "password"),
    "a dsn that is not there": ("driver: odbc\n  dsn: no_such_dsn", 2, "no such DSN or driver"),
    "no jar": (f"{JDBC}\n  jars: []", 2, "source.jars: driver: jdbc needs the jars"),
    "a jar that is not there": (f"{JDBC}\n  jars: [no.jar]", 2, "no.jar is no file"),
    "a jar without a driver": (f"{JDBC}\n  jars: [empty.jar]", 2, "none of the jars holds a"),
}


@pytest.mark.parametrize("command", ["check", "sync"])
@pytest.mark.parametrize("wrong", WRONG_PLACES)
def test_a_database_that_cannot_be_opened_is_one_line(
    database: Workspace, command: str, wrong: str
):
    place, code, words = WRONG_PLACES[wrong]
    if wrong == "a jar without a driver" and not shutil.which("java"):
        if os.environ.get("CI"):
            pytest.fail("missing: java (Debian: default-jre-headless)")
        pytest.skip("missing: java (Debian: default-jre-headless)")
    with ZipFile(database.path / "empty.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    database.source(SOURCE.replace(SQLITE, place))
    said = database.run(command, "hr")
    assert said.code == code, said.err
    assert words in one_line(said)
    assert "canary-1" not in said.err + said.out
    assert database.stats()["uploads"] == 0


def test_a_missing_java_is_named(database: Workspace):
    (database.path / "some.jar").write_bytes(b"")
    database.source(SOURCE.replace(SQLITE, f"{JDBC}\n  jars: [some.jar]"))
    said = database.run("sync", "hr", env={"PATH": "/nowhere"})
    assert said.code == 2
    assert "needs Java 11 or later, and there is no program java" in one_line(said)


@pytest.mark.parametrize(
    ("hidden", "place", "command"),
    [
        ("pymysql", "url: mysql://127.0.0.1:1/hr", "pip install '.[mysql]'"),
        ("duckdb", "url: duckdb:///hr.db", "pip install '.[duckdb]'"),
        ("oracledb", "url: oracle://127.0.0.1:1/hr", "pip install '.[oracle]'"),
        ("snowflake", "url: snowflake://account/hr", "pip install '.[snowflake]'"),
    ],
)
def test_a_missing_driver_is_named_with_the_command_that_installs_it(
    database: Workspace, hidden: str, place: str, command: str
):
    database.source(SOURCE.replace(SQLITE, place))
    program = f"import sys; sys.modules[{hidden!r}] = None; from flows.cli.main import main; main()"
    words = [sys.executable, "-c", program, "sync", "hr", "--workspace", str(database.path)]
    token = {"LUMOS_API_URL": database.sandbox.url, "LUMOS_API_TOKEN": database.sandbox.token}
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, **token}
    )
    assert done.returncode == 2, done.stderr
    assert command in one_line(Said(done.returncode, done.stdout, done.stderr))
    assert database.stats()["uploads"] == 0


def test_a_check_names_the_columns_and_what_could_be_written(database: Workspace):
    said = database.run("check", "hr", "--privileges", "--json")
    assert said.code == 0, said.err
    [source] = said.document["sources"].values()
    assert any("list_accounts (queries/accounts.sql), 6 columns" in one for one in source["facts"])
    assert any("the account could write: hr.db: the file" in one for one in source["notes"])


def test_a_check_tells_a_slip_of_the_hand_and_a_query_that_nothing_reads(database: Workspace):
    slip = ACCOUNTS.replace("AS email", "AS emial")
    (database.path / "queries" / "accounts.sql").write_text(slip, "utf-8")
    updated = "  queries:\n    list_updated_accounts: SELECT 1 AS integration_specific_id\n"
    database.source(SOURCE.replace("  queries:\n", updated))
    said = database.run("check", "hr")
    assert said.code == 0, said.err
    assert "column 'emial' becomes an attribute; did you mean email?" in said.out
    assert "'Team'" not in said.out
    assert "list_updated_accounts is read where the source says delta" in said.out


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
    assert len(examples) == 4
    for example in examples:
        head = "" if example.startswith("app:") else "app: {name: HR}\n"
        assert to_source(head + example, "hr", "hr.yaml").file.source.kind == "sql"

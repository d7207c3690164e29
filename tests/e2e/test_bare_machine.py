"""A machine that has less: no unixODBC, no Kerberos, no driver that nobody asks for.

A package that cannot be loaded is a module of its name that fails as the real one does there.
"""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from terminal import SOURCE, Workspace, rows

NO_LIBRARY = "{}: cannot open shared object file: No such file or directory"

SQLITE = SOURCE.replace(
    "source: {kind: csv, accounts: exports/hr.csv}",
    "source: {kind: sql, url: 'sqlite:///hr.db', queries: {list_accounts: SELECT * FROM people}}",
)
PARTS = {
    "asyncssh", "dns", "duckdb", "gssapi", "ldap3", "mssql_python", "obstore", "oracledb",
    "prefect", "psycopg", "pymongo", "pymysql", "pyodbc", "snowflake", "sqlglot",
}  # fmt: skip


def lacking(workspace: Path, **reasons: str) -> str:
    """A folder for PYTHONPATH, from which these modules raise what they raise there."""
    folder = workspace / "lacking"
    folder.mkdir()
    for module, reason in reasons.items():
        (folder / f"{module}.py").write_text(f"raise {reason}\n", "utf-8")
    return str(folder)


def run(
    workspace: Workspace, *words: str, program: str = "", path: str = ""
) -> subprocess.CompletedProcess[str]:
    """Types `lumos-ingest WORDS` in a process of its own, which runs `program` at its end."""
    env = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    typed = f"import atexit, sys\nfrom flows.cli.main import main\n{program}\nmain()"
    return subprocess.run(
        [sys.executable, "-c", typed, *words, "--workspace", workspace.path],
        env={
            **env,
            "LUMOS_API_URL": workspace.sandbox.url,
            "LUMOS_API_TOKEN": workspace.sandbox.token,
            "PYTHONPATH": path,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def make_database(workspace: Workspace) -> None:
    workspace.source(SQLITE)
    with sqlite3.connect(workspace.path / "hr.db") as connection:
        connection.executescript("""
            CREATE TABLE people (id TEXT, email TEXT, given TEXT, family TEXT, state TEXT,
                team TEXT, roles TEXT);
            INSERT INTO people VALUES ('a0001', 'ada@example.com', 'Ada', 'Adler', 'ACTIVE', 'Ops',
                'Reader');
        """)
    connection.close()


def loaded_by(workspace: Workspace) -> set[str]:
    """The optional parts that a sync of the source has loaded."""
    said = f"atexit.register(lambda: print(*sorted({PARTS} & set(sys.modules)), file=sys.stderr))"
    done = run(workspace, "sync", "hr", program=said)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def test_a_csv_source_loads_no_driver(workspace: Workspace) -> None:
    workspace.export(*rows(2))
    assert loaded_by(workspace) == set()


def test_a_sqlite_source_loads_no_driver_but_its_own(workspace: Workspace) -> None:
    make_database(workspace)
    assert loaded_by(workspace) <= {"sqlglot"}


def test_sqlite_is_read_where_no_driver_can_be_loaded(workspace: Workspace) -> None:
    make_database(workspace)
    done = run(workspace, "sync", "hr", path=lacking(workspace.path, **REASONS))
    assert done.returncode == 0, done.stderr
    assert list(workspace.accounts()) == ["a0001"]


EXTRA = "in the checkout of lumos-ingest"
LACKING = {
    "source: {kind: sql, driver: odbc, dsn: hr, queries: {list_accounts: SELECT 1}}": (
        "source.driver: odbc needs the system's libodbc.so.2, which is missing: install unixODBC "
        "(Debian, Ubuntu: unixodbc; Red Hat: unixODBC)"
    ),
    "source: {kind: sql, url: 'mssql://127.0.0.1:1', queries: {list_accounts: SELECT 1}}": (
        "source.url: mssql+pyodbc needs the system's libodbc.so.2, which is missing: install"
    ),
    "source: {kind: ldap, host: x, authentication: gssapi, base_dn: dc=x}": (
        "source.authentication: gssapi needs the system's libgssapi_krb5.so.2, which is missing: "
        "install Kerberos (Debian, Ubuntu: libgssapi-krb5-2; Red Hat: krb5-libs)"
    ),
    "source: {kind: sql, url: 'postgresql://127.0.0.1:1', queries: {list_accounts: SELECT 1}}": (
        "source.url: postgresql+psycopg needs a package that cannot be loaded (no pq wrapper "
        f"available.): pip install '.[postgresql]' {EXTRA}"
    ),
    "source: {kind: sql, url: 'duckdb:///hr.db', queries: {list_accounts: SELECT 1}}": (
        "source.url: duckdb needs the system's libmade-up.so.1, which is missing: install the "
        "system's package that has it"
    ),
    "source: {kind: sql, discover: mongodb, url: 'mongodb://127.0.0.1:1'}": (
        "source.discover: mongodb needs the package bson, which is not installed: pip install "
        f"'.[mongodb]' {EXTRA}"
    ),
    "source: {kind: csv, accounts: 'sftp://x@x/hr.csv', "
    "sftp: {known_hosts: x, private_key: {env: X}}}": (
        "an sftp:// URL needs the package asyncssh, which is not installed: pip install "
        f"'.[sftp]' {EXTRA}"
    ),
}
"""A source, and what is said of it on a machine without `REASONS`."""
REASONS = {
    "pyodbc": f"ImportError({NO_LIBRARY.format('libodbc.so.2')!r})",
    "gssapi": f"ImportError({NO_LIBRARY.format('libgssapi_krb5.so.2')!r})",
    "duckdb": f"ImportError({NO_LIBRARY.format('libmade-up.so.1')!r})",
    "psycopg": """ImportError("no pq wrapper available.\\n- couldn't import psycopg's 'c'")""",
    "pymongo": """ModuleNotFoundError("No module named 'bson'", name="bson")""",
    "asyncssh": """ModuleNotFoundError("No module named 'asyncssh'", name="asyncssh")""",
}


def test_one_line_a_source_says_what_to_install_for_it(workspace: Workspace) -> None:
    (workspace.path / "sources" / "hr.yaml").unlink()
    for number, source in enumerate(LACKING):
        text = SOURCE.replace("source: {kind: csv, accounts: exports/hr.csv}", source)
        workspace.source(text.replace("HR Portal", f"App {number}"), f"s{number}")
    done = run(workspace, "check", path=lacking(workspace.path, **REASONS))
    assert done.returncode == 2, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(LACKING), done.stderr
    for line, words in zip(lines, LACKING.values(), strict=True):
        assert words in line

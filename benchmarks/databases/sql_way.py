"""Ours: one query of a database into a frame of text, by one way."""

import sys
from pathlib import Path

import flows  # noqa: F401 - its memory settings are the product's
from extractors.sql.connect.connect import open_session
from extractors.sql.drivers.cursor import CursorSession
from extractors.sql.session.session import NO_VALUES
from extractors.sql.statements.statement import Statement
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import no_secrets

QUERY = "SELECT * FROM accounts"


def main() -> None:
    """`python -m benchmarks.databases.sql_way fastest|cursor URL-OR-CONNECTION-STRING`."""
    way, place = sys.argv[1:]
    where = {"url": place} if "://" in place else {"driver": "odbc", "dsn": place}
    source = SqlSource(kind="sql", queries={"list_accounts": QUERY}, **where)
    statement = Statement("list_accounts", "list_accounts", (QUERY,), is_query=True)
    with open_session(source, Path(), no_secrets) as session:
        if way == "cursor" and isinstance(session, CursorSession):
            rows = session.read_by_cursor(statement, NO_VALUES).rows
        else:
            rows = session.read(statement).rows
    print(f"{rows.height} rows, {rows.hash_rows().sum()}")


if __name__ == "__main__":
    main()

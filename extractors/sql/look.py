"""What a database has, for whoever writes a source file: its tables, and rows of one of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from sqlalchemy.engine.default import DefaultDialect

from extractors.sql.connect.connect import database_of, open_session
from extractors.sql.session.session import Session
from extractors.sql.statements.statement import Statement
from extractors.text_rows import REJECTED, raw_table
from schemas.look import TableColumns
from schemas.raw import RawTable
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import Resolve
from schemas.tables import ROW

_MOST_ROWS = 5000
_SQLITE = """
SELECT '' AS place, m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid
"""
_ORACLE = """
SELECT c.owner, c.table_name, c.column_name FROM all_tab_columns c
JOIN all_users u ON u.username = c.owner WHERE u.oracle_maintained = 'N'
ORDER BY c.owner, c.table_name, c.column_id
"""
_USUAL = """
SELECT table_schema, table_name, column_name FROM information_schema.columns
WHERE LOWER(table_schema) NOT IN
    ('information_schema', 'pg_catalog', 'mysql', 'performance_schema', 'sys')
ORDER BY table_schema, table_name, ordinal_position
"""
_CATALOGUES = {"sqlite": _SQLITE, "oracle": _ORACLE}
_USUAL_SCHEMAS = {"postgresql": "public", "mssql": "dbo", "duckdb": "main", "h2": "PUBLIC"}
"""By engine: the schema that a name without one is of."""


@contextmanager
def opened_look(
    options: DatabaseOptions, workspace: Path, resolve: Resolve
) -> Iterator["DatabaseLook"]:
    """Opens the database; `extractors.look` says what it raises."""
    database = database_of(options)
    with open_session(options, workspace, resolve) as session:
        yield DatabaseLook(session, database.url.database)


class DatabaseLook:
    """A database that is looked at.

    Attributes:
        engine: postgresql, mysql, mariadb, sqlite and so on.
    """

    def __init__(self, session: Session, database: str | None) -> None:
        self.engine = session.engine
        self._session = session
        own = {"mysql": database, "mariadb": database}
        self._usual_schema = own.get(session.engine) or _USUAL_SCHEMAS.get(session.engine, "")

    def tables(self) -> list[TableColumns]:
        """Returns the tables and views that the account sees, without the engine's own.

        Raises:
            SourceFormatError: the catalogue is refused.
        """
        rows = self._read("tables", _CATALOGUES.get(self.engine, _USUAL)).rows()
        columns: dict[tuple[str, str], list[str]] = {}
        for schema, table, column in rows:
            columns.setdefault((schema or "", table), []).append(column)
        in_one = {key: names for key, names in columns.items() if key[0] == self._usual_schema}
        is_mysql = self.engine in {"mysql", "mariadb"} and self._usual_schema
        kept = in_one if is_mysql else columns
        return [TableColumns(*key, tuple(names)) for key, names in kept.items()]

    def name_of(self, table: TableColumns) -> str:
        """Returns the table's name as SQL has it."""
        is_usual = table.schema in {"", self._usual_schema}
        parts = (table.name,) if is_usual else (table.schema, table.name)
        return ".".join(map(self.quoted, parts))

    def quoted(self, name: str) -> str:
        """Returns a name as SQL has it, in the engine's quotes where it needs them."""
        is_mysql = self.engine in {"mysql", "mariadb", "databricks"}
        is_folded_up = self.engine in {"oracle", "snowflake", "h2", "db2"}
        plain = name.lower() if is_folded_up and name.isupper() else name
        if not is_mysql and DefaultDialect().identifier_preparer.quote(plain) == plain:
            return plain
        mark = "`" if is_mysql else '"'
        return f"{mark}{name.replace(mark, mark * 2)}{mark}"

    def sample(self, table: TableColumns) -> RawTable:
        """Returns the first rows of a table.

        Raises:
            SourceFormatError: it may not be read.
        """
        names, place = ", ".join(map(self.quoted, table.columns)), self.name_of(table)
        top = f"TOP {_MOST_ROWS} " if self.engine == "mssql" else ""
        query = f"SELECT {top}{names} FROM {place}"  # noqa: S608 - all names are quoted
        if self.engine in {"oracle", "db2"}:
            query += f" FETCH FIRST {_MOST_ROWS} ROWS ONLY"
        elif not top:
            query += f" LIMIT {_MOST_ROWS}"
        rows = self._read(place, query)
        rows.columns = list(table.columns)
        return raw_table("accounts", rows, place, pl.DataFrame(schema=REJECTED))

    def _read(self, what: str, sql: str) -> pl.DataFrame:
        statement = Statement(what, what, (sql,), is_query=True)
        rows = self._session.read(statement).rows
        return rows.drop(ROW) if ROW in rows.columns else rows

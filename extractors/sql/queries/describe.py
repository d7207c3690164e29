"""The labels of a query without its rows, for a look before the first sync."""

from extractors.sql.drivers.cursor import execute, labels_of, streaming_cursor
from extractors.sql.drivers.jdbc.session import read_jdbc
from extractors.sql.drivers.postgresql import describe
from extractors.sql.session.session import Session, run
from extractors.sql.statements.lexer import parts_of
from extractors.sql.statements.read_only import first_word
from extractors.sql.statements.statement import Statement

_LIMITED = {"mysql", "mariadb", "sqlite", "duckdb", "snowflake", "databricks"}
_NOTHING = dict.fromkeys(("since", "until", "account_id"))


def labels_without_rows(session: Session, statement: Statement) -> tuple[str, ...] | None:
    """The labels of the columns it would return; None where only running it could tell."""
    if session.by_psycopg:
        labels = tuple(name for name, _ in describe(session, statement))
        if statement.is_query and not statement.names:
            # To prepare a query is free to anyone; to plan it takes the right to read.
            plan = f"EXPLAIN {statement.rendered('dollar')}"
            session.translate_errors(statement, lambda: run(session.connection, plan))
        return labels
    if not statement.is_query:
        return None
    if _cannot_be_nested(statement.rendered("qmark"), session.engine):
        return None
    translate_errors = _without_rows(session, statement)
    if session.jdbc is not None:
        return (
            None if statement.names else read_jdbc(session.jdbc, translate_errors, _NOTHING).labels
        )

    def ask() -> tuple[str, ...]:
        cursor = streaming_cursor(session)
        try:
            execute(session, cursor, translate_errors, _NOTHING)
            return labels_of(cursor)
        finally:
            cursor.close()

    return session.translate_errors(statement, ask)


def _cannot_be_nested(sql: str, engine: str) -> bool:
    """T-SQL takes no ordered query in another, and neither it nor DB2 one that begins with WITH.

    Nor does DB2 take one that ends in WITH UR, FOR FETCH ONLY or OPTIMIZE FOR.
    """
    if engine == "db2":
        bare = " ".join(part for kind, part in parts_of(sql, engine) if kind == "sql")
        return bool({"WITH", "FOR"} & set(bare.upper().split()))
    from extractors.sql.statements.syntax import is_ordered

    return engine == "mssql" and (first_word(sql, engine) == "WITH" or is_ordered(sql, engine))


def _without_rows(session: Session, statement: Statement) -> Statement:
    is_limited = session.engine in _LIMITED and session.way == "native"
    return statement.within("*", " LIMIT 0" if is_limited else " WHERE 1 = 0")

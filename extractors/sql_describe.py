"""The labels of a query without its rows, for a look before the first sync."""

from extractors.sql_cursor import execute, labels_of, streaming_cursor
from extractors.sql_jdbc import read_jdbc
from extractors.sql_reading import first_word
from extractors.sql_session import Session, run
from extractors.sql_statements import Statement
from extractors.sql_text import parts_of

_LIMITED = {"mysql", "mariadb", "sqlite", "duckdb", "snowflake", "databricks"}
_NOTHING = dict.fromkeys(("since", "until", "account_id"))


def labels_without_rows(session: Session, statement: Statement) -> tuple[str, ...] | None:
    """The labels of the columns it would return; None where only running it could tell."""
    if session.by_psycopg:
        from extractors.sql_postgresql import describe

        labels = tuple(name for name, _ in describe(session, statement))
        if statement.is_query and not statement.names:
            # To prepare a query is free to anyone; to plan it takes the right to read.
            plan = f"EXPLAIN {statement.rendered('dollar')}"
            session.asked(statement, lambda: run(session.connection, plan))
        return labels
    if not statement.is_query:
        return None
    if _cannot_be_nested(statement.rendered("qmark"), session.engine):
        return None
    asked = _without_rows(session, statement)
    if session.jdbc is not None:
        return None if statement.names else read_jdbc(session.jdbc, asked, _NOTHING).labels

    def ask() -> tuple[str, ...]:
        cursor = streaming_cursor(session)
        try:
            execute(session, cursor, asked, _NOTHING)
            return labels_of(cursor)
        finally:
            cursor.close()

    return session.asked(statement, ask)


def _cannot_be_nested(sql: str, engine: str) -> bool:
    """T-SQL takes no ordered query in another, and neither it nor DB2 one that begins with WITH.

    Nor does DB2 take one that ends in WITH UR, FOR FETCH ONLY or OPTIMIZE FOR.
    """
    if engine == "db2":
        bare = " ".join(part for kind, part in parts_of(sql, engine) if kind == "sql")
        return bool({"WITH", "FOR"} & set(bare.upper().split()))
    from extractors.sql_trees import is_ordered

    return engine == "mssql" and (first_word(sql, engine) == "WITH" or is_ordered(sql, engine))


def _without_rows(session: Session, statement: Statement) -> Statement:
    is_limited = session.engine in _LIMITED and session.way == "native"
    return statement.within("*", " LIMIT 0" if is_limited else " WHERE 1 = 0")

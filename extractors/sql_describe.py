"""The labels of a query without its rows, for a look before the first sync."""

from extractors.sql_cursor import execute, labels_of, streaming_cursor
from extractors.sql_jdbc import read_jdbc
from extractors.sql_postgresql import describe
from extractors.sql_reading import first_word
from extractors.sql_session import Session
from extractors.sql_statements import Statement

_LIMITED = {
    "mssql": "SELECT TOP 0 * FROM (\n{}\n) q",
    "oracle": "SELECT * FROM (\n{}\n) WHERE 1 = 0",
    "db2": "SELECT * FROM (\n{}\n) q FETCH FIRST 0 ROWS ONLY",
}
_ELSEWHERE = "SELECT * FROM (\n{}\n) q LIMIT 0"


def labels_without_rows(session: Session, statement: Statement) -> tuple[str, ...] | None:
    """The labels of the columns it would return; None where only running it could tell."""
    if session.jdbc is not None and statement.is_query:
        asked = _without_rows(session.engine, statement)
        return read_jdbc(session.jdbc, asked, _NOTHING).labels
    if session.engine == "postgresql" and session.way == "native":
        return tuple(name for name, _ in describe(session, statement))
    if not statement.is_query or _cannot_be_nested(session.engine, statement):
        return None

    def ask() -> tuple[str, ...]:
        cursor = streaming_cursor(session)
        try:
            execute(session, cursor, _without_rows(session.engine, statement), _NOTHING)
            return labels_of(cursor)
        finally:
            cursor.close()

    return session.asked(statement, ask)


_NOTHING = dict.fromkeys(("since", "until", "account_id"))


def _cannot_be_nested(engine: str, statement: Statement) -> bool:
    """SQL Server takes no WITH inside of a subquery."""
    return engine == "mssql" and first_word(statement.rendered("qmark"), engine) == "WITH"


def _without_rows(engine: str, statement: Statement) -> Statement:
    before, after = _LIMITED.get(engine, _ELSEWHERE).split("{}")
    return Statement(
        statement.capability, statement.origin, (before, *statement.pieces, after), is_query=True
    )

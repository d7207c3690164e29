"""DB2: what is let through to be read, and what its driver's refusals mean. No server is here."""

from typing import Any

import pytest

from extractors.sql.errors.translate import ErrorContext, to_source_error
from extractors.sql.statements.read_only import why_not_a_read
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM t WITH UR",
        "SELECT id FROM t FETCH FIRST 5 ROWS ONLY WITH UR",
        "SELECT id FROM t FOR READ ONLY",
        "SELECT id FROM t OPTIMIZE FOR 10 ROWS",
        "SELECT id FROM t WHERE seen < CURRENT TIMESTAMP - 3 MONTHS",
        "WITH x AS (SELECT 1 AS id FROM sysibm.sysdummy1) SELECT id FROM x WITH CS",
        "VALUES CURRENT TIMESTAMP",
        "SELECT first CONCAT last FROM t",
    ],
)
def test_db2_s_own_words_are_read(sql: str) -> None:
    assert why_not_a_read(sql, "db2") is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM FINAL TABLE (INSERT INTO t VALUES (1))",
        "SELECT * FROM OLD TABLE (DELETE FROM t)",
        "SELECT * FROM NEW TABLE (UPDATE t SET a = 1) x",
        "SELECT id FROM t FOR UPDATE OF id",
        "SELECT id FROM t WITH RS USE AND KEEP EXCLUSIVE LOCKS",
        "SELECT id FROM t; DELETE FROM t",
        "SET CURRENT SCHEMA = X",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
    ],
)
def test_a_db2_statement_that_writes_or_locks_is_refused_before_it_is_sent(sql: str) -> None:
    assert why_not_a_read(sql, "db2") is not None


def _text(message: str, state: str, code: int) -> str:
    return f"[IBM][CLI Driver][DB2/LINUXX8664] {message}  SQLSTATE={state} SQLCODE={code}"


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        (
            _text('SQL0204N  "HR.NOWHERE" is an undefined name.', "42704", -204),
            SourceFormatError,
            ("SQLSTATE 42704, error 204, at hr.nowhere",),
        ),
        (
            _text("SQL0551N  The statement failed because the authorization", "42501", -551),
            SourceFormatError,
            ("42501", "right to read"),
        ),
        (
            _text("SQL0952N  Processing was cancelled due to an interrupt.", "57014", -952),
            SourceIncompleteError,
            ("57014", "statement_timeout"),
        ),
        (
            _text("SQL0911N  The current transaction has been rolled back", "40001", -911),
            SourceIncompleteError,
            ("40001",),
        ),
        (
            _text('SQL0420N  Invalid character "c4nary" in a number.', "22018", -420),
            SourceFormatError,
            ("22018",),
        ),
        (
            _text("SQL1224N  The database manager is not able to accept", "55032", -1224),
            SourceIncompleteError,
            ("1224",),
        ),
    ],
)
def test_a_refusal_of_db2_is_one_line_with_its_code(
    text: str, kind: type[IngestError], words: tuple[str, ...]
) -> None:
    error = to_source_error(RuntimeError(text), _asking(sql="SELECT * FROM hr.nowhere"))
    assert type(error) is kind
    assert all(word in str(error) for word in words), str(error)
    assert "c4nary" not in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        # SQLSTATE 08 says of these three the same
        (
            _text("SQL30082N  Security processing failed with reason 24", "08001", -30082),
            ConfigError,
            "login",
        ),
        (
            _text("SQL30061N  The database alias was not found", "08004", -30061),
            ConfigError,
            "30061",
        ),
        (
            _text("SQL30081N  A communication error has been detected.", "08001", -30081),
            SourceUnavailableError,
            "cannot be reached",
        ),
    ],
)
def test_db2_s_login_is_told_from_its_network(
    text: str, kind: type[IngestError], words: str
) -> None:
    error = to_source_error(RuntimeError(text), _asking(is_login=True))
    assert type(error) is kind
    assert words in str(error)


def _asking(**more: Any) -> ErrorContext:
    return ErrorContext("db2", (RuntimeError,), "list_accounts", **more)

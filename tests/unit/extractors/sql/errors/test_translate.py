"""What a driver complains of becomes one line of ours, by who acts next."""

from typing import Any

import pymysql
import pytest

from extractors.sql.errors.codes import Meaning
from extractors.sql.errors.translate import ErrorContext, error_of, to_source_error
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)


@pytest.mark.parametrize(
    ("meaning", "before", "after"),
    [
        ("login", ConfigError, ConfigError),
        ("database", ConfigError, ConfigError),
        ("tls", ConfigError, ConfigError),
        ("write", ConfigError, ConfigError),
        ("host", SourceUnavailableError, SourceUnavailableError),
        ("lost", SourceUnavailableError, SourceIncompleteError),
        ("busy", SourceUnavailableError, SourceIncompleteError),
        ("timeout", SourceUnavailableError, SourceIncompleteError),
        ("truncated", SourceIncompleteError, SourceIncompleteError),
        ("conflict", SourceIncompleteError, SourceIncompleteError),
        ("missing", SourceUnavailableError, SourceFormatError),
        ("other", SourceUnavailableError, SourceFormatError),
    ],
)
def test_the_error_says_who_acts_next(
    meaning: Meaning, before: type[IngestError], after: type[IngestError]
) -> None:
    for kind, is_login in ((before, True), (after, False)):
        problem = error_of("list_accounts", meaning, "SQLSTATE ZZ000", is_login=is_login)
        assert type(problem) is kind
        assert str(problem).startswith("list_accounts: ")
        assert "SQLSTATE ZZ000" in str(problem)
        assert "\n" not in str(problem)


@pytest.mark.parametrize(
    ("shows_certificate", "number", "kind"),
    [
        (True, 2006, ConfigError),
        (True, 2013, ConfigError),
        (True, 2003, SourceUnavailableError),
        (False, 2013, SourceUnavailableError),
    ],
)
def test_a_server_that_hangs_up_on_our_certificate_does_not_trust_it(
    shows_certificate: bool, number: int, kind: type[IngestError]
) -> None:
    """In TLS 1.3 its alert may come after the client has gone on to log in."""
    context = ErrorContext("mysql", (), "db/hr", is_login=True, shows_certificate=shows_certificate)
    problem = to_source_error(pymysql.err.OperationalError(number, "gone away"), context)
    assert type(problem) is kind
    assert ("wants a certificate of ours" in str(problem)) is (kind is ConfigError)


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


def test_what_is_wrong_at_a_key_of_the_source_file_names_it() -> None:
    for text, kind in (("no password supplied", ConfigError), ("gone", SourceUnavailableError)):
        context = ErrorContext("mysql", (), "source.dsn", is_login=True, key="source.dsn")
        error = to_source_error(RuntimeError(text), context)
        assert type(error) is kind
        assert error.key == "source.dsn"

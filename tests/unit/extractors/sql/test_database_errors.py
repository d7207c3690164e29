"""What SQLSTATEs and vendors' codes mean, and which of our errors they become."""

import pymysql
import pytest

from extractors.sql.errors.codes import Meaning, code_of, meaning_of
from extractors.sql.errors.translate import ErrorContext, error_of, to_source_error
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)


@pytest.mark.parametrize(
    ("engine", "sqlstate", "number", "expected"),
    [
        ("postgresql", "28P01", 0, "login"),
        ("postgresql", "3D000", None, "database"),
        ("postgresql", "42501", 0, "privilege"),
        ("postgresql", "42P01", 0, "missing"),
        ("postgresql", "57014", 0, "timeout"),
        ("postgresql", "57P01", 0, "lost"),
        ("postgresql", "53200", 0, "busy"),
        ("postgresql", "25006", 0, "write"),
        ("postgresql", "40001", 0, "conflict"),
        ("mysql", "HY000", 1045, "login"),
        ("mariadb", "42000", 1142, "privilege"),
        ("mariadb", "42000", 1064, "typo"),
        ("mariadb", "42000", 1049, "database"),
        ("sqlserver", "S0001", 18456, "login"),
        ("mssql", "42S02", 208, "missing"),
        ("oracle", "72000", 1017, "login"),
        ("oracle", "72000", 1555, "conflict"),
        ("db2", "08001", -30082, "login"),
        ("db2", "08001", -4499, "lost"),
        ("db2", "42704", -204, "missing"),
        ("db2", "42502", -552, "privilege"),
        ("h2", "90146", 90146, "database"),
        ("anything", "HYT00", None, "timeout"),
        ("anything", "01004", None, "truncated"),
        ("anything", "22P02", None, "data"),
        ("anything", "ZZ000", 7, "other"),
        ("anything", None, None, None),
        ("anything", "", None, None),
    ],
)
def test_a_state_or_a_number_means_one_thing(
    engine: str, sqlstate: str | None, number: int | None, expected: Meaning | None
) -> None:
    assert meaning_of(engine, sqlstate, number) == expected


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


def test_a_value_with_the_words_of_a_refused_login_is_no_refused_login() -> None:
    assert code_of(ValueError(1366, "Incorrect value: 'FATAL:  zoe'"), "mariadb").meaning == "other"
    assert code_of(ValueError("FATAL:  role does not exist"), "postgresql").meaning == "login"

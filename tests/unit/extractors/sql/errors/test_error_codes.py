"""What SQLSTATEs and vendors' codes mean."""

import pytest

from extractors.sql.errors.codes import Meaning, code_of, meaning_of


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


def test_a_value_with_the_words_of_a_refused_login_is_no_refused_login() -> None:
    assert code_of(ValueError(1366, "Incorrect value: 'FATAL:  zoe'"), "mariadb").meaning == "other"
    assert code_of(ValueError("FATAL:  role does not exist"), "postgresql").meaning == "login"


class DatabaseError(Exception):
    """As PEP 249 has it."""


class ProgrammingError(DatabaseError):
    """Likewise."""


class TrinoUserError(ProgrammingError):
    """As Trino's Python client has it."""

    error_name = "COLUMN_NOT_FOUND"


def test_what_a_driver_that_nothing_is_known_of_calls_a_wrong_statement_is_one() -> None:
    """Though its text has a word of those that connections are lost with."""
    code = code_of(TrinoUserError("line 1:8: Column 'x' cannot be resolved"), "trino")
    assert (code.text, code.meaning) == ("COLUMN_NOT_FOUND", "typo")
    assert code_of(DatabaseError("connection reset"), "trino").meaning == "lost"

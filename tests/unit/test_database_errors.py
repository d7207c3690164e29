"""What SQLSTATEs and vendors' codes mean, and which of our errors they become."""

import pytest

from extractors.database_errors import Trouble, database_error, trouble_of
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)


@pytest.mark.parametrize(
    ("dialect", "sqlstate", "code", "expected"),
    [
        ("postgresql", "28P01", 0, Trouble.LOGIN),
        ("postgresql", "3D000", None, Trouble.DATABASE),
        ("postgresql", "42501", 0, Trouble.PRIVILEGE),
        ("postgresql", "42P01", 0, Trouble.QUERY),
        ("postgresql", "57014", 0, Trouble.TIMEOUT),
        ("postgresql", "57P01", 0, Trouble.BUSY),
        ("postgresql", "25006", 0, Trouble.WRITES),
        ("postgresql", "40001", 0, Trouble.CONFLICT),
        ("mysql", "HY000", 1045, Trouble.LOGIN),
        ("mariadb", "42000", 1142, Trouble.PRIVILEGE),
        ("mariadb", "42000", 1064, Trouble.QUERY),
        ("sqlserver", "S0001", 18456, Trouble.LOGIN),
        ("mssql", "42S02", 208, Trouble.QUERY),
        ("oracle", "72000", 1017, Trouble.LOGIN),
        ("oracle", "72000", 1555, Trouble.CONFLICT),
        ("db2", "08001", -30082, Trouble.LOGIN),
        ("db2", "08001", -4499, Trouble.CONNECTION),
        ("db2", "42704", -204, Trouble.QUERY),
        ("db2", "42502", -552, Trouble.PRIVILEGE),
        ("h2", "90146", 90146, Trouble.DATABASE),
        ("anything", "HYT00", None, Trouble.TIMEOUT),
        ("anything", "01004", None, Trouble.TRUNCATED),
        ("anything", "22P02", None, Trouble.VALUE),
        ("anything", "ZZ000", 7, Trouble.OTHER),
        ("anything", None, None, Trouble.OTHER),
    ],
)
def test_a_state_or_a_code_means_one_trouble(
    dialect: str, sqlstate: str | None, code: int | None, expected: Trouble
) -> None:
    assert trouble_of(dialect, sqlstate, code) is expected


@pytest.mark.parametrize(
    ("trouble", "before", "after"),
    [
        (Trouble.LOGIN, ConfigError, ConfigError),
        (Trouble.HOST, SourceUnavailableError, SourceUnavailableError),
        (Trouble.CONNECTION, SourceUnavailableError, SourceIncompleteError),
        (Trouble.BUSY, SourceUnavailableError, SourceIncompleteError),
        (Trouble.TIMEOUT, SourceUnavailableError, SourceIncompleteError),
        (Trouble.TRUNCATED, SourceFormatError, SourceIncompleteError),
        (Trouble.CONFLICT, SourceUnavailableError, SourceUnavailableError),
        (Trouble.QUERY, SourceFormatError, SourceFormatError),
        (Trouble.WRITES, ConfigError, ConfigError),
        (Trouble.OTHER, SourceFormatError, SourceFormatError),
    ],
)
def test_what_began_and_broke_off_is_incomplete(
    trouble: Trouble, before: type[IngestError], after: type[IngestError]
) -> None:
    assert type(database_error("q", trouble)) is before
    assert type(database_error("q", trouble, began=True)) is after


def test_a_message_has_the_query_the_state_and_the_code_in_one_line() -> None:
    problem = database_error("list_accounts on db/hr", Trouble.QUERY, "42S02", 1146, began=True)
    assert str(problem) == (
        "list_accounts on db/hr: the query was refused: a typo, or a table or column that is not "
        "there (SQLSTATE 42S02, code 1146)"
    )
    assert str(database_error("q", Trouble.OTHER)) == "q: the database reported an error"

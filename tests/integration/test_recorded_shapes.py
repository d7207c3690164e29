"""Oracle, DB2 and Databricks from what their drivers hand over to the canonical tables.

No such server can be had here: the rows are recorded (`tests/recorded`), and everything from the
transaction's first statement on is what a sync runs.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.sql.discovery.queries import queries_of
from extractors.sql.drivers.cursor import CursorSession
from extractors.sql.drivers.db2 import Db2Session
from extractors.sql.drivers.oracle import OracleSession
from extractors.sql.drivers.warehouses import DatabricksSession
from extractors.sql.queries.reader import Reader, times
from extractors.sql.source import read_whole
from extractors.sql.statements.statement import to_statement
from schemas.errors import SourceFormatError
from schemas.snapshot import associations_of, empty_snapshot
from schemas.source_file.file import to_source
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.tables import ACCOUNTS
from tests.recorded.connection import Answer, Column, RecordedConnection
from tests.recorded.databricks import answers as databricks
from tests.recorded.db2 import answers as db2
from tests.recorded.oracle import answers as oracle
from transforms.snapshot.snapshot import Normalized, to_snapshot

NOW = datetime(2026, 8, 1, 12, tzinfo=UTC)
STYLES = {"oracle": "named", "databricks": "named", "db2": "qmark"}
SESSIONS: dict[str, type[CursorSession]] = {
    "oracle": OracleSession,
    "databricks": DatabricksSession,
    "db2": Db2Session,
}
QUERIES = """
  queries:
    list_accounts: SELECT * FROM people
    list_entitlements: SELECT * FROM roles
    find_entitlement_associations: SELECT * FROM held
"""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of the recorded rows, and what the server was told."""

    made: Normalized
    told: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def rejects(self) -> list[tuple[object, ...]]:
        return self.made.rejects.select("table", "key", "column").rows()

    def accounts(self, *columns: str) -> list[tuple[object, ...]]:
        return self.made.snapshot.accounts.select(columns or list(ACCOUNTS)).rows()

    def attributes(self, account_id: str) -> dict[str, str | None]:
        rows = {
            row["integration_specific_id"]: row for row in self.made.snapshot.accounts.to_dicts()
        }
        return {name: cell for name, cell in rows[account_id].items() if name not in ACCOUNTS}


def _replay(engine: str, answers: dict[str, Answer], source: str, more: str = "") -> Replayed:
    """Reads the answers by the queries of a source file's `source`, whatever these are."""
    file = to_source(f"app: {{name: X}}\nsource:\n  kind: sql{source}{more}", "x", "x.yaml").file
    assert isinstance(file.source, SqlSource)
    session = _session(engine, answers, file.source)
    session.begin()
    window = times(datetime(1970, 1, 1, tzinfo=UTC), NOW)
    reader = Reader(file.source, Path(), session, window)
    raw = read_whole(reader, NOW)
    made = to_snapshot(raw, file, empty_snapshot(), NOW)
    return Replayed(made, tuple(session.connection.told), raw.warnings)


def _session(engine: str, answers: dict[str, Answer], source: SqlSource) -> CursorSession:
    style = STYLES[engine]
    sent = {
        to_statement(name, query, Path(), engine).rendered(style): answers[name]
        for name, query in queries_of(source, engine).items()
    }
    return _recorded(engine, RecordedConnection(sent), source.timezone)


def _recorded(
    engine: str, connection: RecordedConnection, zone: str | None = None
) -> CursorSession:
    return SESSIONS[engine](
        engine=engine,
        server="recorded",
        errors=(),
        timeout_s=60,
        zone=zone,
        connection=connection,
        paramstyle=STYLES[engine],
    )


def test_oracle_s_numbers_times_and_texts_are_canonical_rows() -> None:
    found = _replay(
        "oracle",
        oracle.QUERIES,
        "\n  timezone: Europe/Paris" + QUERIES,
        "columns: {user_status: {column: user_status, values: {OPEN: ACTIVE, "
        "EXPIRED & LOCKED: SUSPENDED}}}",
    )
    assert found.accounts("integration_specific_id", "email", "user_status", "last_login") == [
        (
            "1017", "jane@corp.example", "ACTIVE",
            datetime(2026, 1, 10, 8, 30, 0, 250_000, tzinfo=UTC),
        ),
        (
            "12345678901234567890123456789012345678", "kim@corp.example", "SUSPENDED",
            datetime(2025, 7, 1, 10, tzinfo=UTC),
        ),
    ]  # fmt: skip
    assert found.attributes("1017") == {
        "BADGE": "B7",
        "HIRED": "2020-02-28T23:00:00Z",
        "NOTE": "né",
        "RATE": "0.5",
        "SEAL": "00ff",
    }
    assert found.rejects == [("accounts", "1019", "user_status")]
    assert associations_of(found.made.snapshot).rows() == [
        ("1017", "7", ""),
        ("1017", "8", ""),
        ("12345678901234567890123456789012345678", "7", ""),
    ]
    assert found.told[:2] == (
        "ALTER SESSION SET TIME_ZONE = 'Europe/Paris'",
        "SET TRANSACTION READ ONLY",
    )
    assert found.warnings == ()


def test_an_oracle_account_that_is_expired_and_locked_is_never_active_by_default() -> None:
    found = _replay("oracle", oracle.QUERIES, QUERIES)
    assert found.accounts() == []
    assert ("accounts", "12345678901234567890123456789012345678", "user_status") in found.rejects


def test_oracle_s_own_accounts_are_canonical_rows() -> None:
    found = _replay("oracle", oracle.DISCOVERY, "\n  discover: oracle")
    assert found.accounts() == [
        ("BOTH", None, "BOTH", "Oracle ORCL", "BOTH", "SUSPENDED", "user", None, None),
        ("JANE", None, "JANE", "Oracle ORCL", "JANE", "ACTIVE", "user", None, None),
        (
            "SYS", None, "SYS", "Oracle ORCL", "SYS", "ACTIVE", "service",
            datetime(2025, 12, 1, 9, tzinfo=UTC), None,
        ),
    ]  # fmt: skip
    assert found.attributes("JANE") == {
        "ACCOUNT_STATUS": "OPEN",
        "AUTHENTICATION": "PASSWORD",
        "CREATED_AT": "2024-01-01T00:00:00",
        "PASSWORD_EXPIRES_AT": "2026-06-01T02:03:04",
        "PROFILE": "STAFF",
    }
    assert found.made.snapshot.entitlements.rows() == [
        ("ROLE", "ROLE_CLERK", "ORCL", "Role - CLERK", None, "true"),
        (
            "GRANT", "SELECT WITH GRANT OPTION", "SHOP.ORDERS", "SELECT with grant option", None,
            "true",
        ),
    ]  # fmt: skip
    assert associations_of(found.made.snapshot).rows() == [
        ("BOTH", "ROLE_CLERK", "ORCL"),
        ("JANE", "ROLE_CLERK", "ORCL"),
        ("JANE", "SELECT WITH GRANT OPTION", "SHOP.ORDERS"),
    ]
    assert found.rejects == []
    assert found.told[0] == "ALTER SESSION SET TIME_ZONE = '+00:00'"


def test_a_time_whose_zone_oracle_s_driver_drops_is_named_and_not_guessed() -> None:
    zoned = Answer(
        [
            oracle.number("INTEG_SPECIFIC_ID"),
            Column("LAST_LOGIN", oracle.oracledb.DB_TYPE_TIMESTAMP_TZ),
        ],
        [("1017", datetime.fromisoformat("2026-01-10T09:30"))],
    )
    with pytest.raises(SourceFormatError, match=r"^list_accounts: LAST_LOGIN .*SYS_EXTRACT_UTC"):
        _replay("oracle", {**oracle.QUERIES, "list_accounts": zoned}, QUERIES)


def test_db2_s_padded_ids_decimals_and_bytes_are_canonical_rows() -> None:
    found = _replay("db2", db2.QUERIES, "\n  trim_ids: true\n  timezone: Europe/Paris" + QUERIES)
    assert found.accounts() == [
        (
            "JROE", "jane@corp.example", "Jane", "Roe", None, "ACTIVE", None,
            datetime(2026, 1, 10, 8, 30, 0, 250_000, tzinfo=UTC), None,
        ),
        (
            "KIM", "kim@corp.example", None, None, None, "SUSPENDED", None,
            datetime(2025, 7, 1, 10, tzinfo=UTC), None,
        ),
    ]  # fmt: skip
    assert found.attributes("JROE") == {
        "CARD": "010203",
        "EMPLOYEE": "1017",
        "HIRED": "2020-02-29",
        "NOTE": "né",
        "RATE": "12.5",
        "SCORE": "0.5",
        "SEAL": "00ff",
        "SEEN": "9007199254740993",
        "SHIFT": "10:30:00",
    }
    assert {**found.attributes("KIM"), "SEEN": ""} == {
        **dict.fromkeys(found.attributes("JROE")), "EMPLOYEE": "0", "RATE": "-3", "SEEN": "",
    }  # fmt: skip
    assert associations_of(found.made.snapshot).rows() == [
        ("JROE", "CLERK", ""),
        ("KIM", "TELLER", ""),
    ]
    assert found.made.snapshot.entitlements["integration_specific_id"].to_list() == [
        "CLERK",
        "TELLER",
    ]
    assert found.rejects == []
    assert found.told[0] == "SET CURRENT ISOLATION = RS"
    assert ["DB2 has no READ ONLY transaction" in one for one in found.warnings] == [True]


def test_db2_s_ids_keep_their_blanks_where_nobody_says_that_they_are_padding() -> None:
    found = _replay("db2", db2.QUERIES, "\n  timezone: UTC" + QUERIES)
    assert [row[0] for row in found.accounts()] == ["JROE    ", "KIM     "]


@pytest.mark.parametrize(
    ("sql", "nested"),
    [
        ("SELECT * FROM people", "SELECT * FROM (\nSELECT * FROM people\n) q WHERE 1 = 0"),
        ("SELECT * FROM people WITH UR", None),
        ("SELECT * FROM people FOR FETCH ONLY", None),
        ("WITH p AS (SELECT * FROM people) SELECT * FROM p", None),
    ],
)
def test_a_db2_query_is_described_where_it_can_stand_in_another(
    sql: str, nested: str | None
) -> None:
    source = SqlSource(kind="sql", url="jdbc:db2://h/x", queries={"list_accounts": sql})
    [query] = queries_of(source, "db2").values()
    statement = to_statement("list_accounts", query, Path(), "db2")
    connection = RecordedConnection({nested or sql: db2.QUERIES["list_accounts"]})
    labels = _recorded("db2", connection).describe(statement)
    assert connection.told == ([nested] if nested else [])
    assert (labels is None) == (nested is None)


def test_databricks_s_lists_moments_and_decimals_are_canonical_rows() -> None:
    found = _replay("databricks", databricks.QUERIES, "\n  timezone: Europe/Paris" + QUERIES)
    assert found.accounts("integration_specific_id", "email", "user_status", "last_login") == [
        (
            "1017", "1017@corp.example", "ACTIVE",
            datetime(2026, 1, 10, 9, 30, 0, 250_000, tzinfo=UTC),
        ),
        ("1018", "1018@corp.example", "ACTIVE", None),
    ]  # fmt: skip
    assert found.attributes("1017") == {
        "hired": "2020-02-29",
        "is_remote": "true",
        "labels": '[["k","v"]]',
        "local": "2026-01-10T09:30:00Z",
        "note": None,
        "place": '{"x":1}',
        "rate": "12.5",
        "seal": "00ff",
        "skills": '["a","b"]',
    }
    assert set(found.attributes("1018").values()) == {None}
    assert associations_of(found.made.snapshot).rows() == [("1017", "7", ""), ("1018", "7", "")]
    assert found.told[0] == "SET STATEMENT_TIMEOUT = 60"
    assert ["no snapshot over several queries" in one for one in found.warnings] == [True]


def test_databricks_s_own_grantees_are_canonical_rows() -> None:
    found = _replay("databricks", databricks.DISCOVERY, "\n  discover: databricks")
    who = databricks.PRINCIPAL
    assert found.accounts() == [
        (who, None, who, "Databricks service principal", who, "ACTIVE", "service", None, None),
        (
            "jane@corp.example", "jane@corp.example", None, None, "jane@corp.example", "ACTIVE",
            "user", None, None,
        ),
    ]  # fmt: skip
    assert associations_of(found.made.snapshot).rows() == [
        (who, "MODIFY", "main.raw"),
        ("jane@corp.example", "USE_CATALOG", "main"),
        ("jane@corp.example", "SELECT", "main.raw.events"),
    ]
    assert found.rejects == []

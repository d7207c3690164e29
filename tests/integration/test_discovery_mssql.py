"""SQL Server's logins, users and roles through Microsoft's own driver, from an emulator.

The rows of `sys.*` are as a SQL Server 2022 gives them (Microsoft, "System catalog views"); the
statements run in DuckDB, translated.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from extractors.read import probe_source, read_account, read_source
from extractors.sql.drivers.odbc_driver_search import mssql_driver
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.raw import Raw
from schemas.source_file.kinds.sql_source import Queries, SqlSource
from tests.discovery_rows import table
from tests.tds_front_end import SqlServer, running_sql_server

NOW = datetime(2026, 1, 2, tzinfo=UTC)
VIEWS = """
CREATE TABLE sys.server_principals AS SELECT *, TIMESTAMP '2024-05-01 08:00:00' AS create_date
FROM (VALUES
    ('sa', 1, '\\x01'::BLOB, 'S', 'SQL_LOGIN', true, 'master'),
    ('public', 2, '\\x02'::BLOB, 'R', 'SERVER_ROLE', false, NULL),
    ('sysadmin', 3, '\\x03'::BLOB, 'R', 'SERVER_ROLE', false, NULL),
    ('ops', 4, '\\x04'::BLOB, 'R', 'SERVER_ROLE', false, NULL),
    ('jane', 261, '\\xA1'::BLOB, 'S', 'SQL_LOGIN', false, 'Sales'),
    ('locked', 262, '\\xA2'::BLOB, 'S', 'SQL_LOGIN', false, 'Sales'),
    ('denied', 263, '\\xA3'::BLOB, 'S', 'SQL_LOGIN', false, 'Sales'),
    ('stale', 264, '\\xA4'::BLOB, 'S', 'SQL_LOGIN', false, 'Sales'),
    ('ann@corp.example', 265, '\\xA5'::BLOB, 'E', 'EXTERNAL_LOGIN', false, 'Sales'),
    ('CORP\\clerks', 266, '\\xA6'::BLOB, 'G', 'WINDOWS_GROUP', false, 'Sales'),
    ('##MS_Signing##', 101, '\\xA7'::BLOB, 'C', 'CERTIFICATE_MAPPED_LOGIN', false, NULL)
) t(name, principal_id, sid, type, type_desc, is_disabled, default_database_name);
CREATE TABLE sys.server_role_members AS FROM (VALUES (4, 261), (3, 4))
    t(role_principal_id, member_principal_id);
CREATE TABLE sys.server_permissions AS FROM (VALUES
    (100, 'SERVER', 261, 'COSQ', 'CONNECT SQL', 'G'),
    (100, 'SERVER', 263, 'COSQ', 'CONNECT SQL', 'D'),
    (100, 'SERVER', 265, 'VWSS', 'VIEW SERVER STATE', 'W')
) t(class, class_desc, grantee_principal_id, type, permission_name, state);
CREATE TABLE sys.database_principals AS SELECT *, TIMESTAMP '2024-05-02 08:00:00' AS create_date
FROM (VALUES
    ('public', 0, '\\x00'::BLOB, 'R', 'DATABASE_ROLE', 0),
    ('dbo', 1, '\\x01'::BLOB, 'S', 'SQL_USER', 1),
    ('guest', 2, '\\x00'::BLOB, 'S', 'SQL_USER', 0), ('sys', 4, NULL, 'S', 'SQL_USER', 0),
    ('INFORMATION_SCHEMA', 3, NULL, 'S', 'SQL_USER', 0),
    ('jane_in_sales', 5, '\\xA1'::BLOB, 'S', 'SQL_USER', 1),
    ('inside', 6, '\\xB1'::BLOB, 'S', 'SQL_USER', 2),
    ('loginless', 7, '\\xB2'::BLOB, 'S', 'SQL_USER', 0),
    ('clerk', 8, '\\xB3'::BLOB, 'R', 'DATABASE_ROLE', 0),
    ('db_datareader', 16390, '\\xB4'::BLOB, 'R', 'DATABASE_ROLE', 0)
) t(name, principal_id, sid, type, type_desc, authentication_type);
CREATE TABLE sys.database_role_members AS FROM (VALUES (8, 5), (16390, 8), (16390, 6))
    t(role_principal_id, member_principal_id);
CREATE TABLE sys.schemas AS FROM (VALUES ('dbo', 1)) t(name, schema_id);
CREATE TABLE sys.objects AS FROM (VALUES
    ('orders', 100, 1, 'USER_TABLE'), ('items', 101, 1, 'USER_TABLE'))
    t(name, object_id, schema_id, type_desc);
CREATE TABLE sys.database_permissions AS FROM (VALUES
    (0, 0, 0, 5, 'CO', 'CONNECT', 'G'), (0, 0, 0, 6, 'CRTB', 'CREATE TABLE', 'G'),
    (1, 100, 0, 5, 'SL', 'SELECT', 'W'), (1, 100, 0, 6, 'DL', 'DELETE', 'D'),
    (1, 100, 1, 6, 'SL', 'SELECT', 'G'), (3, 1, 0, 6, 'EX', 'EXECUTE', 'G'),
    (1, 100, 0, 0, 'SL', 'SELECT', 'G'), (1, 101, 0, 8, 'UP', 'UPDATE', 'G')
) t(class, major_id, minor_id, grantee_principal_id, type, permission_name, state);
CREATE MACRO LOGINPROPERTY(name, what) AS
    CASE WHEN (name, what) IN (('locked', 'IsLocked'), ('stale', 'IsExpired')) THEN 1 ELSE 0 END
"""
SEES_ALL = "CREATE MACRO HAS_PERMS_BY_NAME(thing, kind, permission) AS 1"
SEES_PART = "CREATE MACRO HAS_PERMS_BY_NAME(thing, kind, permission) AS 0"


@pytest.fixture
def server() -> Iterator[SqlServer]:
    server = SqlServer()
    server.tables.execute(VIEWS)
    with running_sql_server(server):
        yield server


def source(server: SqlServer) -> SqlSource:
    url = f"mssql+pyodbc://reader@127.0.0.1:{server.port}/Sales?driver={mssql_driver()}&Encrypt=no"
    return SqlSource(kind="sql", url=url, discover="mssql", password={"env": "PW"})


def read(server: SqlServer, workspace: Path, password: str = "Secret-1") -> Raw:
    def resolve(_: Any) -> SecretStr:
        return SecretStr(password)

    return read_source(source(server), workspace, now=NOW, resolve=resolve)


def test_a_user_with_a_login_is_that_login_s_account(server: SqlServer, tmp_path: Path):
    server.tables.execute(SEES_ALL)
    raw = read(server, tmp_path)
    found = table(raw.accounts, "integration_specific_id", "email", "user_status", "account_type")
    assert found == [
        ("CORP\\clerks", None, "ACTIVE", "service"),
        ("ann@corp.example", "ann@corp.example", "ACTIVE", "user"),
        ("denied", None, "SUSPENDED", "user"),
        ("inside@Sales", None, "ACTIVE", "user"),
        ("jane", None, "ACTIVE", "user"),
        ("locked", None, "SUSPENDED", "user"),
        ("loginless@Sales", None, "SUSPENDED", "user"),
        ("sa", None, "SUSPENDED", "service"),
        ("stale", None, "SUSPENDED", "user"),
    ]
    assert ("2024-05-01T08:00:00",) in table(raw.accounts, "created_at")


def test_roles_reach_through_others_and_what_was_denied_is_not_held(
    server: SqlServer, tmp_path: Path
):
    server.tables.execute(SEES_ALL)
    assert table(read(server, tmp_path).associations) == [
        ("ann@corp.example", "VIEW SERVER STATE WITH GRANT OPTION", ""),
        ("inside@Sales", "CREATE TABLE", "Sales"),
        ("inside@Sales", "EXECUTE", "Sales.dbo"),
        ("inside@Sales", "ROLE_db_datareader", "Sales"),
        ("jane", "ROLE_clerk", "Sales"),
        ("jane", "ROLE_db_datareader", "Sales"),
        ("jane", "ROLE_ops", ""),
        ("jane", "ROLE_sysadmin", ""),
        ("jane", "SELECT WITH GRANT OPTION", "Sales.dbo.orders"),
    ]


def test_every_association_has_its_entitlement_and_its_resource(server: SqlServer, tmp_path: Path):
    server.tables.execute(SEES_ALL)
    raw = read(server, tmp_path)
    keys = "integration_specific_id", "integration_specific_resource_id"
    entitlements = table(raw.entitlements, *keys)
    assert len(entitlements) == len(set(entitlements))
    assert {row[1:] for row in table(raw.associations)} <= set(entitlements)
    resources = dict(table(raw.resources, "integration_specific_id", "description"))
    assert {where for _, where in entitlements} <= {*resources, ""}
    assert resources["Sales.dbo.orders"] == "Every account was granted something on it"
    assert resources["Sales.dbo.items"] is None


def test_an_account_that_sees_only_part_is_no_shorter_snapshot(server: SqlServer, tmp_path: Path):
    server.tables.execute(SEES_PART)
    with pytest.raises(SourceIncompleteError, match="GRANT VIEW ANY DEFINITION"):
        read(server, tmp_path)


def test_a_wrong_password_is_one_line(server: SqlServer, tmp_path: Path):
    with pytest.raises(ConfigError, match="18456") as caught:
        read(server, tmp_path, password="wrong")
    assert "wrong" not in str(caught.value)


def test_a_probe_sends_nothing_that_sql_server_does_not_know(server: SqlServer, tmp_path: Path):
    server.tables.execute(SEES_ALL)
    probes = probe_source(
        source(server), tmp_path, now=NOW, resolve=lambda _: SecretStr("Secret-1")
    )
    assert "accounts" in [probe.table for probe in probes]
    # T-SQL has no WITH inside of a subquery.
    assert not [sql for sql in server.asked if sql.startswith("SELECT TOP 0") and "WITH\n" in sql]


def test_values_are_bound_and_come_back_as_they_were(server: SqlServer, tmp_path: Path):
    server.tables.execute(
        "CREATE TABLE dbo.people AS SELECT 'É''a' AS id, 12.50::DECIMAL(9, 2) AS pay"
    )
    query = "SELECT id AS integration_specific_id, pay FROM dbo.people WHERE id = {account_id}"
    asked = source(server).model_copy(update={"queries": Queries(get_account=query)})
    found = read_account(asked, tmp_path, "É'a", resolve=lambda _: SecretStr("Secret-1"))
    assert table(found) == [("É'a", "12.5")]
    assert not any("É" in sql for sql in server.asked)

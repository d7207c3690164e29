"""Oracle's queries through JDBC, as they are, by H2 in its Oracle mode: an emulator, no Oracle.

The tables are what Oracle's views hold (Oracle, "Database Reference"); H2 knows no SYS_CONTEXT, and
is given one that answers with the name of what it is asked for.
"""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.read import read_source
from schemas.raw import Raw
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import no_secrets
from tests.discovery_rows import table

NOW = datetime(2026, 1, 2, tzinfo=UTC)
JAR = Path("/usr/share/java/h2.jar")
VIEWS = """
CREATE ALIAS SYS_CONTEXT FOR "java.lang.System.getProperty(java.lang.String, java.lang.String)";
CREATE TABLE dba_users (
    username VARCHAR2(128), account_status VARCHAR2(32), profile VARCHAR2(128),
    authentication_type VARCHAR2(8), oracle_maintained VARCHAR2(1),
    last_login TIMESTAMP WITH TIME ZONE, created TIMESTAMP, expiry_date TIMESTAMP
);
INSERT INTO dba_users VALUES
    ('SYS', 'OPEN', 'DEFAULT', 'PASSWORD', 'Y', '2025-12-01 10:00:00+01', '2020-01-01', NULL),
    ('JANE', 'OPEN', 'STAFF', 'PASSWORD', 'N', NULL, '2024-01-01', '2026-06-01'),
    ('BOTH', 'EXPIRED & LOCKED', 'STAFF', 'PASSWORD', 'N', NULL, '2024-01-01', NULL),
    ('TIMED', 'LOCKED(TIMED)', 'STAFF', 'PASSWORD', 'N', NULL, '2024-01-01', NULL);
CREATE TABLE dba_roles (role VARCHAR2(128));
INSERT INTO dba_roles VALUES ('CLERK'), ('TELLER'), ('DBA');
CREATE TABLE dba_role_privs (
    grantee VARCHAR2(128), granted_role VARCHAR2(128), admin_option VARCHAR2(3)
);
INSERT INTO dba_role_privs VALUES
    ('JANE', 'CLERK', 'YES'), ('CLERK', 'TELLER', 'NO'), ('SYS', 'DBA', 'YES');
CREATE TABLE dba_sys_privs (
    grantee VARCHAR2(128), privilege VARCHAR2(40), admin_option VARCHAR2(3)
);
INSERT INTO dba_sys_privs VALUES ('JANE', 'CREATE SESSION', 'NO'), ('CLERK', 'CREATE VIEW', 'NO');
CREATE TABLE dba_tab_privs (
    grantee VARCHAR2(128), owner VARCHAR2(128), table_name VARCHAR2(128), privilege VARCHAR2(40),
    grantable VARCHAR2(3)
);
INSERT INTO dba_tab_privs VALUES
    ('JANE', 'SHOP', 'ORDERS', 'SELECT', 'YES'), ('PUBLIC', 'SHOP', 'ORDERS', 'SELECT', 'NO');
"""


@pytest.fixture
def raw(tmp_path: Path) -> Raw:
    missing = [
        name
        for name, is_there in (("java", shutil.which("java")), ("libh2-java", JAR.exists()))
        if not is_there
    ]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    (tmp_path / "views.sql").write_text(VIEWS)
    init = f"RUNSCRIPT FROM '{tmp_path / 'views.sql'}'"
    source = SqlSource(
        kind="sql", driver="jdbc", jars=(str(JAR),), discover="oracle", username="sa",
        url=f"jdbc:h2:mem:oracle;MODE=Oracle;INIT={init}",
    )  # fmt: skip
    return read_source(source, tmp_path, now=NOW, resolve=no_secrets)


def test_oracle_s_queries_are_read_through_jdbc(raw: Raw):
    columns = "integration_specific_id", "email", "family_name", "user_status", "account_type"
    assert table(raw.accounts, *columns) == [
        ("BOTH", None, "Oracle DB_NAME", "SUSPENDED", "user"),
        ("JANE", None, "Oracle DB_NAME", "ACTIVE", "user"),
        ("SYS", None, "Oracle DB_NAME", "ACTIVE", "service"),
        ("TIMED", None, "Oracle DB_NAME", "SUSPENDED", "user"),
    ]
    assert table(raw.associations) == [
        ("JANE", "ADMIN_CLERK", "DB_NAME"),
        ("JANE", "CREATE SESSION", "DB_NAME"),
        ("JANE", "ROLE_CLERK", "DB_NAME"),
        ("JANE", "ROLE_TELLER", "DB_NAME"),
        ("JANE", "SELECT WITH GRANT OPTION", "SHOP.ORDERS"),
        ("SYS", "ADMIN_DBA", "DB_NAME"),
        ("SYS", "ROLE_DBA", "DB_NAME"),
    ]
    assert table(raw.resources, "integration_specific_id") == [("DB_NAME",), ("SHOP.ORDERS",)]


def test_the_last_login_of_oracle_is_the_account_s(raw: Raw):
    found = dict(table(raw.accounts, "integration_specific_id", "last_login"))
    assert str(found["SYS"]).startswith("2025-12-01T09:00:00")
    assert found["JANE"] is None

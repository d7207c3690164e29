"""Oracle's and Databricks's queries: well-formed in their dialect, and over rows as they give them.

Neither has a server here: what runs is the same statement, translated for DuckDB by sqlglot, over
tables of the shape their manuals describe.
"""

import re
from pathlib import Path

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from extractors.sql.discovery.queries import discovery_queries
from extractors.sql.queries.labels import check_labels
from extractors.sql.statements.read_only import why_not_a_read
from extractors.sql.statements.syntax import DIALECTS
from schemas.source_file.kinds.sql_source import Engine

ENGINES: tuple[Engine, ...] = (
    "postgresql", "mysql", "mssql", "oracle", "snowflake", "databricks",
)  # fmt: skip
EVERY = [
    (engine, version, capability, text)
    for engine, version in [*((one, "") for one in ENGINES), ("mysql", "11.4.2-MariaDB")]
    for capability, text in discovery_queries(engine, version).items()
]
IDS = [f"{engine}{version}-{capability}" for engine, version, capability, _ in EVERY]

ORACLE = """
CREATE MACRO SYS_CONTEXT(place, name) AS 'ORCL';
CREATE TABLE dual AS SELECT 'X' AS dummy;
CREATE TABLE dba_users AS FROM (VALUES
    ('SYS', 'OPEN', 'DEFAULT', 'PASSWORD', 'Y', TIMESTAMPTZ '2025-12-01 10:00:00+01'),
    ('JANE', 'OPEN', 'STAFF', 'PASSWORD', 'N', NULL),
    ('GRACE', 'EXPIRED(GRACE)', 'STAFF', 'PASSWORD', 'N', NULL),
    ('ROLLING', 'OPEN & IN ROLLOVER', 'STAFF', 'PASSWORD', 'N', NULL),
    ('LATE', 'EXPIRED', 'STAFF', 'PASSWORD', 'N', NULL),
    ('BOTH', 'EXPIRED & LOCKED', 'STAFF', 'PASSWORD', 'N', NULL),
    ('TIMED', 'LOCKED(TIMED)', 'STAFF', 'PASSWORD', 'N', NULL),
    ('BOTHTIMED', 'EXPIRED(GRACE) & LOCKED(TIMED)', 'STAFF', 'PASSWORD', 'N', NULL),
    ('SCHEMA_ONLY', 'OPEN', 'DEFAULT', 'NONE', 'N', NULL)
) t(username, account_status, profile, authentication_type, oracle_maintained, last_login);
ALTER TABLE dba_users ADD created TIMESTAMP; ALTER TABLE dba_users ADD expiry_date TIMESTAMP;
CREATE TABLE dba_roles AS FROM (VALUES ('CONNECT'), ('CLERK'), ('TELLER'), ('DBA')) t(role);
CREATE TABLE dba_role_privs AS FROM (VALUES
    ('JANE', 'CLERK', 'YES'), ('CLERK', 'TELLER', 'NO'), ('TELLER', 'CONNECT', 'NO'),
    ('JANE', 'CONNECT', 'NO'), ('SYS', 'DBA', 'YES')
) t(grantee, granted_role, admin_option);
CREATE TABLE dba_sys_privs AS FROM (VALUES
    ('JANE', 'CREATE SESSION', 'NO'), ('LATE', 'CREATE ANY TABLE', 'YES'),
    ('CLERK', 'CREATE VIEW', 'NO')
) t(grantee, privilege, admin_option);
CREATE TABLE dba_tab_privs AS FROM (VALUES
    ('JANE', 'SHOP', 'ORDERS', 'SELECT', 'YES'), ('PUBLIC', 'SHOP', 'ORDERS', 'SELECT', 'NO'),
    ('PUBLIC', 'SYS', 'DUAL', 'SELECT', 'NO'), ('SYS', 'SHOP', 'ITEMS', 'SELECT', 'NO')
) t(grantee, owner, table_name, privilege, grantable)
"""
PRINCIPAL = "6f1c0a2e-1111-4222-8333-9a0b0c0d0e0f"
DATABRICKS = f"""
ATTACH ':memory:' AS lakehouse; CREATE SCHEMA lakehouse.information_schema_;
CREATE TABLE lakehouse.information_schema_.catalog_privileges AS FROM (VALUES
    ('jane@corp.example', 'USE_CATALOG', 'main', 'NONE'),
    ('account users', 'BROWSE', 'main', 'NONE'),
    ('analysts', 'USE_CATALOG', 'main', 'NONE')
) t(grantee, privilege_type, catalog_name, inherited_from);
CREATE TABLE lakehouse.information_schema_.schema_privileges AS FROM (VALUES
    ('{PRINCIPAL}', 'MODIFY', 'main', 'raw', 'NONE'),
    ('jane@corp.example', 'USE_CATALOG', 'main', 'raw', 'CATALOG')
) t(grantee, privilege_type, catalog_name, schema_name, inherited_from);
CREATE TABLE lakehouse.information_schema_.table_privileges AS FROM (VALUES
    ('jane@corp.example', 'SELECT', 'main', 'raw', 'events', 'NONE')
) t(grantee, privilege_type, table_catalog, table_schema, table_name, inherited_from);
CREATE TABLE lakehouse.information_schema_.routine_privileges AS FROM (VALUES
    ('jane@corp.example', 'EXECUTE', 'main', 'raw', 'events', 'NONE')
) t(grantee, privilege_type, routine_catalog, routine_schema, routine_name, inherited_from)
"""


def asked(engine: Engine, tables: str, capability: str) -> list[tuple[object, ...]]:
    text = discovery_queries(engine)[capability]
    tree = sqlglot.parse_one(text, read=DIALECTS[engine])
    for found in tree.find_all(exp.With):
        found.set("recursive", True)
    # DuckDB has a database and a schema of its own by these names.
    translated = tree.sql("duckdb").replace(
        "system.information_schema.", "lakehouse.information_schema_."
    )
    with duckdb.connect(":memory:") as connection:
        connection.execute(tables)
        return sorted(connection.execute(translated).fetchall(), key=str)


@pytest.mark.parametrize(("engine", "version", "capability", "text"), EVERY, ids=IDS)
def test_every_query_is_one_read_with_lumos_s_labels(
    engine: Engine, version: str, capability: str, text: str
):
    assert why_not_a_read(text, engine) is None
    tree = sqlglot.parse_one(text, read=DIALECTS[engine])
    again = sqlglot.parse_one(tree.sql(DIALECTS[engine]), read=DIALECTS[engine])
    assert len(again.named_selects) == len(tree.named_selects)
    if capability != "validate_credentials":
        labels = tuple(tree.named_selects)
        check_labels(labels, capability, capability)
        assert all(len(label) <= 30 for label in labels) or engine != "oracle"


@pytest.mark.parametrize(("engine", "version", "capability", "text"), EVERY, ids=IDS)
def test_every_query_begins_with_what_it_reads_and_has_no_placeholder(
    engine: Engine, version: str, capability: str, text: str
):
    assert text.startswith("-- ")
    assert not re.search(r"[{};]", re.sub(r"--.*", "", text))


def test_mariadb_is_known_by_what_it_says_of_itself():
    assert discovery_queries("mysql", "10.11.6-MariaDB") != discovery_queries("mysql", "8.0.39")
    assert discovery_queries("mongodb") == {}


def test_only_an_open_account_of_oracle_is_active():
    found = asked("oracle", ORACLE, "list_accounts")
    assert [(row[0], row[1], row[2], row[3], row[5], row[6]) for row in found] == [
        (name, None, name, "Oracle ORCL", status, kind)
        for name, status, kind in [
            ("BOTH", "SUSPENDED", "user"), ("BOTHTIMED", "SUSPENDED", "user"),
            ("GRACE", "ACTIVE", "user"), ("JANE", "ACTIVE", "user"),
            ("LATE", "SUSPENDED", "user"), ("ROLLING", "ACTIVE", "user"),
            ("SCHEMA_ONLY", "SUSPENDED", "service"), ("SYS", "ACTIVE", "service"),
            ("TIMED", "SUSPENDED", "user"),
        ]
    ]  # fmt: skip


def test_oracle_s_roles_reach_through_others():
    assert asked("oracle", ORACLE, "find_entitlement_associations") == [
        ("JANE", "ADMIN_CLERK", "ORCL"),
        ("JANE", "CREATE SESSION", "ORCL"),
        ("JANE", "ROLE_CLERK", "ORCL"),
        ("JANE", "ROLE_CONNECT", "ORCL"),
        ("JANE", "ROLE_TELLER", "ORCL"),
        ("JANE", "SELECT WITH GRANT OPTION", "SHOP.ORDERS"),
        ("LATE", "CREATE ANY TABLE WITH ADMIN OPTION", "ORCL"),
        ("SYS", "ADMIN_DBA", "ORCL"),
        ("SYS", "ROLE_DBA", "ORCL"),
    ]


def test_oracle_s_associations_have_their_entitlements_and_resources():
    entitlements = [row[1:3] for row in asked("oracle", ORACLE, "list_entitlements")]
    assert len(entitlements) == len(set(entitlements))
    held = asked("oracle", ORACLE, "find_entitlement_associations")
    assert {row[1:] for row in held} <= set(entitlements)
    resources = {row[1]: row[3] for row in asked("oracle", ORACLE, "list_resources")}
    assert resources == {
        "ORCL": None,
        "SHOP.ORDERS": "Every account was granted something on it",
    }
    [login] = asked("oracle", ORACLE, "get_last_activity")
    assert login[:2] == ("SYS", "last_login")


def test_databricks_s_grantees_are_users_principals_and_groups():
    assert asked("databricks", DATABRICKS, "list_accounts") == [
        (PRINCIPAL, None, PRINCIPAL, "Databricks service principal", PRINCIPAL, "service"),
        ("jane@corp.example", "jane@corp.example", None, None, "jane@corp.example", "user"),
    ]


def test_databricks_s_privileges_are_held_where_they_were_granted():
    held = asked("databricks", DATABRICKS, "find_entitlement_associations")
    assert held == [
        (PRINCIPAL, "MODIFY", "main.raw"),
        ("jane@corp.example", "EXECUTE", "main.raw.events()"),
        ("jane@corp.example", "SELECT", "main.raw.events"),
        ("jane@corp.example", "USE_CATALOG", "main"),
    ]
    entitlements = [row[1:3] for row in asked("databricks", DATABRICKS, "list_entitlements")]
    assert {row[1:] for row in held} <= set(entitlements)
    resources = {row[1]: row[3] for row in asked("databricks", DATABRICKS, "list_resources")}
    assert resources["main"] == "Groups with privileges: account users, analysts"
    assert {where for _, where in entitlements} == set(resources)


def test_every_file_is_shipped():
    folder = Path(discovery_queries.__code__.co_filename).parent
    engines = {path.parent.name for path in folder.glob("*/list_accounts.sql")}
    assert engines == {*ENGINES, "mariadb"}

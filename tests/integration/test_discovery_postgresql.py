"""PostgreSQL's own roles and privileges, discovered on a real server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from extractors.read import probe_source, read_source
from schemas.errors import ConfigError
from schemas.raw import Raw
from schemas.source_file.kinds.sql_source import SqlSource
from tests.discovery_rows import table

pytest_plugins = ["tests.postgresql_server"]

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROLES = (
    "d_reader", "d_writer", "d_dba", "d_ops", "d_jane", "d_lent", "d_old", '"d_Ann@corp.example"',
    "d_boss", "d_admin", "d_shut",
)  # fmt: skip
SETUP = """
CREATE ROLE d_reader; CREATE ROLE d_writer; CREATE ROLE d_dba; CREATE ROLE d_ops NOINHERIT;
CREATE ROLE d_jane LOGIN VALID UNTIL 'infinity'; CREATE ROLE d_lent LOGIN NOINHERIT;
CREATE ROLE d_old LOGIN VALID UNTIL '2020-01-01'; CREATE ROLE "d_Ann@corp.example" LOGIN;
CREATE ROLE d_boss LOGIN SUPERUSER CREATEDB CONNECTION LIMIT 0; CREATE ROLE d_admin LOGIN;
CREATE ROLE d_shut LOGIN CONNECTION LIMIT 0;
GRANT d_reader TO d_writer; GRANT d_writer TO d_jane; GRANT d_dba TO d_ops;
GRANT d_ops TO d_lent; GRANT d_ops TO d_old; GRANT d_dba TO d_admin WITH ADMIN OPTION;
GRANT d_admin TO "d_Ann@corp.example";
CREATE SCHEMA sales AUTHORIZATION d_jane; CREATE TABLE sales.orders (id int);
CREATE TABLE sales."Odd.name" (id int);
GRANT USAGE ON SCHEMA sales TO d_lent;
GRANT SELECT ON sales.orders TO d_old WITH GRANT OPTION; GRANT INSERT ON sales.orders TO d_old;
GRANT SELECT ON sales.orders TO d_reader; GRANT SELECT ON sales.orders TO PUBLIC;
GRANT DELETE ON sales."Odd.name" TO d_lent;
GRANT UPDATE (id) ON sales.orders TO d_admin;
CREATE FUNCTION sales.pay(amount int) RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE ALL ON FUNCTION sales.pay(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sales.pay(int) TO d_admin;
CREATE DOMAIN sales.pence AS int; GRANT USAGE ON TYPE sales.pence TO d_admin;
GRANT USAGE ON LANGUAGE plpgsql TO d_admin; SELECT lo_create(4711);
GRANT SELECT ON LARGE OBJECT 4711 TO d_admin; CREATE FOREIGN DATA WRAPPER d_wrapper;
GRANT USAGE ON FOREIGN DATA WRAPPER d_wrapper TO d_admin;
CREATE SERVER "d server" FOREIGN DATA WRAPPER d_wrapper;
GRANT USAGE ON FOREIGN SERVER "d server" TO d_admin;
GRANT CREATE ON TABLESPACE pg_default TO d_admin;
COMMENT ON ROLE d_writer IS 'May change orders'
"""


@pytest.fixture
def database(new_database: Callable[[], str]) -> Iterator[str]:
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute(SETUP)
    yield url
    with psycopg.connect(url) as connection:
        connection.execute("DROP SCHEMA sales CASCADE; DROP FOREIGN DATA WRAPPER d_wrapper CASCADE")
        for role in ROLES:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def read(url: str, workspace: Path, **more: Any) -> Raw:
    source = SqlSource(kind="sql", url=url, discover="postgresql", **more)
    return read_source(source, workspace, now=NOW)


def ours(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [row for row in rows if "d_" in str(row[0])]


def test_logins_are_accounts_and_roles_without_login_are_none(database: str, tmp_path: Path):
    raw = read(database, tmp_path)
    columns = "integration_specific_id", "email", "user_status", "account_type", "valid_until"
    found = table(raw.accounts, *columns)
    assert ours(found) == [
        ("d_Ann@corp.example", "d_Ann@corp.example", "ACTIVE", "user", None),
        ("d_admin", None, "ACTIVE", "user", None),
        ("d_boss", None, "ACTIVE", "service", None),
        ("d_jane", None, "ACTIVE", "user", None),
        ("d_lent", None, "ACTIVE", "user", None),
        ("d_old", None, "SUSPENDED", "user", "2020-01-01T00:00:00Z"),
        ("d_shut", None, "SUSPENDED", "user", None),
    ]
    names = table(raw.accounts, "given_name", "family_name")
    assert ("d_jane", f"PostgreSQL {database.rpartition('/')[2]}") in names


def test_roles_are_held_as_far_as_they_inherit(database: str, tmp_path: Path):
    found = ours(table(read(database, tmp_path).associations))
    roles = [(who, what) for who, what, where in found if where == ""]
    assert roles == [
        ("d_Ann@corp.example", "ADMIN_d_dba"),
        ("d_Ann@corp.example", "ROLE_d_admin"),
        ("d_Ann@corp.example", "ROLE_d_dba"),
        ("d_admin", "ADMIN_d_dba"),
        ("d_admin", "ROLE_d_dba"),
        ("d_boss", "ATTRIBUTE_CREATEDB"),
        ("d_boss", "ATTRIBUTE_SUPERUSER"),
        ("d_jane", "ROLE_d_reader"),
        ("d_jane", "ROLE_d_writer"),
        ("d_lent", "SET_d_dba"),
        ("d_lent", "SET_d_ops"),
        ("d_old", "ROLE_d_ops"),
        ("d_old", "SET_d_dba"),
    ]


def test_privileges_are_held_where_they_were_granted(database: str, tmp_path: Path):
    name = database.rpartition("/")[2]
    found = ours(table(read(database, tmp_path).associations))
    assert [(who, what, where) for who, what, where in found if where] == [
        ("d_admin", "CREATE", "TABLESPACE pg_default"),
        ("d_admin", "EXECUTE", f"FUNCTION {name}.sales.pay(amount integer)"),
        ("d_admin", "SELECT", f"LARGE OBJECT {name}.4711"),
        ("d_admin", "UPDATE", f"{name}.sales.orders.id"),
        ("d_admin", "USAGE", f"LANGUAGE {name}.plpgsql"),
        ("d_admin", "USAGE", f'SERVER {name}."d server"'),
        ("d_admin", "USAGE", f"TYPE {name}.sales.pence"),
        ("d_admin", "USAGE", f"WRAPPER {name}.d_wrapper"),
        ("d_jane", "OWNER", f"{name}.sales"),
        ("d_lent", "DELETE", f'{name}.sales."Odd.name"'),
        ("d_lent", "USAGE", f"{name}.sales"),
        ("d_old", "INSERT", f"{name}.sales.orders"),
        ("d_old", "SELECT WITH GRANT OPTION", f"{name}.sales.orders"),
    ]


def test_what_everyone_may_is_noted_on_the_resource(database: str, tmp_path: Path):
    name = database.rpartition("/")[2]
    found = table(read(database, tmp_path).resources, "integration_specific_id", "description")
    assert (name, "Every account: CONNECT, TEMPORARY") in found
    assert (f"{name}.sales.orders", "Every account: SELECT") in found
    assert (f"{name}.sales", None) in found


def test_every_association_has_its_entitlement_and_its_resource(database: str, tmp_path: Path):
    raw = read(database, tmp_path)
    keys = "integration_specific_id", "integration_specific_resource_id"
    entitlements = table(raw.entitlements, *keys)
    assert len(entitlements) == len(set(entitlements))
    assert {row[1:] for row in table(raw.associations)} <= set(entitlements)
    resources = {row[0] for row in table(raw.resources, "integration_specific_id")} | {""}
    assert {where for _, where in entitlements} <= resources
    labels = dict(table(raw.entitlements, "label", "description"))
    assert labels["Role - d_writer"] == "May change orders"


def test_an_account_that_may_only_log_in_reads_the_same(database: str, tmp_path: Path):
    full, least = (
        read(database.replace("postgres@", user), tmp_path) for user in ("postgres@", "d_old@")
    )
    for name in ("accounts", "entitlements", "resources", "associations"):
        assert table(getattr(full, name)) == table(getattr(least, name))


def test_a_query_of_the_file_stands_in_place_of_the_built_in_one(database: str, tmp_path: Path):
    only = "SELECT 'x' AS integration_specific_id, 'x@example.com' AS email"
    raw = read(database, tmp_path, queries={"list_accounts": only})
    assert table(raw.accounts) == [("x", "x@example.com")]
    assert raw.entitlements is not None


def test_a_probe_names_the_columns_of_every_table(database: str, tmp_path: Path):
    source = SqlSource(kind="sql", url=database, discover="postgresql")
    probes = probe_source(source, tmp_path, now=NOW)
    assert [probe.table for probe in probes] == [
        "accounts", "entitlements", "resources", "associations",
    ]  # fmt: skip


def test_another_engine_than_the_url_s_is_refused(database: str, tmp_path: Path):
    source = SqlSource(kind="sql", url=database, discover="mysql")
    with pytest.raises(ConfigError, match=r"discover: mysql: the url is of postgresql"):
        read_source(source, tmp_path, now=NOW)

"""MariaDB's own users and roles, on a real server; MySQL's queries over tables as it keeps them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymysql
import pytest

from extractors.read import read_source
from extractors.sql.discovery.queries import discovery_queries
from schemas.errors import SourceIncompleteError
from schemas.raw import Raw
from schemas.source_file.kinds.sql_source import SqlSource
from tests.discovery_rows import table

pytest_plugins = ["tests.mariadb_server"]

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SETUP = """
CREATE DATABASE d_shop; CREATE TABLE d_shop.orders (id int); CREATE TABLE d_shop.items (id int);
CREATE USER 'd_jane'@'localhost' IDENTIFIED BY 'x'; CREATE USER 'd_jane'@'10.%' IDENTIFIED BY 'x';
CREATE USER 'D_JANE'@'%' IDENTIFIED BY 'x'; CREATE USER 'd_ann@corp.example'@'%' IDENTIFIED BY 'x';
CREATE USER 'd_bob'@'%' IDENTIFIED BY 'x' ACCOUNT LOCK;
CREATE USER 'd_old'@'%' IDENTIFIED BY 'x' PASSWORD EXPIRE;
CREATE USER 'd_aged'@'%' IDENTIFIED BY 'x' PASSWORD EXPIRE INTERVAL 30 DAY;
CREATE USER 'd_late'@'%' IDENTIFIED BY 'x' PASSWORD EXPIRE INTERVAL 30 DAY;
CREATE USER 'd_kept'@'%' IDENTIFIED BY 'x' PASSWORD EXPIRE NEVER;
CREATE ROLE d_reader; CREATE ROLE d_writer; CREATE ROLE d_chief;
GRANT d_reader TO d_writer; GRANT d_writer TO d_chief; GRANT d_writer TO 'd_jane'@'10.%';
GRANT d_chief TO 'd_bob'@'%' WITH ADMIN OPTION;
GRANT SELECT ON d_shop.* TO d_reader; GRANT SELECT ON d_shop.* TO 'd_bob'@'%';
GRANT INSERT, SELECT ON d_shop.orders TO 'd_jane'@'10.%' WITH GRANT OPTION;
GRANT PROCESS ON *.* TO 'D_JANE'@'%'; GRANT SELECT ON d_shop.items TO PUBLIC;
CREATE USER 'd_shut'@'%' IDENTIFIED BY 'x' WITH MAX_USER_CONNECTIONS -1;
CREATE USER 'd_none'@'%' IDENTIFIED VIA mysql_native_password USING 'invalid';
CREATE USER 'd_sock'@'%' IDENTIFIED VIA mysql_native_password USING 'invalid' OR unix_socket;
CREATE FUNCTION d_shop.pay() RETURNS INT RETURN 1; CREATE PROCEDURE d_shop.pay() SELECT 1;
GRANT SELECT (id), UPDATE (id) ON d_shop.orders TO 'd_kept'@'%';
GRANT EXECUTE ON FUNCTION d_shop.pay TO 'd_kept'@'%';
GRANT EXECUTE, ALTER ROUTINE ON PROCEDURE d_shop.pay TO 'd_kept'@'%' WITH GRANT OPTION;
GRANT PROXY ON 'd_jane'@'localhost' TO 'd_kept'@'%' WITH GRANT OPTION;
CREATE DATABASE `d_we.ird`; CREATE TABLE `d_we.ird`.`x` (id int);
CREATE DATABASE `d_we`; CREATE TABLE `d_we`.`ird.x` (id int);
GRANT SELECT ON `d_we.ird`.`x` TO 'd_aged'@'%'; GRANT INSERT ON `d_we`.`ird.x` TO 'd_aged'@'%';
UPDATE mysql.global_priv
    SET Priv = JSON_SET(Priv, '$.password_last_changed', UNIX_TIMESTAMP() - 31 * 86400)
    WHERE User IN ('d_late', 'd_kept');
FLUSH PRIVILEGES
"""
REMOVE = """
DROP DATABASE d_shop; DROP DATABASE `d_we.ird`; DROP DATABASE `d_we`;
DROP ROLE d_reader, d_writer, d_chief; REVOKE ALL, GRANT OPTION FROM PUBLIC;
DROP USER 'd_jane'@'localhost', 'd_jane'@'10.%', 'D_JANE'@'%', 'd_ann@corp.example'@'%',
    'd_bob'@'%', 'd_old'@'%', 'd_aged'@'%', 'd_late'@'%', 'd_kept'@'%', 'd_shut'@'%', 'd_none'@'%',
    'd_sock'@'%'
"""

MYSQL_TABLES = """
CREATE DATABASE d_mysql8;
CREATE TABLE d_mysql8.user (
    Host char(255) COLLATE utf8mb3_bin, User char(32) COLLATE utf8mb3_bin, plugin char(64),
    authentication_string text, password_expired enum('N', 'Y') CHARACTER SET utf8mb3,
    password_last_changed timestamp NULL, password_lifetime smallint unsigned,
    account_locked enum('N', 'Y') CHARACTER SET utf8mb3
);
CREATE TABLE d_mysql8.role_edges (
    FROM_HOST char(255) COLLATE utf8mb3_bin, FROM_USER char(32) COLLATE utf8mb3_bin,
    TO_HOST char(255) COLLATE utf8mb3_bin, TO_USER char(32) COLLATE utf8mb3_bin,
    WITH_ADMIN_OPTION enum('N', 'Y') CHARACTER SET utf8mb3 COLLATE utf8mb3_bin
);
INSERT INTO d_mysql8.user VALUES
    ('localhost', 'mysql.sys', 'caching_sha2_password', '$A$005$THIS', 'N', NOW(), NULL, 'Y'),
    ('10.%', 'jane', 'caching_sha2_password', '$A$005$x', 'N', NOW(), NULL, 'N'),
    ('localhost', 'jane', 'caching_sha2_password', '$A$005$y', 'N', NOW(), NULL, 'N'),
    ('%', 'old', 'caching_sha2_password', '$A$005$z', 'Y', NOW(), NULL, 'N'),
    ('%', 'late', 'caching_sha2_password', '$A$005$z', 'N', NOW() - INTERVAL 40 DAY, 30, 'N'),
    ('%', 'bob', 'caching_sha2_password', '$A$005$z', 'N', NOW(), NULL, 'Y'),
    ('%', '', 'caching_sha2_password', '$A$005$z', 'N', NOW(), NULL, 'N'),
    ('%', 'reader', 'caching_sha2_password', '', 'Y', NOW(), NULL, 'Y'),
    ('%', 'writer', 'caching_sha2_password', '', 'Y', NOW(), NULL, 'Y'),
    ('%', 'unused', 'caching_sha2_password', '', 'Y', NOW(), NULL, 'Y');
INSERT INTO d_mysql8.role_edges VALUES
    ('%', 'reader', '%', 'writer', 'N'), ('%', 'writer', '10.%', 'jane', 'Y'),
    ('%', 'bob', 'localhost', 'jane', 'N')
"""


def run(url: str, statements: str) -> None:
    port = int(url.rpartition(":")[2])
    with (
        closing(pymysql.connect(host="127.0.0.1", port=port, user="root")) as connection,
        connection.cursor() as cursor,
    ):
        for statement in statements.split(";"):
            cursor.execute(statement)
        connection.commit()


@pytest.fixture
def server(mariadb_server: str) -> Iterator[str]:
    run(mariadb_server, SETUP)
    yield mariadb_server
    run(mariadb_server, REMOVE)


def read(url: str, workspace: Path, **more: Any) -> Raw:
    source = SqlSource(kind="sql", url=f"{url}/mysql", discover="mysql", **more)
    return read_source(source, workspace, now=NOW)


def ours(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [row for row in rows if str(row[0]).lower().startswith("d_")]


def test_users_with_one_name_on_two_hosts_are_two_accounts(server: str, tmp_path: Path):
    raw = read(server, tmp_path)
    found = table(raw.accounts, "integration_specific_id", "email", "user_status", "account_type")
    assert ours(found) == [
        ("D_JANE@%", None, "ACTIVE", "user"),
        ("d_aged@%", None, "ACTIVE", "user"),
        ("d_ann@corp.example@%", "d_ann@corp.example", "ACTIVE", "user"),
        ("d_bob@%", None, "SUSPENDED", "user"),
        ("d_jane@10.%", None, "ACTIVE", "user"),
        ("d_jane@localhost", None, "ACTIVE", "service"),
        ("d_kept@%", None, "ACTIVE", "user"),
        ("d_late@%", None, "SUSPENDED", "user"),
        ("d_none@%", None, "SUSPENDED", "user"),
        ("d_old@%", None, "SUSPENDED", "user"),
        ("d_shut@%", None, "SUSPENDED", "user"),
        ("d_sock@%", None, "ACTIVE", "user"),
    ]
    assert ("d_bob", "MariaDB, from %") in table(raw.accounts, "given_name", "family_name")


def test_roles_reach_through_others_and_privileges_stay_where_they_are(server: str, tmp_path: Path):
    assert ours(table(read(server, tmp_path).associations)) == [
        ("D_JANE@%", "PROCESS", ""),
        ("d_aged@%", "INSERT", "d_we.`ird.x`"),
        ("d_aged@%", "SELECT", "`d_we.ird`.x"),
        ("d_bob@%", "ADMIN_d_chief", ""),
        ("d_bob@%", "ROLE_d_chief", ""),
        ("d_bob@%", "ROLE_d_reader", ""),
        ("d_bob@%", "ROLE_d_writer", ""),
        ("d_bob@%", "SELECT", "d_shop"),
        ("d_jane@10.%", "INSERT WITH GRANT OPTION", "d_shop.orders"),
        ("d_jane@10.%", "ROLE_d_reader", ""),
        ("d_jane@10.%", "ROLE_d_writer", ""),
        ("d_jane@10.%", "SELECT WITH GRANT OPTION", "d_shop.orders"),
        ("d_kept@%", "ALTER ROUTINE WITH GRANT OPTION", "PROCEDURE d_shop.pay"),
        ("d_kept@%", "EXECUTE WITH GRANT OPTION", "PROCEDURE d_shop.pay"),
        ("d_kept@%", "EXECUTE", "FUNCTION d_shop.pay"),
        ("d_kept@%", "PROXY_d_jane@localhost WITH GRANT OPTION", ""),
        ("d_kept@%", "SELECT", "d_shop.orders.id"),
        ("d_kept@%", "UPDATE", "d_shop.orders.id"),
    ]


@pytest.mark.parametrize("user", ["d_shut", "d_none"])
def test_whom_the_server_lets_in_by_no_way_cannot_log_in(server: str, user: str):
    port = int(server.rpartition(":")[2])
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(host="127.0.0.1", port=port, user=user, password="x")


def test_public_is_a_note_and_no_role(server: str, tmp_path: Path):
    raw = read(server, tmp_path)
    assert ("d_shop.items", "Every account: SELECT") in table(
        raw.resources, "integration_specific_id", "description"
    )
    ids = [row[0] for row in table(raw.entitlements, "integration_specific_id")]
    assert [one for one in ids if str(one).endswith(("d_chief", "PUBLIC"))] == [
        "ADMIN_d_chief",
        "ROLE_d_chief",
    ]


def test_every_association_has_its_entitlement_and_its_resource(server: str, tmp_path: Path):
    raw = read(server, tmp_path)
    keys = "integration_specific_id", "integration_specific_resource_id"
    entitlements = table(raw.entitlements, *keys)
    assert len(entitlements) == len(set(entitlements))
    assert {row[1:] for row in table(raw.associations)} <= set(entitlements)
    resources = {row[0] for row in table(raw.resources, "integration_specific_id")} | {""}
    assert {where for _, where in entitlements} <= resources


def test_an_account_that_sees_only_part_is_no_shorter_snapshot(server: str, tmp_path: Path):
    run(
        server,
        "CREATE USER 'd_part'@'127.0.0.1'; "
        "GRANT SELECT ON mysql.global_priv TO 'd_part'@'127.0.0.1'; "
        "GRANT SELECT ON mysql.roles_mapping TO 'd_part'@'127.0.0.1'",
    )
    as_part = server.replace("root@", "d_part@")
    try:
        with pytest.raises(SourceIncompleteError, match=r"GRANT SELECT ON mysql\.\*"):
            read(as_part, tmp_path)
        run(server, "GRANT SELECT ON mysql.* TO 'd_part'@'127.0.0.1'")
        assert table(read(as_part, tmp_path).associations) == table(
            read(server, tmp_path).associations
        )
    finally:
        run(server, "DROP USER 'd_part'@'127.0.0.1'")


def test_mysql_s_roles_are_told_from_its_users(mariadb_server: str, tmp_path: Path):
    run(mariadb_server, MYSQL_TABLES)
    queries = {
        name: text.replace("mysql.user AS", "d_mysql8.user AS").replace(
            "mysql.role_edges", "d_mysql8.role_edges"
        )
        for name, text in discovery_queries("mysql", "8.0.39").items()
    }
    try:
        raw = read(mariadb_server, tmp_path, queries=queries)
    finally:
        run(mariadb_server, "DROP DATABASE d_mysql8")
    found = table(raw.accounts, "integration_specific_id", "user_status", "account_type")
    assert found == [
        ("@%", "ACTIVE", "user"),
        ("jane@10.%", "ACTIVE", "user"),
        ("jane@localhost", "ACTIVE", "service"),
        ("late@%", "SUSPENDED", "user"),
        ("mysql.sys@localhost", "SUSPENDED", "service"),
        ("old@%", "SUSPENDED", "user"),
    ]
    assert [row for row in table(raw.associations) if "jane" in str(row[0])] == [
        ("jane@10.%", "ADMIN_writer@%", ""),
        ("jane@10.%", "ROLE_reader@%", ""),
        ("jane@10.%", "ROLE_writer@%", ""),
        ("jane@localhost", "ROLE_bob@%", ""),
    ]
    types = table(raw.entitlements, "entitlement_type", "integration_specific_id")
    assert [what for kind, what in types if kind == "ROLE"] == [
        "ROLE_bob@%", "ROLE_reader@%", "ROLE_unused@%", "ROLE_writer@%",
    ]  # fmt: skip

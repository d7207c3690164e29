"""Snowflake's users and roles through its own connector, from an emulator (fakesnow).

ACCOUNT_USAGE is what Snowflake keeps (Snowflake, "Account Usage"), as tables with rows as it gives
them; the emulator runs the statements in DuckDB.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
from pydantic import SecretStr

from extractors.read import read_source
from schemas.raw import Raw
from schemas.source_file.kinds.sql_source import SqlSource
from tests.discovery_rows import table

pytest_plugins = ["tests.snowflake_emulator"]
# The emulator's connector warns of its own defaults.
pytestmark = pytest.mark.filterwarnings("ignore:enable_server_session_keep_alive:FutureWarning")

NOW = datetime(2026, 1, 2, tzinfo=UTC)
VIEWS = """
CREATE DATABASE IF NOT EXISTS SNOWFLAKE;
CREATE SCHEMA IF NOT EXISTS SNOWFLAKE.ACCOUNT_USAGE;
CREATE OR REPLACE TABLE SNOWFLAKE.ACCOUNT_USAGE.USERS (
    NAME varchar, LOGIN_NAME varchar, EMAIL varchar, FIRST_NAME varchar, LAST_NAME varchar,
    CREATED_ON timestamp_ltz, DELETED_ON timestamp_ltz, DISABLED varchar, SNOWFLAKE_LOCK varchar,
    EXPIRES_AT timestamp_ltz, TYPE varchar, LAST_SUCCESS_LOGIN timestamp_ltz, DEFAULT_ROLE varchar,
    DEFAULT_WAREHOUSE varchar, HAS_PASSWORD boolean, HAS_RSA_PUBLIC_KEY boolean, HAS_MFA boolean,
    MUST_CHANGE_PASSWORD boolean, OWNER varchar, COMMENT varchar
);
INSERT INTO SNOWFLAKE.ACCOUNT_USAGE.USERS VALUES
    ('JANE', 'JANE@CORP', 'jane@corp.example', 'Jane', 'Roe', '2024-01-01', NULL, 'false', 'false',
     NULL, 'PERSON', '2025-12-30 10:00:00', 'ANALYST', NULL, TRUE, FALSE, TRUE, FALSE, NULL, ''),
    ('LOADER', 'LOADER', NULL, NULL, NULL, '2024-01-01', NULL, 'false', 'false',
     NULL, 'SERVICE', NULL, 'LOADER_ROLE', NULL, FALSE, TRUE, FALSE, FALSE, 'USERADMIN', 'nightly'),
    ('OFF', 'OFF', 'off@corp.example', NULL, NULL, '2024-01-01', NULL, 'true', 'false',
     NULL, NULL, NULL, NULL, NULL, TRUE, FALSE, FALSE, FALSE, 'USERADMIN', NULL),
    ('GUEST', 'GUEST', 'g@corp.example', NULL, NULL, '2024-01-01', NULL, 'false', 'false',
     '2025-01-01', 'PERSON', NULL, NULL, NULL, TRUE, FALSE, FALSE, FALSE, 'USERADMIN', NULL),
    ('BACK', 'BACK', 'b@corp.example', NULL, NULL, '2023-01-01', '2023-06-01', 'false', 'false',
     NULL, 'PERSON', '2023-05-01', NULL, NULL, TRUE, FALSE, FALSE, FALSE, NULL, NULL),
    ('BACK', 'BACK', 'b@corp.example', NULL, NULL, '2024-01-01', NULL, 'false', 'false',
     NULL, 'PERSON', NULL, NULL, NULL, TRUE, FALSE, FALSE, FALSE, NULL, NULL),
    ('GONE', 'GONE', 'gone@corp.example', NULL, NULL, '2023-01-01', '2025-06-01', 'false', 'false',
     NULL, 'PERSON', NULL, NULL, NULL, TRUE, FALSE, FALSE, FALSE, NULL, NULL);
CREATE OR REPLACE TABLE SNOWFLAKE.ACCOUNT_USAGE.ROLES (
    NAME varchar, COMMENT varchar, ROLE_TYPE varchar, ROLE_DATABASE_NAME varchar,
    DELETED_ON timestamp_ltz
);
INSERT INTO SNOWFLAKE.ACCOUNT_USAGE.ROLES VALUES
    ('ANALYST', 'Reads the marts', 'ROLE', NULL, NULL), ('LOADER_ROLE', '', 'ROLE', NULL, NULL),
    ('READ', NULL, 'DATABASE_ROLE', 'MARTS', NULL), ('BASE', NULL, 'ROLE', NULL, NULL),
    ('OLD', NULL, 'ROLE', NULL, '2025-01-01'), ('APP', NULL, 'APPLICATION_ROLE', 'X', NULL);
CREATE OR REPLACE TABLE SNOWFLAKE.ACCOUNT_USAGE.GRANTS_TO_USERS (
    ROLE varchar, GRANTED_TO varchar, GRANTEE_NAME varchar, DELETED_ON timestamp_ltz
);
INSERT INTO SNOWFLAKE.ACCOUNT_USAGE.GRANTS_TO_USERS VALUES
    ('ANALYST', 'USER', 'JANE', NULL), ('LOADER_ROLE', 'USER', 'LOADER', NULL),
    ('LOADER_ROLE', 'USER', 'JANE', '2025-01-01'), ('BASE', 'USER', 'GONE', NULL);
CREATE OR REPLACE TABLE SNOWFLAKE.ACCOUNT_USAGE.GRANTS_TO_ROLES (
    PRIVILEGE varchar, GRANTED_ON varchar, NAME varchar, TABLE_CATALOG varchar, GRANTED_TO varchar,
    GRANTEE_NAME varchar, DELETED_ON timestamp_ltz
);
INSERT INTO SNOWFLAKE.ACCOUNT_USAGE.GRANTS_TO_ROLES VALUES
    ('USAGE', 'ROLE', 'BASE', NULL, 'ROLE', 'ANALYST', NULL),
    ('USAGE', 'DATABASE_ROLE', 'READ', 'MARTS', 'ROLE', 'BASE', NULL),
    ('OWNERSHIP', 'ROLE', 'LOADER_ROLE', NULL, 'ROLE', 'ANALYST', NULL),
    ('SELECT', 'TABLE', 'FACTS', 'MARTS', 'ROLE', 'ANALYST', NULL);
CREATE OR REPLACE TABLE SNOWFLAKE.ACCOUNT_USAGE.DATABASES (
    DATABASE_NAME varchar, COMMENT varchar, DELETED timestamp_ltz
);
INSERT INTO SNOWFLAKE.ACCOUNT_USAGE.DATABASES VALUES
    ('MARTS', 'For analysts', NULL), ('OLD_MARTS', NULL, '2025-01-01')
"""


@pytest.fixture(scope="module")
def port(snowflake_port: int) -> int:
    options: dict[str, Any] = {"host": "127.0.0.1", "port": snowflake_port, "protocol": "http"}
    with snowflake.connector.connect(
        user="filler", password="x", account="standin",
        enable_server_session_keep_alive_auto_detection=True, **options,
    ) as connection:  # fmt: skip
        cursor = connection.cursor()
        for statement in VIEWS.split(";"):
            cursor.execute(statement)
    return snowflake_port


@pytest.fixture(scope="module")
def raw(port: int) -> Raw:
    url = f"jdbc:snowflake://127.0.0.1:{port}/?db=SNOWFLAKE&schema=ACCOUNT_USAGE&ssl=off"
    source = SqlSource(
        kind="sql", url=f"{url}&account=standin", discover="snowflake", username="reader",
        password={"env": "PW"},
    )  # fmt: skip
    return read_source(source, Path(), now=NOW, resolve=lambda _: SecretStr("x"))


def test_a_status_is_what_the_flags_say(raw: Raw):
    found = table(raw.accounts, "integration_specific_id", "user_status", "account_type")
    assert found == [
        ("BACK", "ACTIVE", "user"),
        ("GONE", "DELETED", "user"),
        ("GUEST", "SUSPENDED", "user"),
        ("JANE@CORP", "ACTIVE", "user"),
        ("LOADER", "ACTIVE", "service"),
        ("OFF", "SUSPENDED", "user"),
    ]


def test_no_e_mail_is_made_up(raw: Raw):
    found = table(raw.accounts, "integration_specific_id", "email", "given_name", "family_name")
    assert ("LOADER", None, "LOADER", "Snowflake") in found
    assert ("JANE@CORP", "jane@corp.example", "Jane", "Roe") in found
    assert ("OFF", "off@corp.example", None, None) in found


def test_roles_reach_through_others_and_dropped_users_hold_none(raw: Raw):
    assert table(raw.associations) == [
        ("JANE@CORP", "ROLE_ANALYST", ""),
        ("JANE@CORP", "ROLE_BASE", ""),
        ("JANE@CORP", "ROLE_READ", "MARTS"),
        ("LOADER", "ROLE_LOADER_ROLE", ""),
    ]


def test_roles_are_the_account_s_or_a_database_s(raw: Raw):
    keys = "integration_specific_id", "integration_specific_resource_id", "description"
    assert table(raw.entitlements, *keys) == [
        ("ROLE_ANALYST", "", "Reads the marts"),
        ("ROLE_BASE", "", None),
        ("ROLE_LOADER_ROLE", "", None),
        ("ROLE_READ", "MARTS", None),
    ]
    assert table(raw.resources, "integration_specific_id", "description") == [
        ("MARTS", "For analysts")
    ]


def test_the_last_login_is_the_account_s(raw: Raw):
    found = dict(table(raw.accounts, "integration_specific_id", "last_login"))
    assert str(found["JANE@CORP"]).startswith("2025-12-30T10:00:00")
    assert found["LOADER"] is None

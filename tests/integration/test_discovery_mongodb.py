"""MongoDB's users and roles through real pymongo, from an emulator that answers in its shapes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from extractors.read import probe_source, read_source
from schemas.errors import (
    ConfigError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.raw import Raw
from schemas.source_file.kinds.sql_source import SqlSource
from tests.discovery_rows import table
from tests.mongo_front_end import Mongo, running_mongo

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def user(name: str, database: str, *roles: tuple[str, str], **more: object) -> dict[str, Any]:
    return {
        "_id": f"{database}.{name}",
        "user": name,
        "db": database,
        "roles": [{"role": role, "db": where} for role, where in roles],
        "mechanisms": ["SCRAM-SHA-256"],
        **more,
    }


@pytest.fixture
def mongo() -> Iterator[Mongo]:
    mongo = Mongo(
        users=[
            user("jane", "admin", ("clerk", "shop"), ("readWriteAnyDatabase", "admin")),
            user("jane", "shop", ("read", "shop")),
            user("ann@corp.example", "$external", customData={"salary": "secret"}),
        ],
        roles=[
            {
                "role": "clerk", "db": "shop", "isBuiltin": False,
                "roles": [{"role": "teller", "db": "shop"}],
                "inheritedRoles": [
                    {"role": "teller", "db": "shop"}, {"role": "read", "db": "shop"},
                ],
            },
            {
                "role": "teller", "db": "shop", "isBuiltin": False,
                "roles": [{"role": "read", "db": "shop"}],
                "inheritedRoles": [{"role": "read", "db": "shop"}],
            },
            {"role": "auditor", "db": "books", "isBuiltin": False, "roles": [],
             "inheritedRoles": []},
        ],
    )  # fmt: skip
    mongo.client["books"]["entries"].insert_one({"a": 1})
    with running_mongo(mongo):
        yield mongo


def read(mongo: Mongo, workspace: Path, **more: Any) -> Raw:
    given = {"url": mongo.url, "discover": "mongodb", "connect_timeout": "30s", **more}
    return read_source(SqlSource(kind="sql", **given), workspace, now=NOW)


def test_users_with_one_name_in_two_databases_are_two_accounts(mongo: Mongo, tmp_path: Path):
    raw = read(mongo, tmp_path)
    assert table(raw.accounts, "integration_specific_id", "email", "given_name", "family_name") == [
        ("$external.ann@corp.example", "ann@corp.example", "ann@corp.example", "MongoDB $external"),
        ("admin.jane", None, "jane", "MongoDB admin"),
        ("shop.jane", None, "jane", "MongoDB shop"),
    ]
    assert "user_status" not in raw.accounts.rows.columns


def test_a_role_is_held_through_others(mongo: Mongo, tmp_path: Path):
    raw = read(mongo, tmp_path)
    assert table(raw.associations) == [
        ("admin.jane", "ROLE_clerk", "shop"),
        ("admin.jane", "ROLE_read", "shop"),
        ("admin.jane", "ROLE_readWriteAnyDatabase", "admin"),
        ("admin.jane", "ROLE_teller", "shop"),
        ("shop.jane", "ROLE_read", "shop"),
    ]


def test_every_role_that_was_made_or_is_held_is_an_entitlement(mongo: Mongo, tmp_path: Path):
    raw = read(mongo, tmp_path)
    keys = "integration_specific_id", "integration_specific_resource_id"
    assert table(raw.entitlements, *keys, "description") == [
        ("ROLE_auditor", "books", "Made here"),
        ("ROLE_clerk", "shop", "Made here"),
        ("ROLE_read", "shop", "Built in"),
        ("ROLE_readWriteAnyDatabase", "admin", "Built in"),
        ("ROLE_teller", "shop", "Made here"),
    ]
    assert table(raw.resources, "integration_specific_id") == [("admin",), ("books",), ("shop",)]


def test_neither_passwords_nor_custom_data_are_asked_for(mongo: Mongo, tmp_path: Path):
    raw = read(mongo, tmp_path)
    [asked] = [one for one in mongo.asked if "usersInfo" in one]
    assert not {"showCredentials", "showCustomData", "showPrivileges"} & {
        name for name, value in asked.items() if value
    }
    assert "secret" not in str(raw.accounts.rows.rows())
    assert {next(iter(one)) for one in mongo.asked} <= {
        "usersInfo", "rolesInfo", "listDatabases", "endSessions",
    }  # fmt: skip


def test_a_probe_counts_the_users(mongo: Mongo, tmp_path: Path):
    source = SqlSource(kind="sql", url=f"jdbc:{mongo.url}", discover="mongodb")
    [probe] = probe_source(source, tmp_path, now=NOW)
    assert probe.said.startswith("3 users")


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        ("usersInfo", 13, SourceFormatError),
        ("usersInfo", 18, ConfigError),
        ("rolesInfo", 50, SourceIncompleteError),
        ("rolesInfo", 59, SourceFormatError),
    ],
)
def test_a_refusal_is_one_line_with_its_code(
    mongo: Mongo, tmp_path: Path, command: str, code: int, error: type[Exception]
):
    mongo.refuses[command] = code
    with pytest.raises(error, match=rf"{command}: .*\(code {code}\)$") as caught:
        read(mongo, tmp_path)
    assert "secret-name" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_connection_cut_in_the_middle_is_no_shorter_snapshot(mongo: Mongo, tmp_path: Path):
    mongo.cuts.add("rolesInfo")
    with pytest.raises(SourceIncompleteError, match="connection was lost"):
        read(mongo, tmp_path)


def test_an_account_that_may_not_list_every_database_is_no_shorter_snapshot(
    mongo: Mongo, tmp_path: Path
):
    """By default a server would list the databases that the account has a right to."""
    mongo.may_list_all = False
    with pytest.raises(SourceFormatError, match=r"listDatabases: .*on the cluster \(code 13\)$"):
        read(mongo, tmp_path)


def test_no_user_is_an_error(mongo: Mongo, tmp_path: Path):
    mongo.users.clear()
    with pytest.raises(SourceIncompleteError, match="no user"):
        read(mongo, tmp_path)


def test_an_answer_of_another_shape_is_an_error(mongo: Mongo, tmp_path: Path):
    del mongo.users[0]["roles"]
    with pytest.raises(SourceFormatError, match="no users as its manual"):
        read(mongo, tmp_path)


def test_no_server_is_named(tmp_path: Path):
    with pytest.raises(SourceUnavailableError, match="no MongoDB server answers"):
        read(Mongo(port=1), tmp_path, connect_timeout="1s")


def test_tls_is_what_a_server_elsewhere_is_asked_for(mongo: Mongo, tmp_path: Path):
    with pytest.raises(SourceUnavailableError):  # the emulator speaks no TLS
        read(mongo, tmp_path, tls={"mode": "verify"}, connect_timeout="1s")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "mongodb://jane:pw@host/"}, "holds a password"),
        ({"url": "mongodb://host/?tlsCertificateKeyFilePassword=pw"}, "holds a password"),
        (
            {"url": "mongodb://host/?authMechanismProperties=SERVICE_NAME:a,AWS_SESSION_TOKEN:pw"},
            "holds a password",
        ),
        ({"url": "mongodb://host/?authMechanismProperties=AWS%5fSESSION_TOKEN:pw"}, "a password"),
        ({"url": "mongodb://host/?tls=true&tlsInsecure=true"}, "trusts any certificate"),
        ({"url": "postgresql://host/"}, "write mongodb://"),
        ({"url": "mongodb://host/?tlsCaFil=x"}, "no url of MongoDB"),
        ({"queries": {"list_accounts": "SELECT 1"}}, "takes no SQL"),
        ({"tls": {"certificate": "a.pem", "key": "b.pem"}}, "in one file"),
    ],
)
def test_what_cannot_be_meant_is_a_wrong_source_file(
    mongo: Mongo, tmp_path: Path, given: dict[str, Any], said: str
):
    with pytest.raises(ConfigError, match=said) as caught:
        read(mongo, tmp_path, **given)
    assert "pw" not in str(caught.value)

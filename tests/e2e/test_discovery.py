"""A database's own accounts and roles, from the command line to Lumos's."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from terminal import Workspace

from tests.mongo_front_end import Mongo, running_mongo

pytest_plugins = ["tests.postgresql_server"]

SOURCE = """
app: {{name: Order database, create: {{category: Sales & Support, description: Its own logins}}}}
source: {{kind: sql, url: {url}, discover: {engine}}}
upload: {{poll: {{every: 0.1s, give_up_after: 60s}}}}
"""
ROLES = ("e_reader", "e_writer", "e_jane", "e_old")


@pytest.fixture
def database(new_database: Callable[[], str]) -> Iterator[str]:
    url = new_database()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE ROLE e_reader; CREATE ROLE e_writer; CREATE ROLE e_jane LOGIN")
        connection.execute("CREATE ROLE e_old LOGIN VALID UNTIL '2020-01-01'")
        connection.execute("GRANT e_reader TO e_writer; GRANT e_writer TO e_jane")
        connection.execute("CREATE TABLE orders (id int); GRANT SELECT ON orders TO e_jane")
    yield url
    with psycopg.connect(url) as connection:
        for role in ROLES:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_login_without_e_mail_arrives_with_its_roles_and_privileges(
    workspace: Workspace, database: str
):
    workspace.source(SOURCE.format(url=database, engine="postgresql"))
    said = workspace.run("sync", "hr")
    assert said.code == 0, said.err
    accounts = workspace.accounts()
    name = database.rpartition("/")[2]
    jane = accounts["e_jane"]
    assert jane["email"] is None
    assert (jane["first_name"], jane["last_name"]) == ("e_jane", f"PostgreSQL {name}")
    permissions = {one["unique_identifier"]: one["name"] for one in jane["permissions"]}
    assert permissions == {
        "ROLE_e_reader": "Role - e_reader",
        "ROLE_e_writer": "Role - e_writer",
        f"{name}.public.orders|SELECT": f"SELECT ({name}.public.orders)",
    }
    assert accounts["e_old"]["status"] == "SUSPENDED"
    assert "e_reader" not in accounts


def test_a_role_that_was_revoked_is_gone_after_the_next_sync(workspace: Workspace, database: str):
    text = SOURCE.format(url=database, engine="postgresql")
    workspace.source(f"{text}guards: {{max_removed_associations: 100%}}\n")
    assert workspace.run("sync", "hr").code == 0
    with psycopg.connect(database) as connection:
        connection.execute("REVOKE e_writer FROM e_jane")
    assert workspace.run("sync", "hr").code == 0
    held = [one["type"] for one in workspace.accounts()["e_jane"]["permissions"]]
    assert held == ["PRIVILEGE"]


def test_a_check_says_what_is_there(workspace: Workspace, database: str):
    workspace.source(SOURCE.format(url=database, engine="postgresql"))
    said = workspace.run("check", "hr")
    assert said.code == 0, said.err


def test_mongodb_s_users_arrive_as_active(workspace: Workspace):
    user = {"_id": "shop.jane", "user": "jane", "db": "shop"}
    mongo = Mongo(users=[{**user, "roles": [{"role": "read", "db": "shop"}]}])
    with running_mongo(mongo):
        workspace.source(SOURCE.format(url=mongo.url, engine="mongodb"))
        said = workspace.run("sync", "hr")
    assert said.code == 0, said.err
    [account] = workspace.accounts().values()
    assert (account["unique_identifier"], account["status"]) == ("shop.jane", "ACTIVE")
    assert [one["unique_identifier"] for one in account["permissions"]] == ["shop|ROLE_read"]

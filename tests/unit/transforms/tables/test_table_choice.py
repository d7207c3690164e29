"""Which tables of a database hold accounts, and which say who holds what."""

import pytest

from schemas.look import TableColumns
from transforms.tables.table_choice import links_of, referred_column, tables_of_accounts


def table(name: str, *columns: str) -> TableColumns:
    return TableColumns("", name, columns)


USERS = table("app_users", "id", "login", "email", "status")
ROLES = table("roles", "id", "name")
USER_ROLES = table("user_roles", "user_id", "role_id")


@pytest.mark.parametrize(
    "likely",
    [
        USERS,
        table("Employees", "EmployeeNo", "WorkEmail", "FirstName", "LastName"),
        table("people", "uid", "last_name", "is_active"),
        table("t_login", "username", "mail"),
    ],
)
def test_a_table_of_people_is_one_of_accounts(likely: TableColumns) -> None:
    others = [
        table("orders", "id", "user_id", "status", "total"),
        table("user_roles", "user_id", "role_id"),
        table("settings", "name", "value"),
    ]
    assert tables_of_accounts([*others, likely]) == [likely]


def test_the_likeliest_table_comes_first() -> None:
    contacts = table("contacts", "id", "email")
    assert tables_of_accounts([contacts, USERS]) == [USERS, contacts]


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ([USER_ROLES, ROLES], ("user_id", "role_id", "roles", "id", "name", "Role")),
        ([table("user_roles", "login", "role")], ("login", "role", None, "role", "role", "Role")),
        ([table("grants", "user_id", "role")], ("user_id", "role", None, "role", "role", "Role")),
        (
            [
                table("invoices", "user_id", "team"),
                table("memberships", "account_id", "group_code", "since"),
                table("user_groups", "group_code", "title"),
            ],
            ("account_id", "group_code", "user_groups", "group_code", "title", "Group"),
        ),
        ([table("orders", "user_id", "order_id"), table("orders_", "id", "name")], None),
    ],
)
def test_a_table_of_people_and_roles_says_who_holds_what(tables, expected) -> None:
    links = links_of(USERS, [USERS, *tables])
    if expected is None:
        assert links == []
        return
    link = links[0]
    name = link.catalogue and link.catalogue.name
    assert (link.account, link.entitlement, name, link.key, link.label, link.kind) == expected


@pytest.mark.parametrize(
    ("columns", "name", "expected"),
    [
        (("login", "id"), "user_id", "id"),
        (("id", "user_id"), "user_id", "user_id"),
        (("user_id", "email"), "account", "user_id"),
        (("login",), "user_id", None),
    ],
)
def test_a_column_that_names_an_account_refers_to_its_key(columns, name, expected) -> None:
    assert referred_column(table("users", *columns), name) == expected

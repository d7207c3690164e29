"""What Databricks's connector hands over where it is told to do without pandas, as we tell it.

`SHAPES` is what the connector itself made of an Arrow table, which
`tests/integration/test_drivers_apart.py` has it do again; the rest is of the same types.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.recorded.connection import Answer, Column

MOMENT = datetime(2026, 1, 10, 9, 30, 0, 250_000, tzinfo=UTC)
PRINCIPAL = "6f1c0a2e-1111-4222-8333-9a0b0c0d0e0f"


class Row(tuple):
    """The connector's row, which is a tuple with names."""

    __slots__ = ()


def _answer(names: str, *rows: tuple[object, ...]) -> Answer:
    return Answer([Column(name) for name in names.split()], [Row(row) for row in rows])


SHAPES = _answer(
    "integration_specific_id rate last_login local hired skills is_remote score small seal labels "
    "place note",
    (
        1017, Decimal("12.50"), MOMENT.astimezone(ZoneInfo("Etc/UTC")),
        datetime(2026, 1, 10, 10, 30), date(2020, 2, 29), ["a", "b"], True, 0.5,
        0.25, b"\x00\xff", [("k", "v")], {"x": 1}, "",
    ),
    (1018, None, None, None, None, None, None, None, None, None, None, None, None),
)  # fmt: skip

QUERIES = {
    "list_accounts": _answer(
        "integration_specific_id email user_status rate last_login local hired skills is_remote "
        "seal labels place note",
        *(
            (row[0], f"{row[0]}@corp.example", "ACTIVE", *row[1:7], *row[9:])
            for row in SHAPES.rows
        ),
    ),
    "list_entitlements": _answer(
        "integration_specific_id integration_specific_resource_id entitlement_type label",
        (7, "", "ROLE", "Clerk"),
    ),
    "find_entitlement_associations": _answer(
        "account_id integration_specific_entitlement_id integration_specific_resource_id",
        (1017, 7, ""), (1018, 7, None),
    ),
}  # fmt: skip

DISCOVERY = {
    "list_accounts": _answer(
        "integration_specific_id email given_name family_name username account_type",
        (
            PRINCIPAL, None, PRINCIPAL, "Databricks service principal", PRINCIPAL, "service",
        ),
        ("jane@corp.example", "jane@corp.example", None, None, "jane@corp.example", "user"),
    ),
    "list_entitlements": _answer(
        "entitlement_type integration_specific_id integration_specific_resource_id label "
        "description is_assignable",
        ("PRIVILEGE", "SELECT", "main.raw.events", "SELECT", None, "true"),
        ("PRIVILEGE", "USE_CATALOG", "main", "USE_CATALOG", None, "true"),
        ("PRIVILEGE", "MODIFY", "main.raw", "MODIFY", None, "true"),
    ),
    "list_resources": _answer(
        "resource_type integration_specific_id label description",
        ("CATALOG", "main", "main", "Groups with privileges: account users, analysts"),
        ("SCHEMA", "main.raw", "main.raw", None),
        ("TABLE", "main.raw.events", "main.raw.events", None),
    ),
    "find_entitlement_associations": _answer(
        "account_id integration_specific_entitlement_id integration_specific_resource_id",
        (PRINCIPAL, "MODIFY", "main.raw"),
        ("jane@corp.example", "SELECT", "main.raw.events"),
        ("jane@corp.example", "USE_CATALOG", "main"),
    ),
}  # fmt: skip

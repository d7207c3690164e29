"""What python-oracledb hands over, in its thin mode: as its manual and its decoders have it.

A NUMBER and a CLOB as text and a BLOB as bytes, since our handler asks for these; a DATE and a
TIMESTAMP as a datetime without a zone; a CHAR with its blanks; '' is NULL to Oracle itself.
"""

from datetime import datetime

import oracledb

from tests.recorded.connection import Answer, Column


class Lob:
    """What comes where our handler does not ask: a locator, to be read while connected."""

    def __init__(self, value: object) -> None:
        self.value = value


def text(name: str) -> Column:
    return Column(name, oracledb.DB_TYPE_VARCHAR)


def number(name: str) -> Column:
    return Column(name, oracledb.DB_TYPE_NUMBER, asked=oracledb.DB_TYPE_VARCHAR, else_is=float)


def clob(name: str) -> Column:
    return Column(name, oracledb.DB_TYPE_CLOB, asked=oracledb.DB_TYPE_LONG, else_is=Lob)


def blob(name: str) -> Column:
    return Column(name, oracledb.DB_TYPE_BLOB, asked=oracledb.DB_TYPE_LONG_RAW, else_is=Lob)


def date(name: str) -> Column:
    return Column(name, oracledb.DB_TYPE_DATE)


def timestamp(name: str) -> Column:
    return Column(name, oracledb.DB_TYPE_TIMESTAMP)


QUERIES = {
    "list_accounts": Answer(
        [
            number("INTEG_SPECIFIC_ID"), text("EMAIL"), text("GIVEN_NAME"), text("FAMILY_NAME"),
            text("USER_STATUS"), timestamp("LAST_LOGIN"), Column("BADGE", oracledb.DB_TYPE_CHAR),
            number("RATE"), date("HIRED"), clob("NOTE"), blob("SEAL"),
        ],
        [
            (
                "1017", "jane@corp.example", "Jane", "Roe", "OPEN",
                datetime(2026, 1, 10, 9, 30, 0, 250_000), "B7  ", "0.5", datetime(2020, 2, 29),
                "né", b"\x00\xff",
            ),
            (
                "12345678901234567890123456789012345678", "kim@corp.example", None, None,
                "EXPIRED & LOCKED", datetime(2025, 7, 1, 12), None, "-3", None, None, None,
            ),
            ("1019", "lee@corp.example", None, None, "MELTED", None, None, None, None, None, None),
        ],
    ),
    "list_entitlements": Answer(
        [
            number("INTEG_SPECIFIC_ID"), text("INTEG_SPECIFIC_RESOURCE_ID"),
            text("ENTITLEMENT_TYPE"), text("LABEL"),
        ],
        [("7", None, "ROLE", "Clerk"), ("8", None, "ROLE", "Teller")],
    ),
    "find_entitlement_associations": Answer(
        [
            number("ACCOUNT_ID"), number("INTEG_SPECIFIC_ENTITLEMENT_ID"),
            text("INTEG_SPECIFIC_RESOURCE_ID"),
        ],
        [
            ("1017", "7", None),
            ("1017", "8", None),
            ("12345678901234567890123456789012345678", "7", None),
        ],
    ),
}  # fmt: skip

DISCOVERY = {
    "list_accounts": Answer(
        [
            text("INTEGRATION_SPECIFIC_ID"), text("EMAIL"), text("GIVEN_NAME"),
            text("FAMILY_NAME"), text("USERNAME"), Column("USER_STATUS", oracledb.DB_TYPE_CHAR),
            Column("ACCOUNT_TYPE", oracledb.DB_TYPE_CHAR), text("ACCOUNT_STATUS"), text("PROFILE"),
            text("AUTHENTICATION"), date("CREATED_AT"), date("PASSWORD_EXPIRES_AT"),
        ],
        [
            (
                "SYS", None, "SYS", "Oracle ORCL", "SYS", "ACTIVE", "service", "OPEN", "DEFAULT",
                "PASSWORD", datetime(2020, 1, 1), None,
            ),
            (
                "JANE", None, "JANE", "Oracle ORCL", "JANE", "ACTIVE", "user", "OPEN", "STAFF",
                "PASSWORD", datetime(2024, 1, 1), datetime(2026, 6, 1, 2, 3, 4),
            ),
            (
                "BOTH", None, "BOTH", "Oracle ORCL", "BOTH", "SUSPENDED", "user",
                "EXPIRED & LOCKED", "STAFF", "PASSWORD", datetime(2024, 1, 1), None,
            ),
        ],
    ),
    "list_entitlements": Answer(
        [
            text("ENTITLEMENT_TYPE"), text("INTEGRATION_SPECIFIC_ID"),
            text("INTEG_SPECIFIC_RESOURCE_ID"), text("LABEL"), text("DESCRIPTION"),
            Column("IS_ASSIGNABLE", oracledb.DB_TYPE_CHAR),
        ],
        [
            ("ROLE", "ROLE_CLERK", "ORCL", "Role - CLERK", None, "true"),
            (
                "GRANT", "SELECT WITH GRANT OPTION", "SHOP.ORDERS", "SELECT with grant option",
                None, "true",
            ),
        ],
    ),
    "list_resources": Answer(
        [
            text("RESOURCE_TYPE"), text("INTEGRATION_SPECIFIC_ID"), text("LABEL"),
            text("DESCRIPTION"),
        ],
        [
            ("DATABASE", "ORCL", "ORCL", None),
            ("TABLE", "SHOP.ORDERS", "SHOP.ORDERS", "Every account was granted something on it"),
        ],
    ),
    "find_entitlement_associations": Answer(
        [
            text("ACCOUNT_ID"), text("INTEG_SPECIFIC_ENTITLEMENT_ID"),
            text("INTEG_SPECIFIC_RESOURCE_ID"),
        ],
        [
            ("JANE", "SELECT WITH GRANT OPTION", "SHOP.ORDERS"),
            ("JANE", "ROLE_CLERK", "ORCL"),
            ("BOTH", "ROLE_CLERK", "ORCL"),
        ],
    ),
    "get_last_activity": Answer(
        [text("ACCOUNT_ID"), text("EVENT_TYPE"), text("HAPPENED_AT")],
        [("SYS", "last_login", "2025-12-01T09:00:00Z")],
    ),
}  # fmt: skip

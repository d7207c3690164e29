"""What ibm_db_dbi hands over, as the tests that IBM ships with ibm_db 3.3.0 have it for DB2 LUW.

DECIMAL is a Decimal, BLOB a memoryview, FOR BIT DATA bytes, CLOB and XML texts, DECFLOAT a float,
times without a zone; a CHAR comes with its blanks, and a label in capitals.
"""

from datetime import date, datetime, time
from decimal import Decimal

from tests.recorded.connection import Answer, Column


def _columns(*names: str) -> list[Column]:
    return [Column(name) for name in names]


QUERIES = {
    "list_accounts": Answer(
        _columns(
            "INTEGRATION_SPECIFIC_ID", "EMAIL", "GIVEN_NAME", "FAMILY_NAME", "USER_STATUS",
            "LAST_LOGIN", "EMPLOYEE", "RATE", "SCORE", "HIRED", "SHIFT", "CARD", "NOTE", "SEAL",
            "SEEN",
        ),
        [
            (
                "JROE    ", "jane@corp.example", "Jane  ", "Roe", "ACTIVE",
                datetime(2026, 1, 10, 9, 30, 0, 250_000), Decimal(1017), Decimal("12.50"), 0.5,
                date(2020, 2, 29), time(10, 30), b"\x01\x02\x03", "né", memoryview(b"\x00\xff"),
                2**53 + 1,
            ),
            (
                "KIM     ", "kim@corp.example", "", None, "SUSPENDED", datetime(2025, 7, 1, 12),
                Decimal("0.00"), Decimal("-3.00"), None, None, None, None, None, None, 0,
            ),
        ],
    ),
    "list_entitlements": Answer(
        _columns(
            "INTEGRATION_SPECIFIC_ID", "INTEGRATION_SPECIFIC_RESOURCE_ID", "ENTITLEMENT_TYPE",
            "LABEL",
        ),
        [("CLERK   ", "", "ROLE", "Clerk"), ("TELLER  ", "", "ROLE", "Teller")],
    ),
    "find_entitlement_associations": Answer(
        _columns(
            "ACCOUNT_ID", "INTEGRATION_SPECIFIC_ENTITLEMENT_ID", "INTEGRATION_SPECIFIC_RESOURCE_ID"
        ),
        [("JROE    ", "CLERK   ", ""), ("KIM     ", "TELLER  ", "")],
    ),
}  # fmt: skip

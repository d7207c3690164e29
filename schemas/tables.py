"""The canonical tables: names, columns and dtypes, under Lumos's connector names.

All text unless said; null is absence; times are UTC. Ids are as the source wrote them: never
trimmed, re-cased or re-typed.
"""

import polars as pl

ENTITLEMENT_KEY = ["integration_specific_id", "integration_specific_resource_id"]


UTC_TIME = pl.Datetime("us", "UTC")

ACCOUNTS = {
    "integration_specific_id": pl.String(),
    "email": pl.String(),
    "given_name": pl.String(),
    "family_name": pl.String(),
    "username": pl.String(),
    "user_status": pl.String(),
    "account_type": pl.String(),
    "last_login": UTC_TIME,
    "last_activity": UTC_TIME,
}
"""Custom attributes follow these columns, each under its label, as text, ordered by label."""

ENTITLEMENTS = {
    "entitlement_type": pl.String(),
    "integration_specific_id": pl.String(),
    "integration_specific_resource_id": pl.String(),
    "label": pl.String(),
    "description": pl.String(),
    "is_assignable": pl.String(),
}

RESOURCES = {
    "resource_type": pl.String(),
    "integration_specific_id": pl.String(),
    "label": pl.String(),
    "description": pl.String(),
}

ASSOCIATIONS = {
    "account_id": pl.String(),
    "integration_specific_entitlement_id": pl.String(),
    "integration_specific_resource_id": pl.String(),
}

GRANTS = {"account": pl.UInt32(), "entitlement": pl.UInt32()}
"""Associations as a snapshot keeps them: rows of its accounts and entitlements, sorted, once.
"""

ACTIVITY = {
    "account_id": pl.String(),
    "email": pl.String(),
    "event_type": pl.String(),
    "timestamp": UTC_TIME,
    "source_app_id": pl.String(),
    "app_instance_identifier": pl.String(),
}
"""Activity records, all columns the key; `account_id` or `email` may be null, not both.

"""

REJECTS = {
    "table": pl.String(),
    "file": pl.String(),
    "row": pl.UInt32(),
    "key": pl.String(),
    "column": pl.String(),
    "code": pl.String(),
    "reason": pl.String(),
    "value": pl.String(),
    "is_cell": pl.Boolean(),
    "name": pl.String(),
}
"""`row` is the line in the source, from 1.

`key` is the record's id, as JSON where it has several parts; null where it cannot be told. `code`
and `reason` are a `Reason`; rejects that versions before it archived have no `code`. `value` is
kept in the private archive only. `is_cell`: the cell alone is rejected, its row stands. `name`:
the login of an account, the label of an entitlement; null where it has none.
"""

KEPT = {
    "table": pl.String(),
    "key": pl.String(),
    "line": pl.String(),
    "since": UTC_TIME,
    "reason": pl.String(),
    "is_closed": pl.Boolean(),
}
"""What a run kept of the last accepted one, and the lines that name nobody; private.

`key` as in `REJECTS`: a record that is kept; null for a line, whose text is `line`, with every
number a 0. `since`: when it was first kept or seen. `reason` is a `Reason`'s code. `is_closed`: an
account whose own row says that it cannot log in, so that only its address or names are kept.
"""


LINES = {"file": pl.String(), "line": pl.UInt32()}
"""Where each account of a snapshot was read: the export, query or base, and the line or entry.

`line` is null of a record that is kept for a row that cannot be read.
"""


class Reason(str):
    """Why a row is rejected, as a person reads it after the name of the column.

    Attributes:
        code: what a program tells it by; it stays when the words change.
    """

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, text: str) -> "Reason":
        """The reason `text`, known as `code`."""
        reason = super().__new__(cls, text)
        reason.code = code
        return reason

    def __reduce__(self) -> tuple[type["Reason"], tuple[str, str]]:
        """What makes the same reason again: pandera copies its checks."""
        return Reason, (self.code, str(self))


UNREADABLE_MARK = "\ufffd"
"""What a cell begins with of which the reader knows that nobody can read it; the rest says why."""

NO_PARTNER = f"{UNREADABLE_MARK}no row"
SEVERAL_PARTNERS = f"{UNREADABLE_MARK}several rows"
FORMULA_ERROR = f"{UNREADABLE_MARK}error"
NO_FORMULA_VALUE = f"{UNREADABLE_MARK}formula"
TOO_MANY_DIGITS = f"{UNREADABLE_MARK}digits"
READ_FAULTS = {
    NO_PARTNER: Reason("no_partner", "has no row in the joined file"),
    SEVERAL_PARTNERS: Reason("several_partners", "has several rows in the joined file that differ"),
    FORMULA_ERROR: Reason("formula_error", "is an error of a formula, such as #N/A"),
    NO_FORMULA_VALUE: Reason("formula_without_value", "is a formula whose value was not stored"),
    TOO_MANY_DIGITS: Reason(
        "too_many_digits", "is a number of more digits than a spreadsheet keeps: store it as text"
    ),
}
"""Such cells of joined files and of spreadsheets, and what is wrong with each."""

UNREADABLE_LINE = "unreadable_line"
"""The code of a line that could not be split into columns; its reason says how it fails."""

ONE_FIELD = "one_field_line"
"""The code of such a line that has one field where the header has several."""

ACCOUNT_FIELDS = tuple(ACCOUNTS)
ROW = "source row"
"""The column of raw tables that holds each row's line in the source, UInt32."""

"""What further queries say of the accounts: their attributes, their newest activity."""

import polars as pl

from extractors.sql.source import with_attributes, with_last_activity


def test_a_schema_says_which_columns_are_attributes_and_what_they_are_called() -> None:
    accounts = pl.DataFrame(
        {"integration_specific_id": ["1"], "DEPT": ["x"], "secret": ["y"], "mapped": ["z"]}
    )
    schema = pl.DataFrame(
        {
            "customized_type": ["account", "ACCOUNT", "resource"],
            "name": ["Dept", "Floor", "secret"],
        }
    )
    rows, warnings = with_attributes(accounts, schema, frozenset({"mapped"}))
    assert rows.columns == ["integration_specific_id", "Dept", "mapped"]
    assert warnings == [
        (
            "list_accounts: columns that list_custom_attributes_schema does not name are left out: "
            "secret"
        ),
        "list_custom_attributes_schema: names Floor, which list_accounts does not return",
    ]


def test_an_accounts_newest_activity_fills_the_columns_that_the_accounts_lack() -> None:
    accounts = pl.DataFrame({"employee": ["1", "2", "3"]})
    activity = pl.DataFrame(
        [
            ("1", "last_login", "2026-01-02T03:04:05Z"),
            ("1", "LAST_LOGIN", "2026-01-02T03:04:05.5Z"),
            ("1", "last_login", None),
            ("1", "last_activity", "2026-01-01T00:00:00Z"),
            ("2", "last_activity", "no time"),
            ("9", "last_login", "2026-01-02T00:00:00Z"),
            ("2", "ate lunch", "2026-01-02T00:00:00Z"),
        ],
        schema=["account_id", "event_type", "happened_at"],
        orient="row",
    )
    rows, warnings = with_last_activity(accounts, activity, "employee")
    assert rows.rows() == [
        ("1", "2026-01-02T03:04:05.5Z", "2026-01-01T00:00:00Z"),
        ("2", None, "no time"),
        ("3", None, None),
    ]
    assert warnings == ["get_last_activity: 1 rows of another event_type"]
    own = accounts.with_columns(last_login=pl.lit("mine"), last_activity=pl.lit("mine"))
    assert with_last_activity(own, activity, "employee")[0].equals(own)

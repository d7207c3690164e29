"""The table for Lumos's own import dialogue: one row an account, one column an entitlement type."""

from dataclasses import replace

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.unit.builders import account, snapshot, source_file
from transforms.upload.import_csv import to_import_table

FILE = source_file(
    "entitlements: [{type: Role, column: roles}, {type: Email, column: lists, prefix: 'l:'}]\n"
    "attributes: {account: cost, Status: badge}\n"
)


def test_a_row_says_all_of_an_account_under_titles_that_differ() -> None:
    made = snapshot(
        [
            account("00012", roles="r;s", lists="x", cost="1", badge="B"),
            account("2", given_name="Ann", last_login="2024-01-02T03:04:05Z"),
        ],
        FILE,
    )
    wanted = pl.DataFrame(
        {
            "Unique ID": ["00012", "2"],
            "First Name": [None, "Ann"],
            "Last Name": pl.Series([None, None], dtype=pl.String),
            "Email": ["a@example.com"] * 2,
            "Status": ["ACTIVE"] * 2,
            "Last Login": [None, "2024-01-02T03:04:05Z"],
            "Last Activity": pl.Series([None, None], dtype=pl.String),
            "Status (attribute)": ["B", None],
            "account": ["1", None],
            "Email (permission)": ["x", None],
            "Role": ["r;s", None],
        }
    )
    table = to_import_table(made)
    assert_frame_equal(table.rows, wanted)
    assert table.delimiter == ";"


@pytest.mark.parametrize(
    ("names", "delimiter"), [("a", ";"), ("a;b", "|"), ("a;|", "~"), ("a;|~", "^"), ("a;|~^", None)]
)
def test_the_delimiter_is_in_no_name(names, delimiter) -> None:
    file = source_file("entitlements: [{type: Role, column: roles, separator: ','}]\n")
    table = to_import_table(snapshot([account("1", roles=names)], file))
    assert table.delimiter == delimiter
    assert table.rows["Role"].to_list() == [names]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_what_a_spreadsheet_would_compute_is_left_as_it_is_and_counted(sign) -> None:
    """Lumos tells accounts and permissions by their text: a mark before it makes another one."""
    text = f"{sign}cmd|' /C calc'!A0"
    file = source_file("attributes: {=Badge: badge}\n")
    made = snapshot([account("1", badge="b" + sign), account("2", badge=sign)], file)
    named = pl.Series([text, "Ann"])
    table = to_import_table(replace(made, accounts=made.accounts.with_columns(given_name=named)))
    assert table.rows["First Name"].to_list() == [text, "Ann"]
    assert table.formula_count == 2  # the cell, and the title

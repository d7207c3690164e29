"""Header names are found in any case, and never guessed between two."""

import pytest

from schemas.errors import SourceFormatError
from tests.unit.builders import account, normalized, raw_table, snapshot, source_file

STATUSES = {"a": "ACTIVE", "b": "SUSPENDED"}


@pytest.mark.parametrize("header", ["user_status", "User_Status", "USER_STATUS"])
def test_a_canonical_column_is_found_in_any_case(header: str) -> None:
    rows = [
        {"INTEGRATION_SPECIFIC_ID": one, "Email": f"{one}@example.com", header: status}
        for one, status in STATUSES.items()
    ]
    accounts = snapshot(rows).accounts
    assert dict(accounts.select("integration_specific_id", "user_status").rows()) == STATUSES
    assert accounts["email"].to_list() == ["a@example.com", "b@example.com"]


def test_a_column_that_the_file_names_is_found_in_any_case() -> None:
    file = source_file(
        "columns: {integration_specific_id: id, email: mail, user_status: State}\n"
        "attributes: {Cost Center: cost}\nentitlements: [{type: Role, column: roles}]\n"
    )
    rows = [{"Id": "a", "MAIL": "a@x.example", "state": "SUSPENDED", "COST": "7", "Roles": "r"}]
    made = snapshot(rows, file)
    assert made.accounts["user_status"].to_list() == ["SUSPENDED"]
    assert made.accounts["Cost Center"].to_list() == ["7"]
    assert made.grants.height == 1


def test_a_column_by_which_rows_are_left_out_is_found_in_any_case() -> None:
    file = source_file("leave_out: [{column: Type, is: [Bot]}]\n")
    made = normalized([account("a", TYPE="Person"), account("b", TYPE="Bot")], file)
    assert made.snapshot.accounts["integration_specific_id"].to_list() == ["a"]


def test_of_columns_that_differ_by_case_the_one_as_it_is_wanted_counts() -> None:
    rows = [account("a") | {"Email": "other@example.com", "EMAIL": "third@example.com"}]
    assert snapshot(rows).accounts["email"].to_list() == ["a@example.com"]


def test_of_two_that_differ_by_case_alone_neither_is_guessed() -> None:
    rows = [{"integration_specific_id": "a", "Email": "a@x.example", "EMAIL": "b@x.example"}]
    with pytest.raises(SourceFormatError, match="columns 'Email' and 'EMAIL' differ by case only"):
        normalized(rows)


def test_a_column_that_the_file_names_for_one_thing_is_taken_for_no_other() -> None:
    file = source_file("attributes: {Private: EMAIL}\n")
    rows = [{"integration_specific_id": "a", "EMAIL": "p@x.example", "Email": "a@x.example"}]
    accounts = snapshot(rows, file).accounts
    assert accounts["email"].to_list() == ["a@x.example"]
    assert accounts["Private"].to_list() == ["p@x.example"]


def test_other_tables_have_their_columns_in_any_case_too() -> None:
    role = {"Entitlement_Type": "Role", "Integration_Specific_Id": "r",
            "Integration_Specific_Resource_Id": "w", "LABEL": "R"}  # fmt: skip
    grant = {"ACCOUNT_ID": "a", "Integration_Specific_Entitlement_Id": "r",
             "INTEGRATION_SPECIFIC_RESOURCE_ID": "w"}  # fmt: skip
    made = snapshot(
        [account("a")],
        entitlements=raw_table("entitlements", [role]),
        associations=raw_table("associations", [grant]),
    )
    assert made.entitlements.row(0)[:4] == ("Role", "r", "w", "R")
    assert made.grants.height == 1

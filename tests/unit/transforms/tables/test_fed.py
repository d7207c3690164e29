"""A field that a column fed in the last accepted run, and that nothing feeds now, ends the run."""

import re

import polars as pl
import pytest

from schemas.errors import ConfigError, SourceFormatError
from schemas.source_file.file import SourceFile
from tests.unit.builders import (
    Rows,
    account,
    association,
    entitlement,
    raw,
    raw_table,
    snapshot,
    source_file,
)
from transforms.tables.fed import check_still_fed, fed_by, fed_fields, unsaid_status_note

WHOLE = account("a", given_name="A", family_name="B")


def without(row: dict[str, str], *columns: str) -> dict[str, str]:
    return {name: cell for name, cell in row.items() if name not in columns}


def check(before: pl.DataFrame, rows: Rows, file: SourceFile | None = None) -> None:
    file = file or source_file()
    now = raw(rows)
    check_still_fed(fed_fields(now, file), before, now, file)


def test_what_feeds_a_field_is_known_by_its_column() -> None:
    file = source_file(
        "columns: {email: Mail, account_type: {constant: user}}\nattributes: {Team: team}\n"
    )
    fed = fed_fields(raw([without(WHOLE, "email") | {"mail": "a@x.example", "team": "t"}]), file)
    assert set(fed.rows()) == {
        ("accounts", "integration_specific_id", "integration_specific_id", False),
        ("accounts", "email", "Mail", True),
        ("accounts", "given_name", "given_name", False),
        ("accounts", "family_name", "family_name", False),
        ("accounts", "user_status", "user_status", False),
        ("accounts", "account_type", None, True),
        ("accounts", "Team", "team", True),
        ("accounts: status", "user_status", "user_status", True),
    }


@pytest.mark.parametrize("column", ["email", "user_status", "given_name"])
def test_a_column_that_fed_a_field_and_is_gone_ends_the_run(column: str) -> None:
    before = fed_fields(raw([WHOLE]), source_file())
    check(before, [WHOLE])
    check(before, [without(WHOLE, column) | {column.upper(): "ACTIVE"}])
    with pytest.raises(SourceFormatError, match=f"nothing feeds {column} now.*'{column}' did"):
        check(before, [without(WHOLE, column) | {"renamed": "ACTIVE"}])


def test_the_way_out_of_a_status_is_a_constant_and_of_another_field_to_let_it_go() -> None:
    before = fed_fields(raw([WHOLE]), source_file())
    rows = [without(WHOLE, "user_status", "email")]
    with pytest.raises(SourceFormatError, match=re.escape("let_go: [email]")):
        check(before, rows, source_file("columns: {user_status: {constant: ACTIVE}}\n"))
    with pytest.raises(SourceFormatError, match=re.escape("user_status: {constant: ACTIVE}")):
        check(before, rows, source_file("let_go: [email]\n"))
    both = "columns: {user_status: {constant: ACTIVE}}\nlet_go: [email]\n"
    check(before, rows, source_file(both))


def test_a_status_is_never_let_go() -> None:
    with pytest.raises(ConfigError, match=r"let_go.*a status is not let go"):
        source_file("let_go: [user_status]\n")


def test_a_label_that_became_an_attribute_and_is_gone_ends_the_run() -> None:
    file = source_file("unknown_columns: attribute\n")
    before = fed_fields(raw([WHOLE | {"team": "t"}]), file)
    with pytest.raises(SourceFormatError, match=r"nothing feeds team now.*under attributes"):
        check(before, [WHOLE], file)
    check(before, [WHOLE], source_file("unknown_columns: attribute\nlet_go: [team]\n"))


def test_an_attribute_that_a_person_takes_out_of_the_file_is_let_go() -> None:
    before = fed_fields(raw([WHOLE | {"team": "t"}]), source_file("attributes: {Team: team}\n"))
    check(before, [WHOLE], source_file())


def test_a_field_that_a_person_takes_out_of_the_file_is_not() -> None:
    mapped = source_file("columns: {email: mail}\n")
    rows = [without(WHOLE, "email") | {"mail": "a@x.example"}]
    before = fed_fields(raw(rows), mapped)
    with pytest.raises(SourceFormatError, match="nothing feeds email now, and the column 'mail'"):
        check(before, rows, source_file())


def test_a_resource_that_is_dropped_makes_no_entitlement_global() -> None:
    tables = {
        "entitlements": raw_table("entitlements", [entitlement("admin", "w1")]),
        "associations": raw_table("associations", [association("a", "admin", "w1")]),
    }
    file = source_file()
    before = fed_fields(raw([WHOLE], **tables), file)
    column = "integration_specific_resource_id"
    dropped = [without(association("a", "admin"), column)]
    now = raw([WHOLE], **(tables | {"associations": raw_table("associations", dropped)}))
    with pytest.raises(SourceFormatError, match=f"nothing feeds associations.{column} now"):
        check_still_fed(fed_fields(now, file), before, now, file)
    let_go = source_file(f"let_go: [associations.{column}]\n")
    check_still_fed(fed_fields(now, let_go), before, now, let_go)


def test_a_table_that_is_read_no_more_is_no_column_that_went() -> None:
    roles = raw_table("entitlements", [entitlement("r")])
    before = fed_fields(raw([WHOLE], entitlements=roles), source_file())
    check(before, [WHOLE])


def test_a_snapshot_shows_what_must_have_fed_it() -> None:
    roles = raw_table("entitlements", [entitlement("r", "w")])
    held = raw_table("associations", [association("a", "r", "w")])
    suspended = account("b", user_status="SUSPENDED")
    before = fed_by(snapshot([WHOLE, suspended], entitlements=roles, associations=held))
    with pytest.raises(SourceFormatError, match="user_status now, and a column did"):
        check(before, [without(WHOLE, "user_status")])
    with pytest.raises(SourceFormatError, match="email now, and a column did"):
        check(before, [without(WHOLE, "email")])
    assert ("associations", "integration_specific_resource_id") in before.select(
        "table", "field"
    ).rows()


def test_a_snapshot_of_open_accounts_shows_no_status() -> None:
    check(fed_by(snapshot([without(WHOLE, "user_status")])), [without(WHOLE, "user_status")])


def test_that_all_are_taken_for_active_is_said() -> None:
    unsaid = fed_fields(raw([without(WHOLE, "user_status")]), source_file())
    assert "all are taken for ACTIVE" in (unsaid_status_note(unsaid) or "")
    constant = source_file("columns: {user_status: {constant: ACTIVE}}\n")
    assert unsaid_status_note(fed_fields(raw([WHOLE]), constant)) is None
    assert unsaid_status_note(fed_fields(raw([WHOLE]), source_file())) is None

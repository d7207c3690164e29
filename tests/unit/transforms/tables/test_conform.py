"""A table against its contract: what becomes of every row, and what is kept of a reject."""

from dataclasses import replace

import polars as pl
import pytest

from schemas.raw import RawTable
from schemas.tables import REJECTS
from tests.unit.builders import NOW, account, entitlement, raw_table, source_file
from transforms.tables.accounts import to_accounts
from transforms.tables.conform import CONFLICT, NO_RECORD, Conformed
from transforms.tables.entitlements import to_entitlements

NOBODY = "neither an e-mail address nor both names"
NO_MAIL = "is no e-mail address"
NO_STATUS = "has no mapping to a status"
TEXT = {"integration_specific_id": pl.String()}


def accounts(rows: list[dict[str, str]] | RawTable, more: str = "") -> Conformed:
    """A table of accounts after its contract."""
    table = rows if isinstance(rows, RawTable) else raw_table("accounts", rows)
    return to_accounts(table, source_file(more), NOW)[0]


def entitlements(rows: list[dict[str, str]]) -> Conformed:
    """A table of entitlements after its contract."""
    return to_entitlements(raw_table("entitlements", rows), source_file())


def rejected(made: Conformed) -> list[tuple[object, ...]]:
    """The rejects' line, key, column, reason and value."""
    return made.rejects.select("row", "key", "column", "reason", "value").rows()


def counted(made: Conformed) -> tuple[int, int, int, int]:
    return made.count.read, made.count.accepted, made.count.merged, made.count.rejected


def test_a_sound_table_is_accepted_whole():
    made = accounts([account("b"), account("a")])
    assert made.records.equals(made.rows)
    assert made.accepted_index.to_list() == [0, 1]
    assert made.of_records(["integration_specific_id"]).to_series().to_list() == ["b", "a"]
    assert made.rejects.is_empty()
    assert dict(made.rejects.schema) == REJECTS
    assert counted(made) == (2, 2, 0, 0)


def test_a_table_without_rows_is_accepted():
    table = raw_table("accounts", [], columns=list(account("a")))
    assert counted(accounts(table)) == (0, 0, 0, 0)


def test_the_accepted_rows_are_told_in_the_sources_order():
    rows = [account("c"), account("x", email="no"), account("a"), account("c"), account("b")]
    made = accounts(rows)
    assert made.accepted_index.to_list() == [0, 2, 4]
    assert str(made.accepted_index.dtype) == "UInt32"
    assert made.records["integration_specific_id"].to_list() == ["c", "a", "b"]
    assert made.of_records(["email"]).rows() == [("a@example.com",)] * 3
    assert made.rows.height == 5
    assert counted(made) == (5, 3, 1, 1)


def test_a_reject_is_told_by_its_line_its_key_its_column_and_the_sources_own_text():
    rows = [
        account("a"),
        account(" b ", email=" Nobody ", user_status=" Gone "),
        account("c", email=""),
        account("d", user_status="gone"),
    ]
    made = accounts(rows)
    assert made.rejects["table"].unique().to_list() == ["accounts"]
    assert made.rejects["file"].unique().to_list() == ["accounts.csv"]
    assert list(made.rejects.columns) == list(REJECTS)
    assert rejected(made) == [
        (3, " b ", "email", NO_MAIL, " Nobody "),
        (3, " b ", "user_status", NO_STATUS, " Gone "),
        (4, "c", None, NOBODY, None),
        (5, "d", "user_status", NO_STATUS, "gone"),
    ]
    assert counted(made) == (4, 1, 0, 3)


def test_a_row_that_is_at_fault_as_a_whole_has_no_text_whichever_comes_first():
    made = accounts([account("a", email=""), account("b", email="no"), account("c", email="")])
    assert [(row, column, value) for row, _, column, _, value in rejected(made)] == [
        (2, None, None),
        (3, "email", "no"),
        (4, None, None),
    ]


def test_what_the_reader_rejected_stands_among_the_rejects_by_its_line():
    table = raw_table("accounts", [account("a", email="no"), account("b")], ["c", None])
    made = accounts(table)
    assert [(row, key) for row, key, *_ in rejected(made)] == [(2, "a"), (4, "c"), (5, None)]
    assert counted(made) == (4, 1, 0, 3)
    alone = accounts(raw_table("accounts", [account("a")], ["c"]))
    assert [(row, key) for row, key, *_ in rejected(alone)] == [(3, "c")]
    assert counted(alone) == (2, 1, 0, 1)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\n "])
def test_a_row_that_is_blank_in_every_cell_is_no_record(blank: str):
    row = account(blank, email=blank, user_status=blank)
    assert {key for _, key, *_ in rejected(accounts([row]))} == {NO_RECORD}
    for name in row:
        one = account(blank, email=blank, user_status=blank) | {name: "x"}
        keys = {key for _, key, *_ in rejected(accounts([one]))}
        assert keys == ({"x"} if name == "integration_specific_id" else {None})
    assert {key for _, key, *_ in rejected(accounts([row | {"shoe": "43"}]))} == {None}


@pytest.mark.parametrize("name", [" ", "x\ufffd", "x\x00", "\ty"])
def test_an_id_that_only_damage_could_have_made_is_no_key(name: str):
    [(_, key, column, _, value)] = rejected(accounts([account(name)]))
    assert (key, column, value) == (None, "integration_specific_id", name)


@pytest.mark.parametrize("name", ["é", " a ", "a b", "null", '"', "😀"])
def test_an_id_that_can_be_read_is_the_key_as_it_stands(name: str):
    assert {key for _, key, *_ in rejected(accounts([account(name, email="no")]))} == {name}


@pytest.mark.parametrize(
    ("entitlement_id", "resource_id", "key"),
    [
        ("e", "", ("e", "")),
        ("e", "r", ("e", "r")),
        ("e", " ", ("e", " ")),
        (" ", "r", (None, "r")),
        ("e\ufffd", "r", (None, "r")),
        ("e", "r\ufffd", ("e", None)),
    ],
)
def test_of_a_key_of_two_parts_each_is_read_by_itself(entitlement_id, resource_id, key):
    def text(part):
        return "null" if part is None else f'"{part}"'

    row = entitlement(entitlement_id, resource_id, is_assignable="maybe")
    wanted = (
        f'{{"integration_specific_id":{text(key[0])},'
        f'"integration_specific_resource_id":{text(key[1])}}}'
    )
    assert {found for _, found, *_ in rejected(entitlements([row]))} == {wanted}


def test_groups_of_equal_and_of_different_rows_are_told_apart():
    rows = [
        account("a"),
        account("b"),
        account("a"),
        account("b", email="b@example.com"),
        account("c"),
        account("a"),
        account("b"),
    ]
    made = accounts(rows)
    assert made.accepted_index.to_list() == [0, 4]
    assert [row for row, *_ in rejected(made)] == [3, 5, 8]
    assert {(column, reason) for _, _, column, reason, _ in rejected(made)} == {
        ("integration_specific_id", CONFLICT)
    }
    assert {value for *_, value in rejected(made)} == {"b"}
    assert counted(made) == (7, 2, 2, 3)


def test_of_two_entitlements_only_one_key_may_be_the_same():
    rows = [
        entitlement("e", "r"),
        entitlement("e", "s"),
        entitlement("f", "r"),
        entitlement("f", "r", label="other"),
        entitlement("e", "s"),
    ]
    made = entitlements(rows)
    assert made.accepted_index.to_list() == [0, 1]
    assert counted(made) == (5, 2, 1, 2)
    key = '{"integration_specific_id":"f","integration_specific_resource_id":"r"}'
    assert rejected(made) == [
        (4, key, "integration_specific_id", CONFLICT, "f"),
        (5, key, "integration_specific_id", CONFLICT, "f"),
    ]


def test_a_row_in_conflict_may_break_the_contract_as_well():
    made = accounts([account("a"), account("a", email="no", user_status="gone")])
    assert [(row, column) for row, _, column, *_ in rejected(made)] == [
        (2, "integration_specific_id"),
        (3, "email"),
        (3, "integration_specific_id"),
        (3, "user_status"),
    ]
    assert counted(made) == (2, 0, 0, 2)


def test_what_an_account_holds_in_a_cell_makes_it_differ_and_is_no_field_of_it():
    more = "entitlements: [{type: Role, column: roles}]\n"
    made = accounts(
        [account("a", roles="r"), account("a", roles="s"), account("b", roles="")], more
    )
    assert counted(made) == (3, 1, 0, 2)
    assert "roles" not in made.rows.columns


def test_a_field_that_no_column_fills_has_no_text_of_its_own():
    constant = "columns: {email: {constant: nobody}}\n"
    rows = [{"integration_specific_id": "a", "user_status": "ACTIVE"}]
    assert rejected(accounts(rows, constant)) == [(2, "a", "email", NO_MAIL, None)]


def test_rows_without_an_id_are_in_conflict_with_nobody():
    table = raw_table("accounts", [account("x"), account("x", email="b@example.com")])
    table = replace(table, rows=table.rows.with_columns(integration_specific_id=None).cast(TEXT))
    made = accounts(table)
    assert [(row, key, reason) for row, key, _, reason, _ in rejected(made)] == [
        (2, None, "is blank"),
        (3, None, "is blank"),
    ]
    assert counted(made) == (2, 0, 0, 2)

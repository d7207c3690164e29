"""Cells that say what an account holds, and those of which nobody can tell."""

import pytest

from schemas.snapshot import associations_of
from tests.unit.builders import account, normalized, snapshot, source_file

MATRIX = "[{type: M, columns: [Buyer, Admin], held: [X, 'TRUE'], not_held: ['', 'FALSE']}]"


def held(entitlements: str, cells: dict[str, str], before: dict[str, str] | None = None):
    """What `a` holds after `before`, and the codes of rejects."""
    file = source_file(f"entitlements: {entitlements}\n")
    if before is None:
        made = normalized([account("a", **cells)], file)
    else:
        made = normalized([account("a", **cells)], file, snapshot([account("a", **before)], file))
    names = [entitlement for _, entitlement, _ in associations_of(made.snapshot).rows()]
    count = made.counts["associations"]
    assert count.read == count.accepted + count.merged + count.rejected + count.dropped
    return names, made.rejects["code"].to_list()


@pytest.mark.parametrize(
    ("cell", "names", "codes"),
    [
        ("X", ["Buyer"], []),
        (" true ", ["Buyer"], []),
        ("", [], []),
        ("false", [], []),
        ("maybe", [], ["neither_held"]),
        ("0", [], ["neither_held"]),
    ],
)
def test_a_column_an_entitlement_takes_the_words_that_are_stated_and_no_other(
    cell, names, codes
) -> None:
    assert held(MATRIX, {"Buyer": cell, "Admin": ""}) == (names, codes)


def test_a_word_of_a_matrix_that_nobody_knows_keeps_what_was_held_in_that_column_alone() -> None:
    before = {"Buyer": "X", "Admin": "X"}
    assert held(MATRIX, {"Buyer": "?", "Admin": ""}, before) == (["Buyer"], ["neither_held"])
    assert held(MATRIX, {"Buyer": "?", "Admin": ""}, {"Buyer": "", "Admin": "X"})[0] == []


@pytest.mark.parametrize(
    ("more", "cell", "names", "codes"),
    [
        ("", '["Admin"', [], ["bracket"]),
        ("", '["Admin","B"]', [], ["bracket"]),
        ("", "{a,b}", [], ["bracket"]),
        (", format: text", "[EU] Sales", ["[EU] Sales"], []),
        ("", "TRUE", [], ["yes_or_no"]),
        ("", "No;b", ["b"], ["yes_or_no"]),
        (", format: text", "True", ["True"], []),
        (", none: [No, '-']", "no", [], []),
        (", none: [No, '-']", "- ; b", ["b"], []),
        (", format: json", '["Admin", "B;C"]', ["Admin", "B;C"], []),
        (", format: json", '["\\u00e9", 12]', ["12", "é"], []),
        (", format: json", "[]", [], []),
        (", format: json", "null", [], []),
        (", format: json", " ", [], []),
        (", format: json", '["Admin"', [], ["no_json"]),
        (", format: json", "Admin", [], ["no_json"]),
        (", format: json", '["a", null]', [], ["no_json"]),
        (", format: json", "[1.50]", [], ["no_json"]),
        (", format: json", '[{"n": "a"}]', [], ["no_json"]),
        (", format: json, none: [none]", '["None", "a"]', ["a"], []),
    ],
)
def test_a_cell_is_read_as_it_is_stated_or_is_a_reject(more, cell, names, codes) -> None:
    assert held(f"[{{type: R, column: roles{more}}}]", {"roles": cell}) == (names, codes)


def test_a_cell_that_cannot_be_read_keeps_all_that_the_account_held() -> None:
    assert held("[{type: R, column: roles}]", {"roles": "[b"}, {"roles": "a;b"})[0] == ["a", "b"]


def test_a_rejected_account_whose_cell_cannot_be_read_keeps_all_that_it_held() -> None:
    cells = {"roles": "[b", "user_status": "?"}
    assert held("[{type: R, column: roles}]", cells, {"roles": "a;b"})[0] == ["a", "b"]

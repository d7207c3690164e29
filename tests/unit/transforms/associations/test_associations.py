"""Associations: who holds what, and entitlements that only a cell or an association names."""

import pytest

from schemas.snapshot import associations_of
from tests.unit.builders import (
    account,
    association,
    entitlement,
    normalized,
    raw_table,
    snapshot,
    source_file,
)
from transforms.associations.link import NO_ACCOUNT, NO_ENTITLEMENT

ROLES = source_file("entitlements: [{type: Role, column: roles}]\n")
TWO = source_file("entitlements: [{type: Role, column: roles}, {type: Group, column: groups}]\n")
E, F = entitlement("e"), entitlement("f")


def grants(made) -> list[tuple[str, str, str]]:
    return associations_of(getattr(made, "snapshot", made)).rows()


def orphans(made) -> list[tuple[int, str, str, str]]:
    return made.rejects.select("row", "column", "reason", "value").rows()


def test_an_association_links_an_account_and_an_entitlement_on_a_resource() -> None:
    made = snapshot(
        [account("a"), account("b")],
        entitlements=[E, entitlement("e", "r"), F],
        associations=[association("b", "e"), association("a", "e", "r"), association("a", "e")],
    )
    assert grants(made) == [("a", "e", ""), ("a", "e", "r"), ("b", "e", "")]
    assert made.entitlements.height == 3


def test_an_association_that_lacks_an_end_is_a_reject() -> None:
    links = [association("x", "e"), association("a", "y"), association("a", "e", "r")]
    made = normalized([account("a")], entitlements=[E], associations=links)
    assert grants(made) == []
    assert orphans(made) == [
        (2, "account_id", NO_ACCOUNT, "x"),
        (3, "integration_specific_entitlement_id", NO_ENTITLEMENT, "y"),
        (
            4,
            "integration_specific_entitlement_id",
            f"{NO_ENTITLEMENT}; that id is there on another resource",
            "e",
        ),
    ]
    count = made.counts["associations"]
    assert (count.read, count.accepted, count.merged, count.rejected) == (3, 0, 0, 3)


def test_ids_are_matched_byte_for_byte() -> None:
    links = [association("01", "e"), association(" 1", "e"), association("1", "E")]
    made = normalized([account("1")], entitlements=[E], associations=links)
    assert made.counts["associations"].rejected == 3


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Ann.Lee", "case"),
        (" ann.lee", "blanks before or after it"),
        ("ann.l\u00e9e", "accents or its Unicode form"),
        ("00ann.lee", "leading zeros"),
        (" Ann.L\u00e9e", "case, blanks and accents"),
    ],
)
def test_an_association_that_names_nobody_says_what_it_misses_by(written, hint) -> None:
    links = [association(written, "e"), association("stranger", "e")]
    made = normalized([account("ann.lee")], entitlements=[E], associations=links)
    assert grants(made) == []
    assert [reason for _, _, reason, _ in orphans(made)] == [
        f"{NO_ACCOUNT}; one differs in {hint} alone",
        NO_ACCOUNT,
    ]
    links = [association("ann.lee", written)]
    made = normalized(
        [account("ann.lee")], entitlements=[entitlement("ann.lee")], associations=links
    )
    assert orphans(made)[0][2] == f"{NO_ENTITLEMENT}; one differs in {hint} alone"


def test_what_a_rejected_account_holds_is_no_second_reject() -> None:
    links = [association("a", "e"), association("b", "e"), association("x", "e")]
    made = normalized(
        [account("a"), account("b", user_status="gone")], entitlements=[E], associations=links
    )
    assert grants(made) == [("a", "e", "")]
    count = made.counts["associations"]
    assert (count.read, count.accepted, count.rejected, count.dropped) == (3, 1, 1, 1)


@pytest.mark.parametrize("blank", ["", "  "])
def test_a_row_of_an_account_and_no_role_says_that_it_holds_nothing(blank) -> None:
    links = [association("a", "e"), association("a", "f"), association("b", "e")]
    last = snapshot([account("a"), account("b")], entitlements=[E, F], associations=links)
    now = [association("a", blank, blank), association("b", "e")]
    made = normalized(
        [account("a"), account("b")], None, last, entitlements=[E, F], associations=now
    )
    assert grants(made) == [("b", "e", "")]
    assert made.rejects.is_empty()
    count = made.counts["associations"]
    assert (count.read, count.accepted, count.dropped, count.kept) == (2, 1, 1, 0)


def test_a_rejected_association_keeps_its_last_one_while_its_account_is_there() -> None:
    links = [association("a", "e"), association("a", "f")]
    last = snapshot([account("a"), account("b")], entitlements=[E, F], associations=links)
    now = [*links, association("b", "e")]

    made = normalized([account("a"), account("b")], None, last, entitlements=[F], associations=now)
    assert grants(made) == [("a", "e", ""), ("a", "f", "")]
    assert [row for row, *_ in orphans(made)] == [2, 4]
    assert made.counts["associations"].kept == 1

    gone = normalized([account("b")], None, last, entitlements=[E, F], associations=links)
    assert grants(gone) == []
    assert gone.counts["associations"].rejected == 2


def test_a_rejected_association_keeps_the_one_on_its_own_resource_alone() -> None:
    scoped = entitlement("e", "r")
    both = [association("a", "e"), association("a", "e", "r")]
    last = snapshot([account("a")], entitlements=[E, scoped], associations=both)
    for left, link in ((scoped, both[0]), (E, both[1])):
        made = normalized([account("a")], None, last, entitlements=[left], associations=[link])
        assert grants(made) == [("a", "e", link["integration_specific_resource_id"])]
        assert made.counts["associations"].kept == 1


def test_of_a_key_that_is_half_read_whatever_it_may_be_is_kept() -> None:
    links = [association("a", "e"), association("a", "f"), association("b", "e")]
    people = [account("a"), account("b")]
    last = snapshot(people, entitlements=[E, F], associations=links)

    def after(link):
        return grants(normalized(people, None, last, entitlements=[E, F], associations=[link]))

    assert after(association("a", "", "r")) == [("a", "e", ""), ("a", "f", "")]
    assert after(association("a", "x\ufffd")) == [("a", "e", ""), ("a", "f", "")]
    assert after(association(" ", "e")) == [("a", "e", ""), ("b", "e", "")]
    assert after(association("", "")) == []


def test_a_row_that_is_blank_in_every_cell_is_no_record_and_keeps_nothing() -> None:
    people = [account("a"), account("b")]
    made = normalized([people[0], dict.fromkeys(people[0], " ")], None, snapshot(people))
    assert made.snapshot.accounts["integration_specific_id"].to_list() == ["a"]
    assert made.counts["accounts"].rejected == 1
    assert made.kept.is_empty()


def test_a_cell_names_entitlements_between_separators() -> None:
    file = source_file(
        "entitlements: [{type: Role, column: roles, separator: ' | ', prefix: 'r:'}]\n"
    )
    made = snapshot([account("a", roles=" y |  | x; | y"), account("b", roles="")], file)
    assert grants(made) == [("a", "r:x;", ""), ("a", "r:y", "")]
    assert made.entitlements.select("entitlement_type", "label").rows() == [
        ("Role", "x;"),
        ("Role", "y"),
    ]


def test_one_id_under_two_types_in_cells_is_held_by_nobody() -> None:
    read = [account("a", roles="x;y", groups=""), account("b", roles="", groups="x")]
    made = normalized(read, TWO)
    assert grants(made) == [("a", "y", "")]
    says = "is an id of several types (Group, Role): give one of the columns a prefix"
    assert orphans(made) == [(2, "roles", says, "x"), (3, "groups", says, "x")]
    (warning,) = made.warnings
    assert warning.startswith("'x' is an id of several types of entitlement (Group, Role): ")
    assert warning.endswith("give one of the columns a prefix")


def test_two_types_for_a_known_id_keep_what_was_held_and_give_it_to_nobody_new() -> None:
    last = snapshot([account("a", roles="x", groups=""), account("b", roles="", groups="z")], TWO)
    read = [account("a", roles="x", groups=""), account("b", roles="", groups="x")]
    made = normalized(read, TWO, last)
    assert grants(made) == [("a", "x", "")]
    assert made.counts["associations"].rejected == 2


def test_a_prefix_tells_two_types_apart() -> None:
    file = source_file(
        "entitlements: [{type: Role, column: roles}, {type: Group, column: groups, prefix: 'g:'}]\n"
    )
    made = snapshot([account("a", roles="x", groups="x")], file)
    assert grants(made) == [("a", "g:x", ""), ("a", "x", "")]


def test_a_row_of_an_entitlements_file_wins_over_what_a_cell_names() -> None:
    said = entitlement("x", entitlement_type="Licence", label="The X")
    made = snapshot([account("a", roles="x", groups="x;w")], TWO, entitlements=[said])
    assert grants(made) == [("a", "w", ""), ("a", "x", "")]
    assert made.entitlements.select("entitlement_type", "label").rows() == [
        ("Group", "w"),
        ("Licence", "The X"),
    ]


def test_without_a_list_of_entitlements_an_association_names_its_own() -> None:
    made = snapshot(
        [account("a")], associations=[association("a", "e"), association("a", "e", "r")]
    )
    assert grants(made) == [("a", "e", ""), ("a", "e", "r")]
    assert made.entitlements["entitlement_type"].to_list() == ["Entitlement"] * 2


def test_a_type_that_a_cell_states_stands_where_an_association_states_none() -> None:
    links = [association("b", "x"), association("b", "y")]
    made = snapshot([account("a", roles="x"), account("b", roles="")], ROLES, associations=links)
    assert grants(made) == [("a", "x", ""), ("b", "x", ""), ("b", "y", "")]
    assert made.entitlements["entitlement_type"].to_list() == ["Role", "Entitlement"]


@pytest.mark.parametrize("piece", ["x\x00", "x\ufffd"])
def test_a_piece_that_is_not_well_formed_is_a_reject(piece) -> None:
    made = normalized([account("a", roles=f"{piece};y")], ROLES)
    assert grants(made) == [("a", "y", "")]
    assert orphans(made) == [(2, "roles", NO_ENTITLEMENT, piece)]


def test_entitlements_that_nobody_holds_are_in_the_snapshot() -> None:
    made = snapshot([account("a")], entitlements=[F, E, entitlement("d", "z")])
    assert made.entitlements["integration_specific_id"].to_list() == ["e", "f", "d"]
    assert made.grants.is_empty()


def test_a_read_without_rows_is_an_empty_snapshot() -> None:
    nobody = raw_table("accounts", [], columns=[*account("a"), "roles"])
    made = normalized(nobody, ROLES, entitlements=[E])
    assert made.snapshot.accounts.is_empty()
    assert made.snapshot.entitlements.height == 1

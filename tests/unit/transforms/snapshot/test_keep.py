"""A rejected row is never a removal."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

import polars as pl
import pytest

from schemas.errors import ConfigError, SourceFormatError
from schemas.snapshot import Snapshot, associations_of, empty_snapshot
from schemas.tables import KEPT, ONE_FIELD, UNREADABLE_LINE
from tests.unit.builders import (
    NOW,
    account,
    association,
    entitlement,
    ids,
    normalized,
    raw,
    raw_table,
    snapshot,
    source_file,
)
from transforms.snapshot.close import closed
from transforms.snapshot.keep_last import UNREADABLE, has_new_line, kept_records
from transforms.snapshot.kept import (
    GUARD,
    kept_breaches,
    kept_warnings,
    no_kept,
    renewed,
)
from transforms.snapshot.snapshot import to_snapshot

ROLES = source_file("entitlements: [{type: Role, column: roles}]\n")


@cache
def last() -> Snapshot:
    """What was accepted last."""
    people = [account("a", roles="r;s"), account("b", roles="r"), account("c", roles="t")]
    return snapshot(people, ROLES)


B, C = account("b", roles="r"), account("c", roles="t")


def for_unreadable(made, table: str = "accounts") -> int:
    """How many records are kept because some row is nobody's that can be told."""
    kept = made.kept.filter((pl.col("table") == table) & (pl.col("reason") == UNREADABLE))
    return kept.drop_nulls("key").height


def grants_of(of: Snapshot) -> list[tuple[str, str]]:
    return [(one, other) for one, other, _ in associations_of(of).rows()]


def grants(made) -> list[tuple[str, str]]:
    return [(one, other) for one, other, _ in associations_of(made.snapshot).rows()]


@pytest.mark.parametrize("status", ["gone", "", "\x00"])
def test_a_row_without_a_status_keeps_the_last_record_and_what_it_still_names(status) -> None:
    row = account("a", roles="new;s", user_status=status)
    made = normalized([row, B, C], ROLES, last())
    assert made.snapshot.accounts.equals(last().accounts)
    assert grants(made) == [("a", "s"), ("b", "r"), ("c", "t")]
    assert made.counts["accounts"].kept == 1
    assert for_unreadable(made) == 0


@pytest.mark.parametrize(
    "cells",
    [
        {"email": "nobody"},
        {"email": ""},
        {"email": "", "given_name": "Ann"},
        {"last_login": "yesterday"},
        {"account_type": "robot"},
        {"username": "\x00"},
        {"given_name": "A\x00"},
    ],
)
@pytest.mark.parametrize("status", ["SUSPENDED", "DEPROVISIONED"])
def test_a_row_with_a_status_takes_it_and_what_else_it_says(cells, status) -> None:
    row = account("a", roles="s") | cells | {"user_status": status}
    made = normalized([row, B, C], ROLES, last())
    (found,) = made.snapshot.accounts.filter(pl.col("integration_specific_id") == "a").to_dicts()
    assert (found["user_status"], found["email"]) == (status, "a@example.com")
    assert grants(made) == [("a", "s"), ("b", "r"), ("c", "t")]
    count = made.counts["accounts"]
    assert (count.read, count.accepted, count.rejected, count.kept) == (3, 3, 0, 0)
    assert count.cells == 1
    assert len(made.warnings) == 1


def test_a_leaver_without_address_and_names_is_told_of_and_shut() -> None:
    row = account("a", roles="", email="", user_status="DEPROVISIONED")
    made = normalized([row, B, C], ROLES, last())
    assert made.kept.select("key", "reason", "is_closed").rows() == [("a", "no_person", True)]
    is_open = normalized([row | {"user_status": "ACTIVE"}, B, C], ROLES, last())
    assert is_open.kept["is_closed"].to_list() == [False]


def test_a_cell_that_cannot_be_read_has_its_last_accepted_value() -> None:
    file = source_file("attributes: {Cost: cost}\n")
    whole = account("a", username="ann", account_type="service", cost="1", given_name="A")
    before = snapshot([whole, account("b", cost="")], file)
    broken = whole | {"username": "\x01", "account_type": "?", "cost": "\x02", "email": "a;"}
    made = normalized([broken, account("b", cost="2")], file, before)
    assert made.snapshot.accounts.row(0) == before.accounts.row(0)
    assert made.snapshot.accounts["Cost"].to_list() == ["1", "2"]
    assert made.counts["accounts"].cells == 4


def test_a_broken_address_beside_no_names_is_no_news_of_the_names() -> None:
    names = {"given_name": "Ann", "family_name": "Li"}
    before = snapshot([account("a", **names)])
    made = normalized([account("a", email="ann", given_name="", family_name="")], None, before)
    assert made.snapshot.accounts.equals(before.accounts)


def test_what_else_a_row_says_beside_no_address_and_no_names_stands() -> None:
    file = source_file("attributes: {Cost: cost}\n")
    before = snapshot([account("a", username="ann", cost="1", given_name="A")], file)
    row = account("a", email="", username="lee", cost="", given_name="")
    made = normalized([row], file, before)
    names = ["email", "username", "given_name", "Cost"]
    assert made.snapshot.accounts.select(names).rows() == [("a@example.com", "lee", "A", "1")]


def test_entitlements_that_only_a_kept_account_holds_are_kept_with_it() -> None:
    made = normalized([account("a", roles="s", user_status="?"), B, C], ROLES, last())
    assert made.snapshot.entitlements.equals(last().entitlements)


def test_damaged_cells_of_a_rejected_row_say_nothing_of_what_it_holds() -> None:
    made = normalized([account("a", roles="s\ufffd", user_status="?"), B, C], ROLES, last())
    assert grants(made) == grants_of(last())
    twice = [account("a", roles="r", user_status="?"), account("a", roles="\x00")]
    assert grants(normalized([*twice, B, C], ROLES, last()))[:2] == [("a", "r"), ("b", "r")]


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (["ACTIVE", "SUSPENDED"], "SUSPENDED"),
        (["DEPROVISIONED", "SUSPENDED"], "DEPROVISIONED"),
        (["ACTIVE", "ACTIVE"], "ACTIVE"),
        (["gone", "ACCESS_REMOVED"], "ACCESS_REMOVED"),
        (["gone", "gone"], "ACTIVE"),
    ],
)
def test_of_rows_that_contradict_each_other_the_most_closed_counts(rows, status) -> None:
    read = [account("a", roles="r;s", username=str(n), user_status=s) for n, s in enumerate(rows)]
    made = normalized([*read, B, C], ROLES, last())
    assert made.snapshot.accounts["user_status"].to_list() == [status, "ACTIVE", "ACTIVE"]


def test_a_status_that_no_one_ranks_is_neither_opened_nor_closed() -> None:
    def people(*statuses: str | None):
        columns = {"integration_specific_id": [*"ab"], "user_status": statuses}
        return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String()))

    made = closed(people("ODD", "ACTIVE"), people("ACTIVE", "ODD"))
    assert sorted(made.rows()) == [("a", "ODD"), ("b", "ACTIVE")]
    made = closed(people("ODD", "ODD"), people("odd", None))
    assert sorted(made.rows()) == [("a", "ODD"), ("b", "ODD")]


def test_of_several_columns_a_damaged_or_absent_cell_is_told_from_the_others() -> None:
    file = source_file(
        "entitlements: [{type: Role, column: roles}, {type: Group, column: groups}]\n"
    )
    before = snapshot([account("a", roles="r;s", groups="g;h")], file)
    for roles, groups, held in (
        ("r\ufffd", "g", ["g", "h", "r", "s"]),
        ("r", "g\x00", ["g", "h", "r", "s"]),
        ("r", "g", ["g", "r"]),
        (None, "g", ["g"]),
        ("r", None, ["r"]),
    ):
        table = raw_table("accounts", [account("a", user_status="?", roles="", groups="")])
        cells = [pl.lit(roles, pl.String).alias("roles"), pl.lit(groups, pl.String).alias("groups")]
        made = normalized(replace(table, rows=table.rows.with_columns(cells)), file, before)
        assert [one for _, one in grants(made)] == held


def test_rows_without_an_id_are_told_apart_by_whatever_else_they_say() -> None:
    def people(note: str | None):
        table = raw_table("accounts", [B, account("", roles="x")])
        return replace(table, rows=table.rows.with_columns(pl.lit(note, pl.String).alias("note")))

    for then, now, kept in (
        (None, None, ["b"]),
        (None, "y", ["a", "b", "c"]),
        ("y", "z", ["a", "b", "c"]),
        ("y", "y", ["b"]),
    ):
        table = people(then)
        extra = pl.lit(then, pl.String).alias("note")
        everyone = raw_table("accounts", [*PEOPLE, account("", roles="x")])
        first = normalized(
            replace(table, rows=everyone.rows.with_columns(extra), read_count=4), ROLES
        )
        assert ids(after(first, people(now)).snapshot) == kept


def test_a_record_is_kept_once_for_all_that_is_wrong_with_its_rows() -> None:
    rows = [account("a", roles="", user_status="?"), account("a", roles="r", user_status="?")]
    made = normalized([*rows, C, account(" ", roles="x1")], ROLES, last())
    assert made.kept.select("key", "line", "reason").rows() == [
        (None, " a@example.comACTIVEx0", UNREADABLE),
        ("a", None, "conflict"),
        ("b", None, UNREADABLE),
    ]
    assert made.kept["table"].to_list() == ["accounts"] * 3
    assert made.kept["is_closed"].to_list() == [False] * 3


def test_a_kept_record_is_never_opened_by_its_row() -> None:
    before = snapshot([account("a", user_status="DEPROVISIONED"), account("b")])
    rows = [account("a", username="x"), account("a", username="y"), account("b")]
    made = normalized(rows, None, before)
    assert made.snapshot.accounts["user_status"].to_list() == ["DEPROVISIONED", "ACTIVE"]


def test_what_one_of_several_rows_does_not_name_is_not_kept() -> None:
    read = [account("a", roles="r;s;t"), account("a", roles="s;new"), B, C]
    made = normalized(read, ROLES, last())
    assert grants(made) == [("a", "s"), ("b", "r"), ("c", "t")]


def test_a_rejected_row_without_a_last_record_is_left_out() -> None:
    made = normalized([account("new", roles="r", email="ann"), B, C], ROLES, last())
    assert ids(made.snapshot) == ["b", "c"]
    assert made.counts["accounts"].kept == 0


def test_an_account_that_is_simply_gone_is_not_kept() -> None:
    made = normalized([B, account("c", roles="t", user_status="?")], ROLES, last())
    assert ids(made.snapshot) == ["b", "c"]
    assert grants(made) == [("b", "r"), ("c", "t")]


@pytest.mark.parametrize("key", [None, "nobody's", "b"])
def test_a_row_whose_id_cannot_be_told_keeps_every_missing_account(key) -> None:
    made = normalized(raw_table("accounts", [B], [key]), ROLES, last())
    assert ids(made.snapshot) == ["a", "b", "c"]
    assert grants(made) == [("a", "r"), ("a", "s"), ("b", "r"), ("c", "t")]
    assert for_unreadable(made) == 2


def test_so_does_a_blank_id() -> None:
    made = normalized([B, account(" ", roles="r")], ROLES, last())
    assert ids(made.snapshot) == ["a", "b", "c"]
    assert for_unreadable(made) == 2


def test_a_guessed_id_that_names_a_missing_account_keeps_that_one() -> None:
    made = normalized(raw_table("accounts", [B], ["a"]), ROLES, last())
    assert ids(made.snapshot) == ["a", "b"]
    assert for_unreadable(made) == for_unreadable(made, "entitlements") == 0


def test_a_header_that_stands_again_keeps_nothing() -> None:
    made = normalized(raw_table("accounts", [B, C], [""]), ROLES, last())
    assert ids(made.snapshot) == ["b", "c"]
    assert made.counts["accounts"].rejected == 1
    assert for_unreadable(made) == for_unreadable(made, "entitlements") == 0


def test_without_a_last_snapshot_nothing_is_kept() -> None:
    made = normalized([account("a", roles="r", email="ann"), account("", roles=""), B], ROLES)
    assert ids(made.snapshot) == ["b"]
    assert for_unreadable(made) == for_unreadable(made, "entitlements") == 0


def test_a_kept_account_has_the_attributes_that_the_source_has_now() -> None:
    before = snapshot([account("a", x="1", y="2")], source_file("attributes: {X: x, Y: y}\n"))
    file = source_file("attributes: {Y: y, Z: z}\n")
    made = normalized([account("a", y="9", z="9", user_status="?")], file, before)
    assert made.snapshot.accounts.select("Y", "Z").rows() == [("2", None)]
    assert made.snapshot.attribute_labels == ["Y", "Z"]


TABLES = {
    "entitlements": [entitlement("e"), entitlement("f")],
    "associations": [association("a", "e"), association("a", "f"), association("b", "e")],
}


@cache
def apart() -> Snapshot:
    """What was accepted before, of a source whose tables lie apart."""
    return snapshot([account("a"), account("b")], **TABLES)


def test_of_a_kept_account_a_file_of_associations_says_what_it_holds_now() -> None:
    now = [association("a", "f"), association("b", "e")]
    made = normalized(
        [account("a", user_status="?"), account("b")],
        None,
        apart(),
        entitlements=TABLES["entitlements"],
        associations=now,
    )
    assert ids(made.snapshot) == ["a", "b"]
    assert grants(made) == [("a", "f"), ("b", "e")]


BOTH = {"entitlements": [entitlement("e", entitlement_type="Group")]}


def test_where_cells_say_a_part_of_it_the_table_says_the_rest() -> None:
    links = raw_table("associations", [association("a", "e")])
    before = snapshot([account("a", roles="r")], ROLES, **BOTH, associations=links)
    none = raw_table("associations", [], columns=list(association("a", "e")))
    for roles, now, held in (
        ("r", none, [("a", "r")]),
        ("", none, []),
        ("", links, [("a", "e")]),
        ("r", links, [("a", "e"), ("a", "r")]),
    ):
        row = account("a", roles=roles, user_status="?")
        made = normalized([row], ROLES, before, **BOTH, associations=now)
        assert grants(made) == held


def test_a_rejected_entitlement_keeps_the_last_one_and_who_holds_it() -> None:
    broken = [entitlement("e", label="E\x00"), entitlement("f")]
    made = normalized(
        [account("a"), account("b")], None, apart(), **TABLES | {"entitlements": broken}
    )
    assert made.snapshot.entitlements.equals(apart().entitlements)
    assert associations_of(made.snapshot).equals(associations_of(apart()))
    assert made.counts["entitlements"].kept == 1


@pytest.mark.parametrize("table", ["entitlements", "associations"])
def test_a_row_of_another_table_that_cannot_be_told_keeps_all_that_is_missing_there(table) -> None:
    tables = TABLES | {table: raw_table(table, TABLES[table][:1], [None])}
    made = normalized([account("a"), account("b")], None, apart(), **tables)
    assert made.snapshot.entitlements.equals(apart().entitlements)
    assert associations_of(made.snapshot).equals(associations_of(apart()))
    assert for_unreadable(made, table) == {"entitlements": 1, "associations": 2}[table]


def test_a_kept_resource_keeps_its_label() -> None:
    row = {"resource_type": "Site", "integration_specific_id": "r", "label": "R"}
    before = snapshot([account("a")], resources=[row])
    made = normalized([account("a")], None, before, resources=[row | {"label": "R\x00"}])
    assert made.snapshot.resources.equals(before.resources)
    made = normalized(
        [account("a")], None, before, resources=[row | {"integration_specific_id": " "}]
    )
    assert for_unreadable(made, "resources") == 1


@pytest.mark.parametrize("name", ["x:null", '":null', "null", ':null,"', "{:null}"])
def test_an_id_that_looks_like_an_absent_one_is_read_as_it_stands(name) -> None:
    people = [account(name), account("b"), account("c")]
    made = normalized([account(name, user_status="?"), account("b")], None, snapshot(people))
    assert ids(made.snapshot) == sorted([name, "b"])
    assert for_unreadable(made) == for_unreadable(made, "entitlements") == 0
    three = [entitlement(name), entitlement("f"), entitlement("g")]
    before = snapshot([account("a")], entitlements=three)
    broken = [entitlement(name, is_assignable="maybe"), entitlement("f")]
    made = normalized([account("a")], None, before, entitlements=broken)
    kept = made.snapshot.entitlements["integration_specific_id"].to_list()
    assert kept == sorted([name, "f"])
    assert for_unreadable(made) == for_unreadable(made, "entitlements") == 0


@pytest.mark.parametrize("resource", ["", "r"])
def test_an_entitlement_without_a_readable_id_may_be_any_that_is_missing(resource) -> None:
    before = snapshot([account("a")], entitlements=[entitlement("e"), entitlement("f", "r")])
    unreadable = entitlement("x\ufffd", resource)
    made = normalized([account("a")], None, before, entitlements=[unreadable, entitlement("e")])
    assert made.snapshot.entitlements.equals(before.entitlements)
    assert for_unreadable(made, "entitlements") == 1


def test_an_entitlement_on_a_resource_without_a_readable_id_may_be_any_that_is_missing() -> None:
    before = snapshot([account("a")], entitlements=[entitlement("e"), entitlement("f", "r")])
    unreadable = entitlement("f", "r\ufffd")
    made = normalized([account("a")], None, before, entitlements=[unreadable])
    assert made.snapshot.entitlements.equals(before.entitlements)
    assert for_unreadable(made, "entitlements") == 2


def test_only_those_that_no_readable_row_names_are_kept_for_the_unreadable_ones() -> None:
    made = normalized(
        [account("a", roles="", user_status="?"), account(" ", roles="")], ROLES, last()
    )
    assert ids(made.snapshot) == ["a", "b", "c"]
    assert made.counts["accounts"].kept == 3
    assert for_unreadable(made) == 2


def test_a_rejected_row_of_many_keeps_its_own_record_alone() -> None:
    people = [account(f"a{number:02}") for number in range(20)]
    before = snapshot([*people, account("gone"), account("broken")])
    again = [*people, account("broken", user_status="?")]
    made = normalized(again, None, before)
    assert ids(made.snapshot) == [f"a{number:02}" for number in range(20)] + ["broken"]
    assert made.counts["accounts"].kept == 1
    twice = normalized([*again, account("a05", username="other")], None, before)
    assert ids(twice.snapshot) == ids(made.snapshot)
    assert twice.counts["accounts"].kept == 2


def test_a_blank_row_of_any_table_keeps_nothing() -> None:
    before = snapshot(
        [account("a"), account("b")], entitlements=[entitlement("e"), entitlement("f")]
    )
    blank = dict.fromkeys(entitlement("e"), " ")
    made = normalized(
        [account("a"), dict.fromkeys(account("a"), "")],
        None,
        before,
        entitlements=[entitlement("e"), blank],
    )
    assert ids(made.snapshot) == ["a"]
    assert made.snapshot.entitlements["integration_specific_id"].to_list() == ["e"]
    assert for_unreadable(made) == for_unreadable(made, "entitlements") == 0
    assert made.counts["accounts"].rejected == made.counts["entitlements"].rejected == 1


def ids_of(*values: str | None) -> pl.Series:
    return pl.Series("id", values, dtype=pl.String)


@pytest.mark.parametrize(
    ("named", "kept"), [([], []), (["a"], ["a"]), (["a", "x", None, "d"], ["a"]), (["d"], [])]
)
def test_the_records_that_rejects_name_are_kept_unless_they_are_there(named, kept) -> None:
    last, current = ids_of(*"abcd").to_frame(), ids_of("d").to_frame()
    assert kept_records(last, current, ids_of(*named), ["id"])["id"].to_list() == kept


@pytest.mark.parametrize(
    ("now", "before", "is_new"),
    [
        ("", "", False),
        ("a", "", True),
        ("a", "a", False),
        ("aa", "a", True),
        ("a", "aab", False),
        ("ab", "a", True),
    ],
)
def test_a_line_is_new_unless_it_was_there_as_often_before(now, before, is_new) -> None:
    lines = pl.Series("line", [*now], dtype=pl.String)
    assert has_new_line(lines, pl.Series("l", [*before], dtype=pl.String)) is is_new


PEOPLE = [account("a", roles="r;s"), B, C]


def with_lines(rows, *texts: str, code: str = UNREADABLE_LINE):
    """A read of accounts with lines that could not be split."""
    table = raw_table("accounts", rows, [None] * len(texts))
    marked = table.rejects.with_columns(
        pl.Series("value", texts, dtype=pl.String), pl.lit(code).alias("code")
    )
    return replace(table, rejects=marked)


def test_a_line_that_was_there_beside_everybody_shelters_nobody() -> None:
    first = normalized(with_lines(PEOPLE, "Total, 31,,x"), ROLES)
    assert first.kept["line"].to_list() == ["Total, 0,,x"]
    made = after(first, with_lines([B, C], "Total, 2,,x"))
    assert ids(made.snapshot) == ["b", "c"]
    assert made.kept.drop_nulls("key").is_empty()
    other = after(first, with_lines([B, C], "Sum 2,,,"))
    assert ids(other.snapshot) == ["a", "b", "c"]
    assert for_unreadable(other) == 1


def test_what_a_line_sheltered_it_goes_on_to_shelter_and_no_one_else() -> None:
    first = normalized(PEOPLE, ROLES)
    second = after(first, with_lines([B, C], "x,y"))
    third = after(second, with_lines([C], "x,y"))
    assert ids(second.snapshot) == ["a", "b", "c"]
    assert ids(third.snapshot) == ["a", "c"]
    fourth = after(third, with_lines([account("d", roles="")], "x,y", "x,y"))
    assert ids(fourth.snapshot) == ["a", "c", "d"]
    assert ids(after(third, [C]).snapshot) == ["c"]


def test_a_row_without_an_id_that_comes_every_night_shelters_nobody_either() -> None:
    footer = account(" ", roles="Total 3", email="")
    first = normalized([*PEOPLE, footer], ROLES)
    assert ids(after(first, [B, C, footer | {"roles": "Total 2"}]).snapshot) == ["b", "c"]


def test_a_line_of_one_field_names_nobody_but_whose_id_is_in_it() -> None:
    first = normalized(PEOPLE, ROLES)
    for text, kept in (
        ("Total: 12", ["b"]),
        ("a;a@example.com;ACTIVE", ["a", "b"]),
        ("a and c were here", ["a", "b", "c"]),
    ):
        made = after(first, with_lines([B], text, code=ONE_FIELD))
        assert ids(made.snapshot) == kept
        assert for_unreadable(made) == 0


def links(rows, *texts: str, code: str = UNREADABLE_LINE):
    table = raw_table("associations", rows, [None] * len(texts))
    return replace(
        table,
        rejects=table.rejects.with_columns(
            pl.Series("value", texts, dtype=pl.String), pl.lit(code).alias("code")
        ),
    )


def test_of_associations_too_a_line_that_was_there_before_shelters_none() -> None:
    people, grants_now = [account("a"), account("b")], TABLES["associations"]
    catalogue = TABLES["entitlements"]

    def read(rows, *texts, last=None, code=UNREADABLE_LINE):
        before = last.snapshot if last else None
        table = links(rows, *texts, code=code)
        raw_read = raw(people, entitlements=catalogue, associations=table)
        return to_snapshot(
            raw_read, source_file(), before or empty_snapshot(), NOW, last and last.kept
        )

    first = read(grants_now, "Total 3,x")
    assert grants(read(grants_now[:1], "Total 1,x", last=first)) == [("a", "e")]
    plain = read(grants_now)
    second = read(grants_now[:2], "x,y", last=plain)
    assert len(grants(second)) == 3
    assert for_unreadable(second, "associations") == 1
    third = read(grants_now[:1], "x,y", last=second)
    assert grants(third) == [("a", "e"), ("b", "e")]
    assert grants(read(grants_now[:1], "Total: 1", last=plain, code=ONE_FIELD)) == [("a", "e")]
    named = read(grants_now[:1], "a;f", last=plain, code=ONE_FIELD)
    assert grants(named) == [("a", "e"), ("a", "f")]


def test_since_when_a_record_is_kept_is_known_from_the_first_night() -> None:
    first = normalized(PEOPLE, ROLES)
    row = account("a", roles="r", user_status="?")
    second = after(first, [row, B, C], days=1)
    third = after(second, [row, B], days=2)
    fourth = after(third, [row, account("b", roles="", user_status="?")], days=3)
    assert second.kept.select("table", "key", "reason", "is_closed").rows() == [
        ("accounts", "a", "unmapped_status", False)
    ]
    begin = [NOW + timedelta(days=days) for days in (1, 3)]
    assert second.kept["since"].to_list() == third.kept["since"].to_list() == begin[:1]
    assert fourth.kept["since"].to_list() == begin
    assert dict(fourth.kept.schema) == KEPT


def after(made, rows, days: int = 0):
    """What becomes of `rows` after `made` was accepted."""
    now = NOW + timedelta(days=days)
    return to_snapshot(raw(rows), ROLES, made.snapshot, now, made.kept)


def test_records_that_are_kept_too_long_are_held_for_a_person() -> None:
    row = account("a", roles="r", user_status="?")
    made = after(normalized(PEOPLE, ROLES), [row, B, C])
    keep_for = timedelta(days=14)
    just = NOW + keep_for
    assert kept_breaches(made.kept, keep_for, just - timedelta(seconds=1)) == ()
    (breach,) = kept_breaches(made.kept, keep_for, just)
    assert (breach.guard, breach.found, breach.allowed, breach.limit) == (GUARD, 1, 0, "14d")
    assert breach.is_approvable
    again = renewed(made.kept, just)
    assert kept_breaches(again, keep_for, just + keep_for - timedelta(seconds=1)) == ()
    assert kept_breaches(again, keep_for, just + keep_for)


def test_a_leaver_whose_address_alone_is_kept_is_held_for_no_one() -> None:
    row = account("a", roles="", email="", user_status="DEPROVISIONED")
    made = after(normalized(PEOPLE, ROLES), [row, B, C])
    assert kept_breaches(made.kept, timedelta(0), NOW) == ()
    assert len(kept_warnings(made.kept, timedelta(days=14))) == 1


def test_kept_records_are_told_with_their_number_and_since_when() -> None:
    first = normalized(PEOPLE, ROLES)
    made = after(first, with_lines([account("c", roles="t", user_status="?")], "x,y"))
    (warning,) = kept_warnings(made.kept, timedelta(days=14))
    assert warning == (
        "3 accounts kept as accepted last, where their rows cannot be read, 2 of them for rows "
        "without a readable id, which may be any; the first since 2026-08-01 12:00 UTC; "
        "after 14d a person must decide"
    )
    assert kept_warnings(no_kept(), timedelta(days=14)) == ()


def test_a_row_that_is_left_out_is_no_account_and_none_of_its_roles_is_a_reject() -> None:
    file = source_file("leave_out: [{column: kind, is: [Bot, Test]}, {line: '^(Total|Made by)'}]\n")
    rows = [account("a", kind="Person"), account("b", kind="Bot"), account("Total 2", kind="")]
    table = with_lines(rows, "Made by X", "broken")
    made = normalized(
        table, file, entitlements=[entitlement("e")], associations=[association("b", "e")]
    )
    assert ids(made.snapshot) == ["a"]
    count = made.counts["accounts"]
    assert (count.read, count.accepted, count.dropped, count.rejected) == (5, 1, 3, 1)
    count = made.counts["associations"]
    assert (count.read, count.dropped, count.rejected) == (1, 1, 0)


@pytest.mark.parametrize(
    "rule",
    ["{column: kind}", "{is: [Bot]}", "{line: x, column: y, is: [z]}", "{line: '('}", "{}"],
)
def test_a_rule_of_what_is_left_out_names_a_column_or_a_line(rule) -> None:
    with pytest.raises(ConfigError):
        source_file(f"leave_out: [{rule}]\n")


def test_a_rule_whose_column_is_not_there_is_refused() -> None:
    file = source_file("leave_out: [{column: kind, is: [Bot]}]\n")
    with pytest.raises(SourceFormatError, match="leave_out"):
        normalized([account("a")], file)

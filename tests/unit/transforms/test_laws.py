"""What holds for every read, whatever stands in it."""

import json

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.snapshot import Snapshot, associations_of, empty_snapshot
from schemas.statuses import STATUS_OF
from schemas.tables import ROW
from tests.unit.builders import (
    account,
    association,
    ids,
    normalized,
    raw_table,
    snapshot,
    source_file,
)
from transforms.plan.plan import to_plan
from transforms.upload.body import to_body_parts

FILE = source_file("entitlements: [{type: Role, column: roles}]\nattributes: {C: cost}\n")
LAW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ids_column = "integration_specific_id"
COLUMNS = [*account("a"), "roles", "cost"]

names = st.sampled_from(["1", "01", "00012", " 12 ", "a", "A", "é", "%|", "b"])
roles = st.lists(st.sampled_from(["r", "s", "R", "é|", "%7C"]), max_size=3).map(";".join)
emails = st.sampled_from(["a@example.com", " a@example.com ", "b@example.com", "no", ""])
statuses = st.sampled_from(["ACTIVE", "inactive", "Deleted", "", "gone", "PENDING"])
rows = st.fixed_dictionaries(
    {
        "integration_specific_id": st.one_of(names, st.sampled_from(["", "  ", "x\ty"])),
        "email": emails,
        "user_status": statuses,
        "roles": roles,
        "cost": st.sampled_from(["", "1", "2"]),
    }
)
sound_rows = st.lists(
    st.builds(
        lambda name, role, cost, status: account(name, roles=role, cost=cost, user_status=status),
        names,
        roles,
        st.sampled_from(["", "1"]),
        st.sampled_from(["ACTIVE", "suspended"]),
    ),
    max_size=6,
    unique_by=lambda row: row["integration_specific_id"],
)
guesses = st.lists(st.one_of(st.none(), names, st.just("")), max_size=2)
links = st.lists(st.builds(association, st.one_of(names, st.just("")), st.sampled_from("rst")))


def accounts_of(read, unsplit=()):
    return raw_table("accounts", read, unsplit, COLUMNS)


def links_of(read):
    return raw_table("associations", read, columns=list(association("a", "e")))


def taken(read) -> Snapshot:
    return normalized(accounts_of(read), FILE).snapshot


def body(of: Snapshot) -> bytes:
    return b"".join(to_body_parts(of))


@LAW
@given(st.lists(rows, max_size=8), guesses, links, sound_rows)
def test_every_row_read_is_accepted_merged_or_rejected(read, unsplit, grants, before) -> None:
    made = normalized(
        accounts_of(read, unsplit), FILE, taken(before), associations=links_of(grants)
    )

    for table, count in made.counts.items():
        fates = count.accepted + count.merged + count.rejected + count.dropped
        assert count.read == fates, table
    pieces = accounts_of(read).rows
    of_rows = made.rejects.filter((pl.col("table") == "accounts") & ~pl.col("is_cell"))
    accepted = set(range(2, len(read) + 2)) - set(of_rows["row"])
    said = pieces.filter(pl.col(ROW).is_in(accepted)).unique(pl.selectors.exclude(ROW))
    assert made.counts["accounts"].read == len(read) + len(unsplit)
    assert made.counts["accounts"].accepted <= said.height
    assert made.counts["associations"].read >= len(grants)


BREAKS = {
    "status": lambda row: [row | {"user_status": "gone"}],
    "blank status": lambda row: [row | {"user_status": ""}],
    "e-mail": lambda row: [row | {"email": "nobody"}],
    "nobody": lambda row: [row | {"email": " "}],
    "control character": lambda row: [row | {"cost": "\x07"}],
    "conflict": lambda row: [row, row | {"cost": "other"}],
    "no id": lambda row: [row | {"integration_specific_id": " "}],
    "unsplit, id guessed": lambda row: [row["integration_specific_id"]],
    "unsplit, id not told": lambda row: [None],
    "unsplit, guess wrong": lambda row: ["nobody's"],
}


@LAW
@given(st.data(), sound_rows.filter(bool))
def test_no_account_with_a_rejected_row_is_lost_nor_anything_it_holds(data, before) -> None:
    last = taken(before)
    broken = data.draw(st.sets(st.sampled_from(before).map(lambda r: r["integration_specific_id"])))
    read, unsplit = [], []
    for row in before:
        kind = data.draw(st.sampled_from(sorted(BREAKS)))
        made = BREAKS[kind](row) if row["integration_specific_id"] in broken else [row]
        read += [one for one in made if isinstance(one, dict)]
        unsplit += [one for one in made if not isinstance(one, dict)]

    now = normalized(accounts_of(read, unsplit), FILE, last).snapshot

    assert now.accounts.equals(last.accounts)
    assert associations_of(now).equals(associations_of(last))


def test_a_guess_that_names_an_account_which_is_there_is_no_answer_to_who_is_missing() -> None:
    last = snapshot([account("a"), account("b")])
    now = normalized(raw_table("accounts", [account("a")], ["a"]), None, last)
    assert ids(now.snapshot) == ["a", "b"]


@LAW
@given(st.data(), sound_rows, st.lists(rows, max_size=3), links, sound_rows)
def test_the_order_of_rows_and_pieces_does_not_matter(data, sound, broken, grants, before) -> None:
    last, read = taken(before), [*sound, *broken]
    turned = [
        row | {"roles": ";".join(data.draw(st.permutations(row["roles"].split(";"))))}
        for row in read
    ]
    once = normalized(accounts_of(sorted_pieces(read)), FILE, last, associations=links_of(grants))

    for people, pairs in (
        (turned[::-1], grants[::-1]),
        (data.draw(st.permutations(turned)), data.draw(st.permutations(grants))),
    ):
        rows_again = accounts_of(sorted_pieces(people))
        again = normalized(rows_again, FILE, last, associations=links_of(pairs))
        assert body(once.snapshot) == body(again.snapshot)
        assert once.counts == again.counts
        assert once.snapshot.entitlements.equals(again.snapshot.entitlements)


def sorted_pieces(read):
    """Two rows of one id whose pieces stand in another order differ: such rows are made equal."""
    seen = [row["integration_specific_id"] for row in read]
    return [
        row | {"roles": ";".join(sorted(row["roles"].split(";")))}
        if seen.count(row["integration_specific_id"]) > 1
        else row
        for row in read
    ]


@LAW
@given(st.sets(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)))
def test_ids_arrive_byte_for_byte(written) -> None:
    wanted = sorted(one for one in written if one.strip() and "\ufffd" not in one)
    now = normalized(accounts_of([account(one, roles="", cost="") for one in written]), FILE)

    sent = json.loads(b"[" + body(now.snapshot) + b"]")

    assert sorted(one["unique_identifier"] for one in sent) == wanted


@LAW
@given(sound_rows, sound_rows)
def test_the_plan_applied_to_the_last_snapshot_gives_the_new_one(before, after) -> None:
    last, now = taken(before), taken(after)
    plan = to_plan(now, last)

    changed = {
        change: set(plan.account_changes.filter(pl.col("change") == change)[ids_column].to_list())
        for change in ("added", "removed")
    }
    assert (set(ids(last)) - changed["removed"]) | changed["added"] == set(ids(now))
    assert not changed["removed"] - set(ids(last))
    assert not changed["added"] & set(ids(last))
    pairs = plan.association_changes
    added = set(pairs.filter(pl.col("change") == "added").drop("change").rows())
    removed = set(pairs.filter(pl.col("change") == "removed").drop("change").rows())
    grants, holds = set(associations_of(last).rows()), set(associations_of(now).rows())
    assert removed == grants - holds
    assert added == holds - grants
    assert (plan.associations.added, plan.associations.removed) == (len(added), len(removed))
    assert plan.accounts.added == len(changed["added"])


@LAW
@given(sound_rows)
def test_a_snapshot_changes_nothing_against_itself(read) -> None:
    assert to_plan(taken(read), taken(read)).is_empty


@LAW
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_unknown_status_never_becomes_active(word) -> None:
    if word.strip().upper() in STATUS_OF:
        return
    made = normalized([account("a", user_status=word)])
    assert made.snapshot.accounts.is_empty()
    assert made.rejects["column"].to_list() == ["user_status"]


def test_the_snapshot_of_nothing_is_empty() -> None:
    assert to_plan(empty_snapshot(), empty_snapshot()).is_empty

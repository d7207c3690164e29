"""Guards: exact bounds on what a plan takes, gives and changes hands, each at its border."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pytest

from schemas.guards import GUARD, GUARDS, is_approvable
from schemas.plan import Breach, Changes, Plan
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards, PerEntitlement, Watched
from schemas.source_file.quantities import to_limit
from tests.unit.builders import account, association, entitlement, snapshot, source_file
from transforms.plan.guards import check_guards, check_window, judge
from transforms.plan.plan import to_plan
from transforms.tables.rejects import TableCount

FILE = source_file("attributes: {Cost: cost}\n")
Cells = dict[str, str]


@dataclass
class Source:
    """A source on one night: accounts by id, who holds what, and what an entitlement is called."""

    people: dict[str, Cells] = field(default_factory=dict)
    held: set[tuple[str, str]] = field(default_factory=set)
    labels: dict[str, str] = field(default_factory=dict)
    sites: dict[str, str] = field(default_factory=dict)

    def but(self, changes: dict[str, Cells] | None = None, **fields: object) -> "Source":
        """The same on another night: cells of some accounts are others."""
        people = self.people | {
            one: self.people.get(one, usual(one)) | cells for one, cells in (changes or {}).items()
        }
        return replace(self, people=people, **fields)  # type: ignore[arg-type]

    def without(self, *gone: str) -> "Source":
        people = {one: cells for one, cells in self.people.items() if one not in gone}
        return replace(self, people=people, held={h for h in self.held if h[0] not in gone})

    def snapshot(self) -> Snapshot:
        catalogue = [entitlement(one, label=label) for one, label in self.labels.items()]
        sites = [
            {"resource_type": "Site", "integration_specific_id": one, "label": label}
            for one, label in self.sites.items()
        ]
        return snapshot(
            [account(one, **cells) for one, cells in self.people.items()],
            FILE,
            entitlements=catalogue or [entitlement("none")],
            **({"resources": sites} if sites else {}),
            **(
                {"associations": [association(*one) for one in sorted(self.held)]}
                if self.held
                else {}
            ),
        )


def usual(one: str) -> Cells:
    return {"email": f"{one}@example.com", "given_name": f"G{one}", "cost": "1"}


def ids(count: int, start: int = 0) -> list[str]:
    return [f"a{number:03}" for number in range(start, start + count)]


def source(count: int = 100, closed: int = 0, roles: Iterable[tuple[str, int]] = ()) -> Source:
    """As many accounts, the last ones closed; of each role, the first so many hold it."""
    people = {one: usual(one) for one in ids(count)}
    for one in ids(closed, count - closed):
        people[one]["user_status"] = "SUSPENDED"
    held = {(one, role) for role, holders in roles for one in ids(holders)}
    return Source(people, held, {role: role.upper() for role, _ in roles})


def breaches(before: Source, now: Source, guards: str = "{}") -> tuple[Breach, ...]:
    bounds: Guards = source_file(f"guards: {guards}\n").guards
    return check_guards(to_plan(now.snapshot(), before.snapshot()), {}, bounds)


def broken(before: Source, now: Source, guards: str = "{}") -> list[str]:
    return [one.guard for one in breaches(before, now, guards)]


def line(before: Source, now: Source, guards: str = "{}") -> str:
    [breach] = breaches(before, now, guards)
    return str(breach)


def closing(of: Source, *which: str, status: str = "SUSPENDED") -> Source:
    return of.but({one: {"user_status": status} for one in which})


def with_email(of: Source, moved: dict[str, str]) -> Source:
    return of.but({one: {"email": email} for one, email in moved.items()})


# What is taken away.


@pytest.mark.parametrize(("count", "allowed"), [(3, 1), (19, 1), (20, 2), (109, 10)])
def test_a_share_of_the_accounts_may_go(count: int, allowed: int) -> None:
    before = source(count)
    assert broken(before, before.without(*ids(allowed))) == []
    said = f"max_removed_accounts: {allowed + 1} of {count}, allowed {allowed} (10%)"
    assert line(before, before.without(*ids(allowed + 1))) == said


def test_accounts_that_go_are_also_a_share_of_those_that_could_log_in() -> None:
    before = source(60, closed=50)
    assert broken(before, before.without("a000")) == []
    assert line(before, before.without("a000", "a001")) == (
        "max_removed_accounts: 2 of 10 accounts that could log in, allowed 1 (10%)"
    )
    assert broken(before, before.without(*ids(6, 50))) == []


@pytest.mark.parametrize("status", ["SUSPENDED", "DEPROVISIONED", "ACCESS_REMOVED"])
def test_of_those_that_could_log_in_a_share_may_be_deactivated(status: str) -> None:
    before = source(60, closed=40)
    assert broken(before, closing(before, *ids(2), status=status)) == []
    assert line(before, closing(before, *ids(3), status=status)) == (
        "max_deactivated_accounts: 3 of 20 accounts that could log in, allowed 2 (10%)"
    )


def test_all_five_of_sixty_that_can_log_in_are_not_a_tenth() -> None:
    before = source(60, closed=55)
    assert broken(before, closing(before, *ids(5))) == ["max_deactivated_accounts"]


def test_a_share_of_the_associations_may_go() -> None:
    before = source(50, roles=[("r", 50), ("s", 50)])
    assert broken(before, before.but(held=before.held - {(one, "r") for one in ids(20)})) == []
    kept = before.held - {(one, "r") for one in ids(21)}
    assert line(before, before.but(held=kept)) == (
        "max_removed_associations: 21 of 100, allowed 20 (20%)"
    )


def test_a_single_account_takes_what_it_holds_along() -> None:
    few = source(3, roles=[("r", 1), ("s", 1), ("t", 2)])
    assert broken(few, few.without("a000")) == []
    also = few.without("a000")
    assert broken(few, also.but(held=set())) == []
    more = source(3, roles=[("r", 1), ("s", 1), ("t", 3)])
    assert broken(more, more.without("a000").but(held=set())) == [
        "max_removed_associations",
        "max_emptied_entitlements",
    ]


def test_two_accounts_do_not() -> None:
    before = source(30, roles=[("r", 2), ("s", 2), ("t", 1)])
    assert broken(before, before.without("a000")) == []
    assert broken(before, before.without("a000", "a001")) == ["max_removed_associations"]


@pytest.mark.parametrize(("holders", "is_held"), [(1, False), (2, False), (3, True), (4, True)])
def test_an_entitlement_of_three_holders_is_not_emptied(holders: int, is_held: bool) -> None:
    before = source(40, roles=[("base", 40), ("r", holders)])
    emptied = {one for one in before.held if one[1] != "r"}
    for labels in (before.labels, {"base": "BASE"}):
        now = before.but(held=emptied, labels=labels)
        assert broken(before, now) == (["max_emptied_entitlements"] if is_held else [])
    kept = emptied | {("a000", "r")}
    assert broken(before, before.but(held=kept)) == []


def test_an_entitlement_whose_holders_all_left_is_not_emptied() -> None:
    before = source(40, roles=[("base", 40), ("r", 3)])
    assert broken(before, before.without(*ids(3))) == []
    stays = before.without("a000", "a001")
    now = stays.but(held={one for one in stays.held if one[1] != "r"})
    assert broken(before, now) == ["max_emptied_entitlements"]


def test_an_entitlement_whose_holders_are_all_others_now_is_emptied() -> None:
    before = source(40, roles=[("base", 40), ("r", 3)])
    base = {one for one in before.held if one[1] == "base"}
    assert line(before, before.but(held=base | {("a010", "r")})) == (
        "max_emptied_entitlements: 1 of 2, allowed 0 (0)"
    )
    assert (
        broken(before, before.but(held=base | {("a010", "r")}), "{max_emptied_entitlements: 1}")
        == []
    )


def test_what_is_emptied_is_named_as_it_is_called_or_was() -> None:
    before = source(40, roles=[("base", 40), ("r", 3), ("s", 4)])
    now = source(40, roles=[("base", 40), ("r", 0)]).but(labels={"base": "BASE", "r": "New"})
    [breach] = breaches(before, now)
    assert breach.ids == ("New (had 3, +0, -3)", "S (had 4, +0, -4)")
    assert (breach.guard, breach.of) == ("max_emptied_entitlements", "entitlements")


def test_rejects_are_judged_table_by_table() -> None:
    counts = {name: TableCount(read=9, accepted=9) for name in ("accounts", "associations")}
    plan = to_plan(source(3).snapshot(), None)
    judged = judge(plan, counts, source_file("").guards)
    told = [(one.table, one.of) for one in judged if one.guard == "max_rejected_rows"]
    assert told == [("accounts", "accounts"), ("associations", "associations")]


def test_two_holders_are_not_replaced_by_others() -> None:
    before = source(40, roles=[("base", 40), ("r", 2)])
    base = {one for one in before.held if one[1] == "base"}
    assert broken(before, before.but(held=base)) == []
    assert broken(before, before.but(held=base | {("a000", "r"), ("a010", "r")})) == []
    replaced = before.but(held=base | {("a010", "r")})
    assert broken(before, replaced) == ["max_emptied_entitlements"]
    assert broken(before, replaced.without("a000")) == []
    one = source(40, roles=[("base", 40), ("r", 1)])
    assert broken(one, one.but(held=base | {("a010", "r")})) == []


# What is given.


@pytest.mark.parametrize(("count", "allowed"), [(1, 3), (11, 3), (16, 4), (100, 25)])
def test_a_share_of_the_accounts_may_come(count: int, allowed: int) -> None:
    before = source(count)
    assert broken(before, source(count + allowed)) == []
    said = f"max_added_accounts: {allowed + 1} beside {count}, allowed {allowed} (25%)"
    assert line(before, source(count + allowed + 1)) == said


def test_strangers_appended_are_held() -> None:
    assert broken(source(200), source(380)) == ["max_added_accounts"]


@pytest.mark.parametrize(("closed", "allowed"), [(90, 1), (60, 2), (40, 3)])
def test_of_those_that_can_log_in_as_many_more_may(closed: int, allowed: int) -> None:
    before = source(100, closed=closed)
    first = 100 - closed
    assert broken(before, closing(before, *ids(allowed, first), status="ACTIVE")) == []
    assert line(before, closing(before, *ids(allowed + 1, first), status="STAGED")) == (
        f"max_activated_accounts: {allowed + 1} of {first} accounts that could log in, "
        f"allowed {allowed} (5%)"
    )


def test_where_nobody_could_log_in_one_may() -> None:
    before = source(9, closed=9)
    assert broken(before, closing(before, "a000", status="ACTIVE")) == []
    assert broken(before, closing(before, *ids(2), status="ACTIVE")) == ["max_activated_accounts"]


@pytest.mark.parametrize(
    ("closed", "opened", "is_held"),
    [(1, 1, False), (2, 2, True), (3, 2, True), (4, 2, False), (9, 5, True), (9, 4, False)],
)
def test_where_most_of_those_that_were_closed_are_open_they_are_a_share_of_these(
    closed: int, opened: int, is_held: bool
) -> None:
    before = source(200, closed=closed)
    now = closing(before, *ids(opened, 200 - closed), status="ACTIVE")
    assert broken(before, now) == (["max_activated_accounts"] if is_held else [])
    if is_held:
        assert line(before, now) == (
            f"max_activated_accounts: {opened} of {closed} accounts that could not log in, "
            "allowed 1 (5%)"
        )
        assert broken(before, now, f"{{max_activated_accounts: {opened}}}") == []


def test_those_who_were_closed_and_are_gone_do_not_count_among_those_who_may_come_back() -> None:
    before = source(200, closed=9)
    opened = closing(before.without(*ids(6, 194)), *ids(2, 191), status="ACTIVE")
    assert broken(before, opened) == ["max_activated_accounts"]


def with_cost(of: Source, costs: Iterable[str]) -> Source:
    return of.but({one: {"cost": cost} for one, cost in zip(of.people, costs, strict=True)})


def moved_down(costs: list[str], first: int) -> list[str]:
    """The first so many costs, each one row further on."""
    return [costs[first - 1], *costs[: first - 1], *costs[first:]]


@pytest.mark.parametrize(("count", "moved"), [(10, 3), (40, 8), (100, 20)])
def test_an_attribute_of_a_share_of_the_accounts_may_be_anothers(count: int, moved: int) -> None:
    costs = [f"C{number}" for number in range(count)]
    before = with_cost(source(count), costs)
    assert broken(before, with_cost(before, moved_down(costs, moved))) == []
    assert line(before, with_cost(before, moved_down(costs, moved + 1))) == (
        f"max_exchanged_attributes: {moved + 1} of {count} values of Cost, allowed {moved} (20%)"
    )


def test_of_departments_that_are_shifted_by_a_row_each_is_there_as_often_as_before() -> None:
    costs = [f"C{number % 7}" for number in range(100)]
    before = with_cost(source(100), costs)
    [breach] = breaches(before, with_cost(before, moved_down(costs, 100)))
    assert (breach.guard, breach.found) == ("max_exchanged_attributes", 100)
    assert breach.ids == tuple(ids(10))


def test_a_department_that_is_merged_renamed_or_grows_is_exchanged_with_none() -> None:
    before = with_cost(source(100), [f"C{number % 4}" for number in range(100)])
    merged = with_cost(before, [f"C{max(number % 4, 1)}" for number in range(100)])
    renamed = with_cost(before, [f"D{number % 4}" for number in range(100)])
    for now in (merged, renamed):
        assert broken(before, now) == []


def test_a_number_that_grows_night_by_night_is_exchanged_with_none() -> None:
    before = with_cost(source(100), [f"{number}" for number in range(100)])
    assert broken(before, with_cost(before, [f"{number + 1}" for number in range(100)])) == []
    assert broken(before, with_cost(before, [f"{99 - number}" for number in range(100)])) == [
        "max_exchanged_attributes"
    ]


@pytest.mark.parametrize("name", ["given_name", "family_name"])
def test_half_of_the_names_shifted_by_a_row_are_exchanged_beside_an_address(name: str) -> None:
    names = [f"N{number}" for number in range(40)]
    before, now = (
        source(40).but({one: {name: at} for one, at in zip(ids(40), of, strict=True)})
        for of in (names, moved_down(names, 40))
    )
    assert line(before, now) == (
        f"max_exchanged_attributes: 40 of 40 values of {name}, allowed 8 (20%)"
    )


def test_attributes_that_come_go_or_are_filled_are_exchanged_with_none() -> None:
    blank = with_cost(source(20), [""] * 20)
    full = with_cost(source(20), [f"C{number}" for number in range(20)])
    assert broken(blank, full) == []
    assert broken(full, blank) == ["max_blanked_fields"]


def test_a_share_of_the_associations_may_come() -> None:
    before = source(100, roles=[("r", 60), ("s", 40)])
    assert broken(before, before.but(held=before.held | {(a, "s") for a in ids(20, 40)})) == []
    more = before.held | {(a, "s") for a in ids(20, 40)} | {(a, "r") for a in ids(6, 60)}
    assert line(before, before.but(held=more)) == (
        "max_added_associations: 26 beside 100, allowed 25 (25%)"
    )


@pytest.mark.parametrize(("more", "is_held"), [(3, False), (4, True)])
def test_a_few_associations_may_come_in_the_smallest_source(more: int, is_held: bool) -> None:
    before = source(12, roles=[("r", 1), ("s", 12)])
    smallest = before.but(held={("a000", "r")})
    now = smallest.but(held={("a000", "r")} | {(one, "s") for one in ids(more)})
    assert broken(smallest, now) == (["max_added_associations"] if is_held else [])


def test_a_single_new_account_brings_what_it_holds_along() -> None:
    roles = [(role, 1) for role in "rstuv"]
    before = source(4, roles=roles)
    new = source(5, roles=roles)
    brought = {("a004", role) for role in "rstuv"}
    assert broken(before, new.but(held=before.held | brought)) == []
    others = {("a001", role) for role in "rstu"}
    assert broken(before, new.but(held=before.held | brought | others)) == [
        "max_added_associations"
    ]
    two = source(6, roles=roles)
    assert broken(before, two.but(held=before.held | brought)) == ["max_added_associations"]


def test_everyone_gets_the_one_admins_role() -> None:
    before = source(12, roles=[("base", 12), ("admin", 1)])
    now = source(12, roles=[("base", 12), ("admin", 12)])
    assert broken(before, now) == [
        "max_added_associations",
        "per_entitlement.max_added",
        "watched.max_added",
    ]


def test_nearly_everyone_of_many_associations_gets_a_role() -> None:
    wide = [(f"r{number}", 200) for number in range(12)]
    before = source(200, roles=[*wide, ("boss", 2)])
    assert broken(before, source(200, roles=[*wide, ("boss", 198)])) == [
        "per_entitlement.max_added"
    ]


@pytest.mark.parametrize(
    ("holders", "allowed"), [(0, 5), (2, 5), (10, 5), (11, 5), (12, 6), (40, 20)]
)
def test_an_entitlement_may_gain_half_its_holders(holders: int, allowed: int) -> None:
    wide = [(f"w{number}", 100) for number in range(4)]
    before = source(100, roles=[*wide, ("r", holders)])
    assert broken(before, source(100, roles=[*wide, ("r", holders + allowed)])) == []
    base = max(holders, 10)
    assert line(before, source(100, roles=[*wide, ("r", holders + allowed + 1)])) == (
        f"per_entitlement.max_added: {allowed + 1} beside {base} holders of an entitlement, "
        f"allowed {allowed} (50%)"
    )


def test_a_new_entitlement_may_be_everyones() -> None:
    wide = [(f"w{number}", 100) for number in range(4)]
    assert broken(source(100, roles=wide), source(100, roles=[*wide, ("r", 100)])) == []


@pytest.mark.parametrize(("holders", "allowed"), [(9, 8), (10, 5), (11, 5), (20, 10)])
def test_an_entitlement_of_ten_holders_may_lose_half_of_them(holders: int, allowed: int) -> None:
    wide = [(f"w{number}", 100) for number in range(4)]
    before = source(100, roles=[*wide, ("r", holders)])
    assert broken(before, source(100, roles=[*wide, ("r", holders - allowed)])) == []
    if holders >= 10:
        assert line(before, source(100, roles=[*wide, ("r", holders - allowed - 1)])) == (
            f"per_entitlement.max_removed: {allowed + 1} of {holders} holders of an entitlement, "
            f"allowed {allowed} (50%)"
        )


def test_what_accounts_bring_and_take_along_is_bounded_with_them() -> None:
    before = source(100, roles=[("base", 100), ("season", 2), ("r", 10)])
    new = source(110, roles=[("base", 110)]).but(labels=before.labels)
    came = before.held | {(one, role) for one in ids(10, 100) for role in ("base", "season")}
    assert broken(before, new.but(held=came)) == []
    also = came | {(one, "season") for one in ids(6, 50)}
    assert [str(one) for one in breaches(before, new.but(held=also))] == [
        "per_entitlement.max_added: 6 beside 10 holders of an entitlement, allowed 5 (50%)"
    ]
    assert broken(before, before.without(*ids(6))) == []


def test_how_many_entitlements_do_is_said_and_the_furthest_is_counted() -> None:
    wide = [(f"w{number}", 100) for number in range(5)]
    before = source(100, roles=[*wide, ("r", 12), ("s", 20), ("t", 20)])
    now = source(100, roles=[*wide, ("r", 5), ("s", 5), ("t", 10)])
    [breach] = breaches(before, now)
    assert (breach.guard, breach.found, breach.base, breach.of) == (
        *("per_entitlement.max_removed", 15, 20),
        "holders of an entitlement (2 entitlements do)",
    )
    assert breach.ids == ("S (had 20, +0, -15)", "R (had 12, +0, -7)")


def test_the_bounds_of_one_entitlement_are_the_files() -> None:
    wide = [(f"w{number}", 100) for number in range(4)]
    before = source(100, roles=[*wide, ("r", 4)])
    most = "{per_entitlement: {max_removed: 100%, max_added: 100%, from_holders: 4}}"
    assert broken(before, source(100, roles=[*wide, ("r", 8)]), most) == []
    assert broken(before, source(100, roles=[*wide, ("r", 9)]), most) == [
        "per_entitlement.max_added"
    ]
    least = "{per_entitlement: {max_removed: 2, max_added: 2, from_holders: 4}}"
    assert broken(before, source(100, roles=[*wide, ("r", 2)]), least) == []
    assert broken(before, source(100, roles=[*wide, ("r", 1)]), least) == [
        "per_entitlement.max_removed"
    ]


@pytest.mark.parametrize("label", ["Admin", "sysADMINs", "Read-only administrator"])
def test_an_entitlement_called_admin_gains_and_loses_one_at_a_time(label: str) -> None:
    wide = [(f"w{number}", 100) for number in range(4)]

    def holders(*which: str) -> Source:
        of = source(100, roles=[*wide, ("r", 0)])
        return of.but(held=of.held | {(one, "r") for one in which}, labels=of.labels | {"r": label})

    before = holders("a000", "a001", "a002")
    assert broken(before, holders("a001", "a002", "a003")) == []
    assert broken(before, holders("a000", "a001", "a002", "a003", "a004")) == ["watched.max_added"]
    assert broken(before, holders("a000")) == ["watched.max_removed"]
    assert broken(before, holders("a000"), "{watched: []}") == []
    ours = "{watched: [{label: 'w?', max_added: 0}, {label: R, max_removed: 2}]}"
    assert broken(before, holders("a000"), ours) == []


def test_a_watched_entitlement_that_is_renamed_or_gone_is_watched_still() -> None:
    wide = [(f"w{number}", 100) for number in range(4)]
    before = source(100, roles=[*wide, ("r", 2)]).but(labels={"r": "Admin"})
    before.labels |= {role: role for role, _ in wide}
    gone = before.but(held={h for h in before.held if h[1] != "r"})
    assert broken(before, gone) == ["watched.max_removed"]
    lost = gone.but(labels={role: role for role, _ in wide})
    assert broken(before, lost) == ["watched.max_removed"]


# Who is who.


def test_a_share_of_the_e_mail_addresses_may_change() -> None:
    before = source(100)
    assert broken(before, with_email(before, {one: f"{one}@new.example" for one in ids(5)})) == []
    assert line(before, with_email(before, {one: f"{one}@new.example" for one in ids(6)})) == (
        "max_changed_emails: 6 of 100 addresses and names, allowed 5 (5%)"
    )


def test_an_address_in_other_case_is_the_same_and_a_first_one_changes_nothing() -> None:
    before = with_email(source(40), dict.fromkeys(ids(10), ""))
    before = before.but({one: {"family_name": "F"} for one in ids(40)})
    upper = {one: f"{one.upper()}@EXAMPLE.com" for one in ids(40)}
    assert broken(before, with_email(before, upper)) == []
    three = {one: f"{one}@new.example" for one in ids(3, 30)}
    assert line(before, with_email(before, three)) == (
        "max_changed_emails: 3 of 40 addresses and names, allowed 2 (5%)"
    )


def test_an_address_that_another_account_had_is_swapped() -> None:
    before = source(40)
    for now in (
        with_email(before, {"a000": "A001@example.com", "a001": "new@example.com"}),
        with_email(before, {"a000": "a001@example.com"}),
        with_email(before, {"a000": "a001@example.com"}).without("a001"),
    ):
        found = breaches(before, now, "{max_changed_emails: 2}")
        assert [str(one) for one in found] == [
            "max_swapped_emails: 1 of 40 addresses and names, allowed 0 (0)".replace(
                "of 40", "of 39" if "a001" not in now.people else "of 40"
            )
        ]
        assert found[0].ids == ("a000",)
    exchanged = with_email(before, {"a000": "a001@example.com", "a001": "a000@example.com"})
    assert [one.found for one in breaches(before, exchanged)] == [2]
    assert broken(before, exchanged, "{max_swapped_emails: 2}") == []


def test_a_new_account_may_share_an_address_or_take_that_of_one_that_left() -> None:
    before = source(40)
    taken = {"new": {"email": "a001@example.com"}}
    assert broken(before, before.but(taken)) == []
    assert broken(before, before.without("a001").but(taken)) == []
    gone = {"email": "", "family_name": "F", "user_status": "SUSPENDED"}
    assert broken(before, before.but(taken | {"a001": gone})) == []
    for left in (
        {"email": "x@example.com"},
        gone | {"user_status": "ACTIVE"},
        gone | {"email": "y@z.com"},
    ):
        assert broken(before, before.but(taken | {"a001": left})) == ["max_swapped_emails"]


def test_a_service_account_may_share_its_owners_address_but_take_no_other() -> None:
    before = source(40).but({"a000": {"account_type": "service"}})
    shared = with_email(before, {"a000": "a001@example.com"})
    assert broken(before, shared) == []
    taken = with_email(shared, {"a001": "x@example.com"})
    assert broken(before, taken, "{max_changed_emails: 2}") == ["max_swapped_emails"]


def test_the_e_mail_column_shifted_by_one_row_is_held() -> None:
    before = source(40)
    names = ids(40)
    shifted = {one: f"{names[n - 1]}@example.com" for n, one in enumerate(names)}
    assert broken(before, with_email(before, shifted)) == [
        "max_changed_emails",
        "max_swapped_emails",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [("A1", "a1"), ("12", "0012"), ("a 1", "a1"), ("a\u00a01", "a1"), ("ﬁ1", "fi1"), ("0", "00")],
)
def test_an_id_in_another_spelling_is_another_account(old: str, new: str) -> None:
    before = source(20).but({old: {"email": "x@example.com"}})
    now = source(20).but({new: {"email": "y@example.com"}})
    assert line(before, now) == "max_respelled_ids: 1 of 21, allowed 0 (0)"
    plan = to_plan(now.snapshot(), before.snapshot())
    assert plan.lookalikes.rows() == [(old, new, "id")]


def test_a_removed_and_an_added_account_of_one_address_look_like_one_person() -> None:
    before = source(20).but({"old": {"email": "X@example.com"}})
    now = source(20).but({"new": {"email": "x@example.com"}})
    assert broken(before, now) == []
    assert to_plan(now.snapshot(), before.snapshot()).lookalikes.rows() == [
        ("old", "new", "e-mail")
    ]
    assert to_plan(now.snapshot(), now.snapshot()).lookalikes.rows() == []


def test_one_who_is_gone_is_told_beside_one_who_is_new_and_like_them() -> None:
    """Of several the first by id; once where both id and address are alike; by the id before."""
    address = {"email": "x@example.com"}
    before = source(20).but({"A1": address, "old": {"email": "y@example.com"}})
    now = source(20).but({"0a1": address, "a1": address, "new": {"email": "Y@example.com"}})
    assert to_plan(now.snapshot(), before.snapshot()).lookalikes.rows() == [
        ("A1", "0a1", "id"),
        ("old", "new", "e-mail"),
    ]


def test_accounts_without_an_address_are_not_alike() -> None:
    nameless = {"email": "", "given_name": "A", "family_name": "B"}
    before, now = source(20).but({"old": nameless}), source(20).but({"new": nameless})
    assert to_plan(now.snapshot(), before.snapshot()).lookalikes.rows() == []


def catalogue(*labels: str) -> Source:
    return replace(source(3), labels={f"e{n:02}": label for n, label in enumerate(labels)})


def test_a_share_of_the_labels_may_change() -> None:
    names = [f"L{n}" for n in range(20)]
    before = catalogue(*names)
    assert broken(before, catalogue("X", "Y", *names[2:])) == []
    assert line(before, catalogue("X", "Y", "Z", *names[3:])) == (
        "max_renamed_entitlements: 3 of 20, allowed 2 (10%)"
    )


def test_labels_that_move_to_other_entitlements_are_held_however_few() -> None:
    names = [f"L{n}" for n in range(40)]
    before = catalogue(*names)
    assert broken(before, catalogue("L1", "X", *names[2:])) == []
    swapped = catalogue("L1", "L0", *names[2:])
    assert line(before, swapped) == (
        "max_renamed_entitlements: 2 of 2 entitlements with another label, allowed 1 (10%)"
    )
    assert broken(before, swapped, "{max_renamed_entitlements: 2}") == []
    assert broken(before, swapped, "{max_renamed_entitlements: 100%}") == []


def test_labels_of_resources_are_bounded_too() -> None:
    sites = {f"s{n}": f"S{n}" for n in range(10)}
    before = source(3).but(sites=sites)
    assert broken(before, source(3).but(sites=sites | {"s0": "X"})) == []
    assert line(before, source(3).but(sites=sites | {"s0": "X", "s1": "Y"})) == (
        "max_renamed_entitlements: 2 of 10 resources, allowed 1 (10%)"
    )


# What can be told.


@pytest.mark.parametrize(("name", "allowed"), [("email", 2), ("given_name", 2), ("Cost", 3)])
def test_a_share_of_a_fields_values_may_go(name: str, allowed: int) -> None:
    cell = {"Cost": "cost"}.get(name, name)
    before = source(14, closed=4).but({one: {"family_name": "F"} for one in ids(14)})
    assert broken(before, before.but({one: {cell: ""} for one in ids(allowed)})) == []
    assert line(before, before.but({one: {cell: ""} for one in ids(allowed + 1)})) == (
        f"max_blanked_fields: {allowed + 1} of 10 values of {name}, allowed {allowed} (20%)"
    )
    assert broken(before, before.but({one: {cell: ""} for one in ids(4, 10)})) == []


def test_a_field_is_bounded_by_those_that_had_a_value() -> None:
    before = source(100).but({one: {"username": f"u{one}"} for one in ids(10)})
    assert broken(before, before.but({one: {"username": ""} for one in ids(2)})) == []
    assert broken(before, before.but({one: {"username": ""} for one in ids(3)})) == [
        "max_blanked_fields"
    ]


def test_an_account_that_is_closed_may_be_made_anonymous() -> None:
    before = source(20).but({one: {"family_name": "F"} for one in ids(20)})
    anonymous = {"email": "", "given_name": "X", "user_status": "DEPROVISIONED"}
    assert broken(before, before.but(dict.fromkeys(ids(2), anonymous))) == []


def test_a_source_that_takes_and_gives_nothing_breaks_nothing() -> None:
    before = source(20, closed=3, roles=[("r", 20), ("admin", 2)])
    none = "{" + ", ".join(f"{g.key}: 0" for g in GUARDS if "." not in g.key and g.base) + "}"
    assert breaches(before, before, none) == ()


def plan(**fields: object) -> Plan:
    usual = {"is_first": False, "accounts": Changes(100, 100), "entitlements": Changes()}
    return Plan(**(usual | {"associations": Changes()} | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(("rejected", "read"), [(1, 100), (1, 3), (2, 200), (1, 199)])
def test_rejects_up_to_the_share_of_the_rows_read_are_let_through(rejected, read) -> None:
    bounds = Guards()
    counts = {"accounts": TableCount(read, read - rejected, rejected=rejected)}
    assert check_guards(plan(), counts, bounds) == ()
    counts = {"accounts": TableCount(read, read - rejected - 1, rejected=rejected + 1)}
    [breach] = check_guards(plan(), counts, bounds)
    assert str(breach) == (
        f"max_rejected_rows: {rejected + 1} of {read} accounts, allowed {rejected} (1%)"
    )
    assert (breach.table, breach.is_approvable) == ("accounts", False)


def test_the_associations_of_a_few_accounts_make_no_room_for_rejected_accounts() -> None:
    counts = {
        "accounts": TableCount(read=105, accepted=95, rejected=5, dropped=5),
        "associations": TableCount(read=10_000, accepted=10_000),
    }
    [breach] = check_guards(plan(), counts, Guards())
    assert (breach.table, breach.found, breach.base) == ("accounts", 5, 100)


@pytest.mark.parametrize(("least", "after", "needed"), [(0, 0, 1), (1, 0, 1), (10, 9, 10)])
def test_fewer_accounts_than_the_least_breach(least: int, after: int, needed: int) -> None:
    bounds = source_file(f"guards: {{min_accounts: {least}}}\n").guards
    [breach] = check_guards(plan(accounts=Changes(5, after)), {}, bounds)
    assert breach == Breach(*("min_accounts", str(least), needed, after, after), table="accounts")
    assert str(breach) == f"min_accounts: {after} of at least {needed}"
    assert check_guards(plan(accounts=Changes(5, needed)), {}, bounds) == ()


def test_a_first_run_takes_and_gives_nothing() -> None:
    first = to_plan(source(50, roles=[("admin", 50)]).snapshot(), None)
    assert check_guards(first, {}, Guards()) == ()


# All of them.


def test_breaches_come_in_the_order_of_the_table_and_say_whether_a_person_may_decide() -> None:
    before = source(20, roles=[("r", 20)])
    now = source(30).without(*ids(20))
    counts = {"accounts": TableCount(read=100, rejected=100)}
    lines = check_guards(
        to_plan(now.snapshot(), before.snapshot()), counts, Guards(min_accounts=11)
    )
    keys = [one.guard for one in lines]
    assert keys == sorted(keys, key=list(GUARD).index)
    assert {one.guard for one in lines if not one.is_approvable} == {
        "min_accounts",
        "max_rejected_rows",
    }


def test_a_plan_says_of_each_guard_what_it_counts_and_allows_broken_or_not() -> None:
    before = source(20, roles=[("admin", 2)])
    judged = judge(to_plan(before.without("a000").snapshot(), before.snapshot()), {}, Guards())
    assert not any(one.is_broken for one in judged)
    told = {(one.guard, one.of): (one.found, one.base, one.allowed) for one in judged}
    assert told["max_removed_accounts", "accounts"] == (1, 20, 2)
    assert told["max_removed_accounts", "accounts that could log in"] == (1, 20, 2)
    assert told["watched.max_removed", "holders of an entitlement"] == (1, 2, 1)
    assert {one.guard for one in judged} >= {g.key for g in GUARDS if "." not in g.key} - {
        "first_into_full_app",
        "changed_in_lumos",
        "max_rejected_rows",
        "max_blanked_fields",
        "max_exchanged_attributes",
    }


def test_the_first_ids_are_told_and_no_more_than_ten() -> None:
    before = source(40)
    [breach] = breaches(before, before.without(*ids(12)))
    assert breach.ids == tuple(ids(10))
    assert breach.ids[0] not in f"{breach} {breach!r}"


def test_the_files_keys_and_defaults_are_those_of_the_table() -> None:
    models = {"": Guards, "per_entitlement.": PerEntitlement, "watched.": Watched}
    for guard in GUARDS:
        prefix = guard.key.rpartition(".")[0]
        model = models[f"{prefix}." if prefix else ""]
        made = model.model_fields[guard.key.rpartition(".")[2]]
        default = made.get_default()
        if guard.base:
            assert default == to_limit(guard.default)
            assert made.description == guard.words
        else:
            assert str(default) == guard.default
    assert [guard.key for guard in GUARDS if not is_approvable(guard.key)] == [
        "min_accounts",
        "max_rejected_rows",
    ]
    assert is_approvable("another")


# Over a window.


def drifted(week: Source, last: Source, now: Source, guards: str = "{}") -> list[str]:
    bounds: Guards = source_file(f"guards: {guards}\n").guards
    tonight = to_plan(now.snapshot(), last.snapshot())
    since = to_plan(now.snapshot(), week.snapshot())
    return [str(one) for one in check_window(tonight, since, bounds)]


def test_over_the_window_twice_the_share_may_go() -> None:
    week = source(50)
    last = week.without(*ids(6))
    assert drifted(week, last, week.without(*ids(10))) == []
    assert drifted(week, last, week.without(*ids(11))) == [
        "max_removed_accounts: 11 of 50, allowed 10 (10%, doubled over 7d)"
    ]


def test_over_the_window_twice_the_least_may_go_of_the_smallest_source() -> None:
    week = source(9)
    last = week.without("a000")
    assert drifted(week, last, week.without(*ids(2))) == []
    assert drifted(week, last, week.without(*ids(3))) == [
        "max_removed_accounts: 3 of 9, allowed 2 (10%, doubled over 7d)"
    ]
    few = last.but({one: {"cost": ""} for one in ids(3, 1)})
    assert drifted(week, few, few.but({one: {"cost": ""} for one in ids(6, 1)})) == []
    assert drifted(week, few, few.but({one: {"cost": ""} for one in ids(7, 1)})) == [
        "max_blanked_fields: 7 of 8 values of Cost, allowed 6 (20%, doubled over 7d)"
    ]


def test_a_night_that_adds_nothing_to_the_drift_is_not_held() -> None:
    week = source(50)
    last = week.without(*ids(11))
    assert drifted(week, last, last.but({"a020": {"given_name": "X"}})) == []


def test_a_number_is_a_bound_on_each_night_alone() -> None:
    week = source(50)
    last = week.without(*ids(6))
    assert drifted(week, last, week.without(*ids(12)), "{max_removed_accounts: 6}") == []


# What a night's guards must not be walked around by.


def named(of: Source, count: int = 40) -> Source:
    """Its accounts told by their names alone."""
    cells = {"email": "", "given_name": "", "family_name": ""}
    return of.but(
        {
            one: cells | {"given_name": f"G{n}", "family_name": f"F{n}"}
            for n, one in enumerate(ids(count))
        }
    )


def shifted(of: Source, by: int = 1) -> Source:
    """Its names moved from row to row."""
    people = ids(len(of.people))
    names = [{key: of.people[one][key] for key in ("given_name", "family_name")} for one in people]
    return of.but({one: names[(n + by) % len(names)] for n, one in enumerate(people)})


def test_names_tell_who_is_who_where_there_is_no_address() -> None:
    before = named(source(40))
    assert broken(before, shifted(before)) == ["max_changed_emails", "max_swapped_emails"]
    assert line(
        before, before.but({one: {"given_name": "X", "family_name": one} for one in ids(3)})
    ) == ("max_changed_emails: 3 of 40 addresses and names, allowed 2 (5%)")
    married = before.but({one: {"family_name": f"N{one}"} for one in ids(2)})
    assert broken(before, married) == []
    one, two = before.people["a000"], before.people["a001"]
    assert broken(before, before.but({"a000": two, "a001": one})) == ["max_swapped_emails"]


def test_two_people_may_have_one_name_and_a_first_address_changes_nobody() -> None:
    before = named(source(40))
    namesake = before.but({"a000": before.people["a001"]})
    assert broken(before, namesake) == []
    assert broken(before, before.but({"new": before.people["a001"]})) == []
    addressed = before.but({one: {"email": f"{one}@example.com"} for one in ids(40)})
    assert broken(before, addressed) == []
    assert broken(addressed, before, "{max_blanked_fields: 100%}") == []


def test_names_shifted_beside_their_addresses_are_held() -> None:
    before = source(40).but({one: {"family_name": f"F{one}"} for one in ids(40)})
    assert broken(before, shifted(before)) == ["max_changed_emails"]
    some = {one: {"given_name": "X", "family_name": "Y"} for one in ids(3)}
    assert broken(before, before.but(some)) == ["max_changed_emails"]
    assert broken(before, before.but(dict(list(some.items())[:2]))) == []
    spelled = before.but(
        {one: {"given_name": f"g{one}", "family_name": f"f{one}"} for one in ids(40)}
    )
    assert broken(before, spelled) == []


def test_a_label_that_makes_an_entitlement_watched_gives_it_to_all_who_hold_it() -> None:
    roles = [(f"r{n:02}", 1) for n in range(19)]
    before = source(40, roles=[("base", 40), *roles])
    relabelled = replace(before, labels=before.labels | {"base": "Global Admin"})
    assert line(before, relabelled) == (
        "watched.max_added: 40 beside 0 holders of an entitlement, allowed 1 (1)"
    )
    assert line(relabelled, before) == (
        "watched.max_removed: 40 of 40 holders of an entitlement, allowed 1 (1)"
    )
    other = replace(relabelled, labels=before.labels | {"base": "Site Admin"})
    assert broken(relabelled, other) == []
    harmless = replace(before, labels=before.labels | {"base": "Everyone"})
    assert broken(before, harmless) == []
    one = replace(before, labels=before.labels | {"r00": "Admin of one"})
    assert broken(before, one) == []


def over(nights: list[Source], guards: str = "{}") -> list[str]:
    """What the last night breaks against the first, as the window has it."""
    first, last, now = nights[0].snapshot(), nights[-2].snapshot(), nights[-1].snapshot()
    bounds = source_file(f"guards: {guards}\n").guards
    return [str(one) for one in check_window(to_plan(now, last), to_plan(now, first), bounds)]


def test_a_role_is_not_emptied_bit_by_bit_either() -> None:
    wide = [("base", 40), ("wide", 40)]
    nights = [source(40, roles=[*wide, ("pay", count)]) for count in (20, 10, 5, 2, 0)]
    assert over(nights) == ["max_emptied_entitlements: 1 of 3, allowed 0 (0)"]
    assert over(nights[:-1]) == []
    assert over([*nights, closing(nights[-1], "a000")]) == []
    assert over(nights, "{max_emptied_entitlements: 1}") == []
    one_by_one = [source(40, roles=[*wide, ("pay", count)]) for count in (3, 2, 1, 0)]
    assert over(one_by_one) == ["max_emptied_entitlements: 1 of 3, allowed 0 (0)"]
    given_again = replace(nights[-1], held=nights[-1].held | {("a039", "pay")})
    assert over([*nights, given_again]) == []


def test_addresses_are_not_exchanged_in_two_steps_either() -> None:
    before = source(40)
    parked = with_email(before, {"a000": "x@example.com", "a001": "y@example.com"})
    taken = with_email(parked, {"a000": "a001@example.com", "a001": "a000@example.com"})
    assert broken(parked, taken) == []
    assert over([before, parked, taken]) == [
        "max_swapped_emails: 2 of 40 addresses and names, allowed 0 (0)"
    ]
    assert over([before, parked, parked.but({"new": {"email": "a001@example.com"}})]) == [
        "max_swapped_emails: 1 of 40 addresses and names, allowed 0 (0)"
    ]
    assert over([before, parked, taken, closing(taken, "a002")]) == []


def test_an_id_is_not_respelled_in_two_steps_either() -> None:
    before = source(40).but({"A7": {}})
    gone = source(40)
    back = gone.but({"a7": {"email": "other@example.com"}})
    assert over([before, gone, back]) == ["max_respelled_ids: 1 of 41, allowed 0 (0)"]


def scoped(count: int, blank: int = 0, more: int = 0) -> Snapshot:
    """Owners of a workspace each, of whom some own everything, and some own everything besides."""
    owners = ids(40)
    held = [
        association(one, "owner", "" if n < blank else f"w{n}")
        for n, one in enumerate(owners[:count])
    ]
    held += [association(one, "owner", "") for one in owners[blank : blank + more]]
    held += [association(one, "reader", "w0") for one in owners]
    places = {one.get("integration_specific_resource_id", "") for one in held} | {"w0"}
    sites = [
        {"resource_type": "Site", "integration_specific_id": one, "label": one}
        for one in sorted(places - {""})
    ]
    return snapshot(
        [account(one, **usual(one)) for one in owners],
        FILE,
        entitlements=[
            entitlement("reader", "w0"),
            *(entitlement("owner", one) for one in sorted(places)),
        ],
        resources=sites,
        associations=held,
    )


@pytest.mark.parametrize(("count", "allowed"), [(4, 1), (9, 1), (10, 2)])
def test_what_is_held_within_a_resource_is_not_held_everywhere_for_a_blank(
    count: int, allowed: int
) -> None:
    bounds = source_file("guards: {max_added_associations: 40}\n").guards

    def found(blank: int) -> list[str]:
        plan = to_plan(scoped(count, blank), scoped(count))
        return [str(one) for one in check_guards(plan, {}, bounds) if "blanked" in one.guard]

    assert found(allowed) == []
    bound = f"of {count} associations of an entitlement within a resource, allowed {allowed} (20%)"
    assert found(allowed + 1) == [f"max_blanked_fields: {allowed + 1} {bound}"]
    besides = to_plan(scoped(count, 0, count), scoped(count))
    assert "max_blanked_fields" not in {one.guard for one in besides.counted if one.found}

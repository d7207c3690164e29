"""Guards: exact bounds on a plan, with a floor of one, against the last accepted snapshot."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.plan import Breach, Changes, Plan
from schemas.source_file.guards import Guards
from tests.unit.builders import source_file
from transforms.plan.guards import check_guards
from transforms.tables.rejects import TableCount


def plan(before=100, after=100, removed=0, grants=1000, dropped=0, went=0, deactivated=0) -> Plan:
    return Plan(
        is_first=not before,
        accounts=Changes(before=before, after=after, removed=removed),
        entitlements=Changes(),
        associations=Changes(before=grants, after=grants, removed=dropped),
        deactivated=deactivated,
        removed_of_removed_accounts=went,
    )


def broken(of: Plan, guards: str = "{}", rejected: int = 0, read: int = 100) -> list[str]:
    counts = {"accounts": TableCount(read=read, accepted=read - rejected, rejected=rejected)}
    bounds: Guards = source_file(f"guards: {guards}\n").guards
    return [one.guard for one in check_guards(of, counts, bounds)]


@pytest.mark.parametrize(
    ("of", "guard"),
    [
        ({"removed": 10}, None),
        ({"removed": 11}, "max_removed_accounts"),
        ({"dropped": 200}, None),
        ({"dropped": 201}, "max_removed_associations"),
        ({"deactivated": 10}, None),
        ({"deactivated": 11}, "max_deactivated_accounts"),
        ({"before": 9, "removed": 1}, None),
        ({"before": 9, "removed": 2}, "max_removed_accounts"),
        ({"before": 109, "removed": 10}, None),
        ({"before": 109, "removed": 11}, "max_removed_accounts"),
        ({"grants": 3, "dropped": 1}, None),
        ({"grants": 3, "dropped": 2}, "max_removed_associations"),
        ({"before": 5, "deactivated": 1}, None),
        ({"before": 5, "deactivated": 2}, "max_deactivated_accounts"),
    ],
)
def test_a_share_is_of_the_last_snapshot_with_a_floor_of_one(of, guard) -> None:
    assert broken(plan(**of)) == ([guard] if guard else [])


@pytest.mark.parametrize(("rejected", "read"), [(1, 100), (1, 3), (2, 200), (1, 199)])
def test_rejects_up_to_the_share_of_the_rows_read_are_let_through(rejected, read) -> None:
    assert broken(plan(), rejected=rejected, read=read) == []
    assert broken(plan(), rejected=rejected + 1, read=read) == ["max_rejected_rows"]


@pytest.mark.parametrize("bound", [0, 1, 5])
@pytest.mark.parametrize("key", ["max_removed_accounts", "max_deactivated_accounts"])
def test_a_number_is_an_exact_bound(key, bound) -> None:
    field = {"max_removed_accounts": "removed", "max_deactivated_accounts": "deactivated"}[key]
    assert broken(plan(**{field: bound}), f"{{{key}: {bound}}}") == []
    assert broken(plan(**{field: bound + 1}), f"{{{key}: {bound}}}") == [key]


def test_one_leaving_account_breaches_nothing_with_everything_it_holds() -> None:
    assert broken(plan(before=2, after=1, removed=1, grants=10, dropped=9, went=9)) == []


def test_what_others_lose_at_the_same_time_counts() -> None:
    lost = plan(before=2, after=1, removed=1, grants=10, dropped=9, went=6)
    assert broken(lost) == ["max_removed_associations"]


def test_of_two_that_leave_the_associations_count() -> None:
    lost = plan(removed=2, grants=10, dropped=9, went=9)
    assert broken(lost) == ["max_removed_associations"]


@pytest.mark.parametrize("least", [0, 1])
def test_an_empty_snapshot_breaches_whatever_the_file_says(least) -> None:
    everything = f"{{min_accounts: {least}, max_removed_accounts: 100%}}"
    assert broken(plan(before=5, after=0, removed=5, grants=0), everything) == ["min_accounts"]
    assert broken(plan(before=0, after=0, grants=0), everything) == ["min_accounts"]


def test_fewer_accounts_than_the_least_breach() -> None:
    assert broken(plan(after=9), "{min_accounts: 10}") == ["min_accounts"]
    assert broken(plan(after=10), "{min_accounts: 10}") == []


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(0, 1000))
def test_a_first_run_removes_nothing(after, grants) -> None:
    assert broken(plan(before=0, after=after, grants=grants)) == []


def test_the_associations_of_a_few_accounts_make_no_room_for_rejected_accounts() -> None:
    counts = {
        "accounts": TableCount(read=100, accepted=95, rejected=5),
        "associations": TableCount(read=10_000, accepted=10_000),
    }
    [breach] = check_guards(plan(before=95, after=95), counts, source_file().guards)
    assert (breach.guard, breach.table, breach.found, breach.base) == (
        *("max_rejected_rows", "accounts"),
        *(5, 100),
    )


def test_a_breach_of_the_least_says_what_the_file_does_and_what_there_is() -> None:
    [breach] = check_guards(plan(after=2), {}, source_file("guards: {min_accounts: 3}\n").guards)
    assert breach == Breach("min_accounts", "3", 3, 2, 2, is_removal=False)
    empty = plan(before=0, after=0, grants=0)
    [breach] = check_guards(empty, {}, source_file("guards: {min_accounts: 0}\n").guards)
    assert breach == Breach("min_accounts", "0", 1, 0, 0, is_removal=False)


def test_breaches_come_in_the_files_order_and_say_what_they_found() -> None:
    lost = plan(before=100, after=0, removed=100, dropped=1000, went=0, deactivated=50)
    counts = {"accounts": TableCount(read=100, rejected=100)}
    breaches = check_guards(lost, counts, source_file("guards: {min_accounts: 2}\n").guards)
    assert [str(one) for one in breaches] == [
        "min_accounts: 0 of at least 2",
        "max_removed_accounts: 100 of 100, allowed 10 (10%)",
        "max_removed_associations: 1000 of 1000, allowed 200 (20%)",
        "max_deactivated_accounts: 50 of 100, allowed 10 (10%)",
        "max_rejected_rows: 100 of 100 accounts, allowed 1 (1%)",
    ]
    assert [one.is_removal for one in breaches] == [False, True, True, True, False]

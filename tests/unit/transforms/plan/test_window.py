"""The guards over a window: what drifts night by night, and what a person let through meanwhile."""

from collections.abc import Sequence

from schemas.snapshot import Snapshot
from tests.unit.builders import account, snapshot, source_file
from transforms.plan.plan import to_plan
from transforms.plan.window import window_breaches

DRIFTED = "max_removed_accounts: {} of {}, allowed {} (10%, doubled over 7d)"


def people(start: int, end: int = 100, **cells: str) -> Snapshot:
    """The accounts with these numbers."""
    numbers = range(start, end)
    return snapshot([account(f"a{n:03}", email=f"{n}@x.example", **cells) for n in numbers])


def drift(
    nights: Sequence[Snapshot | None], now: Snapshot, guards: str = "{}"
) -> tuple[list[str], list[int]]:
    """The breaches after those nights, of which None is no more; and which nights were fetched."""
    fetched: list[int] = []
    *earlier, last = nights

    def saved(number: int) -> Snapshot | None:
        fetched.append(number)
        return earlier[number]

    assert last is not None
    breaches = window_breaches(
        to_plan(now, last),
        now,
        last,
        [lambda number=number: saved(number) for number in range(len(earlier))],  # type: ignore[misc]
        source_file(f"guards: {guards}\n").guards,
    )
    return [str(one) for one in breaches], fetched


def test_a_drift_is_counted_from_the_oldest_night_of_the_window() -> None:
    nights = [people(0), people(9), people(15)]
    assert drift(nights, people(20)) == ([], [0])
    assert drift(nights, people(21))[0] == [DRIFTED.format(21, 100, 20)]


def test_without_an_earlier_night_there_is_no_drift() -> None:
    assert drift([people(0)], people(50)) == ([], [])
    assert drift([None, None, people(15)], people(50)) == ([], [0, 1])


def test_a_night_that_is_no_more_is_passed_over() -> None:
    assert drift([None, people(0), people(9), people(15)], people(21))[0] == [
        DRIFTED.format(21, 100, 20)
    ]
    assert drift([people(0), None, people(9), people(15)], people(21))[0] == [
        DRIFTED.format(21, 100, 20)
    ]


def test_a_night_that_takes_nothing_fetches_nothing() -> None:
    assert drift([people(0), people(15)], people(15)) == ([], [])
    assert drift([people(0), people(15)], people(15, username="u")) == ([], [])


def test_what_tonight_breaks_by_itself_is_not_told_twice() -> None:
    assert drift([people(0), people(9)], people(50))[0] == []


def test_after_a_night_that_a_person_let_through_the_drift_is_counted_from_there() -> None:
    let_through = [people(0), people(40), people(42)]
    assert drift(let_through, people(46))[0] == []
    assert drift([people(0), people(40), people(46)], people(52))[0] == []
    assert drift([people(0), people(40), people(45), people(50)], people(53))[0] == [
        DRIFTED.format(13, 60, 12)
    ]


def test_the_newest_such_night_counts() -> None:
    nights = [people(0), people(40), people(45), people(60), people(63)]
    assert drift(nights, people(66)) == ([], [0, 3, 2])


def test_the_last_night_may_be_such_a_one() -> None:
    assert drift([people(0), people(5), people(40)], people(44))[0] == []


def test_one_guard_is_let_through_and_another_drifts() -> None:
    def mixed(start: int, closed: int, end: int = 100) -> Snapshot:
        return snapshot(
            [
                account(
                    f"a{n:03}",
                    email=f"{n}@x.example",
                    user_status="SUSPENDED" if n >= end - closed else "ACTIVE",
                )
                for n in range(start, end)
            ]
        )

    nights = [mixed(0, 0), mixed(40, 5), mixed(41, 10)]
    assert drift(nights, mixed(42, 15))[0] == []
    nights = [mixed(0, 0), mixed(40, 6), mixed(41, 11), mixed(42, 15), mixed(43, 19)]
    said = "max_deactivated_accounts: 22 of 100 accounts that could log in, allowed 20"
    assert drift(nights, mixed(44, 22))[0] == [f"{said} (10%, doubled over 7d)"]


def test_two_guards_are_let_through_on_two_nights_and_both_drift_from_there() -> None:
    def mixed(start: int, closed: int) -> Snapshot:
        return snapshot(
            [
                account(
                    f"a{n:03}",
                    email=f"{n}@x.example",
                    user_status="SUSPENDED" if n >= 200 - closed else "ACTIVE",
                )
                for n in range(start, 200)
            ]
        )

    since = [mixed(30 + 7 * night, 30 + 6 * night) for night in range(6)]
    nights = [mixed(0, 0), mixed(30, 0), *since[:-1]]
    assert [line.split(":")[0] for line in drift(nights, since[-1])[0]] == [
        "max_deactivated_accounts",
        "max_removed_accounts",
    ]


def test_a_number_has_no_window() -> None:
    assert drift([people(0), people(15)], people(30), "{max_removed_accounts: 15}")[0] == []

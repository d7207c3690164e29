"""Groups in groups, against the plainest way to work them out."""

from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.directory.members import LINKS, NESTED, paths_of, reached_groups, to_effective

GROUPS = 6
pairs = st.lists(st.tuples(st.integers(0, GROUPS - 1), st.integers(0, GROUPS - 1)), max_size=14)


def links(*rows: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame(list(dict.fromkeys(rows)), schema=LINKS, orient="row")


def nested(*rows: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=NESTED, orient="row")


def naive(direct: list[tuple[int, int]], inside: list[tuple[int, int]]) -> set[tuple[int, int]]:
    held = set(direct)
    while True:
        more = {(who, outer) for who, group in held for outer, inner in inside if inner == group}
        if more <= held:
            return held
        held |= more


@given(direct=pairs, inside=pairs)
@settings(max_examples=300, deadline=None)
def test_effective_membership_is_what_repeating_the_rule_to_the_end_gives(
    direct: list[tuple[int, int]], inside: list[tuple[int, int]]
) -> None:
    effective = to_effective(links(*direct), nested(*inside))

    rows = effective.links.select("account", "group").rows()
    assert set(rows) == naive(direct, inside)
    assert len(rows) == len(set(rows))


@given(direct=pairs, inside=pairs)
@settings(max_examples=100, deadline=None)
def test_a_path_leads_from_the_group_to_one_that_the_account_is_in_itself(
    direct: list[tuple[int, int]], inside: list[tuple[int, int]]
) -> None:
    effective = to_effective(links(*direct), nested(*inside))

    paths = paths_of(effective, [str(group) for group in range(GROUPS)])
    for (account, group, through), path in zip(effective.links.rows(), paths, strict=True):
        if through is None:
            assert (account, group) in direct
            assert path is None
            continue
        way = [int(step) for step in path.split(" > ")]
        assert (way[0], way[-1]) == (group, through)
        assert (account, through) in direct
        assert all(step in inside for step in pairwise(way))


def test_a_cycle_gives_each_of_its_groups_the_members_of_all() -> None:
    ring = nested((0, 1), (1, 2), (2, 0))

    effective = to_effective(links((7, 0)), ring)

    assert effective.links.rows() == [(7, 0, None), (7, 1, 0), (7, 2, 0)]
    assert effective.deepest == 2


def test_a_group_that_is_its_own_member_adds_nothing() -> None:
    assert reached_groups(nested((0, 0))).height == 0


def test_a_long_chain_is_followed_to_its_end() -> None:
    chain = nested(*((number, number + 1) for number in range(200)))

    effective = to_effective(links((0, 200)), chain)

    assert effective.links.height == 201
    assert effective.deepest == 200


def test_the_path_names_the_groups_from_the_outermost() -> None:
    effective = to_effective(links((0, 2), (0, 1)), nested((0, 1), (1, 2)))

    paths = paths_of(effective, ["Staff", "Operators", "Admins"])

    assert effective.links["group"].to_list() == [0, 1, 2]
    assert paths.to_list() == ["Staff > Operators", None, None]

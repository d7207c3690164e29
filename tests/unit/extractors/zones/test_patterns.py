"""Patterns of keys, as a shell takes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.zones.patterns import fits, fixed_folder, is_flat


@pytest.mark.parametrize(
    ("pattern", "folder", "flat"),
    [
        ("hr/out/*.csv", "hr/out", True),
        ("*.csv", "", True),
        ("hr/*/a.csv", "hr", False),
        ("hr/**/a.csv", "hr", False),
        ("/out/a*.csv", "/out", True),
    ],
)
def test_the_folder_of_a_pattern_is_what_every_match_shares(
    pattern: str, folder: str, flat: bool
) -> None:
    assert (fixed_folder(pattern), is_flat(pattern)) == (folder, flat)


@pytest.mark.parametrize(
    ("key", "pattern", "meant"),
    [
        ("hr/a.csv", "hr/*.csv", True),
        ("hr/x/a.csv", "hr/*.csv", False),
        ("hr/x/y/a.csv", "hr/**/a.csv", True),
        ("hr/a.csv", "hr/**/a.csv", True),
        ("hr/.a.csv", "hr/*.csv", False),
        ("hr/.a.csv", "hr/.*.csv", True),
        ("hr/A.csv", "hr/a.csv", False),
        ("hr/a1.csv", "hr/a[0-9].csv", True),
        ("hr", "hr/*", False),
    ],
)
def test_a_star_stays_in_its_folder(key: str, pattern: str, meant: bool) -> None:
    assert fits(key, pattern) == meant


_NAMES = st.lists(st.text("abc.1", min_size=1, max_size=4), min_size=1, max_size=4)


@given(_NAMES)
def test_a_key_fits_itself_and_its_folders_star(parts: list[str]) -> None:
    key = "/".join(parts)
    assert fits(key, key)
    folder = "/".join([*parts[:-1], "*"])
    assert fits(key, folder) == (not parts[-1].startswith("."))

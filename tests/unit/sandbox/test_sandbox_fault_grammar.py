"""How a fault is written, and when it strikes."""

from typing import Any

import pytest

from sandbox.app import create_app
from sandbox.faults import NAMES, Faults, to_fault


@pytest.mark.parametrize(
    ("spec", "parts"),
    [
        ("500", ("500", None, "/", 1)),
        ("429", ("429", 1.0, "/", 1)),
        ("429=7", ("429", 7.0, "/", 1)),
        ("slow=0.5@/accounts*3", ("slow", 0.5, "/accounts", 3)),
        ("cut_after@/accounts/upload*inf", ("cut_after", None, "/accounts/upload", None)),
        ({"name": "502", "count": 2}, ("502", None, "/", 2)),
        (
            {"name": "slow", "value": 2, "path": "/apps", "count": "inf"},
            ("slow", 2.0, "/apps", None),
        ),
    ],
)
def test_a_fault_is_read_from_text_or_json(spec: Any, parts: tuple[Any, ...]) -> None:
    fault = to_fault(spec)
    assert (fault.name, fault.value, fault.path, fault.count) == parts


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "teapot",
        "500=3",
        "429=soon",
        "429=-1",
        "slow=nan",
        "slow=inf",
        "500@apps",
        "500*0",
        "500*many",
        {"name": "500", "path": 3},
        {"name": "500", "times": 3},
        {"name": ["500"]},
        {"name": "500", "count": 1.5},
        {},
    ],
)
def test_a_wrong_fault_is_one_clear_line_that_lists_what_is_possible(spec: Any) -> None:
    with pytest.raises(ValueError, match="wrong fault") as error:
        to_fault(spec)
    assert "\n" not in str(error.value)
    assert all(name in str(error.value) for name in NAMES)


def test_an_app_is_not_made_with_a_wrong_fault() -> None:
    with pytest.raises(ValueError, match="wrong fault 'teapot'"):
        create_app(faults=["500", "teapot"])


def test_a_fault_strikes_as_often_as_it_says_and_only_where_it_says() -> None:
    faults = Faults(["500@/apps*2", "503"])
    struck = [faults.take(path, {"500", "503"}) for path in ("/apps", "/info", "/apps/7", "/apps")]
    assert [fault and fault.name for fault in struck] == ["500", "503", "500", None]
    assert faults.armed() == []


def test_a_fault_without_an_end_stays_armed() -> None:
    faults = Faults(["500*inf"])
    assert all(faults.take("/apps", {"500"}) for _ in range(5))
    assert faults.armed() == [{"name": "500", "value": None, "path": "/", "count": "inf"}]


def test_of_a_list_with_a_wrong_fault_nothing_is_armed() -> None:
    faults = Faults()
    with pytest.raises(ValueError, match="teapot"):
        faults.arm(["500", "teapot"])
    assert faults.armed() == []

"""Contracts: what makes a row a reject, and what a reject says."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.contracts import BLANK, CONTROL
from schemas.tables import REJECTS, UNREADABLE_LINE
from tests.unit.builders import (
    account,
    association,
    entitlement,
    ids,
    normalized,
    raw_table,
    reasons,
    source_file,
)

NO_MAIL = "is no e-mail address"
NOBODY = "neither an e-mail address nor both names"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"email": "a@example.com"}, []),
        ({"email": "", "given_name": "Ann", "family_name": "Li"}, []),
        ({"email": "", "given_name": "Ann", "family_name": ""}, [(None, NOBODY)]),
        ({"email": " ", "given_name": " ", "family_name": "Li"}, [(None, NOBODY)]),
        ({"email": "ann"}, [("email", NO_MAIL)]),
        ({"email": "ann@host"}, [("email", NO_MAIL)]),
        ({"email": "a b@example.com"}, [("email", NO_MAIL)]),
        ({"email": "a@b@example.com"}, [("email", NO_MAIL)]),
        ({"email": "a@example.com; b@example.com"}, [("email", NO_MAIL)]),
        ({"email": "Ann@Example.COM"}, []),
        ({"integration_specific_id": "a\x00"}, [("integration_specific_id", CONTROL)]),
        ({"integration_specific_id": "a\nb"}, [("integration_specific_id", CONTROL)]),
        ({"integration_specific_id": "a\ufffd"}, [("integration_specific_id", CONTROL)]),
        ({"username": "a\tb"}, [("username", CONTROL)]),
        ({"given_name": "Ann\nMarie"}, []),
        ({"given_name": "Ann\tMarie"}, []),
        ({"family_name": "L\x1bi"}, [("family_name", CONTROL)]),
        ({"cost": "1\n2\t3"}, []),
        ({"cost": "1\x07"}, [("Cost", CONTROL)]),
        ({"cost": "M\ufffdller"}, [("Cost", CONTROL)]),
    ],
)
def test_an_account_is_well_formed_or_a_reject(cells, said) -> None:
    file = source_file("attributes: {Cost: cost}\n")
    made = normalized([account("a", **{"cost": ""} | cells), account("z", cost="")], file)
    assert reasons(made) == said
    assert len(ids(made.snapshot)) == (1 if said else 2)


def test_a_reject_says_where_it_stands_and_every_reason() -> None:
    row = account("x", email="ann", user_status="gone")
    made = normalized(raw_table("accounts", [account("a"), row], [None, ""]))
    wanted = pl.DataFrame(
        [
            ("accounts", "accounts.csv", 3, "x", "email", "no_email", NO_MAIL, "ann"),
            (
                "accounts",
                "accounts.csv",
                3,
                "x",
                "user_status",
                "unmapped_status",
                "has no mapping to a status",
                "gone",
            ),
            ("accounts", "accounts.csv", 4, None, None, UNREADABLE_LINE, "too few fields", None),
            ("accounts", "accounts.csv", 5, "", None, UNREADABLE_LINE, "too few fields", None),
        ],
        schema=REJECTS,
        orient="row",
    )
    assert_frame_equal(made.rejects, wanted)
    count = made.counts["accounts"]
    assert (count.read, count.accepted, count.merged, count.rejected) == (4, 1, 0, 3)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (entitlement("e"), []),
        (entitlement(" ", label="E"), [("integration_specific_id", BLANK)]),
        (entitlement("e", entitlement_type=""), [("entitlement_type", BLANK)]),
        (entitlement("e", label=""), []),
        (entitlement("e", label="E\n"), []),
        (entitlement("e", label="E\nF"), [("label", CONTROL)]),
        (entitlement("e", "r\x00"), [("integration_specific_resource_id", CONTROL)]),
        (entitlement("e", is_assignable="maybe"), [("is_assignable", "is neither true nor false")]),
        (entitlement("e", is_assignable="TRUE"), []),
        (entitlement("e", is_assignable="0"), []),
    ],
)
def test_an_entitlement_is_well_formed_or_a_reject(row, said) -> None:
    made = normalized([account("a")], entitlements=[row])
    assert reasons(made) == said
    assert made.snapshot.entitlements.height == (0 if said else 1)


@pytest.mark.parametrize("broken", [{"label": "R\x00"}, {"integration_specific_id": " "}])
def test_a_resource_is_well_formed_or_a_reject(broken) -> None:
    row = {"resource_type": "Site", "integration_specific_id": "r", "label": "R"}
    made = normalized(
        [account("a")], resources=[row | {"integration_specific_id": "q"}, row | broken]
    )
    assert made.snapshot.resources["integration_specific_id"].to_list() == ["q"]
    assert made.counts["resources"].rejected == 1


@pytest.mark.parametrize("row", [association("", "e"), association("a", " ")])
def test_an_association_names_both_its_ends(row) -> None:
    made = normalized([account("a")], entitlements=[entitlement("e")], associations=[row])
    assert [reason for _, reason in reasons(made)] == [BLANK]
    assert made.snapshot.grants.is_empty()

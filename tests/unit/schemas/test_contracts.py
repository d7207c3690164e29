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
SHORT = "too few fields"
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
        (
            {"email": "a@example.com; b@example.com"},
            [("email", f"{NO_MAIL}: it is several addresses, or has a ; or , in it")],
        ),
        ({"email": "Ann@Example.COM"}, []),
        ({"integration_specific_id": "a\x00"}, [("integration_specific_id", CONTROL)]),
        ({"integration_specific_id": "a\nb"}, [("integration_specific_id", CONTROL)]),
        ({"integration_specific_id": "a\ufffd"}, [("integration_specific_id", CONTROL)]),
        ({"given_name": "Ann\nMarie"}, []),
        ({"given_name": "Ann\tMarie"}, []),
        ({"cost": "1\n2\t3"}, []),
    ],
)
def test_an_account_is_well_formed_or_a_reject(cells, said) -> None:
    file = source_file("attributes: {Cost: cost}\n")
    made = normalized([account("a", **{"cost": ""} | cells), account("z", cost="")], file)
    assert reasons(made) == said
    assert len(ids(made.snapshot)) == (1 if said else 2)


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"username": "a\tb"}, ("username", CONTROL)),
        ({"family_name": "L\x1bi"}, ("family_name", CONTROL)),
        ({"account_type": "robot"}, ("account_type", "has no mapping to user or service")),
        ({"cost": "1\x07"}, ("Cost", CONTROL)),
        ({"cost": "M\ufffdller"}, ("Cost", CONTROL)),
        ({"email": "ann", "given_name": "Ann", "family_name": "Li"}, ("email", NO_MAIL)),
    ],
)
def test_a_cell_that_an_account_can_do_without_is_a_reject_alone(cells, said) -> None:
    file = source_file("attributes: {Cost: cost}\n")
    made = normalized([account("a", user_status="SUSPENDED", **{"cost": ""} | cells)], file)
    assert reasons(made) == [said]
    assert made.rejects["is_cell"].to_list() == [True]
    assert made.snapshot.accounts["user_status"].to_list() == ["SUSPENDED"]
    assert made.snapshot.accounts.select(pl.col(said[0])).item() is None
    count = made.counts["accounts"]
    assert (count.read, count.accepted, count.rejected, count.cells) == (1, 1, 0, 1)
    (warning,) = made.warnings
    assert warning == (
        f"accounts.csv: {said[0]}: 1 cell left out, or kept as accepted last; the rest of the row "
        f"stands: {said[1]}"
    )


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("ann\u200b@example.com", "an invisible character"),
        ("\ufeffann@example.com", "an invisible character"),
        ("ann@exam\u00adple.com", "an invisible character"),
        ("\u202cann@example.com", "an invisible character"),
        ("SMTP:ann@example.com", "a prefix"),
        ("mailto:ann@example.com", "a prefix"),
        ("Ann <ann@example.com>", "angle brackets"),
        ("<ann@example.com>", "angle brackets"),
        ("ann@example.com;", "ends in"),
        ("ann@example.com.", "ends in"),
        ("ann@example.com,", "ends in"),
        ('"ann@example.com"', "quotes"),
        ("'ann@example.com'", "quotes"),
        ("ann@example..com", "two dots"),
        ("ann..lee@example.com", "two dots"),
        ("ann@.com", None),
    ],
)
def test_an_address_that_reaches_nobody_is_told_with_what_is_wrong(written, fault) -> None:
    names = {"given_name": "Ann", "family_name": "Li"}
    made = normalized([account("a", email=written, **names)])
    ((column, reason),) = reasons(made)
    assert column == "email"
    assert reason.startswith(NO_MAIL)
    assert fault is None or fault in reason
    assert made.snapshot.accounts["email"].to_list() == [None]


@pytest.mark.parametrize(
    "written",
    ["o'brien@example.com", "a+b@sub.example.co.uk", "\u00e5sa@ex\u00e4mple.se", "a_b-c@x-y.io"],
)
def test_an_address_of_an_unusual_form_is_one(written) -> None:
    made = normalized([account("a", email=written)])
    assert made.snapshot.accounts["email"].to_list() == [written]


def test_a_reject_says_where_it_stands_and_every_reason() -> None:
    row = account("x", email="ann", user_status="gone")
    made = normalized(raw_table("accounts", [account("a"), row], [None, ""]))
    wanted = pl.DataFrame(
        [
            ("accounts", "accounts.csv", 3, "x", "email", "no_email", NO_MAIL, "ann", False, None),
            (
                "accounts",
                "accounts.csv",
                3,
                "x",
                "user_status",
                "unmapped_status",
                "has no mapping to a status",
                "gone",
                False,
                None,
            ),
            ("accounts", "accounts.csv", 4, None, None, UNREADABLE_LINE, SHORT, None, False, None),
            ("accounts", "accounts.csv", 5, "", None, UNREADABLE_LINE, SHORT, None, False, None),
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


@pytest.mark.parametrize("row", [association("", "e"), association("a", " ", "r")])
def test_an_association_names_both_its_ends(row) -> None:
    made = normalized([account("a")], entitlements=[entitlement("e")], associations=[row])
    assert [reason for _, reason in reasons(made)] == [BLANK]
    assert made.snapshot.grants.is_empty()

"""Permission ids: injective, reversible, and the entitlement's own where that is plain."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.unit.builders import account, entitlement, snapshot
from transforms.upload.permissions import to_permission_id, to_permissions

text = st.one_of(st.text("a%|7C25 é"), st.text())


def read_back(permission_id: str) -> tuple[str, str]:
    """The entitlement's id and its resource's, as somebody else would read them from the form."""
    resource_id, _, entitlement_id = permission_id.rpartition("|")
    parts = (part.replace("%7C", "|").replace("%25", "%") for part in (entitlement_id, resource_id))
    return next(parts), next(parts)


@settings(deadline=None)
@given(text, text)
def test_an_id_can_be_read_back(entitlement_id, resource_id) -> None:
    assert read_back(to_permission_id(entitlement_id, resource_id)) == (entitlement_id, resource_id)


@settings(deadline=None)
@given(st.tuples(text, text), st.tuples(text, text))
def test_two_entitlements_never_share_an_id(one, other) -> None:
    assert (to_permission_id(*one) == to_permission_id(*other)) == (one == other)


@pytest.mark.parametrize(
    ("entitlement_id", "resource_id", "sent"),
    [
        ("admin", "", "admin"),
        ("00012", "", "00012"),
        (" a ", "", " a "),
        ("a|b", "", "a%7Cb"),
        ("100%", "", "100%25"),
        ("admin", "eu", "eu|admin"),
        ("a|b", "e%u", "e%25u|a%7Cb"),
        ("%7C", "", "%257C"),
    ],
)
def test_the_form_depends_on_the_entitlement_alone(entitlement_id, resource_id, sent) -> None:
    assert to_permission_id(entitlement_id, resource_id) == sent


def test_the_name_is_the_label_with_the_resource_in_brackets() -> None:
    made = snapshot(
        [account("a")],
        entitlements=[entitlement("e"), entitlement("e", "r"), entitlement("e", "unlisted")],
        resources=[{"integration_specific_id": "r", "label": "Region"}],
    )
    wanted = pl.DataFrame(
        [
            ("e", "Role", "E"),
            ("r|e", "Role", "E (Region)"),
            ("unlisted|e", "Role", "E (unlisted)"),
        ],
        schema=["unique_identifier", "type", "name"],
        orient="row",
    )
    assert_frame_equal(to_permissions(made.entitlements, made.resources), wanted)

"""Upload bodies: valid JSON of the agreed shape, the same bytes however they are cut."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from schemas.snapshot import empty_snapshot
from tests.unit.builders import account, snapshot, source_file
from transforms.upload.body import PART, SLICE, TAIL, to_body_parts, to_head

CONTRACT = json.loads((Path(__file__).parents[2] / "lumos_contract.json").read_text("utf-8"))
FILE = source_file(
    "entitlements: [{type: Role, column: roles}]\nattributes: {Cost Center: cost, Badge: badge}\n"
)
EMPTY = {"roles": "", "cost": "", "badge": ""}


def to_standard(schema):
    """The contract's schema with its short references spelt out."""
    if isinstance(schema, dict):
        spelt = {key: to_standard(value) for key, value in schema.items()}
        if "$ref" in spelt:
            spelt["$ref"] = f"#/$defs/{schema['$ref']}"
        return spelt
    return [to_standard(one) for one in schema] if isinstance(schema, list) else schema


def sent(of) -> list[dict]:
    return json.loads(b"[" + b"".join(to_body_parts(of)) + b"]")


@pytest.fixture
def staff():
    return snapshot(
        [
            account(
                "2", roles='b; "q" ;a', cost="4\n2", badge='é"\\', last_login="2024-01-02T03:04:05Z"
            ),
            account("1", **EMPTY, last_login=""),
            account("3", **EMPTY | {"cost": "7"}, last_login="2024-01-02T03:04:05.250+01:00"),
        ],
        FILE,
    )


def test_a_body_is_what_the_contract_asks_for(staff) -> None:
    operation = CONTRACT["operations"]["POST /accounts/upload"]
    schema = to_standard(operation["body"]) | {"$defs": to_standard(CONTRACT["schemas"])}
    app_id = "0b0f4a41-7a0c-4c34-9f7f-0d8f5a3f1f11"
    whole = json.loads(to_head(app_id) + b"".join(to_body_parts(staff)) + TAIL)

    assert list(Draft202012Validator(schema).iter_errors(whole)) == []
    assert whole["app_id"] == app_id
    assert [one["unique_identifier"] for one in whole["accounts"]] == ["1", "2", "3"]


def test_an_account_says_everything_in_a_fixed_order(staff) -> None:
    assert sent(staff)[1] == {
        "unique_identifier": "2",
        "email": "a@example.com",
        "first_name": None,
        "last_name": None,
        "status": "ACTIVE",
        "last_login": "2024-01-02T03:04:05Z",
        "last_activity": None,
        "permissions": [
            {"unique_identifier": one, "type": "Role", "name": one} for one in ('"q"', "a", "b")
        ],
        "attributes": [
            {"type": "Badge", "name": 'é"\\'},
            {"type": "Cost Center", "name": "4\n2"},
        ],
    }


def test_what_an_account_does_not_have_is_empty_or_left_out(staff) -> None:
    nobody, _, third = sent(staff)
    assert nobody["permissions"] == nobody["attributes"] == []
    assert nobody["last_login"] is None
    assert third["attributes"] == [{"type": "Cost Center", "name": "7"}]
    assert third["last_login"] == "2024-01-02T02:04:05.250Z"


def test_without_attributes_in_the_source_the_list_is_empty() -> None:
    assert sent(snapshot([account("a")]))[0]["attributes"] == []


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_slices_joined_by_commas_equal_the_whole(staff, size) -> None:
    whole = b"".join(to_body_parts(staff))
    slices = [b"".join(to_body_parts(staff, start, size)) for start in range(0, 3, size)]
    assert b",".join(slices) == whole


def test_a_large_body_comes_in_parts_and_in_order() -> None:
    count = 2 * SLICE + 1
    roles = source_file("entitlements: [{type: Role, column: roles}]\n")
    large = snapshot([account(f"{n:05}", roles=f"r{n % 7}") for n in range(count)], roles)

    assert len([part for part in to_body_parts(large) if part != b","]) == count // PART + 1
    assert [
        (one["unique_identifier"], [grants["name"] for grants in one["permissions"]])
        for one in sent(large)
    ] == [(f"{n:05}", [f"r{n % 7}"]) for n in range(count)]


def test_an_empty_snapshot_has_no_parts() -> None:
    assert list(to_body_parts(empty_snapshot())) == []
    assert json.loads(to_head('a"b') + TAIL) == {"app_id": 'a"b', "accounts": []}

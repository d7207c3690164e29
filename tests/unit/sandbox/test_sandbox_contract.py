"""The sandbox's own OpenAPI against the Lumos contract, cut to what the sandbox stands in for.

`lumos_contract.json` leaves out words and examples. The contract leaves the answer of
GET /accounts untyped; there it says the page of accounts that the contract gives for the
accounts of a user.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import create_app

CONTRACT = json.loads((Path(__file__).parents[1] / "lumos_contract.json").read_text("utf-8"))
OWN = create_app().openapi()
BOUNDS = ("minimum", "maximum", "maxLength", "format")


def to_plain(schema: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema with its references resolved and only what a client can notice."""
    if "$ref" in schema:
        return to_plain(named[schema["$ref"].rsplit("/", 1)[-1]], named)
    plain: dict[str, Any] = {key: schema[key] for key in ("type", *BOUNDS) if key in schema}
    if "enum" in schema or "const" in schema:
        plain["enum"] = sorted(schema.get("enum", [schema.get("const")]))
    if "properties" in schema:
        plain["properties"] = {k: to_plain(v, named) for k, v in schema["properties"].items()}
        plain["required"] = sorted(schema.get("required", []))
    if "items" in schema:
        plain["items"] = to_plain(schema["items"], named)
    if schema.get("additionalProperties", True) is not True:
        extra = schema["additionalProperties"]
        plain["additionalProperties"] = extra and to_plain(extra, named)
    if "anyOf" in schema:
        # A bound of the whole choice is one of its text: the rest has no length.
        length = {"maxLength": plain.pop("maxLength")} if "maxLength" in plain else {}
        choices = [to_plain(choice, named) for choice in schema["anyOf"]]
        choices = [c | length if c.get("type") == "string" else c for c in choices]
        plain["anyOf"] = sorted(choices, key=json.dumps)
    return plain


def own_operation(name: str) -> dict[str, Any]:
    """Return one of the sandbox's operations in the form of `lumos_contract.json`."""
    method, path = name.split(" ")
    operation = OWN["paths"][path][method.lower()]
    return {
        "secured": bool(operation.get("security")),
        "parameters": {
            f"{p['in']} {p['name']}": {
                "required": p["required"],
                "schema": p["schema"],
                **({"default": d} if (d := p["schema"].get("default")) is not None else {}),
            }
            for p in operation.get("parameters", [])
        },
        "body": operation["requestBody"]["content"]["application/json"]["schema"]
        if "requestBody" in operation
        else None,
        "answers": {
            code: answer["content"]["application/json"]["schema"]
            for code, answer in operation["responses"].items()
        },
    }


def to_plain_operation(operation: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation with every schema plain."""
    return {
        **operation,
        "parameters": {
            name: {**parameter, "schema": to_plain(parameter["schema"], named)}
            for name, parameter in operation["parameters"].items()
        },
        "body": operation["body"] and to_plain(operation["body"], named),
        "answers": {code: to_plain(s, named) for code, s in operation["answers"].items()},
    }


def test_the_sandbox_has_exactly_the_operations_it_stands_in_for() -> None:
    own = {f"{m.upper()} {path}" for path, methods in OWN["paths"].items() for m in methods}
    assert own == set(CONTRACT["operations"])


@pytest.mark.parametrize("name", CONTRACT["operations"])
def test_an_operation_says_what_the_contract_says(name: str) -> None:
    own = to_plain_operation(own_operation(name), OWN["components"]["schemas"])
    contract = to_plain_operation(CONTRACT["operations"][name], CONTRACT["schemas"])
    assert own == contract

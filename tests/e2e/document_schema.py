"""The published schema of `--json`, held strictly: a key that it does not name is an error."""

from functools import cache
from typing import Any

import jsonschema

from flows.cli.documents import documents_schema


def check_document(command: str, document: Any) -> None:
    """Raises unless the document is what the schema says of the command, key by key."""
    schema = {**_strict_schema(), "$ref": f"#/$defs/{command}"}
    jsonschema.Draft202012Validator(schema).validate(document)


@cache
def _strict_schema() -> dict[str, Any]:
    schema = documents_schema()
    for definition in schema["$defs"].values():
        if definition.get("type") == "object":
            definition.setdefault("properties", {})
            definition["additionalProperties"] = False
    return schema

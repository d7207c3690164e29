"""A source that a function of one's own reads, and functions that work on what was read."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.source_file.columns import Strict

_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")
_SECRET = re.compile(
    r"(?:^|[_\W])(?:password|passwd|passphrase|secret|token|api_?key)$", re.IGNORECASE
)
"""Options that hold a secret, going by the end of their name; a `token_url` holds none."""


def _check_function(written: str) -> str:
    if not _FUNCTION.fullmatch(written):
        raise ValueError("write module:function, such as pipelines.hr:read_accounts")
    return written


FunctionName = Annotated[str, AfterValidator(_check_function)]
"""`module:function`; the module may lie in the workspace's folder."""


class PythonSource(Strict):
    """Rows that a function of one's own returns: docs/own-flows.md."""

    kind: Literal["python"]
    read: FunctionName = Field(
        description="The function, `module:function`. It gets a `ReadRequest` and returns `Raw`; "
        "its module is looked for among the installed packages, then in the workspace's folder.",
    )
    options: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="What the function finds in `request.options`: texts, lists and mappings. Of a "
        "secret it is the place, `{env: NAME}`, which `request.resolve` fetches.",
    )

    @field_validator("options")
    @classmethod
    def _check_secrets(cls, options: dict[str, JsonValue]) -> dict[str, JsonValue]:
        literal = _literal_secret(options)
        if literal is not None:
            raise ValueError(
                f"{literal}: a secret is not written into a source file: name its place, "
                "{env: NAME}; an option that is no secret needs another name"
            )
        return options


def _literal_secret(options: JsonValue) -> str | None:
    """Returns the name of an option that holds a secret itself; None where none does."""
    if isinstance(options, list):
        return next(filter(None, map(_literal_secret, options)), None)
    if not isinstance(options, dict):
        return None
    for name, value in options.items():
        if isinstance(value, str) and _SECRET.search(name):
            return name
    return next(filter(None, map(_literal_secret, options.values())), None)


class Transforms(Strict):
    """Functions that each get a table's rows, as a frame, and return them, before they are judged.

    `transform: pipelines.hr:clean` names that of the accounts.
    """

    accounts: FunctionName | None = Field(None, description="Of the accounts: `module:function`.")
    entitlements: FunctionName | None = Field(None, description="Likewise.")
    resources: FunctionName | None = Field(None, description="Likewise.")
    associations: FunctionName | None = Field(None, description="Likewise.")

    @model_validator(mode="before")
    @classmethod
    def _accept_a_plain_name(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"accounts": written} if isinstance(written, str) else written

    @model_validator(mode="after")
    def _check_one(self) -> "Transforms":
        if not self.by_table:
            raise ValueError("name a function, module:function, or leave it out")
        return self

    @property
    def by_table(self) -> dict[str, str]:
        """Returns the function's name by the table whose rows it gets."""
        names = {table: getattr(self, table) for table in type(self).model_fields}
        return {table: name for table, name in names.items() if name is not None}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"type": "string", "description": "The accounts' function, `module:function`."}
        return {"anyOf": [name, handler(core_schema)], "description": (cls.__doc__ or "").strip()}

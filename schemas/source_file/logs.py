"""The forms of a log's files, as `activity.format` names them, and what is asked of them."""

from dataclasses import dataclass, field
from typing import Any, Literal, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.source_file.columns import Strict

FormatName = Literal["auto", "csv", "csvlog", "jsonl", "json", "common_log", "widths"]


class LogFormat(Strict):
    """A log's form: `jsonl`, or `{widths: {user: 9, line: 13, host: 17, time: 20}}`."""

    name: FormatName = Field(
        "auto",
        description="`auto` goes by the first lines. `csvlog` is PostgreSQL's, `common_log` that "
        "of nginx and Apache, `json` an array of records, alone or within an object.",
    )
    widths: dict[str, int] = Field(
        default_factory=dict,
        description="Columns of a fixed width, each with its characters; the last has what is left "
        "of a line.",
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_a_name(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if isinstance(written, str):
            return {"name": written}
        if isinstance(written, dict) and set(written) == {"widths"}:
            return {"name": "widths", **written}
        return written

    @model_validator(mode="after")
    def _check_widths(self) -> Self:
        if (self.name == "widths") != bool(self.widths):
            raise ValueError("write {widths: {user: 9, host: 17}}, each column with its characters")
        if any(width < 1 for width in self.widths.values()):
            raise ValueError("a width is a number of characters, from 1 on")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"type": "string", "description": "The form by its name."}
        return {"anyOf": [name, handler(core_schema)], "description": (cls.__doc__ or "").strip()}


@dataclass(frozen=True, slots=True)
class LogShape:
    """What is asked of a log.

    Attributes:
        format: its form; `auto` is told by its first lines.
        columns: the columns, or paths in a record, that the source file names.
        usual: those that count where they are there, without being named.
        needed: those of `columns` without which no record can be meant.
    """

    format: LogFormat = field(default_factory=LogFormat)
    columns: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()


ANY_LOG = LogShape()

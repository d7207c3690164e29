"""How a canonical field is filled: a column, a constant, a table of values, a time."""

import re
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator
from pydantic import model_validator as check_model
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.statuses import STATUS_OF


class Strict(BaseModel):
    """A part of a source file: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class TextColumn(Strict):
    """A field of text: `email: work_email`, or `{constant: user}`."""

    column: str | None = Field(None, min_length=1, description="The source's column.")
    constant: str | None = Field(None, min_length=1, description="The same text for every row.")

    @check_model(mode="before")
    @classmethod
    def _accept_a_plain_name(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"column": written} if isinstance(written, str) else written

    @check_model(mode="after")
    def _check_one_origin(self) -> "TextColumn":
        if (self.column is None) == (self.constant is None):
            raise ValueError("name a column or a constant, one of the two")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"type": "string", "description": "The source's column."}
        return {"anyOf": [name, handler(core_schema)], "description": (cls.__doc__ or "").strip()}


class StatusColumn(TextColumn):
    """The account's status: `{column: state, values: {A: ACTIVE, L: SUSPENDED}}`."""

    values: dict[str, str] = Field(
        default_factory=dict,
        description="The source's value: Lumos's status. Lumos's own words need no entry.",
    )

    @field_validator("values")
    @classmethod
    def _check_statuses(cls, values: dict[str, str]) -> dict[str, str]:
        unknown = sorted({status for status in values.values() if status.upper() not in STATUS_OF})
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no status; one of {', '.join(STATUS_OF)}")
        return {value: STATUS_OF[status.upper()] for value, status in values.items()}

    @check_model(mode="after")
    def _check_constant(self) -> "StatusColumn":
        if self.constant is not None and self.constant.upper() not in STATUS_OF:
            raise ValueError(f"{self.constant!r} is no status; one of {', '.join(STATUS_OF)}")
        return self


class AccountTypeColumn(TextColumn):
    """The account's type, `user` or `service`: a column (any case), values, or a constant."""

    values: dict[str, Literal["user", "service"]] = Field(
        default_factory=dict, description="The source's value: user or service."
    )

    @check_model(mode="after")
    def _check_constant(self) -> "AccountTypeColumn":
        if self.constant is not None and self.constant not in {"user", "service"}:
            raise ValueError("an account's type is user or service")
        return self


class TimeColumn(Strict):
    """A time: a column in ISO 8601, or one with its format and zone."""

    column: str = Field(min_length=1, description="The source's column.")
    format: str | None = Field(
        None,
        description="strftime codes; `epoch` or `epoch_ms` for numbers; without it, ISO 8601.",
    )
    timezone: str | None = Field(
        None, description="The zone of times that name none; without it such a time is no time."
    )
    never: tuple[str, ...] = Field(
        (), description="Words for no time, such as `Never logged in`, in any case."
    )
    unusable: Literal["blank", "reject"] = Field(
        "blank",
        description="What an account with a time that cannot be, or be read, is: without that "
        "time, counted and told; or a reject.",
    )

    @check_model(mode="before")
    @classmethod
    def _accept_a_plain_name(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"column": written} if isinstance(written, str) else written

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str | None) -> str | None:
        return None if name is None else check_zone(name)

    @check_model(mode="after")
    def _check_format(self) -> "TimeColumn":
        if self.format is not None and not re.search("%|^epoch(_ms)?$", self.format):
            raise ValueError("write strftime codes, such as %d/%m/%Y, or epoch or epoch_ms")
        if re.search(r"(?<!\.)%f", self.format or ""):
            raise ValueError("write %f after a dot, as in %S.%f: the digits of a fraction")
        is_zoned = self.format in {None, "epoch", "epoch_ms"} or names_zone(self.format)
        if not is_zoned and self.timezone is None:
            raise ValueError("a format without %z needs a timezone, such as Europe/Paris or UTC")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"type": "string", "description": "The source's column, in ISO 8601 with a zone."}
        return {"anyOf": [name, handler(core_schema)], "description": (cls.__doc__ or "").strip()}


def is_pattern(label: str) -> bool:
    """Whether polars would read `label` as a pattern of columns, so that no column can have it."""
    return label == "*" or (label.startswith("^") and label.endswith("$"))


def names_zone(pattern: str | None) -> bool:
    """Whether times in the strftime `pattern` carry their own offset."""
    return pattern is not None and any(code in pattern for code in ("%z", "%:z", "%#z", "%+"))


def check_zone(name: str) -> str:
    """`name`, if it is a zone of the IANA database.

    Raises:
        ValueError: it is none.
    """
    known = True
    try:
        ZoneInfo(name)
        # polars carries a database of its own, without `localtime` and the like.
        pl.Series(dtype=pl.Datetime("us")).dt.replace_time_zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.ComputeError):
        known = False
    if not known:
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Paris or UTC")
    return name


@dataclass(frozen=True, slots=True)
class Named:
    """What a source file names of the accounts.

    Attributes:
        columns: the source's columns.
        fields: the fields of an account that it says how to fill.
        status_columns: those of the columns that its status goes by; none where it names none.
    """

    columns: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    status_columns: frozenset[str] = frozenset()


class AccountColumns(Strict):
    """Where each field of an account comes from.

    A field that is not named is read from the column of its own name, where there is one.

    """

    integration_specific_id: TextColumn = TextColumn(column="integration_specific_id")
    email: TextColumn | None = None
    given_name: TextColumn | None = None
    family_name: TextColumn | None = None
    username: TextColumn | None = None
    user_status: StatusColumn | None = None
    account_type: AccountTypeColumn | None = None
    last_login: TimeColumn | None = None
    last_activity: TimeColumn | None = None


class LeftOut(Strict):
    """Rows that are none: `{column: Type, is: [Bot]}`, or `{line: "^Total"}`."""

    column: str | None = Field(None, min_length=1, description="A column of the accounts.")
    words: tuple[str, ...] = Field(
        (), alias="is", description="Its values that make a row none of the accounts, as written."
    )
    line: str | None = Field(
        None,
        min_length=1,
        description="A regular expression for a line of any table: what could not be split into "
        "columns as it stands, a row as its cells with commas between them.",
    )

    @check_model(mode="after")
    def _check_one_rule(self) -> "LeftOut":
        if (self.column is None) == (self.line is None):
            raise ValueError("name a column or a line, one of the two")
        if (self.column is None) == bool(self.words):
            raise ValueError("column goes with is, the values that are left out; line stands alone")
        return self

    @field_validator("line")
    @classmethod
    def _check_pattern(cls, pattern: str | None) -> str | None:
        try:
            pl.Series([""]).str.contains(pattern or "")
        except pl.exceptions.ComputeError:
            raise ValueError("is no regular expression (of Rust's regex)") from None
        return pattern


class EntitlementColumns(Strict):
    """Where each field of an entitlement comes from, in a file of entitlements."""

    integration_specific_id: TextColumn = TextColumn(column="integration_specific_id")
    entitlement_type: TextColumn | None = None
    integration_specific_resource_id: TextColumn | None = None
    label: TextColumn | None = None
    description: TextColumn | None = None
    is_assignable: TextColumn | None = None


class ResourceColumns(Strict):
    """Where each field of a resource comes from, in a file of resources."""

    integration_specific_id: TextColumn = TextColumn(column="integration_specific_id")
    resource_type: TextColumn | None = None
    label: TextColumn | None = None
    description: TextColumn | None = None


class AssociationColumns(Strict):
    """Where each field of an association comes from, in a file of associations."""

    account_id: TextColumn = TextColumn(column="account_id")
    integration_specific_entitlement_id: TextColumn = TextColumn(
        column="integration_specific_entitlement_id"
    )
    integration_specific_resource_id: TextColumn | None = None


class EntitlementColumn(Strict):
    """Entitlements kept in a column of the accounts: `{type: Role, column: roles}`."""

    type: str = Field(min_length=1, description="The entitlement type of every value.")
    column: str = Field(min_length=1, description="The accounts' column that holds them.")
    separator: str = Field(";", min_length=1, description="What stands between two of them.")
    prefix: str = Field(
        "", description="Put before each id, where two columns use the same value for two things."
    )

"""Where activity records come from: their app, their source, their columns, and what is known."""

from typing import Any, Literal, Self

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.source_file.columns import Strict, TextColumn, TimeColumn
from schemas.source_file.kinds.sql_source import DatabaseOptions, Query

EVENT_OF = {
    "LOGIN": "LOGIN",
    "ACTIVITY": "ACTIVITY",
    "LAST_LOGIN": "LOGIN",
    "LAST_ACTIVITY": "ACTIVITY",
    "ACCOUNT_LOGIN": "LOGIN",
}
"""Lumos's own words: of its API, and of its connector model (read 2026-08)."""

OTHER_NAMES = {"timestamp": ("happened_at",), "event_type": ("activity_type",)}
"""What Lumos's connector model calls a field elsewhere: `LastActivityData`, `ActivityRecord`."""

IGNORED = "\x00"
"""What an event's word becomes that the source file says to ignore: it is no activity."""

Keep = Literal["newest", "newest_per_day", "all"]


class EventTypeColumn(TextColumn):
    """What was done: `{column: what, values: {in: LOGIN}}`, or `{constant: LOGIN}`."""

    values: dict[str, str] = Field(
        default_factory=dict,
        description="The source's value: LOGIN or ACTIVITY. Lumos's own words need no entry.",
    )

    ignore: tuple[str, ...] = Field(
        (), description="Words that are no activity, in any case: neither sent nor rejects."
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_ignore_in_values(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        values = written.get("values") if isinstance(written, dict) else None
        if not isinstance(values, dict) or not isinstance(values.get("ignore"), list):
            return written
        others = {word: event for word, event in values.items() if word != "ignore"}
        return {**written, "values": others, "ignore": values["ignore"]}

    @model_validator(mode="after")
    def _check_ignored(self) -> "EventTypeColumn":
        ignored = {word.casefold() for word in self.ignore}
        both = [word for word in self.values if word.casefold() in ignored]
        if both:
            raise ValueError(f"{both[0]!r} is among values and among ignore: write it in one")
        return self

    @property
    def meanings(self) -> dict[str, str]:
        """The source's value: the event's type, or `IGNORED`."""
        return {**self.values, **dict.fromkeys(self.ignore, IGNORED)}

    @field_validator("values")
    @classmethod
    def _check_types(cls, values: dict[str, str]) -> dict[str, str]:
        unknown = sorted({event for event in values.values() if event.upper() not in EVENT_OF})
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no event type; write LOGIN or ACTIVITY")
        return {value: EVENT_OF[event.upper()] for value, event in values.items()}

    @model_validator(mode="after")
    def _check_constants(self) -> Self:
        words = {word.casefold() for word in self.values}
        for constant in self.constants:
            if constant.upper() not in EVENT_OF and constant.casefold() not in words:
                raise ValueError(f"{constant!r} is no event type; write LOGIN or ACTIVITY")
        return self


class ActivityColumns(Strict):
    """Where each field of an activity record comes from.

    A field that is not named is read from the column of its own name, where there is one.
    """

    account_id: TextColumn | None = None
    email: TextColumn | None = None
    event_type: EventTypeColumn | None = None
    timestamp: TimeColumn | None = None
    app_instance_identifier: TextColumn | None = None

    @model_validator(mode="after")
    def _check_moments(self) -> Self:
        texts = (self.account_id, self.email, self.event_type, self.app_instance_identifier)
        if any(text.has_moment for text in texts if text is not None):
            raise ValueError("before and after are for accounts alone")
        return self


class ActivityApp(Strict):
    """The Lumos app the activity was seen in: its exact name, or `{id: …}`."""

    name: str | None = Field(None, min_length=1, description="The app's exact name in Lumos.")
    id: str | None = Field(None, min_length=1, description="The app's id in Lumos.")

    @model_validator(mode="before")
    @classmethod
    def _accept_a_plain_name(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"name": written} if isinstance(written, str) else written

    @model_validator(mode="after")
    def _check_one_handle(self) -> "ActivityApp":
        if (self.name is None) == (self.id is None):
            raise ValueError("name the app by name or by id, one of the two")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"type": "string", "description": "The app's exact name in Lumos."}
        return {"anyOf": [name, handler(core_schema)], "description": (cls.__doc__ or "").strip()}


class ActivityQueries(Strict):
    """The queries that list activity; at least one."""

    get_last_activity: Query | None = Field(None, description="Each account's last activity.")
    list_activity_records: Query | None = Field(
        None, description="Activity from `{since}` to `{until}`."
    )

    @model_validator(mode="after")
    def _check_one(self) -> "ActivityQueries":
        if self.get_last_activity is None and self.list_activity_records is None:
            raise ValueError("name the query list_activity_records, or get_last_activity")
        return self


class ActivityDatabase(DatabaseOptions):
    """Activity in a database that is not the source itself."""

    kind: Literal["sql"]
    queries: ActivityQueries = Field(description="The queries that list activity.")

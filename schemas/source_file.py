"""A source: one YAML file, one frozen model, and the line of every key for when it is wrong."""

import difflib
import re
import types
import typing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from schemas.errors import ConfigError
from schemas.quantities import Duration, Limit, LimitField
from schemas.source_columns import (
    AccountColumns,
    AssociationColumns,
    EntitlementColumn,
    EntitlementColumns,
    ResourceColumns,
    Strict,
    TextColumn,
    check_zone,
    is_pattern,
)
from schemas.source_kinds import ActivitySource, CsvSource
from schemas.tables import ACCOUNT_FIELDS
from schemas.yaml_text import YamlDocument, to_yaml_document


class AppCreation(Strict):
    """What a new app is made with, where the source may make one."""

    category: str = Field(min_length=1, description="One of Lumos's app categories.")
    description: str = Field(min_length=1, max_length=8192, description="What the app is.")


class App(Strict):
    """The Lumos app that receives this source: by its exact name or its id."""

    name: str | None = Field(None, min_length=1, description="The app's exact name in Lumos.")
    id: str | None = Field(None, min_length=1, description="The app's id in Lumos.")
    create: AppCreation | None = Field(None, description="Given only if the app may be made.")

    @model_validator(mode="after")
    def _check_one_handle(self) -> "App":
        if (self.name is None) == (self.id is None):
            raise ValueError("name the app by name or by id, one of the two")
        if self.id is not None and self.create is not None:
            raise ValueError("an app given by id is there already: create goes with name")
        return self


class Guards(Strict):
    """Bounds on a plan; a breach uploads nothing. Shares are of the last accepted snapshot."""

    min_accounts: int = Field(
        1,
        ge=0,
        description="Fewer accounts are never uploaded; an empty snapshot never is, even with 0.",
    )
    max_removed_accounts: LimitField = Field(
        Limit(0.1, is_share=True), description="Accounts that are in the last snapshot and not now."
    )
    max_removed_associations: LimitField = Field(
        Limit(0.2, is_share=True), description="Associations that are there and not now."
    )
    max_deactivated_accounts: LimitField = Field(
        Limit(0.1, is_share=True),
        description="Accounts that could log in by their status, and now cannot.",
    )
    max_rejected_rows: LimitField = Field(
        Limit(0.01, is_share=True), description="Rejected rows; a share is of all rows read."
    )


class Poll(Strict):
    """How a job is waited for: the first pause, the longest pause, and the deadline."""

    every: Duration = Field(timedelta(seconds=2), description="The first pause; each is longer.")
    at_most_every: Duration = Field(timedelta(seconds=60), description="The longest pause.")
    give_up_after: Duration = Field(
        timedelta(hours=2), description="The deadline; the next run goes on waiting for the job."
    )


class Upload(Strict):
    """How a snapshot is sent."""

    accounts_per_request: Literal["all"] | int = Field(
        "all", description="An upload is a snapshot of the app; a number splits it, at your risk."
    )
    unchanged: Literal["send", "skip"] = Field(
        "send", description="What to do with a snapshot that equals the last accepted one."
    )
    verify: bool = Field(True, description="Read the accounts back and compare.")
    poll: Poll = Field(Poll(), description="How the job is waited for.")

    @field_validator("accounts_per_request", mode="before")
    @classmethod
    def _check_count(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if written == "all":
            return written
        if not re.fullmatch(r"[0-9]{1,9}", str(written)) or int(written) < 1:
            raise ValueError("write all, or a whole number from 1")
        return int(written)


class Activity(Strict):
    """Where activity records come from; checked, but this version uploads accounts only."""

    app: str | None = Field(None, description="The Lumos app the activity was seen in.")
    source: ActivitySource | None = None
    columns: dict[str, Any] = Field(default_factory=dict)
    keep: Literal["newest", "all"] = "newest"
    overlap: Duration = timedelta(hours=1)


class Schedule(Strict):
    """When the source is due. Checked with the file; this version runs what it is told to run."""

    cron: str = Field(min_length=1)
    timezone: str = "UTC"

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        return check_zone(name)


class SourceFile(Strict):
    """A source file.

    Every key but `app` and `source` has a default, and the defaults are the safe ones.
    """

    app: App = Field(description="The Lumos app that receives this source.")
    source: CsvSource = Field(description="What is read, and how.")
    columns: AccountColumns = Field(
        AccountColumns(), description="The canonical field of an account: the source's column."
    )
    attributes: dict[str, TextColumn] = Field(
        default_factory=dict, description="A custom attribute's label: the source's column."
    )
    entitlements: tuple[EntitlementColumn, ...] = Field(
        (), description="Entitlements kept in a column of the accounts."
    )
    entitlement_columns: EntitlementColumns = Field(
        EntitlementColumns(), description="The same, for a file of entitlements."
    )
    resource_columns: ResourceColumns = Field(
        ResourceColumns(), description="The same, for a file of resources."
    )
    association_columns: AssociationColumns = Field(
        AssociationColumns(), description="The same, for a file of associations."
    )
    unknown_columns: Literal["warn", "refuse", "attribute"] = Field(
        "warn", description="What to do with a column of the accounts that the file does not name."
    )
    guards: Guards = Field(Guards(), description="Bounds on a plan; a breach uploads nothing.")
    rejected_rows: Literal["keep_last", "leave_out", "fail"] = Field(
        "keep_last", description="What becomes of a row that breaks a rule."
    )
    upload: Upload = Field(Upload(), description="How a snapshot is sent.")
    activity: Activity | None = Field(
        None, description="Checked with the file; this version uploads accounts only."
    )
    schedule: Schedule | None = Field(
        None, description="Checked with the file; this version runs what it is told to run."
    )

    @field_validator("attributes")
    @classmethod
    def _check_labels(cls, attributes: dict[str, TextColumn]) -> dict[str, TextColumn]:
        taken = sorted(set(attributes) & set(ACCOUNT_FIELDS))
        if taken:
            raise ValueError(f"{taken[0]!r} is a field of every account: choose another label")
        if "" in attributes:
            raise ValueError("an attribute needs a label")
        unusable = [label for label in attributes if is_pattern(label)]
        if unusable:
            raise ValueError(f"{unusable[0]!r} cannot be a label: choose another")
        return attributes


@dataclass(frozen=True, slots=True)
class Source:
    """A source by name: its file's stem, what the file says, and the file's name for messages."""

    name: str
    file: SourceFile
    path: str


def to_source(text: str, name: str, path: str) -> Source:
    """The source that `text` describes.

    Raises:
        ConfigError: not YAML, an unknown key, a missing or wrong value; with file, line, key and
            reason.
    """
    document = to_yaml_document(text, path)
    if not isinstance(document.content, dict):
        raise ConfigError(f"{path}:1: a source file has the keys app and source; this one has none")
    problem = None
    try:
        return Source(name, SourceFile.model_validate(document.content), path)
    except ValidationError as error:
        problem = _first_problem(error, document, path)
    raise ConfigError(problem)


def _first_problem(error: ValidationError, document: YamlDocument, path: str) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt key comes before the key that is missing for it.
    found = min(
        problems,
        key=lambda one: (one["type"] == "missing", document.line_of(tuple(one["loc"]))),
    )
    loc = tuple(found["loc"])
    key = ".".join(str(part) for part in loc) or "the file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (
        f"{path}:{document.line_of(loc)}: {key}: {_reason(found['type'], found['msg'], loc)}{more}"
    )


_SHAPES = {
    "model_type": "should be keys and values, or left out",
    "dict_type": "should be keys and values, or left out",
    "tuple_type": "should be a list: - before each item",
    "string_type": "should be a text",
}
"""What pydantic says of these in Python's words."""


def _reason(kind: str, message: str, loc: tuple[str | int, ...]) -> str:
    if kind == "extra_forbidden":
        known = _keys_of(_model_at(loc[:-1]))
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        return f"no such key; {hint}"
    if kind in _SHAPES:
        return _SHAPES[kind]
    if kind == "missing":
        return "is missing"
    return message.removeprefix("Value error, ").replace("Input should be", "should be")


def _keys_of(model: type[BaseModel] | None) -> list[str]:
    return list(model.model_fields) if model else []


def _model_at(loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model that the path leads to; None where it leads into plain values."""
    model: type[BaseModel] | None = SourceFile
    is_item = False
    for part in loc:
        if is_item:  # a list's item, or a dict's own key: the model is the one already found
            is_item = False
            continue
        field = model.model_fields.get(str(part)) if model else None
        model = _model_in(field.annotation) if field else None
        is_item = field is not None and typing.get_origin(field.annotation) in {dict, tuple}
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        inside = (_model_in(one) for one in typing.get_args(annotation))
        return next((one for one in inside if one), None)
    return None

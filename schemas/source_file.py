"""A source: one YAML file, one frozen model, and the line of every key for the message when it is wrong."""

import difflib
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

    min_accounts: int = Field(1, ge=0, description="Fewer accounts than this are never uploaded.")
    max_removed_accounts: LimitField = Limit(0.1, is_share=True)
    max_removed_associations: LimitField = Limit(0.2, is_share=True)
    max_deactivated_accounts: LimitField = Limit(0.1, is_share=True)
    max_rejected_rows: LimitField = Limit(0.01, is_share=True)


class Poll(Strict):
    """How a job is waited for: the first pause, the longest pause, and the deadline."""

    every: Duration = timedelta(seconds=2)
    at_most_every: Duration = timedelta(seconds=60)
    give_up_after: Duration = timedelta(hours=2)


class Upload(Strict):
    """How a snapshot is sent."""

    accounts_per_request: Literal["all"] | int = Field(
        "all", description="An upload is a snapshot of the app; a number splits it, at your risk."
    )
    unchanged: Literal["send", "skip"] = Field(
        "send", description="What to do with a snapshot that equals the last accepted one."
    )
    verify: bool = Field(True, description="Read the accounts back and compare.")
    poll: Poll = Poll()

    @field_validator("accounts_per_request", mode="before")
    @classmethod
    def _check_count(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if written == "all":
            return written
        if not str(written).isdigit() or int(written) < 1:
            raise ValueError("write all, or a whole number from 1")
        return int(written)


class Activity(Strict):
    """Where activity records come from. Checked with the file; this version uploads accounts only."""

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

    app: App
    source: CsvSource
    columns: AccountColumns = AccountColumns()
    attributes: dict[str, TextColumn] = Field(
        default_factory=dict, description="A custom attribute's label: the source's column."
    )
    entitlements: tuple[EntitlementColumn, ...] = Field(
        (), description="Entitlements kept in a column of the accounts."
    )
    entitlement_columns: EntitlementColumns = EntitlementColumns()
    resource_columns: ResourceColumns = ResourceColumns()
    association_columns: AssociationColumns = AssociationColumns()
    unknown_columns: Literal["warn", "refuse", "attribute"] = Field(
        "warn", description="What to do with a column of the accounts that the file does not name."
    )
    guards: Guards = Guards()
    rejected_rows: Literal["keep_last", "leave_out", "fail"] = Field(
        "keep_last", description="What becomes of a row that breaks a rule."
    )
    upload: Upload = Upload()
    activity: Activity | None = None
    schedule: Schedule | None = None

    @field_validator("attributes")
    @classmethod
    def _check_labels(cls, attributes: dict[str, TextColumn]) -> dict[str, TextColumn]:
        taken = sorted(set(attributes) & set(ACCOUNT_FIELDS))
        if taken:
            raise ValueError(f"{taken[0]!r} is a field of every account: choose another label")
        if "" in attributes:
            raise ValueError("an attribute needs a label")
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
    found = min(problems, key=lambda one: document.line_of(tuple(one["loc"])))
    loc = tuple(part for part in found["loc"] if part != "csv")
    key = ".".join(str(part) for part in loc) or "the file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (
        f"{path}:{document.line_of(loc)}: {key}: {_reason(found['type'], found['msg'], loc)}{more}"
    )


def _reason(kind: str, message: str, loc: tuple[str | int, ...]) -> str:
    if kind == "extra_forbidden":
        known = _keys_of(_model_at(loc[:-1]))
        close = difflib.get_close_matches(str(loc[-1]), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
        return f"no such key; {hint}"
    if kind == "missing":
        return "is missing"
    return message.removeprefix("Value error, ").replace("Input should be", "should be")


def _keys_of(model: type[BaseModel] | None) -> list[str]:
    return list(model.model_fields) if model else []


def _model_at(loc: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model that the path leads to; None where it leads into plain values."""
    model: type[BaseModel] | None = SourceFile
    for part in loc:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part) if model else None
        model = _model_in(field.annotation) if field else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is not None:
        inside = (_model_in(one) for one in typing.get_args(annotation))
        return next((one for one in inside if one), None)
    return None

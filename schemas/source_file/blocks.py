"""The blocks of a source file: the app, how to upload, activity, schedule."""

import re
from datetime import datetime, timedelta
from typing import Any, Literal

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator, model_validator

from schemas.source_file.activity import (
    OTHER_NAMES,
    ActivityApp,
    ActivityColumns,
    ActivityDatabase,
    Keep,
)
from schemas.source_file.columns import Strict, check_zone
from schemas.source_file.kinds.csv_source import ActivitySource
from schemas.source_file.logs import LogFormat, LogShape
from schemas.source_file.mappings import LeftOut
from schemas.source_file.quantities import Duration, Limit, LimitField, to_moment


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


_CRON_FIELDS = 5


class Schedule(Strict):
    """When the source is due: `serve` and `deploy` go by it."""

    cron: str = Field(
        description="Minute, hour, day of the month, month, day of the week: `0 2 * * *`. An hour "
        "that the clocks skip is made up for at once, one that comes twice counts once.",
    )
    timezone: str = Field("UTC", description="The zone whose clocks it goes by.")

    @field_validator("cron")
    @classmethod
    def _check_cron(cls, text: str) -> str:
        problem = (
            "is no cron expression of five fields (minute, hour, day of the month, month, day of "
            "the week): write it as 0 2 * * *"
        )
        try:
            CronSim(text, datetime(2000, 1, 1))  # noqa: DTZ001 - only looked at
        except CronSimError as error:
            raise ValueError(f"{problem}; {error}") from None
        if len(text.split()) != _CRON_FIELDS:
            raise ValueError(problem)
        return text

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        return check_zone(name)


class Activity(Strict):
    """Where activity records come from, which of them are sent, and how."""

    app: ActivityApp | None = Field(
        None, description="The Lumos app the activity was seen in; the source's own if not given."
    )
    source: ActivitySource | ActivityDatabase | None = Field(
        None,
        discriminator="kind",
        description="Where it is not the source itself: of kind csv or sql.",
    )
    columns: ActivityColumns = Field(
        ActivityColumns(), description="The canonical field of a record: the source's column."
    )
    format: LogFormat = Field(LogFormat(), description="How the log's files are written.")
    where: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Only rows whose column has one of these words, in any case, as "
        "`{outcome.result: [SUCCESS]}`; the others are counted, and are neither sent nor rejects.",
    )
    unmatched_where: Literal["refuse", "warn"] = Field(
        "refuse",
        description="What it is that no row at all has the words of `where`: an error, since a "
        "word may have changed and everybody would seem dormant; or a warning.",
    )
    leave_out: tuple[LeftOut, ...] = Field(
        (), description="Rows of the log that are no activity; counted, as those of where are."
    )
    keep: Keep = Field(
        "newest",
        description="What is sent of an account: its newest LOGIN and its newest ACTIVITY, those "
        "of each day, or all.",
    )
    timezone: str = Field("UTC", description="The zone of a day, and of a backfill's windows.")
    since: str | None = Field(
        None, description="Where the first run begins; without it, with the oldest record."
    )
    overlap: Duration = Field(
        timedelta(hours=1),
        description="Read again from this much before the watermark, for rows that came late.",
    )
    unknown_accounts: Literal["warn", "send", "reject"] = Field(
        "warn",
        description="What to do with records of accounts that the last accepted snapshot lacks: "
        "send and warn, send, or reject.",
    )
    unusable_times: Literal["reject", "warn"] = Field(
        "reject",
        description="What a record is whose time is in the future, before 1990, or no time with a "
        "zone: a reject, or left out with a warning.",
    )
    max_rejected_rows: LimitField = Field(
        Limit(0.01, is_share=True),
        description="More rejected rows fail the run; a share is of the rows in question.",
    )
    records_per_request: int = Field(1000, ge=1, le=100_000, description="Records a batch.")
    bytes_per_request: int = Field(
        5_000_000, ge=1000, description="A larger batch is cut into smaller ones."
    )
    parallel: int = Field(1, ge=1, le=16, description="Batches under way at once.")
    poll: Poll = Field(
        Poll(every=timedelta(seconds=0.5)), description="How a batch's job is waited for."
    )
    schedule: Schedule | None = Field(None, description="When activity is due.")

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        return check_zone(name)

    @field_validator("where", mode="before")
    @classmethod
    def _accept_one_word(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if not isinstance(written, dict):
            return written
        return {name: [one] if isinstance(one, str) else one for name, one in written.items()}

    @field_validator("where")
    @classmethod
    def _check_words(cls, where: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        empty = [column for column, words in where.items() if not words]
        if empty:
            raise ValueError(f"{empty[0]!r} has no word: name those of the rows that are meant")
        return where

    @model_validator(mode="after")
    def _check_since(self) -> "Activity":
        if self.since is not None:
            to_moment(self.since, self.timezone)
        return self

    @property
    def asked(self) -> tuple[str, ...]:
        """The columns that say whether a row is meant."""
        ruled = (rule.column for rule in self.leave_out if rule.column is not None)
        return tuple(dict.fromkeys((*self.where, *ruled)))

    @property
    def shape(self) -> LogShape:
        """What is asked of the log's files."""
        columns = self.columns
        fields = {name: getattr(columns, name) for name in type(columns).model_fields}
        named = {name: field.sources for name, field in fields.items() if field is not None}
        usual = [name for name, field in fields.items() if field is None]
        others = [other for name in usual for other in OTHER_NAMES.get(name, ())]
        asked = [column for column, words in self.where.items() if "" not in words]
        at = columns.timestamp.sources if columns.timestamp is not None else ()
        return LogShape(
            self.format,
            tuple(dict.fromkeys((*(one for each in named.values() for one in each), *self.asked))),
            (*usual, *others),
            (*(at if len(at) == 1 else ()), *asked),
        )

    @property
    def first_moment(self) -> datetime | None:
        """Where the first run begins, UTC; None: with the oldest record."""
        return None if self.since is None else to_moment(self.since, self.timezone)

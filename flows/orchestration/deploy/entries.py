"""A deployment as prefect.yaml says it, and what a deployment of lumos-ingest's may say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas.errors import ConfigError, raise_as
from schemas.source_file.blocks import Schedule

FlowName = Literal["sync", "activity", "nightly", "watchdog", "decide"]

ENTRYPOINTS: Mapping[FlowName, str] = {
    "sync": "lumos_ingest.prefect_flows.sync",
    "activity": "lumos_ingest.prefect_flows.activity",
    "nightly": "lumos_ingest.prefect_flows.nightly",
    "watchdog": "lumos_ingest.prefect_flows.watchdog",
    "decide": "lumos_ingest.prefect_flows.decide",
}
MARK = "lumos_ingest"
"""The key by which an entry of prefect.yaml is lumos-ingest's; Prefect takes no notice of it."""


class _Part(BaseModel):
    """A part of an entry: a key that it does not know is an error, which Prefect passes over."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Mark(_Part):
    """Whose entry it is, and the schedule that the source's file had when `deploy` wrote it."""

    flow: FlowName
    source: str | None = None
    cron: str | None = None
    timezone: str | None = None

    @property
    def schedule(self) -> tuple[str, str] | None:
        """The source file's schedule as it was: cron and zone; None where it had none."""
        return None if self.cron is None else (self.cron, self.timezone or "UTC")


class EntrySchedule(Schedule):
    """A schedule of a deployment: by cron, whose nights are right when the clocks change."""

    slug: str = Field(min_length=1)
    active: bool | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)


class ConcurrencyLimit(_Part):
    """How many runs of a deployment go on at once, and what becomes of those that are too many."""

    limit: int
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] = "ENQUEUE"
    grace_period_seconds: int | None = None


class WorkPool(_Part):
    """Where the deployment's runs are worked on."""

    name: str = Field(min_length=1)
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = Field(default_factory=dict)


class Entry(_Part):
    """A deployment of lumos-ingest's in prefect.yaml."""

    name: str = Field(min_length=1)
    lumos_ingest: Mark
    entrypoint: str
    description: str | None = None
    version: str | None = None
    tags: list[str] = Field(default_factory=list)
    parameters: dict[str, Any] = Field(default_factory=dict)
    schedules: list[EntrySchedule] = Field(default_factory=list)
    concurrency_limit: ConcurrencyLimit | None = None
    work_pool: WorkPool
    pull: list[dict[str, Any]] | None = None
    paused: bool | None = None

    @field_validator("concurrency_limit", mode="before")
    @classmethod
    def _count_alone(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"limit": written} if isinstance(written, int) else written

    @property
    def flow(self) -> FlowName:
        """The flow that it deploys."""
        return self.lumos_ingest.flow

    @property
    def full_name(self) -> str:
        """What Prefect calls it."""
        return f"{self.flow}/{self.name}"


@dataclass(frozen=True, slots=True)
class Located:
    """An entry, and where in prefect.yaml it begins: `prefect.yaml:12`."""

    entry: Entry
    place: str


def to_entry(written: Mapping[str, Any], place: str) -> Entry:
    """The entry that is written there, checked.

    Raises:
        ConfigError: it has a key that is not known, a value that cannot be, or says what is not
            safe: runs of one source beside each other, or a run that waits and is cancelled.
    """
    name = str(written.get("name", ""))
    entry = raise_as(
        lambda: Entry.model_validate(written),
        {ValidationError: lambda error: ConfigError(f"{place}: {name}: {_problem(error)}")},
    )
    wrong = (
        _wrong_entrypoint(entry)
        or _wrong_parameters(entry)
        or _wrong_limit(entry)
        or _wrong_slugs(entry)
        or _wrong_secret(entry)
    )
    if wrong:
        raise ConfigError(f"{place}: {name}: {wrong}")
    return entry


def _problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    # A misspelt key comes before the key that is missing for it.
    first = min(problems, key=lambda problem: problem["type"] == "missing")
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        known = f"; known are {', '.join(Entry.model_fields)}" if "." not in key else ""
        if key.startswith("schedules."):
            known = (
                "; a schedule is {cron: …, timezone: …, slug: …}: its nights are right in spring"
            )
        return f"{key}: is not known here{known}"
    return f"{key}: {first['msg'].removeprefix('Value error, ')}"


def _wrong_entrypoint(entry: Entry) -> str | None:
    if entry.entrypoint == ENTRYPOINTS[entry.flow]:
        return None
    return (
        f"entrypoint: should be {ENTRYPOINTS[entry.flow]}; for a flow of your own, write an entry "
        f"without {MARK}, and register it with `prefect deploy`"
    )


_PARAMETERS: Mapping[FlowName, frozenset[str]] = {
    "sync": frozenset({"source", "workspace"}),
    "activity": frozenset({"source", "workspace"}),
    "nightly": frozenset({
        "workspace", "label", "day", "timezone", "grace_seconds", "retry_minutes", "give_up_hours"
    }),
    "watchdog": frozenset({"workspace", "grace_seconds", "retry_minutes"}),
    "decide": frozenset({"workspace"}),
}  # fmt: skip


def _wrong_parameters(entry: Entry) -> str | None:
    # A parameter that the flow does not know is taken, and each of its runs crashes. And a sync
    # that is to approve, or to take a past day, is for a person to ask for, not for every night.
    for written in (entry.parameters, *(one.parameters for one in entry.schedules)):
        for key in written:
            if key not in _PARAMETERS[entry.flow]:
                known = ", ".join(sorted(_PARAMETERS[entry.flow]))
                return f"parameters.{key}: is not known here; known are {known}"
    if "workspace" not in entry.parameters:
        return "parameters.workspace: is missing: the folder with sources/, where the workers are"
    if entry.parameters.get("source") != entry.lumos_ingest.source:
        return f"parameters.source: should be {entry.lumos_ingest.source}, as under {MARK}"
    return None


def _wrong_limit(entry: Entry) -> str | None:
    limit = entry.concurrency_limit
    if entry.flow == "watchdog":
        if limit is not None:
            return (
                "concurrency_limit: leave it out: a run of the watchdog that hangs would keep "
                "every later one away"
            )
        return None
    if limit is None:
        return (
            "concurrency_limit: is missing: write "
            "concurrency_limit: {limit: 1, collision_strategy: ENQUEUE}"
        )
    if limit.limit != 1 or limit.collision_strategy != "ENQUEUE":
        return (
            "concurrency_limit: should be {limit: 1, collision_strategy: ENQUEUE}: runs of one "
            "source go one after the other, and one that waits for a person is not cancelled"
        )
    return None


def _wrong_slugs(entry: Entry) -> str | None:
    slugs = [one.slug for one in entry.schedules]
    twice = next((slug for slug in slugs if slugs.count(slug) > 1), None)
    return None if twice is None else f"schedules: the slug {twice} is there twice"


def _wrong_secret(entry: Entry) -> str | None:
    environment = entry.work_pool.job_variables.get("env")
    if isinstance(environment, Mapping) and "LUMOS_API_TOKEN" in environment:
        return (
            "work_pool.job_variables.env: LUMOS_API_TOKEN would lie in Prefect's database in "
            "clear: put it into the worker's environment, or into .env in the workspace"
        )
    return None

"""The documents that `--json` prints, command by command, and their JSON Schema.

Keys may come within a version; one that goes, or means something else, makes a new version.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from schemas.run import DecisionKind, RunKind, RunState

VERSION = 1

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""A moment with its zone, as ISO 8601 writes it."""

Kind = Literal["sync", "activity", "backfill"]
Waits = Literal["undecided", "approved", "lapsed"]


class Failure(TypedDict):
    """Nothing could begin: the one line, and the exit code."""

    error: str
    exit_code: int


class Decision(TypedDict):
    """What a person decided of a run."""

    decision: DecisionKind
    actor: str
    decided_at: Moment
    reason: str
    lapses_at: Moment | None


class Run(TypedDict):
    """One attempt at one source, as the ledger has it."""

    run_id: str
    source: str
    kind: RunKind
    state: RunState | Literal["stopped"]
    started_at: Moment
    ended_at: Moment | None
    since: Moment | None
    until: Moment | None
    actor: str
    app_id: str | None
    job_id: str | None
    job_ids: list[str]
    base_run_id: str | None
    content_hash: str | None
    counts: dict[str, int]
    plan: "Plan | NoPlan"
    error: str | None
    approved_by: str | None
    approved_at: Moment | None
    approves_run_id: str | None
    decision: Decision | None
    waits: Waits | None
    decisions: NotRequired[list[Decision]]
    warnings: NotRequired[list[str]]
    recovered: NotRequired[list[str]]
    holds: NotRequired[int]


class NoPlan(TypedDict):
    """Of a run that came to no plan: what shows that its read was whole, if it was."""

    proof: NotRequired[list[str]]
    warnings: NotRequired[list[str]]


class Changes(TypedDict):
    """How many records a table had and has, and how many change."""

    before: int
    after: int
    added: int
    changed: int
    removed: int


class Breach(TypedDict):
    """What a plan has of what a guard bounds, and what is allowed."""

    guard: str
    limit: str
    allowed: int
    found: int
    base: int
    table: str | None
    of: str


class JudgedGuard(Breach):
    """The same, with whether it is too many and the first ids of what is counted."""

    is_broken: bool
    ids: list[str]


class Verdict(TypedDict):
    """What the guards say of a plan."""

    verdict: Literal["held", "pass"]
    breaches: list[Breach]
    approves_run: str | None
    stale_approval_of: str | None
    text: str


class Plan(TypedDict):
    """What a snapshot changes against the last accepted one, in counts."""

    is_first: bool
    is_empty: bool
    accounts: Changes
    entitlements: Changes
    associations: Changes
    deactivated: int
    by_status: dict[str, int]
    status_flips: dict[str, int]
    changed_fields: dict[str, int]
    attributes_added: list[str]
    attributes_removed: list[str]
    fields_filled: list[str]
    fields_emptied: list[str]
    verdict: Verdict
    proof: NotRequired[list[str]]
    warnings: NotRequired[list[str]]
    guards: NotRequired[list[Breach]]


class NoRun(TypedDict):
    """A source of which no run had begun."""

    source: str
    state: Literal["held", "failed", "stopped"]
    error: str


class Submitted(TypedDict):
    """A run that a worker was asked for (`--submit`)."""

    source: str
    flow_run: str
    flow_run_id: str


class Runs(TypedDict):
    """What became of each source."""

    sources: list[Run | NoRun | Submitted]


class Finding(TypedDict):
    """What a check found out."""

    ok: bool
    facts: list[str]
    notes: list[str]
    problems: list[str]


class SourceFinding(Finding):
    """The same of a source, with the held run that waits for a person."""

    waits: Run | None


class Check(TypedDict):
    """What `check` found out, by source."""

    lumos: Finding
    state: Finding
    sources: dict[str, SourceFinding]


class Fresh(TypedDict):
    """Whether it was accepted lately, and when."""

    fresh: bool
    accepted_at: Moment | None


class FreshSource(Fresh):
    """The same of a source's accounts, and of its activity where that has a schedule."""

    activity: NotRequired[Fresh]


class Freshness(TypedDict):
    """What `check --fresh` found out, by source."""

    sources: dict[str, FreshSource]


class AccountChange(TypedDict):
    """An account that changes; `fields` are those that do."""

    integration_specific_id: str
    change: Literal["added", "changed", "removed"]
    fields: list[str]
    status_before: str | None
    status_after: str | None


class AssociationChange(TypedDict):
    """An association that comes or goes; `through` are the groups between, in a directory."""

    account_id: str
    integration_specific_entitlement_id: str
    integration_specific_resource_id: str
    change: Literal["added", "removed"]
    through: NotRequired[str | None]


class PlanChanges(TypedDict):
    """What changes, by key."""

    accounts: list[AccountChange]
    entitlements: list[dict[str, Any]]
    associations: list[AssociationChange]


class Reject(TypedDict):
    """A row, or a cell, that breaks a contract; never its value."""

    table: str
    file: str | None
    row: int | None
    key: str | None
    column: str | None
    code: str
    reason: str
    is_cell: bool
    name: str | None


class Preview(TypedDict):
    """What a sync would do now."""

    source: str
    base_run_id: str | None
    counts: dict[str, int]
    plan: Plan
    changes: PlanChanges
    guards: list[JudgedGuard]
    lookalikes: list[dict[str, Any]]
    rejects: list[Reject]
    warnings: list[str]


class Window(TypedDict):
    """A window of a backfill; one that was done before has neither run nor counts."""

    since: Moment | None
    until: Moment | None
    run: Run | None
    counts: dict[str, int] | None
    records: int | None


class Backfill(TypedDict):
    """What a backfill did, window by window."""

    source: str
    windows: list[Window]
    left: int
    error: str | None


class FieldChange(TypedDict):
    """A field before and after."""

    before: str | None
    after: str | None


class AccountEvent(TypedDict):
    """What a run changed of an account."""

    run_id: str
    started_at: Moment
    job_id: str | None
    kind: str
    changes: dict[str, FieldChange]
    gained: list[str]
    lost: list[str]
    file: str | None
    line: int | None
    approval: Decision | None


class AccountReject(TypedDict):
    """Why an account's row, or a cell of it, is rejected."""

    file: str | None
    line: int | None
    column: str | None
    reason: str
    value: str | None
    is_cell: bool


class Why(TypedDict):
    """How an account came to be as it is, oldest first."""

    source: str
    account: str
    events: list[AccountEvent]
    now: dict[str, Any] | None
    accepted_run_id: str
    read_by_run_id: str
    is_kept: bool
    kept_since: Moment | None
    rejects: list[AccountReject]
    held: AccountEvent | None
    runs_not_told: int


class RunReport(TypedDict):
    """Where the page of a run lies, and whether it has ids in clear."""

    report: str
    run_id: str
    source: str
    state: RunState
    has_ids: bool


class ReportLine(TypedDict):
    """A source in the index of pages, and its runs' pages by run."""

    source: str
    state: str
    text: str
    accepted_run_id: str | None
    accepted_at: Moment | None
    due_at: Moment | None
    reports: dict[str, str]


class SourcesReport(TypedDict):
    """Where the index over all sources lies."""

    report: str
    sources: list[ReportLine]


class Arrival(TypedDict):
    """What the sandbox holds of a source, and what its run rejected and changed."""

    source: str
    state: RunState
    accounts: int
    by_status: dict[str, int]
    permissions: int
    attributes: int
    rejected: int
    kept: int
    changes: str


class Demo(TypedDict):
    """What the demonstration did."""

    arrived: list[Arrival]
    activity: list[Run]
    first_night: list[Run]
    second_night: list[Run]
    holds: list[Arrival]


class Deployed(TypedDict):
    """What became of the deployments, by their full names."""

    made: list[str]
    changed: dict[str, list[str]]
    unchanged: list[str]
    gone: list[str]
    removed: list[str]
    made_pool: str | None
    paused: list[str]
    made_up: list[str]
    file: str
    has_written: bool


class StoppedWorkers(TypedDict):
    """Which processes were stopped, and whether their pool stays paused."""

    pool: str
    stopped: list[int]
    is_paused: bool


class Repaired(TypedDict):
    """How many runs the ledger took in, and how many were ended."""

    adopted: int
    ended: int


class Laid(TypedDict):
    """A workspace, and what was made in it."""

    workspace: str
    made: list[str]


class NewSource(TypedDict):
    """A new source, its file, and what is for a person to decide."""

    source: str
    path: str
    doubts: list[str]


class Sandbox(TypedDict):
    """Where the sandbox is, and its token, which is no secret."""

    url: str
    token: str


DOCUMENTS: dict[str, Any] = {
    "error": Failure,
    "check": Check,
    "check --fresh": Freshness,
    "preview": Preview,
    "sync": Runs,
    "activity": Runs,
    "backfill": Backfill | Runs,
    "serve": Run | NoRun,
    "runs": list[Run],
    "report": RunReport | SourcesReport,
    "why": Why,
    "approve": Run,
    "reject": Run,
    "abandon": Run,
    "repair": Repaired,
    "init": Laid,
    "new": NewSource,
    "demo": Demo,
    "sandbox": Sandbox,
    "deploy": Deployed,
    "stop-worker": StoppedWorkers,
}
"""The document of each command; `serve` prints one a line, a run each."""


def documents_schema() -> dict[str, Any]:
    """The JSON Schema of all documents: that of a command is at `#/$defs/COMMAND`."""
    mode: Literal["serialization"] = "serialization"
    adapters = [(name, mode, TypeAdapter(kind)) for name, kind in DOCUMENTS.items()]
    by_name, shared = TypeAdapter.json_schemas(adapters)
    documents = {name: schema for (name, _), schema in by_name.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:lumos-ingest:documents:{VERSION}",
        "title": f"The documents that lumos-ingest prints with --json, version {VERSION}",
        "$defs": {**shared["$defs"], **documents},
    }

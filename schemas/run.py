"""A run as the ledger keeps it: what happened, and how far it came."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

RunState = Literal["reading", "planned", "submitted", "held", "done", "unchanged", "failed"]
"""`planned`: the snapshot and its hash are stored, the upload may or may not have been sent.

`submitted`: a job is under way. `done`: accepted. The other ends: `held` by a guard, `unchanged`
and not sent, `failed`.
"""

RunKind = Literal["sync", "activity", "backfill"]

OPEN_STATES: tuple[RunState, ...] = ("planned", "submitted")
"""States a dead run leaves work in: the next run recovers it first."""

DecisionKind = Literal["approve", "reject", "abandon"]
"""What a person decides of a run: its held plan may be uploaded, or not; it is given up."""


@dataclass(frozen=True, slots=True)
class RunScope:
    """Whose runs are meant: those of one source into one app, of one kind.

    Attributes:
        source: the source's name.
        app_id: the Lumos app; None where it is not there yet.
        kind: accounts, activity since the watermark, or of a past time.
        since: of activity: the time asked for begins here, UTC; None where it has no beginning.
        until: of a backfill: that time ends before this moment, UTC.
    """

    source: str
    app_id: str | None
    kind: RunKind = "sync"
    since: datetime | None = None
    until: datetime | None = None

    @property
    def lease_key(self) -> str:
        """What no other run may be at work on meanwhile."""
        if self.kind == "sync":
            return self.app_id or ""
        if self.kind == "activity":
            return f"activity {self.app_id}"
        return f"activity {self.app_id} {self.source} {self.since} {self.until}"


@dataclass(frozen=True, slots=True, order=True)
class SeenBreach:
    """A guard that a plan breaks, as the person saw it who lets the plan through.

    An approval is for what was seen, so this form is compared, and stays as it is: a plan may be
    held by one version of this program and let through by the next.

    Attributes:
        guard: the guard's key in the source file.
        count: what the plan has.
        of: what a share is of, a count.
        limit: what the file says, as written.
        table: what is counted, where the guard's name does not say; empty where it does.
    """

    guard: str
    count: int
    of: int
    limit: str
    table: str = ""

    def covers(self, other: "SeenBreach") -> bool:
        """Whether who saw this one has seen `other` too: the same guard, and no worse a count."""
        same = (self.guard, self.limit, self.table) == (other.guard, other.limit, other.table)
        is_no_larger_share = other.count * self.of <= self.count * other.of
        return same and other.count <= self.count and is_no_larger_share


@dataclass(frozen=True, slots=True)
class StageUse:
    """What a stage of a run took, of the process that did it.

    Attributes:
        stage: its name: `extract`, `transform`, `plan`, `publish`.
        seconds: how long it took, without a stage within it.
        peak_bytes: the most memory that the process held meanwhile; where it had held more before,
            the larger of what it held as the stage began and ended.
    """

    stage: str
    seconds: float
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of a run.

    Attributes:
        run_id: the run.
        decision: what was decided.
        actor: who, `user@host`.
        decided_at: when, UTC.
        reason: why, in that person's words: for the ledger and a terminal, never for a log.
        lapses_at: when an approval ends, UTC; None of another decision.
    """

    run_id: str
    decision: DecisionKind
    actor: str
    decided_at: datetime
    reason: str
    lapses_at: datetime | None = None

    def has_lapsed(self, now: datetime) -> bool:
        """Whether it holds no more."""
        return self.lapses_at is not None and self.lapses_at <= now


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at one source.

    A run of activity is `planned` when its records and batches are stored, `unchanged` when there
    was nothing new to send. `counts` and `plan` are reports: nothing is decided by them.

    Attributes:
        run_id: sorts by time.
        source: the source's name.
        state: see `RunState`.
        actor: who started it, `user@host`.
        started_at: UTC.
        ended_at: UTC; None while it goes on.
        app_id: the Lumos app; None until it is known.
        base_run_id: the accepted run it is compared with; None for a first run.
        content_hash: SHA-256 of the upload's accounts, hex; None until they are made.
        counts: rows read, accepted, merged, rejected by table, and the plan's counts; flat names.
        plan: the plan's summary as `schemas.plan` writes it; no row in it.
        job_ids: Lumos's jobs, in the order of the requests.
        error: the one line it ended with; None when it ended well.
        approved_by: who let a held plan through; None where no one had to.
        approved_at: when, UTC.
        approves_run_id: the held run whose plan it carries out, which a person approved; None where
            no one had to.
        kind: what it was a run of: accounts, activity since the watermark, or of a past time.
        since: of activity: the time asked for begins here, UTC; None where it has no beginning.
        until: of a backfill: that time ends before this moment, UTC.
        request_count: how many requests carry the upload; None before it is planned.
        accounts_per_request: how many accounts are in each but the last; None before that.
        breaches: the guards that the plan breaks, in order.
        next_watermark_at: of activity: where the watermark stands once the run is done, UTC; None
            where it stays.
        end_number: its place in the order in which runs ended, given by the ledger; None while it
            goes on, and of one that was cut off while it read. What was accepted last is told by
            it, never by a clock.
        api_url: the Lumos it was for; None of one that an earlier version of this program began.
        stages: what each stage took, in the order of their ends; None where that was not noted: of
            an earlier version, or of a process that was killed.
    """

    run_id: str
    source: str
    state: RunState
    actor: str
    started_at: datetime
    ended_at: datetime | None = None
    app_id: str | None = None
    base_run_id: str | None = None
    content_hash: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    plan: dict[str, object] = field(default_factory=dict)
    job_ids: tuple[str, ...] = ()
    error: str | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    kind: RunKind = "sync"
    since: datetime | None = None
    until: datetime | None = None
    request_count: int | None = None
    accounts_per_request: int | None = None
    breaches: tuple[SeenBreach, ...] = ()
    next_watermark_at: datetime | None = None
    end_number: int | None = None
    api_url: str | None = None
    approves_run_id: str | None = None
    stages: tuple[StageUse, ...] | None = None

    @property
    def scope(self) -> RunScope:
        """Whose run it is."""
        return RunScope(self.source, self.app_id, self.kind, self.since, self.until)

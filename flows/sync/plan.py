"""The stages up to a plan: extract, transform, plan. A preview ends here, a sync goes on."""

import logging
from dataclasses import dataclass, replace
from functools import partial

import polars as pl

from flows.run.context import RunContext
from flows.run.read import extract, transform
from flows.sync.publish import accepted_snapshot
from flows.sync.request_files import content_hash
from flows.sync.verdict import Verdict, decide, live_breaches
from loaders.lumos.apps import find_app
from schemas.errors import ContractError, GuardError
from schemas.plan import Plan
from schemas.raw import paths_of
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_file.file import Source
from transforms.plan.guards import check_guards
from transforms.plan.plan import to_plan
from transforms.snapshot.kept import kept_breaches
from transforms.snapshot.snapshot import Normalized

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """What a snapshot is compared with.

    Attributes:
        app_id: the app in Lumos; None where it is not there yet, or Lumos is not asked.
        base: the run that was accepted last into the app; None before the first.
        last: the snapshot it left; None before the first.
        is_certain: whether the app holds just that: no later upload failed half-way.
    """

    app_id: str | None
    base: Run | None
    last: Snapshot | None
    is_certain: bool


def to_target(app_id: str | None, context: RunContext) -> Target:
    """What is known of the app.

    Raises:
        StateError: the last accepted snapshot is not in the archive as it was.
    """
    if app_id is None:
        return Target(None, None, None, is_certain=True)
    base = context.ledger.accepted_into(app_id)
    is_certain = base is not None and not context.ledger.doubtful_runs(app_id)
    return Target(app_id, base, accepted_snapshot(base, context), is_certain)


@dataclass(frozen=True, slots=True)
class Planned:
    """A snapshot that is ready to be judged.

    Attributes:
        normalized: the snapshot, its rejects and counts.
        base: the accepted run it is compared with; None on a first run.
        plan: what it changes.
        verdict: what the guards say.
    """

    normalized: Normalized
    base: Run | None
    plan: Plan
    verdict: Verdict


def check_rejects(source: Source, normalized: Normalized) -> None:
    """Ends the run where the file says that a rejected row fails it.

    Raises:
        ContractError: there are rejected rows, and the file says `rejected_rows: fail`.
    """
    rejected = sum(count.rejected for count in normalized.counts.values())
    if source.file.rejected_rows == "fail" and rejected:
        first = normalized.rejects.filter(~pl.col("is_cell")).row(0, named=True)
        raise ContractError(
            f"{first['file']}:{first['row']}: {first['column'] or 'the row'} {first['reason']} "
            f"({rejected} rejected rows in all; rejected_rows: fail): fix the rows, or keep_last"
        )


def make_plan(
    source: Source,
    context: RunContext,
    normalized: Normalized,
    target: Target,
    *,
    allow_removals: bool,
) -> Planned:
    """The plan, and the guards' verdict on it.

    Where nothing was accepted before, or a later upload may have changed the app, the guards also
    go by what Lumos holds.

    Raises:
        LumosError: the app's accounts could not be read.
    """
    context.progress("planning", 0, 0)
    plan = to_plan(normalized.snapshot, target.last)
    guards = source.file.guards
    breaches = (
        *check_guards(plan, normalized.counts, guards),
        *kept_breaches(normalized.kept, source.file.keep_last_for, context.now()),
    )
    if target.app_id and context.api and not target.is_certain:
        live = live_breaches(context.api, target.app_id, normalized.snapshot, guards)
        breaches = (*breaches, *live)
    held = context.ledger.held_run(source.name) if breaches and allow_removals else None
    hashed = partial(content_hash, normalized.snapshot)
    verdict = decide(breaches, held, target.app_id, target.base, hashed)
    accounts, associations = plan.accounts, plan.associations
    _log.info(
        "%s: accounts: %d added, %d changed, %d removed; associations: %d added, %d removed; %s",
        *(source.name, accounts.added, accounts.changed, accounts.removed),
        *(associations.added, associations.removed, verdict),
    )
    return Planned(normalized, target.base, plan, verdict)


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan that was only looked at, and what it was read from.

    Attributes:
        source: what was read.
        planned: what would be done.
        paths: `account_id`, `integration_specific_entitlement_id` and `path`: the groups through
            which an account holds what it was not given itself; None where the source has none.
    """

    source: Source
    planned: Planned
    paths: pl.DataFrame | None = None


def preview_source(source: Source, context: RunContext) -> Preview:
    """What a sync of `source` would do now; nothing is written.

    Without a token Lumos is not asked which app it is: the source's last accepted run is then the
    base, and a warning says so.

    Raises:
        IngestError: the source cannot be read whole, or not under its file.
    """
    if context.api is not None:
        app_id = find_app(context.api, source.file.app)
    else:
        base = context.ledger.accepted_run(source.name)
        app_id = base.app_id if base else None
    target = to_target(app_id, context)
    raw = extract(source, context, target.base)
    normalized = transform(source, context, raw, target.last, target.base)
    if context.api is None:
        note = "Lumos was not asked (no LUMOS_API_TOKEN): what the app holds was not compared"
        normalized = replace(normalized, warnings=(*normalized.warnings, note))
    planned = make_plan(source, context, normalized, target, allow_removals=False)
    return Preview(source, planned, paths_of(raw))


def held_error(name: str, run_id: str, planned: Planned) -> GuardError:
    """Returns the error of a held plan: which guards it breaks, and what a person may type."""
    lines = what_to_do(name, planned)[len(planned.verdict.breaches) :]
    advice = "; ".join(" ".join(line.split()) for line in lines)
    return GuardError(
        f"held as run {run_id}, nothing was uploaded: {planned.verdict}; {advice}", run_id=run_id
    )


def what_to_do(name: str, planned: Planned, origin: str = "") -> list[str]:
    """What a person may type about a held plan; `origin` as it was typed after the name."""
    lines = [str(breach) for breach in planned.verdict.breaches]
    if planned.verdict.stale_approval_of:
        lines.append(
            f"The source has moved since run {planned.verdict.stale_approval_of} was held: "
            "this is another plan."
        )
    if not origin:
        lines.append(f"Look at it:    lumos-ingest preview {name}")
    if all(breach.is_removal for breach in planned.verdict.breaches):
        lines.append(f"Let it through: lumos-ingest sync {name}{origin} --allow-removals")
    else:
        lines.append("Fix the source and sync again, or change the guard in the source file.")
    return lines

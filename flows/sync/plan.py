"""The stages up to a plan: extract, transform, plan. A preview ends here, a sync goes on."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, partial

import polars as pl

from flows.run.app_identity import app_of
from flows.run.consistency import check_archived, check_consistent
from flows.run.context import RunContext
from flows.run.read import extract, transform
from flows.sync.doubt import (
    doubted_snapshots,
    full_app_breaches,
    kept_from,
    reject_breaches,
    strayed,
    strayed_breaches,
    stricter,
)
from flows.sync.publish import accepted_snapshot
from flows.sync.request_files import content_hash
from flows.sync.verdict import Verdict, decide, live_breaches
from loaders.ledger.decisions import newest_rejection, waiting_run
from loaders.lumos.accounts import read_accounts
from schemas.errors import ContractError, StateError
from schemas.plan import Breach, Plan
from schemas.raw import paths_of
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_file.file import Source
from schemas.source_file.guards import Guards
from transforms.plan.counted import to_unread
from transforms.plan.guards import (
    broken,
    check_emptied_status,
    check_guards,
    check_older,
    judge,
)
from transforms.plan.plan import to_plan
from transforms.plan.window import window_breaches
from transforms.snapshot.kept import kept_breaches
from transforms.snapshot.snapshot import Normalized

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """What a snapshot is compared with.

    Attributes:
        app_id: the app in Lumos; None where it is not there yet, or Lumos is not asked.
        base: the run that was accepted last into the app; None before the first.
        last: the snapshot it left; without it, of the upload that was not accepted last; None where
            nothing was sent.
        is_certain: whether the app holds just that: no later upload failed half-way.
        doubtful: the runs whose upload may have been taken since, and was not accepted.
        doubts: what else of them the app may hold.
        live: the accounts that Lumos holds, as `read_accounts` returns them; None where it is
            certain what they are, or Lumos is not asked.
        kept_from: what rejected rows keep their records of; None where no account is known.
        strayed: how many accounts Lumos holds otherwise than the base left them, where no upload of
            a run here explains it.
    """

    app_id: str | None
    base: Run | None
    last: Snapshot | None
    is_certain: bool
    doubtful: tuple[Run, ...] = ()
    doubts: tuple[Snapshot, ...] = ()
    live: pl.DataFrame | None = None
    kept_from: Snapshot | None = None
    strayed: int = 0


def to_target(source: Source, app_id: str | None, context: RunContext) -> Target:
    """What is known of the app by the ledger and by Lumos, which is believed where they differ.

    Raises:
        StateError: the last accepted snapshot is not in the archive as it was.
        LumosError: the app's accounts could not be read.
    """
    if app_id is None:
        return Target(None, None, None, is_certain=True)
    base = context.ledger.accepted_into(app_id)
    if base is not None and not check_archived(base, context):
        base = None
    doubtful = context.ledger.doubtful_runs(app_id)
    last = accepted_snapshot(base, context)
    is_sure = not doubtful and not context.ledger.is_repaired(app_id)
    if base is not None and last is not None and is_sure:
        certain = Target(app_id, base, last, is_certain=True, kept_from=last)
        return _as_lumos_tells(certain, source, base, last, context)
    doubts = tuple(doubted_snapshots(doubtful, base, context))
    live = read_accounts(context.api, app_id) if context.api else None
    kept = kept_from(last, doubts, live)
    if last is None and doubts:
        last, *others = doubts
        doubts = tuple(others)
    return Target(
        app_id,
        base,
        last,
        is_certain=False,
        doubtful=tuple(doubtful),
        doubts=doubts,
        live=live,
        kept_from=kept,
    )


def _as_lumos_tells(
    certain: Target, source: Source, base: Run, last: Snapshot, context: RunContext
) -> Target:
    """`certain` where Lumos holds what `base` left in the app; else what it holds is in doubt."""
    is_read = source.file.upload.verify is True  # `changed` asks for less
    if context.api is None or certain.app_id is None or not is_read:
        return certain
    live = read_accounts(context.api, certain.app_id)
    count = strayed(base, last, live)
    if not count:
        return certain
    kept = kept_from(last, (), live)
    return replace(certain, is_certain=False, live=live, kept_from=kept, strayed=count)


@dataclass(frozen=True, slots=True)
class Planned:
    """A snapshot that is ready to be judged.

    Attributes:
        normalized: the snapshot, its rejects and counts.
        base: the accepted run it is compared with; None on a first run.
        plan: what it changes.
        verdict: what the guards say.
        doubted: the newest run whose upload may have been taken since, and was not accepted; None
            where it is certain what was.
        judged: what each guard counts and allows, broken or not.
    """

    normalized: Normalized
    base: Run | None
    plan: Plan
    verdict: Verdict
    doubted: Run | None = None
    judged: tuple[Breach, ...] = ()

    @property
    def told(self) -> list[Breach]:
        """The guards of which the plan has something, and what a window or Lumos adds to them."""
        some = [one for one in self.judged if one.found and one.guard != "min_accounts"]
        return [*some, *(one for one in self.verdict.breaches if one not in some)]

    @property
    def against(self) -> str:
        """What the plan is a change of, as a person reads it."""
        if self.base is not None:
            return f"run {self.base.run_id}"
        if self.doubted is not None:
            return f"run {self.doubted.run_id}, which was sent and not accepted"
        if not self.plan.is_first:
            return "nothing that was accepted: Lumos holds accounts that no run here has sent"
        return "nothing (first run: everything is an add)"


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
    source: Source, context: RunContext, normalized: Normalized, target: Target
) -> Planned:
    """The plan, and the guards' verdict on it.

    Where nothing was accepted before, or a later upload may have changed the app, the guards also
    go by each upload that the app may hold, and by what Lumos tells: whichever is stricter.
    """
    context.progress("planning", 0, 0)
    plan = to_plan(normalized.snapshot, target.last)
    if target.last is not None:
        unread = to_unread(normalized.rejects, normalized.snapshot, target.last)
        plan = replace(plan, counted=(*plan.counted, *unread))
    guards = source.file.guards
    judged = judge(plan, normalized.counts, guards)
    breaches = broken(judged) + _drift(guards, context, target, normalized.snapshot, plan)
    breaches += check_older(plan, normalized.older)
    breaches += check_emptied_status(plan, normalized.emptied_status)
    breaches += kept_breaches(normalized.kept, source.file.keep_last_for, context.now())
    breaches = stricter(breaches, *_doubt_breaches(source, normalized, target))
    if plan.is_first and target.live is not None and target.live.height:
        plan = replace(plan, is_first=False)
    verdict = _verdict(source, context, normalized.snapshot, target, breaches)
    accounts, associations = plan.accounts, plan.associations
    _log.info(
        "%s: accounts: %d added, %d changed, %d removed; associations: %d added, %d removed; %s",
        *(source.name, accounts.added, accounts.changed, accounts.removed),
        *(associations.added, associations.removed, verdict),
    )
    doubted = target.doubtful[0] if target.doubtful else None
    return Planned(normalized, target.base, plan, verdict, doubted, judged)


def _doubt_breaches(
    source: Source, normalized: Normalized, target: Target
) -> Iterator[tuple[Breach, ...]]:
    """The breaches of each other comparison, where it is not certain what the app holds."""
    guards, snapshot = source.file.guards, normalized.snapshot
    for doubt in target.doubts:
        yield check_guards(to_plan(snapshot, doubt), normalized.counts, guards)
    if target.live is not None:
        is_fed = target.base is not None or bool(target.doubtful)
        yield live_breaches(target.live, snapshot, guards)
        yield full_app_breaches(target.live, guards, is_fed=is_fed)
        yield strayed_breaches(target.strayed, target.live, guards)
        if source.file.rejected_rows == "keep_last":
            yield reject_breaches(target.live, snapshot, normalized.rejects)


def _drift(
    guards: Guards, context: RunContext, target: Target, snapshot: Snapshot, plan: Plan
) -> tuple[Breach, ...]:
    """The shares that are broken, doubled, over the window.

    A snapshot that the archive has no more is passed over, and a warning says so.
    """
    if target.last is None or target.app_id is None or plan.is_empty or not guards.window:
        return ()

    def saved(run: Run) -> Snapshot | None:
        try:
            return accepted_snapshot(run, context)
        except StateError as error:
            _log.warning("%s: the guards' window passes over a run: %s", run.source, error)
            return None

    runs = context.ledger.accepted_since(target.app_id, context.now() - guards.window)
    base_id = target.base.run_id if target.base else None
    fetches = [partial(saved, run) for run in runs if run.run_id != base_id]
    return window_breaches(plan, snapshot, target.last, fetches, guards)


def _verdict(
    source: Source,
    context: RunContext,
    snapshot: Snapshot,
    target: Target,
    breaches: tuple[Breach, ...],
) -> Verdict:
    """The verdict on the plan, after what people have decided of the source's held ones."""
    base_run_id = target.base.run_id if target.base else None
    waiting = rejected = None
    if breaches:
        waiting = waiting_run(context.ledger, source.name)
        rejected = newest_rejection(context.ledger, source.name, target.app_id, base_run_id)
    hashed = cache(partial(content_hash, snapshot))

    def is_same(held: Run) -> bool:
        is_same_change = (held.app_id, held.base_run_id) == (target.app_id, base_run_id)
        return is_same_change and (
            held.content_hash == hashed() or _is_like_held(held, snapshot, context)
        )

    return decide(breaches, waiting, rejected, is_same, context.now())


def _is_like_held(held: Run, snapshot: Snapshot, context: RunContext) -> bool:
    """Whether the snapshot is the held one but for the times at which accounts were last used.

    They move on from one read to the next: no plan of a source that is in use would come again.
    """
    try:
        seen = context.archive.saved_snapshot(held.source, held.run_id)
    except StateError as error:
        _log.warning("%s: the plan that was held cannot be compared: %s", held.source, error)
        return False
    if content_hash(seen) != held.content_hash:
        return False
    since = to_plan(snapshot, seen)
    is_steady = since.entitlements.is_empty and since.associations.is_empty
    has_same_accounts = not since.accounts.added and not since.accounts.removed
    # A changed attribute is a changed field; one without a value is sent by neither.
    has_moved = since.changed_fields.keys() <= {"last_login", "last_activity"}
    return is_steady and has_same_accounts and has_moved


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
        app_id = app_of(source, context)
    else:
        base = context.ledger.accepted_run(source.name)
        app_id = base.app_id if base else None
    check_consistent(source.name, context)
    target = to_target(source, app_id, context)
    raw = extract(source, context, target.base)
    normalized = transform(source, context, raw, target.kept_from, target.base)
    if context.api is None:
        note = "Lumos was not asked (no LUMOS_API_TOKEN): what the app holds was not compared"
        normalized = replace(normalized, warnings=(*normalized.warnings, note))
    planned = make_plan(source, context, normalized, target)
    return Preview(source, planned, paths_of(raw))

"""An account's history: when it came, what changed, by which run and job, why it is as it is."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import polars as pl

from flows.history.saved_account import SavedAccount, find_accounts, saved_account
from flows.run.context import RunContext
from loaders.ledger.decisions import decisions_on, waiting_run
from schemas.errors import ConfigError, StateError
from schemas.run import Decision, Run

_NOT_TOLD = {"integration_specific_id", "last_login", "last_activity"}
"""Fields that are no change of who may do what: they move on night by night."""

_READ = ("done", "unchanged")
_READERS = 4
"""Snapshots that are read at once."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field that is another than before; None is absence."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Event:
    """What one run changed of the account.

    Attributes:
        run: the run.
        kind: `came`, `changed`, `left`, or `came back`.
        changes: the fields that are others; of an account that came, those it has.
        gained: the labels of permissions that are new.
        lost: those that are gone.
        file: what the account's row was read from; None where that is not known.
        line: the line there.
        approval: the decision that let the run's plan through; None where none had to.
    """

    run: Run
    kind: str
    changes: tuple[Change, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    file: str | None = None
    line: int | None = None
    approval: Decision | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a row, or a cell of it, could not be taken as it stands.

    Attributes:
        file: what it was read from.
        line: the line there.
        column: the column; None of a whole row.
        reason: why, in words that follow the column.
        value: what stood there, private; None where that is not kept.
        is_cell: whether the cell alone is rejected.
    """

    file: str
    line: int
    column: str | None
    reason: str
    value: str | None
    is_cell: bool


@dataclass(frozen=True, slots=True)
class AccountHistory:
    """What ledger and archive know of one account of one source.

    Attributes:
        account_id: its id.
        events: what changed, oldest first; the first is the oldest that is kept.
        now: as the last accepted snapshot has it; None where it is not in there.
        accepted: the run that left that snapshot.
        read_by: the newest run that read the source and was accepted, or had nothing to send.
        kept_since: since when its record is kept for a row that cannot be read; None where it is
            as it was read.
        rejects: what that run could not take of its rows.
        held: what the plan that waits for a person would change; None where none waits, or it
            would change nothing of the account.
        lost_count: accepted runs whose snapshot is kept no more, or is damaged.
    """

    account_id: str
    events: tuple[Event, ...]
    now: SavedAccount | None
    accepted: Run
    read_by: Run
    kept_since: datetime | None
    rejects: tuple[Reject, ...]
    held: Event | None
    lost_count: int


def account_history(source: str, account: str, context: RunContext) -> AccountHistory:
    """The history of the account that has that id or, where none has, that e-mail address.

    Raises:
        ConfigError: no such account in any accepted run that is kept, or several by that address.
        StateError: ledger or archive cannot be read.
    """
    runs = [
        run
        for run in context.ledger.runs(source)
        if run.kind == "sync" and run.state in _READ and run.end_number is not None
    ]
    runs.sort(key=lambda run: run.end_number or 0, reverse=True)
    accepted = [run for run in runs if run.state == "done"]
    if not accepted:
        raise ConfigError(f"no run of {source} was accepted yet: lumos-ingest sync {source}")
    account_id = _named(source, account, accepted, context)
    saved, lost_count = _saved(accepted, account_id, context)
    if not saved:
        raise StateError(f"the archive has no whole snapshot of {source}'s {lost_count} runs")
    newest = runs[0]
    return AccountHistory(
        account_id,
        tuple(_events(saved, context)),
        saved[-1][1],
        saved[-1][0],
        newest,
        _kept_since(newest, account_id, context),
        tuple(_rejects(newest, account_id, context)),
        _held(source, saved[-1][1], account_id, context),
        lost_count,
    )


def _named(source: str, text: str, accepted: list[Run], context: RunContext) -> str:
    """The account's id, by the newest snapshot that knows it."""
    for run in accepted:
        try:
            ids = find_accounts(context.archive, run, text)
        except StateError:
            continue
        if len(ids) > 1:
            raise ConfigError(
                f"{len(ids)} accounts of {source} have that address in run {run.run_id}: name one "
                "by its id"
            )
        if ids:
            return ids[0]
    raise ConfigError(
        f"no account has that id or address in the {len(accepted)} accepted runs of {source}: "
        "ids are compared as they are, addresses without case"
    )


def _saved(
    accepted: list[Run], account_id: str, context: RunContext
) -> tuple[list[tuple[Run, SavedAccount | None]], int]:
    """Each run whose snapshot is there, oldest first, with the account in it; how many are not.

    A run that uploaded the very bytes of the one before is passed over.
    """
    in_order = accepted[::-1]
    others = [
        run
        for before, run in pairwise([None, *in_order])
        if run is not None
        and (before is None or run.content_hash is None or run.content_hash != before.content_hash)
    ]

    def read(run: Run) -> SavedAccount | StateError | None:
        try:
            return saved_account(context.archive, run, account_id)
        except StateError as error:
            return error

    with ThreadPoolExecutor(_READERS) as pool:
        read_of = list(zip(others, pool.map(read, others), strict=True))
    found = [(run, one) for run, one in read_of if not isinstance(one, StateError)]
    return found, len(read_of) - len(found)


def _events(saved: list[tuple[Run, SavedAccount | None]], context: RunContext) -> Iterator[Event]:
    was_there = False
    first = (saved[0][0], None)
    for (_, before), (run, after) in pairwise([first, *saved]):
        event = _event(run, before, after, was_there=was_there)
        was_there |= after is not None
        if event is not None:
            yield replace(event, approval=_approval(run, context))


def _approval(run: Run, context: RunContext) -> Decision | None:
    if run.approves_run_id is None:
        return None
    decisions = decisions_on(context.ledger, run.approves_run_id)
    return next((one for one in decisions if one.decision == "approve"), None)


def _event(
    run: Run, before: SavedAccount | None, after: SavedAccount | None, *, was_there: bool
) -> Event | None:
    """What the run changed; None where nothing that is told."""
    old, new = (one.fields if one else {} for one in (before, after))
    changes = tuple(
        Change(name, old.get(name), new.get(name))
        for name in dict.fromkeys([*new, *old])
        if name not in _NOT_TOLD and old.get(name) != new.get(name)
    )
    had, has = (one.permissions if one else {} for one in (before, after))
    gained = tuple(label for key, label in has.items() if key not in had)
    lost = tuple(label for key, label in had.items() if key not in has)
    if after is None:
        return None if before is None else Event(run, "left", (), (), lost)
    if before is not None and not (changes or gained or lost):
        return None
    arrival = "came back" if was_there else "came"
    kind = "changed" if before is not None else arrival
    return Event(run, kind, changes, gained, lost, after.file, after.line)


def _held(
    source: str, now: SavedAccount | None, account_id: str, context: RunContext
) -> Event | None:
    """What the source's waiting plan would change of the account."""
    waiting = waiting_run(context.ledger, source)
    if waiting is None or (waiting.decision and waiting.decision.decision == "reject"):
        return None
    try:
        would_be = saved_account(context.archive, waiting.run, account_id)
    except StateError:
        return None
    return _event(waiting.run, now, would_be, was_there=True)


def _kept_since(run: Run, account_id: str, context: RunContext) -> datetime | None:
    """Since when the account's record is kept, by the run's own account of that."""
    is_meant = (pl.col("table") == "accounts") & (pl.col("key") == account_id)
    try:
        kept = context.archive.saved_frame(
            run.source, run.run_id, "kept", lambda frame: frame.filter(is_meant)
        )
    except StateError:
        return None
    since = kept["since"].min()
    return since if isinstance(since, datetime) else None


def _rejects(run: Run, account_id: str, context: RunContext) -> Iterator[Reject]:
    """What the run could not take of the account's own row, and of what it holds."""
    encoded = json.dumps(account_id, ensure_ascii=False)
    is_own = (pl.col("table") == "accounts") & (pl.col("key") == account_id)
    may_be_held = (pl.col("table") == "associations") & pl.col("key").str.contains(
        encoded, literal=True
    )
    try:
        rejects = context.archive.saved_frame(
            run.source, run.run_id, "rejects", lambda frame: frame.filter(is_own | may_be_held)
        )
    except StateError:
        return
    for row in rejects.iter_rows(named=True):
        if row["table"] == "accounts" or json.loads(row["key"])["account_id"] == account_id:
            yield Reject(
                row["file"],
                row["row"],
                row["column"],
                row["reason"],
                row["value"],
                bool(row.get("is_cell")),
            )

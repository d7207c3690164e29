"""The command `why`: how an account came to be as it is."""

from collections.abc import Iterator
from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.history.account import AccountHistory, Event, Reject, account_history
from flows.history.saved_account import SavedAccount
from flows.run.context import open_context
from flows.run.settings import read_settings
from flows.run.summary import decision_summary, short_id, time_text
from flows.run.workspace import meant_source, source_names

_STATUS = "user_status"
_SHOWN = 10
"""Permissions named in a line; the rest is a number."""


def why_command(workspace: Path, source: str, account: str, *, as_json: bool) -> int:
    """Tells the account's history; 0.

    Where stdout is no terminal, of statuses and counts alone; `--json` has all.

    Raises:
        ConfigError: the workspace is none; no such account in what the source's runs left.
        StateError: the ledger cannot be read.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    known = source_names(settings.workspace)
    with open_context(settings, with_lumos=False) as context:
        if not context.ledger.runs(source, 1):
            source = meant_source(source, known, settings.workspace)
        history = account_history(source, account, context)
    teller = _Teller(is_private=output.is_terminal)
    name = f" {history.account_id}" if output.is_terminal else ""
    rows = [
        (
            event.run.started_at.strftime("%Y-%m-%d %H:%M"),
            short_id(event.run.run_id),
            "\n".join([*teller.event(event), *(f"job {job}" for job in event.run.job_ids)]),
        )
        for event in history.events
    ]
    output.table(f"{source}: account{name}, oldest first", ("UTC", "run", "what"), rows)
    for line in teller.today(history):
        output.line(line)
    output.document(_document(source, history))
    return 0


class _Teller:
    """Says what happened, for a person at a terminal or without anybody's data."""

    def __init__(self, *, is_private: bool) -> None:
        self._is_private = is_private

    def event(self, event: Event) -> Iterator[str]:
        """A run's changes, a line each."""
        place = f", {_place(event.file, event.line)}" if event.file else ""
        yield f"{event.kind}{place}"
        for change in event.changes:
            if self._is_private or change.field == _STATUS:
                before = f"{change.before} → " if change.before is not None else ""
                yield f"{change.field}: {before}{change.after if change.after is not None else '-'}"
            elif event.kind == "changed":
                yield f"{change.field}: changed"
        yield from self._permissions("+", event.gained)
        yield from self._permissions("-", event.lost)
        if event.approval is not None:
            reason = f": {event.approval.reason}" if self._is_private else ""
            yield f"approved by {event.approval.actor}{reason}"

    def today(self, history: AccountHistory) -> Iterator[str]:
        """How it is now, and why."""
        if history.lost_count:
            yield (
                f"{history.lost_count} accepted runs are not told of: the archive has their "
                "snapshots no more, or damaged"
            )
        yield from self._now(history)
        for reject in history.rejects:
            yield f"  {self._reject(reject)}"
        if history.held is not None:
            run_id = short_id(history.held.run.run_id)
            would = "; ".join(list(self.event(history.held))[1:]) or "take it away"
            yield f"run {run_id} waits for a person; it would: {would}"
        yield from self._holds(history)

    def _now(self, history: AccountHistory) -> Iterator[str]:
        by = f"run {short_id(history.read_by.run_id)}, {time_text(history.read_by.started_at)}"
        if history.now is None:
            yield f"not in the source as {by}, read it: Lumos holds it no more"
        elif history.kept_since is not None:
            yield (f"kept since {time_text(history.kept_since)}: its row cannot be read, by {by}:")
        else:
            place = _place(history.now.file, history.now.line)
            yield f"as its row says{f' ({place})' if place else ''}, by {by}"

    def _holds(self, history: AccountHistory) -> Iterator[str]:
        if history.now is None:
            return
        cells = {name: cell for name, cell in history.now.fields.items() if cell is not None}
        if not self._is_private:
            cells = {_STATUS: cells[_STATUS]}
        told = ", ".join(f"{name} {cell}" for name, cell in cells.items())
        yield f"Lumos holds, since run {short_id(history.accepted.run_id)}: {told}"
        held = tuple(history.now.permissions.values())
        yield from (f"  {line}" for line in self._permissions("holds", held))
        if not held:
            yield "  holds nothing"

    def _permissions(self, sign: str, labels: tuple[str, ...]) -> Iterator[str]:
        if not labels:
            return
        if self._is_private:
            more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
            yield f"{sign} {', '.join(labels[:_SHOWN])}{more}"
        else:
            yield f"{sign} {len(labels)} permission{'s' if len(labels) > 1 else ''}"

    def _reject(self, reject: Reject) -> str:
        what = reject.column or "the row"
        value = f": {reject.value!r}" if self._is_private and reject.value else ""
        blank = " (the cell alone)" if reject.is_cell else ""
        return f"{_place(reject.file, reject.line)}: {what} {reject.reason}{value}{blank}"


def _place(file: str | None, line: int | None) -> str:
    return f"{file}:{line}" if file and line is not None else file or ""


def _document(source: str, history: AccountHistory) -> dict[str, object]:
    return {
        "source": source,
        "account": history.account_id,
        "events": [_event_document(event) for event in history.events],
        "now": _account_document(history.now),
        "accepted_run_id": history.accepted.run_id,
        "read_by_run_id": history.read_by.run_id,
        "is_kept": history.kept_since is not None,
        "kept_since": history.kept_since.isoformat() if history.kept_since else None,
        "rejects": [
            {
                "file": reject.file,
                "line": reject.line,
                "column": reject.column,
                "reason": reject.reason,
                "value": reject.value,
                "is_cell": reject.is_cell,
            }
            for reject in history.rejects
        ],
        "held": _event_document(history.held) if history.held else None,
        "runs_not_told": history.lost_count,
    }


def _event_document(event: Event) -> dict[str, object]:
    return {
        "run_id": event.run.run_id,
        "started_at": event.run.started_at.isoformat(),
        "job_id": event.run.job_ids[-1] if event.run.job_ids else None,
        "kind": event.kind,
        "changes": {
            change.field: {"before": change.before, "after": change.after}
            for change in event.changes
        },
        "gained": list(event.gained),
        "lost": list(event.lost),
        "file": event.file,
        "line": event.line,
        "approval": decision_summary(event.approval) if event.approval else None,
    }


def _account_document(account: SavedAccount | None) -> dict[str, object] | None:
    if account is None:
        return None
    return {
        **account.fields,
        "permissions": [
            {"entitlement": entitlement, "resource": resource, "label": label}
            for (entitlement, resource), label in account.permissions.items()
        ],
        "file": account.file,
        "line": account.line,
    }

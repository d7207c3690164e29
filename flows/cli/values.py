"""What `check` says of the values in a source's exports: what a sync would reject, and how much."""

from collections.abc import Iterator
from typing import Protocol

import polars as pl

from extractors.read import read_source
from flows.run.context import utc_now
from flows.run.own_transform import transformed
from flows.run.secrets import to_resolver
from schemas.errors import ContractError, IngestError, SourceFormatError
from schemas.raw import Raw
from schemas.settings import Settings
from schemas.snapshot import empty_snapshot
from schemas.source_file.file import Source, located
from transforms.plan.guards import check_guards
from transforms.plan.plan import to_plan
from transforms.snapshot.snapshot import Normalized, to_snapshot

PLACES = 3
"""Places that are told of each kind of reject."""

_OF_ROWS = frozenset({"max_rejected_rows", "min_accounts"})
"""The guards that the rows alone can break, whatever was accepted before."""


class Notebook(Protocol):
    """Where it is written down."""

    facts: list[str]
    notes: list[str]
    problems: list[IngestError]


def look_at_values(source: Source, settings: Settings, notebook: Notebook) -> None:
    """Writes down what a sync would make of the rows; no value of a row, but words that rows share.

    Raises:
        IngestError: the source cannot be read whole, or not under its file.
    """
    now = utc_now()
    normalized = to_snapshot(_read(source, settings), source.file, empty_snapshot(), now)
    count = normalized.counts["accounts"]
    notebook.facts.append(f"rows: {count.accepted} of {count.judged} accounts can be sent")
    known = set(notebook.notes)
    notebook.notes.extend(note for note in normalized.warnings if not known & {note})
    notebook.notes.extend(_rejects(normalized))
    rejected = sum(one.rejected for one in normalized.counts.values())
    if rejected and source.file.rejected_rows == "fail":
        text = f"{rejected} rows would be rejected, and rejected_rows: fail ends the run"
        notebook.problems.append(ContractError(text))
    plan = to_plan(normalized.snapshot, None)
    for breach in check_guards(plan, normalized.counts, source.file.guards):
        if breach.guard in _OF_ROWS:
            notebook.problems.append(SourceFormatError(f"a sync would be held: {breach}"))


def _read(source: Source, settings: Settings) -> Raw:
    """The source's rows, as they are now: nothing is waited for."""
    raw = located(
        source,
        lambda: read_source(
            source.file.source,
            settings.workspace,
            now=utc_now(),
            sleep=lambda _seconds: None,
            resolve=to_resolver(settings.workspace),
            named=source.file.named,
            id_columns={"accounts": source.file.columns.integration_specific_id.column or ""},
        ),
    )
    return transformed(source, settings.workspace, raw)


def _rejects(normalized: Normalized) -> Iterator[str]:
    """What is rejected, by table, column and reason, with the first few places of each."""
    rejects = normalized.rejects
    place = pl.concat_str("file", pl.lit(":"), "row")
    grouped = rejects.group_by("table", "is_cell", "column", "reason", maintain_order=True).agg(
        pl.len().alias("count"), place.head(PLACES).str.join(", ").alias("places")
    )
    for row in grouped.iter_rows(named=True):
        what = "cell" if row["is_cell"] else "row"
        of = row["count"]
        subject = f"{row['column'] or 'the row'} {row['reason']}"
        fate = "rejected" if not row["is_cell"] else "left out"
        more = ", …" if of > PLACES else ""
        yield (
            f"{row['table']}: {of} {what}{'' if of == 1 else 's'} would be {fate}: {subject} "
            f"({row['places']}{more})"
        )

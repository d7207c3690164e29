"""What a run read and what became of it: exports, rows in and out, rejects, kept records."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from flows.report.hashes import Names
from flows.run.context import RunContext
from flows.run.summary import time_text
from schemas.errors import StateError
from schemas.run import Run
from schemas.source_file.quantities import duration_text
from schemas.tables import REJECTS

GROUPS_SHOWN = 50
PLACES_SHOWN = 20
KEPT_SHOWN = 50
"""Kinds of rejects, places of each and kept records that a page lists; the rest is a number."""

_OUTS = ("accepted", "merged", "rejected", "dropped", "excluded", "ignored")
_TABLES = ("accounts", "entitlements", "resources", "associations", "activity")
_KIB = 1024


@dataclass(frozen=True, slots=True)
class Export:
    """A file that was read: its name, its size, when it was written, and how its bytes begin."""

    table: str
    name: str
    size: str
    written: str
    checksum: str


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of a table, in and out.

    Attributes:
        table: its name.
        read: how many were read.
        outs: what became of them, by fate, with the percentage; those that came to nothing are not
            among them.
        kept: records kept as accepted last, for rejected rows.
        cells: rejected cells whose rows stand.
    """

    table: str
    read: int
    outs: tuple[tuple[str, int, float], ...]
    kept: int
    cells: int

    @property
    def is_whole(self) -> bool:
        """Whether every row is accounted for."""
        return self.read == sum(count for _, count, _ in self.outs)


@dataclass(frozen=True, slots=True)
class RejectGroup:
    """Rejects of one kind.

    Attributes:
        table: whose.
        column: the column; "" of a whole row.
        reason: why.
        count: how many.
        places: file and line of the first, with whose they are.
        more: how many more there are.
    """

    table: str
    column: str
    reason: str
    count: int
    places: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that is kept as it was accepted last, since when, and for how long that is."""

    table: str
    name: str
    since: str
    age: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a run read.

    Attributes:
        proof: what shows that the read was whole.
        has_proof: whether the run noted that; one of before did not.
        warnings: what a person should know.
        exports: the files.
        tables: the rows, in and out.
        rows: rejected rows, by reason.
        cells: rejected cells whose rows stand.
        more_groups: kinds of rejects that are not listed.
        kept: records that are kept.
        more_kept: how many more there are.
        kept_for: how long the oldest is kept; "" for none.
        missing: why there are no rejects to list, where that is so.
    """

    proof: tuple[str, ...]
    has_proof: bool
    warnings: tuple[str, ...]
    exports: tuple[Export, ...]
    tables: tuple[TableRows, ...]
    rows: tuple[RejectGroup, ...]
    cells: tuple[RejectGroup, ...]
    more_groups: int
    kept: tuple[Kept, ...]
    more_kept: int
    kept_for: str
    missing: str


def reading_of(run: Run, context: RunContext, names: Names) -> Reading:
    """What the run read, by ledger and archive."""
    missing = ""
    try:
        rejects = context.archive.saved_frame(run.source, run.run_id, "rejects")
    except StateError:
        rejects = pl.DataFrame()
        if any(name.endswith("_rejected") and count for name, count in run.counts.items()):
            missing = "The archive has this run's rejects no more."
    rows, cells, more = _groups(rejects, names)
    kept, more_kept, kept_for = _kept(run, context, names)
    return Reading(
        proof=_texts(run, "proof"),
        has_proof="proof" in run.plan or run.kind != "sync",
        warnings=_texts(run, "warnings"),
        exports=_exports(run, context),
        tables=tuple(_tables(run)),
        rows=rows,
        cells=cells,
        more_groups=more,
        kept=kept,
        more_kept=more_kept,
        kept_for=kept_for,
        missing=missing,
    )


def _texts(run: Run, key: str) -> tuple[str, ...]:
    noted = run.plan.get(key)
    return tuple(str(one) for one in noted) if isinstance(noted, list) else ()


def size_text(size: float) -> str:
    """A number of bytes as a person reads it."""
    for unit in ("B", "KiB", "MiB"):
        if size < _KIB:
            return f"{size:.0f} {unit}"
        size /= _KIB
    return f"{size:.1f} GiB"


def _exports(run: Run, context: RunContext) -> tuple[Export, ...]:
    try:
        exports = context.archive.saved_frame(run.source, run.run_id, "exports")
    except StateError:
        return ()
    return tuple(
        Export(
            one["table"],
            one["name"],
            size_text(one["size_bytes"]) if one["size_bytes"] >= 0 else "",
            time_text(datetime.fromtimestamp(one["modified_ns"] / 1e9, UTC))
            if one["modified_ns"] >= 0
            else "",
            one["sha256"][:12],
        )
        for one in exports.iter_rows(named=True)
    )


def _tables(run: Run) -> list[TableRows]:
    tables = []
    for table in _TABLES:
        read = run.counts.get(f"{table}_read")
        if read is None:
            continue
        counted = ((fate, run.counts.get(f"{table}_{fate}", 0)) for fate in _OUTS)
        outs = tuple(
            (fate, count, round(100 * count / max(read, 1), 2)) for fate, count in counted if count
        )
        kept, cells = (run.counts.get(f"{table}_{name}", 0) for name in ("kept", "cells"))
        if read or kept:
            tables.append(TableRows(table, read, outs, kept, cells))
    return tables


def _groups(
    rejects: pl.DataFrame, names: Names
) -> tuple[tuple[RejectGroup, ...], tuple[RejectGroup, ...], int]:
    """Rejected rows and rejected cells by reason, most first; how many kinds are not listed."""
    if rejects.is_empty():
        return (), (), 0
    of_now = pl.DataFrame(schema=REJECTS)  # versions before had neither `is_cell` nor `name`
    rejects = pl.concat([of_now, rejects], how="diagonal")
    rejects = rejects.with_columns(pl.col("is_cell").fill_null(value=False))
    kinds = (
        rejects.group_by("is_cell", "table", "column", "reason", maintain_order=True)
        .agg(
            pl.len().alias("count"),
            pl.col("file").head(PLACES_SHOWN),
            pl.col("row").head(PLACES_SHOWN),
            pl.col("key").head(PLACES_SHOWN),
            pl.col("name").head(PLACES_SHOWN),
        )
        .sort("count", descending=True, maintain_order=True)
    )
    shown: dict[bool, list[RejectGroup]] = {False: [], True: []}
    for one in kinds.head(GROUPS_SHOWN).iter_rows(named=True):
        places = tuple(
            _place(file, row, key, name, names)
            for file, row, key, name in zip(
                one["file"], one["row"], one["key"], one["name"], strict=True
            )
        )
        shown[bool(one["is_cell"])].append(
            RejectGroup(
                one["table"],
                one["column"] or "",
                one["reason"],
                one["count"],
                places,
                one["count"] - len(places),
            )
        )
    return tuple(shown[False]), tuple(shown[True]), max(0, kinds.height - GROUPS_SHOWN)


def _place(file: str, row: int, key: str | None, name: str | None, names: Names) -> str:
    """Where it stands, and whose it is: an id, in clear with what it is called."""
    called = f" ({name})" if names.has_ids and name and name != key else ""
    return f"{file}:{row}{f' {names.of(key)}' if key else ''}{called}"


def _kept(run: Run, context: RunContext, names: Names) -> tuple[tuple[Kept, ...], int, str]:
    """The records that are kept, the longest kept first; how many more; how long the first is."""
    try:
        frame = context.archive.saved_frame(run.source, run.run_id, "kept")
    except StateError:
        return (), 0, ""
    records = frame.filter(pl.col("key").is_not_null()).sort("since", "table", "key")
    if records.is_empty():
        return (), 0, ""
    kept = tuple(
        Kept(table, names.of(key), time_text(since), _age(run, since), bool(is_closed))
        for table, key, since, is_closed in records.head(KEPT_SHOWN)
        .select("table", "key", "since", "is_closed")
        .iter_rows()
    )
    return kept, records.height - len(kept), kept[0].age


def _age(run: Run, since: datetime) -> str:
    held_for = run.started_at - since
    return duration_text(held_for) if held_for > timedelta(minutes=1) else "since this run"

"""What one read of a directory keeps for the next: its entries, and what they were true of."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import polars as pl

from extractors.directory_entries import Cell, Entries

_ANCHOR = "anchor"
_VALUE = "="  # before an attribute's name, so that none is taken for a column of ours


@dataclass(frozen=True, slots=True)
class Anchor:
    """What must be the same for kept entries to count.

    Attributes:
        server: which copy of the directory was read, by an id of its own.
        searches: what was asked for, as text, by sort of entry.
        mark: up to where its changes are in the entries, as it counts them.
        read_at: when all of it was read last, ISO 8601.
    """

    server: str
    searches: dict[str, str]
    mark: str
    read_at: str

    def is_younger_than(self, age_s: float, now: datetime) -> bool:
        """Whether the last whole read is not longer ago than `age_s` seconds."""
        return 0 <= (now - datetime.fromisoformat(self.read_at)).total_seconds() < age_s


@dataclass(frozen=True, slots=True)
class Kept:
    """Entries by sort (`users`, `groups`), and their anchor."""

    anchor: Anchor
    entries: dict[str, Entries]


def to_kept_frame(kept: Kept) -> pl.DataFrame:
    """As a frame: `sort`, `dn`, and a list of bytes for each attribute; the anchor first."""
    anchor = json.dumps(asdict(kept.anchor), sort_keys=True)
    parts = [pl.DataFrame({"sort": [_ANCHOR], "dn": [anchor]})]
    for sort, entries in kept.entries.items():
        columns = [
            pl.Series(_VALUE + name, [_listed(cell) for cell in cells], dtype=pl.List(pl.Binary()))
            for name, cells in sorted(entries.columns.items())
        ]
        named = [
            pl.Series("sort", [sort] * len(entries), dtype=pl.String),
            pl.Series("dn", entries.dns, dtype=pl.String),
        ]
        parts.append(pl.DataFrame([*named, *columns]))
    return pl.concat(parts, how="diagonal")


def from_kept_frame(frame: pl.DataFrame | None) -> Kept | None:
    """What a frame holds; None for none, or for one that is not ours."""
    if frame is None or not {"sort", "dn"} <= set(frame.columns):
        return None
    try:
        said: dict[str, Any] = json.loads(frame.filter(sort=_ANCHOR)["dn"].item())
        anchor = Anchor(**said)
    except (TypeError, ValueError):
        return None
    names = [name for name in frame.columns if name.startswith(_VALUE)]
    entries = {}
    for sort in anchor.searches:
        rows = frame.filter(sort=sort)
        columns = {
            name.removeprefix(_VALUE): [_cell(values) for values in rows[name].to_list()]
            for name in names
            if rows[name].null_count() < rows.height
        }
        entries[sort] = Entries(rows["dn"].to_list(), columns)
    return Kept(anchor, entries)


def _listed(cell: Cell) -> list[bytes] | None:
    return [cell] if isinstance(cell, bytes) else cell


def _cell(values: list[bytes] | None) -> Cell:
    return values[0] if values is not None and len(values) == 1 else values

"""What an extractor hands over: rows as text, undecided, and the proof that they are all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from schemas.export_file import ExportFile, ReadExport

TABLES = ("accounts", "entitlements", "resources", "associations")
"""The tables of a `Raw`, in their order."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of several files that are one table.

    Attributes:
        name: its path or URL.
        above: how many lines the files before it have.
    """

    name: str
    above: int


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table of a source, as it was read.

    Attributes:
        name: `accounts`, `entitlements`, `resources` or `associations`.
        rows: every column as text under the source's own names, and `ROW`: the line in the source,
            UInt32. An empty cell is an empty string, a null one (of a database, of an attribute
            that is not there) is null. In the source's order.
        rejects: rows that could not be split into columns (`REJECTS`), with no row of theirs in
            `rows`.
        read_count: rows read: `rows.height`, the rows in `rejects`, and `dropped_count`.
        origin: the file, query or base they came from, for messages.
        zone: of times in `rows` that name none, where it is known.
        dropped_count: rows that were left out since, by `leave_out` or by a transform of a person's
            own; they are in neither.
        written_at: when the file was last written, UTC; None where nobody says it.
        parts: the files it was read from, in order, where they are several: `ROW` then counts the
            lines of all of them.
    """

    name: str
    rows: pl.DataFrame
    rejects: pl.DataFrame
    read_count: int
    origin: str
    zone: str | None = None
    dropped_count: int = 0
    written_at: datetime | None = None
    parts: tuple[Part, ...] = ()

    def places(self, rows: pl.Series) -> pl.DataFrame:
        """Where the rows of these numbers (`ROW`) stand: `file` and `row`, its line, in order."""
        if not self.parts:
            file = pl.Series("file", [self.origin], dtype=pl.String).new_from_index(0, rows.len())
            return pl.DataFrame([file, rows.alias("row")])
        above = pl.Series([part.above for part in self.parts], dtype=pl.UInt32)
        names = pl.Series("file", [part.name for part in self.parts], dtype=pl.String)
        number = above.search_sorted(rows, side="left") - 1
        return pl.DataFrame([names.gather(number), (rows - above.gather(number)).alias("row")])


@dataclass(frozen=True, slots=True)
class Probe:
    """What one table of a source looks like at first sight.

    Attributes:
        table: as in `RawTable`.
        origin: the file, query or base, for messages.
        said: what was found, for a person.
        columns: the columns it has, as the source calls them; None where only a read shows them.
    """

    table: str
    origin: str
    said: str
    columns: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ReaderState:
    """What a reader wants to find again when it reads next: of the run that was accepted last.

    Attributes:
        marks: texts by name.
        frames: frames by name; private, as rows are.
    """

    marks: dict[str, str]
    frames: dict[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class LastRead:
    """What a read remembers of itself; the next is judged by it, once the run is accepted.

    Attributes:
        exports: the exports that were read; none where the source has none.
        seen: which entries of a directory showed which attributes, by search: `users`, `groups`. A
            frame has `dn`, normalized, `stamp`, which changes with the entry (null where it is not
            told), and a column of truths an attribute.
        changed_at: when a database's newest row was written, UTC; None where nothing asks for it.
    """

    exports: tuple[ReadExport, ...] = ()
    seen: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """A whole read of one source.

    Attributes:
        accounts: always there.
        entitlements: None where the source keeps none apart; likewise `resources` and
            `associations`.
        taken_at: when the source's data were made: the age of the oldest part, UTC.
        proof: what shows that the read was whole, one sentence a part.
        warnings: what a person should know about the read (an encoding that was found, say).
        files: the exports it was read from, which are archived once the upload is accepted.
        state: what the next read goes on from; None where each begins anew.
        remembered: what the next read is judged by.
        older: what of it may be older than what was accepted last (`an old export`); empty for
            nothing. Whatever it gives is for a person to decide.
    """

    accounts: RawTable
    entitlements: RawTable | None
    resources: RawTable | None
    associations: RawTable | None
    taken_at: datetime
    proof: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    files: tuple[ExportFile, ...] = ()
    state: ReaderState | None = None
    remembered: LastRead = LastRead()
    older: str = ""


PATH = "path"
"""The column of raw associations that says through which groups one is held: `Staff > Admins`."""


def paths_of(raw: Raw) -> pl.DataFrame | None:
    """The associations that come through others, each with its path; None where none does."""
    if raw.associations is None or PATH not in raw.associations.rows.columns:
        return None
    columns = ("account_id", "integration_specific_entitlement_id", PATH)
    return raw.associations.rows.select(columns).drop_nulls(PATH)

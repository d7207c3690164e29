"""Candidate rows against their contract and one another: accepted, merged, or rejected."""

from dataclasses import dataclass
from itertools import chain

import pandera.polars as pa
import polars as pl
from pandera.errors import SchemaErrors

from schemas.contracts import DAMAGE, MISSING
from schemas.raw import RawTable
from schemas.tables import READ_FAULTS, REJECTS, ROW, UNREADABLE_MARK, Reason
from transforms.parallel import both, two_at_once
from transforms.tables.columns import untold_texts
from transforms.tables.expressions import NEVER_ASKED
from transforms.tables.mapping import ColumnUse, cell_of
from transforms.tables.rejects import (
    FAILURES,
    TableCount,
    failures_of,
    rejected_row_count,
    with_untold,
)

# Two rows with one key: the same twice is merged, two that differ are both rejected.

CONFLICT = Reason("conflict", "has a key that another, different row has too")


def duplicates_of(records: pl.DataFrame, key: list[str]) -> tuple[pl.Series, pl.Series]:
    """Two masks over `records`, row by row: (conflicting, a repetition of an equal row before it).

    `records` holds everything that makes two rows differ, and nothing else. A conflicting row is in
    conflict with every row of its key, however many of those are equal.
    """
    none = pl.repeat(False, records.height, eager=True)
    first = records[key[0]].hash()
    if first.n_unique() == first.len():  # a quarter of the time of looking for the pairs
        return none, none
    shared = first.is_duplicated()
    index = shared.arg_true()
    group = pl.struct(key)
    whole = pl.struct(records.columns)
    pairs = records.filter(shared).select(
        conflicting=(whole.n_unique() > 1).over(group),
        repeated=~whole.is_first_distinct(),
    )
    return (
        none.clone().scatter(index, pairs["conflicting"]),
        none.clone().scatter(index, pairs["repeated"] & ~pairs["conflicting"]),
    )


NO_RECORD = ""
"""The key of a reject that is no record at all: a header again, a blank row. It keeps nothing."""

REJECTS_BY_ROW = tuple(column for column in REJECTS if column not in {"table", "file"})


@dataclass(frozen=True, slots=True)
class Conformed:
    """One table after its contract.

    Attributes:
        rows: every row, canonical, in the source's order.
        accepted_index: the accepted ones among them, ascending, UInt32.
        rejected_index: the rejected ones, ascending, UInt32.
        merged_index: those that say again what an accepted one says, ascending, UInt32.
        completed_index: accepted ones that would name nobody without their last record, UInt32.
        rejects: `REJECTS`, also those the reader found.
        count: what became of every row.
    """

    rows: pl.DataFrame
    accepted_index: pl.Series
    rejected_index: pl.Series
    merged_index: pl.Series
    completed_index: pl.Series
    rejects: pl.DataFrame
    count: TableCount

    @property
    def row_rejects(self) -> pl.DataFrame:
        """The rejects but for those of a cell whose row stands."""
        return self.rejects.filter(~pl.col("is_cell"))

    @property
    def records(self) -> pl.DataFrame:
        """The accepted rows, in the source's order."""
        return self.of_records(self.rows.columns)

    def of_records(self, columns: list[str]) -> pl.DataFrame:
        """Some columns of the accepted rows, in the source's order."""
        wanted = self.rows.select(columns)
        if self.accepted_index.len() == wanted.height:
            return wanted
        return wanted.select(pl.all().gather(self.accepted_index))


SLICE = 500_000
"""Rows a contract is checked on at a time: pandera's memory grows with them, its time with slices.
"""


def failures(candidates: pl.DataFrame, contract: pa.DataFrameSchema) -> pl.DataFrame:
    """Where `candidates` break `contract`: `FAILURES`, one row a cell and reason, by row.

    `index` counts the rows of `candidates` from 0; `column` is null where the row as a whole is at
    fault.
    """

    # Safe two at once: pandera keeps its settings by context, and each thread has its own.
    def failures_of_slice(start: int) -> list[pl.DataFrame]:
        return _failures_of_slice(candidates.slice(start, SLICE), contract, start)

    each = two_at_once(failures_of_slice, range(0, candidates.height, SLICE))
    by_slice = pl.concat([pl.DataFrame(schema=FAILURES), *chain.from_iterable(each)])
    return by_slice.sort("index", maintain_order=True)


def _failures_of_slice(
    candidates: pl.DataFrame, contract: pa.DataFrameSchema, start: int
) -> list[pl.DataFrame]:
    errors: list[tuple[Reason, str | None, pl.Series]] = []
    broken = None
    try:
        contract.validate(candidates, lazy=True)
    except SchemaErrors as raised:
        for error in raised.schema_errors:
            mask = error.check_output
            if mask is None:
                broken = f"{error.reason_code} on {error.schema.name}"
                continue
            reason = getattr(error.check, "error", None) or MISSING
            name = error.schema.name
            column = name if name in candidates.columns else None
            errors.append((reason, column, mask.to_series()))
    if broken:
        raise AssertionError(f"a canonical table of ours does not have its form: {broken}")
    return [
        failures_of(~mask.fill_null(value=False), column, reason, start)
        for reason, column, mask in errors
    ]


def conform(
    table: RawTable,
    candidates: pl.DataFrame,
    contract: pa.DataFrameSchema,
    key: list[str],
    use: ColumnUse,
) -> Conformed:
    """Judges `candidates` (one a raw row, in order).

    Args:
        table: where they come from.
        candidates: canonical columns.
        contract: the table's contract.
        key: the columns that must be unique together.
        use: how the raw columns were used, to find a reject's own text.
    """
    broken, duplicates = both(
        lambda: failures(candidates, contract), lambda: duplicates_of(candidates, key)
    )
    broken = with_untold(broken, untold_texts(table, use, NEVER_ASKED))
    return settle(table, candidates, key, use, Faults(broken, broken.clear()), duplicates)


@dataclass(frozen=True, slots=True)
class Faults:
    """What is wrong with the rows of a table.

    Attributes:
        rows: `FAILURES` that cost their row.
        cells: `FAILURES` of cells whose row may stand.
    """

    rows: pl.DataFrame
    cells: pl.DataFrame


def settle(
    table: RawTable,
    candidates: pl.DataFrame,
    key: list[str],
    use: ColumnUse,
    faults: Faults,
    duplicates: tuple[pl.Series, pl.Series],
) -> Conformed:
    """What becomes of `candidates`, with their faults and `duplicates_of` them known."""
    conflicting, repeated = duplicates
    has_key = candidates[key[0]].str.contains(r"\S")
    rows = pl.concat([faults.rows, failures_of(conflicting & has_key, key[0], CONFLICT)])
    is_rejected = _mask(rows["index"], candidates.height)
    told = pl.concat(
        [
            rows.with_columns(is_cell=pl.lit(value=False)),
            faults.cells.with_columns(is_cell=~is_rejected.gather(faults.cells["index"])),
        ]
    )
    rejects = to_rejects(table, candidates, key, use, told)
    is_accepted = ~is_rejected & ~repeated
    count = TableCount(
        read=table.read_count,
        accepted=int(is_accepted.sum()),
        merged=int((repeated & ~is_rejected).sum()),
        rejected=rejected_row_count(rejects, table.name),
        dropped=table.dropped_count,
        cells=int(told["is_cell"].sum()),
    ).check(table.name)
    is_completed = _mask(faults.cells.filter(pl.col("column").is_null())["index"], len(is_accepted))
    return Conformed(
        candidates,
        is_accepted.arg_true().cast(pl.UInt32),
        is_rejected.arg_true().cast(pl.UInt32),
        (repeated & ~is_rejected).arg_true().cast(pl.UInt32),
        (is_completed & is_accepted).arg_true().cast(pl.UInt32),
        rejects,
        count,
    )


def _mask(index: pl.Series, height: int) -> pl.Series:
    return pl.repeat(False, height, dtype=pl.Boolean, eager=True).scatter(index.unique(), True)


def key_text(records: pl.DataFrame, key: list[str]) -> pl.Series:
    """Each record's key as a reject carries it: the id alone, or JSON.

    A part that cannot be told is null: a blank id, or one with a character that only damage puts
    there. `m\ufffdller` names nobody, and must not stand for an account of that name.
    """
    parts = [pl.when(_is_readable(name)).then(name).alias(name) for name in key]
    keys = records.select(parts)
    if len(key) == 1:
        return keys.to_series().alias("key")
    return keys.select(pl.struct(key).struct.json_encode().alias("key")).to_series()


def _is_readable(name: str) -> pl.Expr:
    is_sound = ~pl.col(name).str.contains(DAMAGE)
    may_be_blank = name.endswith("resource_id")
    return is_sound if may_be_blank else is_sound & pl.col(name).str.contains(r"\S")


def to_rejects(
    table: RawTable,
    candidates: pl.DataFrame,
    key: list[str],
    use: ColumnUse,
    faults: pl.DataFrame,
) -> pl.DataFrame:
    """The reader's rejects and ours, by line, with the text of the column at fault.

    `faults` are `FAILURES`, each with `is_cell` where some are of cells alone.
    """
    if "is_cell" not in faults.columns:
        faults = faults.with_columns(is_cell=pl.lit(value=False))
    index = faults["index"].unique().sort()
    rows = pl.DataFrame(
        {
            "index": index,
            "key": key_text(candidates.select(pl.col(key).gather(index)), key),
            "name": _names(candidates).gather(index),
        }
    ).hstack(table.places(table.rows[ROW].gather(index)))
    rows = rows.with_columns(
        key=pl.when(_is_blank(table, index)).then(pl.lit(NO_RECORD)).otherwise("key")
    )
    valued = [
        group.with_columns(_values(table, use, column, group["index"]))
        for (column,), group in faults.group_by("column", maintain_order=True)
    ]
    if not valued:
        return table.rejects
    ours = _with_read_faults(pl.concat(valued))
    ours = ours.join(rows, on="index", how="left").sort("index", "column")
    ours = ours.select(pl.lit(table.name).alias("table"), "file", *REJECTS_BY_ROW)
    order = ["file", "row"] if table.parts else ["row"]
    return pl.concat([table.rejects, ours]).sort(order, maintain_order=True)


def _with_read_faults(faults: pl.DataFrame) -> pl.DataFrame:
    """The faults, each of a cell that the reader could not read with what the reader says of it."""
    if not faults["value"].str.contains(UNREADABLE_MARK, literal=True).any():
        return faults
    value = pl.col("value").str.extract(f"({UNREADABLE_MARK}[a-z ]+)")
    codes = {value: reason.code for value, reason in READ_FAULTS.items()}
    texts = {value: str(reason) for value, reason in READ_FAULTS.items()}
    told = faults.with_columns(
        code=value.replace_strict(codes, default=pl.col("code")),
        reason=value.replace_strict(texts, default=pl.col("reason")),
    )
    return told.unique(["index", "column", "code"], keep="first", maintain_order=True)


def _names(candidates: pl.DataFrame) -> pl.Series:
    """What a person knows each row by: a login, a label; null where it has neither."""
    named = next((name for name in ("username", "label") if name in candidates.columns), None)
    if named is None:
        return pl.Series("name", [None], dtype=pl.String).new_from_index(0, candidates.height)
    return candidates[named]


def _is_blank(table: RawTable, index: pl.Series) -> pl.Series:
    """Whether every cell of a row is blank, as in the empty rows below a spreadsheet's table."""
    cells = table.rows.select(pl.exclude(ROW).gather(index))
    is_blank = (pl.all().str.strip_chars() == "").fill_null(value=True)
    return cells.select(pl.all_horizontal(is_blank)).to_series()


def _values(table: RawTable, use: ColumnUse, column: object, index: pl.Series) -> pl.Series:
    if column is None:
        return pl.Series("value", [None], dtype=pl.String).new_from_index(0, index.len())
    return cell_of(table.rows, use, str(column)).gather(index).alias("value")

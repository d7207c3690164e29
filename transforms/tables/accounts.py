"""Accounts: from raw rows to canonical ones."""

from datetime import datetime

import polars as pl

from schemas.contracts import NO_STATUS, accounts_contract
from schemas.raw import RawTable
from schemas.source_file.file import SourceFile
from schemas.tables import ACCOUNTS
from transforms.parallel import both
from transforms.tables.cells import mended, parted, time_faults, told_apart
from transforms.tables.columns import UNSAID_STATUS, to_candidates, untold_texts
from transforms.tables.conform import Conformed, Faults, duplicates_of, settle
from transforms.tables.mapping import UNUSED, ColumnUse, accounts_use
from transforms.tables.rejects import failures, with_untold
from transforms.tables.several_rows import beside_rejects, filled
from transforms.tables.vocabulary import words_with_counts

KEY = ["integration_specific_id"]
_NAMING = ("integration_specific_id", "email", "given_name", "family_name", "username")


def to_accounts(
    table: RawTable, file: SourceFile, now: datetime, last: pl.DataFrame | None = None
) -> tuple[Conformed, tuple[str, ...]]:
    """The accounts of `table` under `file`'s mapping, and notes on its columns for a person.

    A cell that cannot be read is left out or kept as in `last`, the last accepted accounts; so is
    what a row does not say of whom it is. Its status is the row's own.

    Raises:
        SourceFormatError: a column that the file names is missing, or an unknown one is refused.
    """
    use = accounts_use(table, file)
    if "user_status" not in use.fields:
        use = ColumnUse({**use.fields, "user_status": UNSAID_STATUS}, use.unused)
    candidates = to_candidates(table.rows, use, ACCOUNTS, now)
    is_merged = file.several_rows == "merge"
    untold = untold_texts(table, use, now)
    in_times, of_times = time_faults(table, use, candidates, now)
    if is_merged:
        candidates = filled(candidates)
    labels = [column for column in candidates.columns if column not in ACCOUNTS]
    # A label may be any text, but for NUL: no label is a cell's name.
    beside = [
        table.rows[column].alias(f"cell\0{column}")
        for column in sorted({name for one in file.entitlements for name in one.sources})
        if not is_merged
    ]
    broken, duplicates = both(
        lambda: failures(candidates, accounts_contract(labels)),
        lambda: duplicates_of(candidates.hstack(pl.DataFrame(beside)), KEY),
    )
    broken = with_untold(broken, untold)
    faults, rows = Faults(of_times, in_times), candidates
    unmapped = broken.filter(pl.col("code") == NO_STATUS.code)["index"]
    words = candidates["user_status"].gather(unmapped)
    if broken.height or in_times.height:
        known = pl.DataFrame(schema=ACCOUNTS) if last is None else last
        broken = told_apart(broken, candidates)
        rows = mended(candidates, pl.concat([broken, in_times]), known)
        cells, whole = parted(broken, rows)
        faults = Faults(pl.concat([whole, of_times]), pl.concat([cells, in_times]))
    if is_merged:
        also = beside_rejects(candidates, faults.rows)
        faults = Faults(pl.concat([faults.rows, also]), faults.cells)
    conformed = settle(table, rows, KEY, use, faults, duplicates)
    return conformed, (
        *_column_warnings(table, use),
        *_cell_warnings(table, conformed.rejects),
        *_status_warnings(table, words, candidates.select(_NAMING)),
    )


def _column_warnings(table: RawTable, use: ColumnUse) -> tuple[str, ...]:
    if not use.unused:
        return ()
    names = ", ".join(map(repr, use.unused))
    return (f"{table.origin}: {UNUSED}: {names}",)


def _cell_warnings(table: RawTable, rejects: pl.DataFrame) -> tuple[str, ...]:
    """What is wrong with cells whose rows stand, counted by column and reason."""
    cells = rejects.filter("is_cell").with_columns(pl.col("column").fill_null("e-mail and names"))
    counted = cells.group_by("column", "reason", maintain_order=True).len()
    return tuple(
        f"{table.origin}: {column}: {count} {'cell' if count == 1 else 'cells'} left out, or kept "
        f"as accepted last; the rest of the row stands: {reason}"
        for column, reason, count in counted.sort("column", "reason").iter_rows()
    )


def _status_warnings(table: RawTable, words: pl.Series, people: pl.DataFrame) -> tuple[str, ...]:
    """What to say of the words of statuses that have no mapping, and how often each is there."""
    if not words.len():
        return ()
    told = words_with_counts(words, people)
    says = f"{table.origin}: user_status: {words.len()} without a mapping to a status: {told}"
    return (f"{says}; map them under columns.user_status.values",)

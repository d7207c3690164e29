"""Accounts put together: the ids there are now, each with its row as it changed or as it was."""

from dataclasses import dataclass

import polars as pl

_MOST_CHANGED = 0.2
"""Of all accounts; where more changed, reading all is as fast."""

_FEW = 100
"""So many may always have changed."""


class UncertainError(Exception):
    """What is there cannot be told from what was there before; the text says why.

    Attributes:
        is_warning: whether a person should do something, for the next time to be otherwise.
    """

    def __init__(self, why: str, *, is_warning: bool = False) -> None:
        super().__init__(why)
        self.is_warning = is_warning


@dataclass(frozen=True, slots=True)
class Merged:
    """What there is now.

    Attributes:
        rows: one an id of the sweep, in its order, in the columns of the rows before.
        changed: how many of them were reported as changed.
        gone: how many ids there were before and are no more.
        unreported: how many of them have another status than before, though that was not reported.
    """

    rows: pl.DataFrame
    changed: int
    gone: int
    unreported: int = 0


def put_together(
    swept_rows: pl.DataFrame, updated: pl.DataFrame, before: pl.DataFrame, key: str
) -> Merged:
    """Puts the rows of the ids that were swept together: as updated, else as they were `before`.

    An updated row whose id was not swept is left out: the account was there before, and is gone. A
    status is never the one from before: who was shut out unreported would be let in again.

    Args:
        swept_rows: the ids there are now, each with its status, where there is one.
        updated: the rows that changed; columns in any order, their names in any case.
        before: the rows of the last read.
        key: the column of the id.

    Raises:
        UncertainError: ids are missing or twice, the columns are others, an id is in neither, an
            updated one was not swept and not there before, or more than a fifth changed.
    """
    swept = swept_rows[key]
    updated = _as_before(updated, before)
    ids = {"list_accounts": swept, "list_updated_accounts": updated[key], "memory": before[key]}
    for origin, column in ids.items():
        _check_ids(origin, column)
    unmatched_ids = int((~updated[key].is_in(pl.concat([swept, before[key]]).implode())).sum())
    if unmatched_ids:
        raise UncertainError(
            f"list_updated_accounts has {unmatched_ids:,} ids that list_accounts does not have: "
            "give both the same WHERE, and write the ids alike",
            is_warning=True,
        )
    fresh = updated.filter(pl.col(key).is_in(swept.implode()))
    if fresh.height > max(_FEW, _MOST_CHANGED * len(swept)):
        raise UncertainError(f"{fresh.height:,} of {len(swept):,} accounts changed")
    kept = before.join(fresh, on=key, how="anti", maintain_order="left")
    known = pl.concat([fresh, kept])
    places = swept.rename(key).to_frame().join(
        known.select(key, pl.int_range(pl.len()).alias(f"{key} at")),
        on=key,
        how="left",
        maintain_order="left",
    )[f"{key} at"]  # fmt: skip
    if places.null_count():
        raise UncertainError(
            f"{places.null_count():,} ids are new, and list_updated_accounts does not have them"
        )
    gone = before.join(swept.rename(key).to_frame(), on=key, how="anti").height
    rows, count = _restated(known[places], swept_rows, fresh[key], key)
    return Merged(rows, fresh.height, gone, count)


def _restated(
    rows: pl.DataFrame, swept: pl.DataFrame, fresh: pl.Series, key: str
) -> tuple[pl.DataFrame, int]:
    """Writes what was swept of each id over what was kept of it; with how many differed."""
    kept = ~rows[key].is_in(fresh.implode())
    columns = [name for name in swept.columns if name != key]
    differs = [kept & rows[name].ne_missing(swept[name]) for name in columns]
    restated = [
        swept[name].zip_with(change, rows[name])
        for name, change in zip(columns, differs, strict=True)
    ]
    count = pl.DataFrame(differs).select(pl.any_horizontal(pl.all()).sum()).item() if differs else 0
    return rows.with_columns(restated), count


def unreported(rows: pl.DataFrame, reported: pl.Series, before: pl.DataFrame, key: str) -> int:
    """Counts the ids that have another row than before, though their change was not reported.

    Ids that are new, and columns that are others, are another matter: these are not counted.

    Args:
        rows: everything that there is now.
        reported: the ids that were reported as changed since `before`.
        before: everything that there was, by what was reported until then.
        key: the column of the id.
    """
    if rows.columns != before.columns:
        return 0
    now, then = (table.select(key, row=table.hash_rows()) for table in (rows, before))
    others = now.join(then, on=[key, "row"], how="anti")[key]
    return others.filter(
        others.is_in(before[key].implode()) & ~others.is_in(reported.implode())
    ).n_unique()


def _as_before(updated: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """Puts the updated rows under the names, and in the order, of the columns before."""
    if set(updated.columns) != set(before.columns):
        own = {name.lower(): name for name in updated.columns}
        names = {name.lower(): name for name in before.columns}
        if own.keys() != names.keys() or {len(names)} != {updated.width, before.width}:
            raise UncertainError("list_updated_accounts has other columns than list_accounts had")
        updated = updated.rename({own[low]: name for low, name in names.items()})
    return updated.select(before.columns)


def _check_ids(origin: str, ids: pl.Series) -> None:
    if ids.null_count():
        raise UncertainError(f"{origin}: {ids.null_count():,} rows have no id")
    twice = len(ids) - ids.n_unique()
    if twice:
        raise UncertainError(f"{origin}: {twice:,} rows have an id that another row has, too")

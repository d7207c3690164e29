"""Associations as two row numbers in one 64-bit number: five million fit in 40 MB."""

import polars as pl

from schemas.tables import GRANTS
from transforms.parallel import two_at_once

_ACCOUNT = 1 << 32
PAIRS = 250_000
"""Associations renumbered at a time."""

SLICE = 20_000
"""Accounts whose cells are split at a time: the pieces of a slice stay in the processor's cache."""


def pack(account: pl.Series, entitlement: pl.Series) -> pl.Series:
    """Row numbers, pair by pair, as one UInt64 each: the account's in the upper half."""
    return account.cast(pl.UInt64) * _ACCOUNT + entitlement.cast(pl.UInt64)


def unpack(packed: pl.Series) -> pl.DataFrame:
    """`GRANTS`, in the order of `packed`."""
    return pl.DataFrame(
        {
            "account": (packed // _ACCOUNT).cast(pl.UInt32),
            "entitlement": (packed % _ACCOUNT).cast(pl.UInt32),
        },
        schema=GRANTS,
    )


def sorted_once(packed: pl.Series) -> pl.Series:
    """`packed` in order, each pair once."""
    ordered = packed.sort()
    return ordered.filter((ordered != ordered.shift(1)).fill_null(value=True))


def packed_of(grants: pl.DataFrame) -> pl.Series:
    """The packed form of `GRANTS`."""
    return pack(grants["account"], grants["entitlement"])


def recode(
    grants: pl.DataFrame | pl.Series, account: pl.Series, entitlement: pl.Series
) -> pl.Series:
    """`GRANTS`, packed or not, packed under new row numbers (old -> new); without those of none."""

    def moved(start: int) -> pl.Series:
        part = grants.slice(start, PAIRS)
        pairs = unpack(part) if isinstance(part, pl.Series) else part
        there = pack(account.gather(pairs["account"]), entitlement.gather(pairs["entitlement"]))
        return there.drop_nulls()

    # In parts: what a part needs in between stays small, and is not asked of the system anew.
    parts = two_at_once(moved, range(0, len(grants), PAIRS))
    return pl.concat([pl.Series(dtype=pl.UInt64), *parts])


def split_cells(cells: pl.Series, separator: str | None) -> tuple[pl.Series, pl.DataFrame]:
    """The pieces of every cell: packed pairs of cell number and piece's code; pieces by `code`.

    Without a separator, each cell is a JSON array of texts or numbers, or blank.

    Pieces are trimmed, empty ones dropped (Lumos's own multi-value form); a piece twice in a cell
    is there twice. Codes have no meaning and no order of their own; cell numbers count `cells`
    from 0.
    """
    categories = pl.Categorical(pl.Categories.random())

    def split(start: int) -> tuple[pl.Series, pl.Series]:
        part = cells.slice(start, SLICE).fill_null("")
        lists = _arrays(part) if separator is None else part.str.split(separator)
        items = lists.explode().cast(categories)
        codes, pieces = _trimmed(items, categories)
        owner = _owners(lists.list.len()) + start
        return pack(owner, codes).drop_nulls(), pieces

    parts = list(two_at_once(split, range(0, cells.len(), SLICE)))
    packed = pl.concat([pl.Series(dtype=pl.UInt64), *(pairs for pairs, _ in parts)])
    known = pl.concat([pl.Series(dtype=categories), *(pieces for _, pieces in parts)]).unique()
    pieces = pl.DataFrame({"code": known.to_physical(), "piece": known.cast(pl.String)})
    return packed, pieces


def _arrays(cells: pl.Series) -> pl.Series:
    is_nothing = cells.str.strip_chars().is_in(["", "null"])
    return cells.set(is_nothing, "[]").str.json_decode(pl.List(pl.String))


def _trimmed(items: pl.Series, categories: pl.Categorical) -> tuple[pl.Series, pl.Series]:
    """The code of each item's trimmed piece, null for an empty one; and the pieces, each once.

    Only different items are trimmed, not the millions that say the same.
    """
    known = items.unique()
    text = known.cast(pl.String)
    pieces = text.str.strip_chars()
    if pieces.equals(text) and not (pieces == "").any():
        return items.to_physical(), known
    trimmed = pieces.set(pieces == "", None).cast(categories)
    codes = known.to_physical()
    code_of = pl.Series([None], dtype=pl.UInt32).new_from_index(0, codes.sort()[-1] + 1)
    code_of = code_of.scatter(codes, trimmed.to_physical())
    return code_of.gather(items.to_physical()), trimmed.drop_nulls().unique()


def _owners(lengths: pl.Series) -> pl.Series:
    """The list number of each item, for lists of these lengths laid end to end."""
    number = pl.int_range(lengths.len(), dtype=pl.UInt32, eager=True)
    return number.to_frame("n").select(pl.col("n").repeat_by(lengths).explode()).to_series()


# Row numbers: where a key stands in a table.


def row_numbers(keys: pl.Series | pl.DataFrame, of: pl.Series | pl.DataFrame) -> pl.Series:
    """The row in `of` (unique keys) of each of `keys`, in order, UInt32; null where it has none."""
    wanted = keys.to_frame("key") if isinstance(keys, pl.Series) else keys
    known = of.to_frame("key") if isinstance(of, pl.Series) else of
    numbered = known.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    joined = wanted.join(numbered, on=wanted.columns, how="left", maintain_order="left")
    return joined["row"]

"""Cells that say what an account holds, and associations as two row numbers in one number.

Five million fit in 40 MB. What a cell says is never guessed: one that could be read in two ways is
at fault.
"""

import polars as pl

from schemas.source_file.mappings import EntitlementColumn
from schemas.tables import GRANTS, Reason
from transforms.parallel import two_at_once

_ACCOUNT = 1 << 32
PAIRS = 250_000
"""Associations renumbered at a time."""

SLICE = 20_000
"""Accounts whose cells are split at a time: the pieces of a slice stay in the processor's cache."""


CELL_FAULTS = {
    "index": pl.UInt32(),
    "piece": pl.String(),
    "column": pl.String(),
    "code": pl.String(),
    "reason": pl.String(),
    "value": pl.String(),
}
"""Cells that cannot be told: the row among those read, the entitlement (null where it may be any),
the source's column, the code and text of a `Reason`, and the cell."""

BRACKET = Reason(
    "bracket",
    "begins with a bracket, as JSON and arrays do: say format: json, or format: text if that is a "
    "name",
)
NO_JSON = Reason("no_json", "is no JSON array of texts")
YES_OR_NO = Reason(
    "yes_or_no",
    "says yes or no, which is no entitlement: name the column under columns, with held and "
    "not_held; or say format: text if that is a name",
)
NEITHER = Reason("neither_held", "is neither among held nor among not_held")

_YES_OR_NO = ("true", "false", "yes", "no")
# Not the halves of surrogate pairs, which polars may refuse.
_ESCAPE = r'\\(?:["\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]|[dD][0-7])[0-9a-fA-F]{2})'
_ITEM = rf'(?:"(?:[^"\\\x00-\x1f]|{_ESCAPE})*"|-?(?:0|[1-9]\d{{0,16}}))'
_JSON = rf"^\s*(?:null|\[\s*(?:{_ITEM}\s*(?:,\s*{_ITEM}\s*)*)?\])?\s*$"


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


# Cells of accounts: a list in a cell, a JSON array, or a column an entitlement.


def listed(
    cells: pl.Series, column: EntitlementColumn, name: str
) -> tuple[pl.Series, pl.DataFrame, pl.DataFrame]:
    """The packed pieces of cells that list entitlements, the pieces by `code`, and the faults."""
    cells = cells.fill_null("")
    faults = [pl.DataFrame(schema=CELL_FAULTS)]
    reason, is_odd = NO_JSON, None
    if column.format == "json":
        is_odd = ~cells.str.contains(_JSON)
    elif column.format is None:
        reason, is_odd = BRACKET, cells.str.contains(r"^\s*[\[{]")
    if is_odd is not None and is_odd.any():
        faults.append(_faults(is_odd.arg_true(), cells, name, reason))
        cells = cells.set(is_odd, "")
    packed, pieces = split_cells(cells, None if column.format == "json" else column.separator)
    words = pieces["piece"].str.to_lowercase()
    none = words.is_in([word.strip().lower() for word in column.none])
    answers = words.is_in(_YES_OR_NO) & ~none
    if column.format is None and answers.any():
        at = _rows_of(packed, pieces.filter(answers)["code"])
        faults.append(_faults(at, cells, name, YES_OR_NO))
        none |= answers
    if none.any():
        gone = pieces.filter(none)["code"]
        packed = packed.filter(~unpack(packed)["entitlement"].is_in(gone.implode()))
        pieces = pieces.filter(~none)
    return packed, pieces, pl.concat(faults)


def held_columns(
    rows: pl.DataFrame, column: EntitlementColumn
) -> tuple[pl.Series, pl.DataFrame, pl.DataFrame]:
    """The same of columns that are an entitlement each."""
    held = {word.strip().casefold() for word in column.held}
    known = held | {word.strip().casefold() for word in column.not_held}
    packed, faults = [pl.Series(dtype=pl.UInt64)], [pl.DataFrame(schema=CELL_FAULTS)]
    names: list[str] = []
    for name in column.columns:
        cells = rows[name].fill_null("")
        words = cells.unique().to_list()
        is_held = [word for word in words if word.strip().casefold() in held]
        odd = [word for word in words if word.strip().casefold() not in known]
        if odd:
            at = cells.is_in(odd).arg_true()
            faults.append(_faults(at, cells, name, NEITHER).with_columns(piece=pl.lit(name)))
        if is_held:
            at = cells.is_in(is_held).arg_true()
            code = pl.Series([len(names)], dtype=pl.UInt32).new_from_index(0, at.len())
            packed.append(pack(at, code))
            names.append(name)
    pieces = pl.DataFrame(
        {"code": range(len(names)), "piece": names},
        schema={"code": pl.UInt32(), "piece": pl.String()},
    )
    return pl.concat(packed), pieces, pl.concat(faults)


def _rows_of(packed: pl.Series, codes: pl.Series) -> pl.Series:
    pairs = unpack(packed)
    return pairs.filter(pl.col("entitlement").is_in(codes.implode()))["account"].unique().sort()


def _faults(index: pl.Series, cells: pl.Series, name: str, reason: Reason) -> pl.DataFrame:
    """`CELL_FAULTS` of the cells at `index`; which entitlement is meant is not known."""
    at = pl.DataFrame({"index": index.cast(pl.UInt32), "value": cells.gather(index)})
    return at.select(
        "index",
        pl.lit(None, dtype=pl.String).alias("piece"),
        pl.lit(name).alias("column"),
        pl.lit(reason.code).alias("code"),
        pl.lit(str(reason)).alias("reason"),
        "value",
    )


# Row numbers: where a key stands in a table.


def row_numbers(keys: pl.Series | pl.DataFrame, of: pl.Series | pl.DataFrame) -> pl.Series:
    """The row in `of` (unique keys) of each of `keys`, in order, UInt32; null where it has none."""
    wanted = keys.to_frame("key") if isinstance(keys, pl.Series) else keys
    known = of.to_frame("key") if isinstance(of, pl.Series) else of
    numbered = known.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    joined = wanted.join(numbered, on=wanted.columns, how="left", maintain_order="left")
    return joined["row"]

"""Cells that say what an account holds: a list in a cell, a JSON array, or a column an entitlement.

What a cell says is never guessed: one that could be read in two ways is at fault.
"""

import polars as pl

from schemas.source_file.mappings import EntitlementColumn
from schemas.tables import Reason
from transforms.associations.pairs import pack, split_cells, unpack

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

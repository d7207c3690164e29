"""Row numbers: where a key stands in a table."""

import polars as pl


def row_numbers(keys: pl.Series | pl.DataFrame, of: pl.Series | pl.DataFrame) -> pl.Series:
    """The row in `of` (unique keys) of each of `keys`, in order, UInt32; null where it has none."""
    wanted = keys.to_frame("key") if isinstance(keys, pl.Series) else keys
    known = of.to_frame("key") if isinstance(of, pl.Series) else of
    numbered = known.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    found = wanted.join(numbered, on=wanted.columns, how="left", maintain_order="left")
    return found["row"]

"""Two rows with one key: the same twice is merged, two that differ are both rejected."""

import polars as pl

CONFLICT = "has a key that another, different row has too"


def duplicates_of(records: pl.DataFrame, key: list[str]) -> tuple[pl.Series, pl.Series]:
    """Two masks over `records`, row by row: (conflicting, a repetition of an equal row before it).

    `records` holds everything that makes two rows differ, and nothing else. A conflicting row is in
    conflict with every row of its key, however many of those are equal.
    """
    keys = (
        records.select(pl.struct(key).hash()).to_series()
        if len(key) > 1
        else records[key[0]].hash()
    )
    conflicting = pl.repeat(False, records.height, dtype=pl.Boolean, eager=True)
    repeated = conflicting.clone()
    if keys.n_unique() == keys.len():  # a quarter of the time of looking for the pairs
        return conflicting, repeated
    shared = keys.is_duplicated()
    index = shared.arg_true()
    group = pl.struct(key)
    whole = pl.struct(records.columns)
    found = records.filter(shared).select(
        conflicting=(whole.n_unique() > 1).over(group),
        repeated=~whole.is_first_distinct(),
    )
    return (
        conflicting.scatter(index, found["conflicting"]),
        repeated.scatter(index, found["repeated"] & ~found["conflicting"]),
    )

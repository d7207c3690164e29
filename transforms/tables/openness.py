"""How open a status is: of two that are told of one account, the more closed one counts."""

import polars as pl

from schemas.statuses import MOST_OPEN_FIRST

_RANK = {status: n for n, status in enumerate(MOST_OPEN_FIRST)}


def openness(status: pl.Expr) -> pl.Expr:
    """The status's place, the most open first; null of what is no status."""
    return status.replace_strict(_RANK, default=None)


def most_closed(own: pl.Expr, other: pl.Expr) -> pl.Expr:
    """The more closed of two statuses; `own` where it, or the other, is none."""
    ranks = openness(own), openness(other)
    closest = pl.max_horizontal(*ranks).replace_strict(dict(enumerate(MOST_OPEN_FIRST)))
    return pl.when(ranks[0].is_null() | ranks[1].is_null()).then(own).otherwise(closest)

"""What an association misses by that names nobody, or nothing: case, blanks, accents, zeros."""

from collections.abc import Callable

import polars as pl


def _unaccented(ids: pl.Series) -> pl.Series:
    return ids.str.normalize("NFKD").str.replace_all(r"\p{M}", "")


_FORMS: tuple[tuple[str, Callable[[pl.Series], pl.Series]], ...] = (
    ("blanks before or after it", lambda ids: ids.str.strip_chars()),
    ("case", lambda ids: ids.str.to_lowercase()),
    ("leading zeros", lambda ids: ids.str.strip_chars_start("0")),
    ("accents or its Unicode form", _unaccented),
    (
        "case, blanks and accents",
        lambda ids: _unaccented(ids).str.replace_all(r"\s+", "").str.to_lowercase(),
    ),
)
"""What two ids differ in alone, and what then makes them equal; the first that fits is told."""


def near_misses(written: pl.Series, known: pl.Series) -> pl.Series:
    """What one of the `known` ids differs in alone from each of `written`; null where none does."""
    names = written.unique().drop_nulls()
    misses = pl.Series("miss", [None], dtype=pl.String).new_from_index(0, names.len())
    for what, form in reversed(_FORMS):
        is_near = form(names).is_in(form(known).unique().implode()).fill_null(value=False)
        misses = misses.set(is_near, what)
    return written.replace_strict(names, misses, default=None, return_dtype=pl.String)


def with_near_misses(rejects: pl.DataFrame, written: pl.Series, known: pl.Series) -> pl.DataFrame:
    """`rejects`, whose reason also says what one of the `known` ids differs in alone, if one does.

    Nothing is linked by it: ids are never re-cased or trimmed. `written` is the id of each reject.
    """
    near = near_misses(written, known)
    hint = ("; one differs in " + near + " alone").alias("hint")
    is_there = written.is_in(known.implode()).fill_null(value=False)
    hint = hint.set(is_there, "; that id is there on another resource")
    told = pl.col("reason") + hint.fill_null("").rename("hint")
    return rejects.with_columns(told.alias("reason"))

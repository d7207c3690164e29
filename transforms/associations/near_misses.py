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


def with_near_misses(rejects: pl.DataFrame, written: pl.Series, known: pl.Series) -> pl.DataFrame:
    """`rejects`, whose reason also says what one of the `known` ids differs in alone, if one does.

    Nothing is linked by it: ids are never re-cased or trimmed. `written` is the id of each reject.
    """
    hint = pl.Series("hint", [None], dtype=pl.String).new_from_index(0, written.len())
    for what, form in reversed(_FORMS):
        is_near = form(written).is_in(form(known).unique().implode()).fill_null(value=False)
        hint = hint.set(is_near, f"; one differs in {what} alone")
    is_there = written.is_in(known.implode()).fill_null(value=False)
    hint = hint.set(is_there, "; that id is there on another resource")
    told = pl.col("reason") + hint.fill_null("").rename("hint")
    return rejects.with_columns(told.alias("reason"))

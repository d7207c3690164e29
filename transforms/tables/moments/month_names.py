"""Names of months and days in a language that is stated, as the English ones that polars reads."""

from functools import lru_cache

import polars as pl

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def in_english(text: pl.Series, locale: str) -> tuple[pl.Series, ...]:
    """`text` with the names of `locale` in English, by Unicode's CLDR, in any case.

    The dot of an abbreviation is a part of it, or of the format: it is returned both ways.
    """
    if not text.str.contains(r"\p{L}").any():
        return (text,)
    made = []
    for with_dot in (True, False):
        names = _names_of(locale, with_dot=with_dot)
        lowered = text.str.to_lowercase()
        english = lowered.str.replace_many(list(names), list(names.values()), leftmost=True)
        made.append(english)
    return tuple(made)


@lru_cache(maxsize=16)
def _names_of(locale: str, *, with_dot: bool) -> dict[str, str]:
    """Each name of a month or a day in lower case: its English abbreviation; the longest first."""
    from babel import Locale  # noqa: PLC0415 - only where a language is named

    known = Locale.parse(locale.replace("-", "_"))
    names: dict[str, str] = {}
    for by_context, english in ((known.months, _MONTHS), (known.days, _DAYS)):
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                written = by_context[context][width]
                for number, name in zip(sorted(written), english, strict=True):
                    bare = written[number].lower().rstrip(".")
                    names[bare] = name
                    if with_dot:
                        names[f"{bare}."] = name
    return dict(sorted(names.items(), key=lambda item: -len(item[0])))

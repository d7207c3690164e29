"""Words of a source's vocabulary (statuses, roles) that may be shown: few, short, of nobody."""

import re

import polars as pl

NOTHING = ("null", "(null)", "n/a", "#n/a", "na", "none", "nil", "nan", "undefined", "-", "--")
"""Words that systems write where there is nothing, in lower case."""

SHOWN = 5
"""Words that a message shows."""

_PLAIN = re.compile(r"[^@\x00-\x1f]{0,24}")
_SHARED = 2
"""A word that as many rows share is one of a vocabulary; one that stands alone may be a person's.
"""


def words_with_counts(words: pl.Series, people: pl.DataFrame) -> str:
    """Each of `words` once, with how often it is there: `'true' (50)`; the most frequent first.

    Only the words of a vocabulary are shown: few, each there twice or so. A word that is long,
    looks like an address, stands alone, or is a part of anybody's name or address is counted: it
    may be a person's.

    Args:
        words: as a source writes them.
        people: what names the accounts, in columns of text.
    """
    counted = words.value_counts(sort=True).rows()
    shown = []
    if is_vocabulary(words):
        known = names_among(words, people)
        texts = [row for row in counted if is_showable(*row) and row[0] not in known]
        shown = [f"{word!r} ({count})" for word, count in texts[:SHOWN]]
    more = len(counted) - len(shown)
    if more:
        shown.append(
            f"{more} {'other' if shown else 'different'} {'word' if more == 1 else 'words'}"
        )
    return ", ".join(shown)


def is_vocabulary(words: pl.Series) -> bool:
    """Whether they are few, and each is there twice or so."""
    distinct = words.n_unique()
    return distinct <= SHOWN and words.len() >= _SHARED * distinct


def names_among(words: pl.Series, people: pl.DataFrame) -> set[str]:
    """Those of `words` that are, in any case, a name in `people` or a part of one or of an address.

    Args:
        words: as a source writes them; few.
        people: columns of text.
    """
    found: set[str] = set()
    for word in words.unique().drop_nulls().to_list():
        part = rf"(?i)(?:^|[^\p{{L}}\p{{N}}]){pl.escape_regex(word)}(?:[^\p{{L}}\p{{N}}]|$)"
        if people.select(pl.any_horizontal(pl.all().str.contains(part).any())).item():
            found.add(word)
    return found


def is_showable(word: str, count: int = _SHARED) -> bool:
    """Whether a word may be shown that is there `count` times."""
    return count >= _SHARED and _PLAIN.fullmatch(word) is not None

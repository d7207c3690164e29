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


def words_with_counts(words: pl.Series) -> str:
    """Each of `words` once, with how often it is there: `'true' (50)`; the most frequent first.

    A word that is long, looks like an address, or is there only once is counted, not shown: it may
    be a person's.
    """
    counted = words.value_counts(sort=True).rows()
    shown = [(word, count) for word, count in counted if is_showable(word, count)]
    texts = [f"{word!r} ({count})" for word, count in shown[:SHOWN]]
    more = len(counted) - len(texts)
    if more:
        texts.append(
            f"{more} {'other' if texts else 'different'} {'word' if more == 1 else 'words'}"
        )
    return ", ".join(texts)


def is_showable(word: str, count: int = _SHARED) -> bool:
    """Whether a word may be shown that is there `count` times."""
    return count >= _SHARED and _PLAIN.fullmatch(word) is not None

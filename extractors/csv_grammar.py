"""What a well-formed record looks like, as patterns for Rust's and for Python's engine alike."""

import re


def record_pattern(separator: str, quote: str | None, field_count: int | None = None) -> str:
    """A pattern of one well-formed record, of that many fields or of any number."""
    more = "*" if field_count is None else f"{{{field_count - 1}}}"
    field = field_pattern(separator, quote)
    return f"^{field}(?:{re.escape(separator)}{field}){more}$"


def field_pattern(separator: str, quote: str | None) -> str:
    """A pattern of one well-formed field, quotes included.

    A carriage return stands in quotes only: polars drops one outside of them, unasked.
    """
    s = re.escape(separator)
    if quote is None:
        return rf"[^{s}\r\n]*"
    q = re.escape(quote)
    return rf"(?:[^{q}{s}\r\n]*|{q}{_inside(q)}{q})"


def lenient_pattern(separator: str, quote: str) -> str:
    """A pattern of one record on one line in which unquoted fields may hold quotes."""
    s, q = re.escape(separator), re.escape(quote)
    odd = rf"[^{q}{s}\r\n]+{q}[^{s}\r\n]*"
    field = f"(?:{odd}|{field_pattern(separator, quote)})"
    return f"{field}(?:{s}{field})*"


def opening_pattern(separator: str, quote: str) -> str:
    """A pattern of the first line of a record that goes on: well-formed, its last quote open."""
    s, q = re.escape(separator), re.escape(quote)
    return f"(?:{field_pattern(separator, quote)}{s})*{q}{_inside(q)}"


def _inside(q: str) -> str:
    """What stands between quotes; no text matches it in two ways, which would be slow."""
    return f"[^{q}]*(?:{q}{q}[^{q}]*)*"


def quoted_parts(quote: str | None) -> re.Pattern[str]:
    """A pattern of everything between quotes in a well-formed record; of nothing where none are."""
    if quote is None:
        return re.compile("(?!)")
    q = re.escape(quote)
    return re.compile(f"{q}[^{q}]*{q}")

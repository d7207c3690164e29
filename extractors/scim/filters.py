"""Value filters in attribute paths, `type eq "work" and not (primary eq false)`: RFC 7644, 3.4.2.2.

Evaluated here: what a service makes of a filter differs from one to the next. scim2-filter-parser
0.7 makes SQL of them, and scim2-models 0.12 binds them to models of its own.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from extractors.scim.documents import text_of

Matches = Callable[[Any], bool]
"""Whether a value of a multi-valued attribute is meant."""

_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([()])|([^\s()"]+))')
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda have, want: have == want,
    "ne": lambda have, want: have != want,
    "co": lambda have, want: want in have,
    "sw": lambda have, want: have.startswith(want),
    "ew": lambda have, want: have.endswith(want),
    "gt": lambda have, want: have > want,
    "ge": lambda have, want: have >= want,
    "lt": lambda have, want: have < want,
    "le": lambda have, want: have <= want,
}


class NotAFilterError(ValueError):
    """It is no filter; the message says where it stops being one."""


def to_filter(text: str) -> Matches:
    """Returns what a filter selects.

    Raises:
        NotAFilterError: it is none.
    """
    parser = _Parser(_tokens(text))
    matches = parser.either()
    if parser.tokens:
        raise NotAFilterError(f"nothing may stand before {parser.tokens[0]!r}")
    return matches


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NotAFilterError("a text has no end")
        tokens.append(token[1] or token[2] or token[3])
        at = token.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def either(self) -> Matches:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return lambda item: any(part(item) for part in parts)

    def _both(self) -> Matches:
        parts = [self._one()]
        while self._takes("and"):
            parts.append(self._one())
        return lambda item: all(part(item) for part in parts)

    def _one(self) -> Matches:
        if self._takes("not"):
            inner = self._one()
            return lambda item: not inner(item)
        if self._takes("("):
            inner = self.either()
            if not self._takes(")"):
                raise NotAFilterError("a bracket is not closed")
            return inner
        name, operator = self._next().lower(), self._next().lower()
        if operator == "pr":
            return lambda item: bool(_value(item, name)) or _value(item, name) is False
        compare = _COMPARE.get(operator)
        if compare is None:
            raise NotAFilterError(f"{operator!r} is none of {', '.join(_COMPARE)} and pr")
        wanted = _wanted(self._next())
        return lambda item: compare(_folded(_value(item, name)), wanted)

    def _next(self) -> str:
        if not self.tokens:
            raise NotAFilterError("it ends too early")
        return self.tokens.pop(0)

    def _takes(self, word: str) -> bool:
        if self.tokens and self.tokens[0].lower() == word:
            self.tokens.pop(0)
            return True
        return False


def _wanted(token: str) -> str:
    try:
        return _folded(json.loads(token))
    except ValueError:
        raise NotAFilterError(f"{token!r} is no value: a text stands in quotes") from None


def _value(item: Any, name: str) -> Any:  # noqa: ANN401 - JSON holds anything
    for part in name.split("."):
        if not isinstance(item, dict):
            return item if part == "value" else None
        item = item.get(part)
    return item


def _folded(value: Any) -> str:  # noqa: ANN401 - JSON holds anything
    """Returns the text that is compared: of any case, and empty for null."""
    return (text_of(value) or "").casefold()

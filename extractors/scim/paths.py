"""Attributes by path, as a source file has them: `name.givenName`, `emails[type eq "work"].value`.

RFC 7644, figure 7, with a schema's URN before it or not. An attribute of the enterprise extension
needs no URN.
"""

import re
from collections.abc import Callable
from typing import Any

from extractors.scim.documents import item_text, items_of, text_of
from extractors.scim.filters import Matches, NotAFilterError, to_filter
from schemas.errors import ConfigError

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user"
_CORE = "urn:ietf:params:scim:schemas:core:2.0:"
_PATH = re.compile(r"(?P<head>[^\[\]]+)(?:\[(?P<filter>.*)\](?:\.(?P<sub>[^\[\]]+))?)?", re.DOTALL)
_NAME = re.compile(r"[A-Za-z$_][\w$-]*")
_OF_ONE = frozenset({"emails", "phonenumbers", "addresses", "ims", "photos"})
"""Attributes of which one value is taken: the primary, else the one of type work, else the first.
"""
_SECRET = re.compile(r".*(?:password|passwd|pwd|secret)s?", re.IGNORECASE)

Cell = Callable[[dict[str, Any]], str | None]
"""The text that a resource has at a path; None where it has none."""


class AttributePath:
    """An attribute of a resource, or a part of it.

    Attributes:
        written: as the source file has it.
        schema: the URN before it, folded; empty where there is none.
        names: the attribute and what lies in it, folded.
    """

    def __init__(self, written: str) -> None:
        """Takes a path apart.

        Raises:
            ConfigError: it is none, or names a password.
        """
        parts = _PATH.fullmatch(written.strip())
        if parts is None:
            raise _not_a_path(written, 'write name.givenName or emails[type eq "work"].value')
        schema, _, attribute = parts["head"].rpartition(":")
        self.schema = schema.lower()
        names = attribute.split(".")
        self._filter: Matches | None = _to_filter(written, parts["filter"])
        self._inner = tuple((parts["sub"] or "").lower().split(".")) if parts["sub"] else ()
        for name in (*names, *self._inner):
            if not _NAME.fullmatch(name):
                raise _not_a_path(written, f"{name!r} is no attribute's name")
        if any(_SECRET.fullmatch(name) for name in names):
            raise ConfigError(
                f"{written}: holds a password: it is never read; take it out of columns and "
                "attributes",
                key="source",
            )
        self.written = written
        self.names = tuple(name.lower() for name in names)
        self._whole = written.strip().lower()

    @property
    def is_manager(self) -> bool:
        """Whether it names the manager as such, who is told by an id."""
        return self.names == ("manager",) and self._filter is None

    def value(self, resource: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON holds anything
        """Returns what the resource has there, as JSON; None where it has nothing."""
        first = self.names[0]
        if self.schema and not self.schema.startswith(_CORE):
            if self._whole in resource:
                return resource[self._whole]
            inside = resource.get(self.schema)
            found = inside.get(first) if isinstance(inside, dict) else None
            return resource.get(f"{self.schema}:{first}") if found is None else found
        if first in resource or self.schema:
            return resource.get(first)
        inside = resource.get(ENTERPRISE)
        found = inside.get(first) if isinstance(inside, dict) else None
        return resource.get(f"{ENTERPRISE}:{first}") if found is None else found

    def to_cell(self, separator: str) -> Cell:
        """Returns what makes the text of it; several values stand with `separator` between them."""
        inner = (*self.names[1:], *self._inner)
        takes_one = self.names[0] in _OF_ONE

        def cell(resource: dict[str, Any]) -> str | None:
            value = self.value(resource)
            if value is None or isinstance(value, str):
                return value if not inner else None
            if isinstance(value, dict):
                return _inside(value, inner)
            items = items_of(value)
            if self._filter is not None:
                items = [item for item in items if self._filter(item)]
            if takes_one:
                items = items[:0] if not items else [preferred(items)]
            texts = [_inside(item, inner) for item in items]
            return separator.join(text for text in texts if text is not None) if texts else None

        return cell


def preferred(items: list[Any]) -> Any:  # noqa: ANN401 - JSON holds anything
    """Returns one of several values: the primary; of these that of type work; else the first."""

    def rank(item: Any) -> tuple[bool, bool]:  # noqa: ANN401 - JSON holds anything
        if not isinstance(item, dict):
            return True, True
        kind = item.get("type")
        is_work = isinstance(kind, str) and kind.lower() == "work"
        return not _is_true(item.get("primary")), not is_work

    return min(items, key=rank)


def _is_true(value: Any) -> bool:  # noqa: ANN401 - JSON holds anything
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _inside(item: Any, names: tuple[str, ...]) -> str | None:  # noqa: ANN401 - JSON holds anything
    if not names:
        if isinstance(item, dict):
            return item_text(item) if "value" in item else text_of(item)
        return text_of(item)
    if not isinstance(item, dict):
        return text_of(item) if names == ("value",) else None
    for name in names:
        item = item.get(name) if isinstance(item, dict) else None
    return text_of(item)


def _to_filter(written: str, text: str | None) -> Matches | None:
    if text is None:
        return None
    problem = ""
    try:
        return to_filter(text)
    except NotAFilterError as error:
        problem = str(error)
    raise _not_a_path(written, problem)


def _not_a_path(written: str, problem: str) -> ConfigError:
    return ConfigError(f"{written!r} is no attribute of a SCIM resource: {problem}", key="source")

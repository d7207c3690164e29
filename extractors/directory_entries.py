"""Entries of a directory column by column, whichever way they were read."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl

from schemas.directory_sources import Scope

Values = list[bytes]


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked of a directory.

    Attributes:
        base: where.
        filter: which entries, in brackets.
        scope: `subtree`, `level` or `base`.
        attributes: just these; none, for the DN alone.
    """

    base: str
    filter: str
    scope: Scope
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries in the order in which they were read.

    Attributes:
        dns: their DNs, as the directory writes them.
        columns: by attribute in lower case: each entry's values, null where it has none.
    """

    dns: list[str]
    columns: dict[str, list[Values | None]]

    def __len__(self) -> int:
        return len(self.dns)

    def values(self, attribute: str) -> list[Values | None]:
        """Each entry's values."""
        found = self.columns.get(attribute.lower())
        return [None] * len(self) if found is None else found

    def first(self, attribute: str) -> list[bytes | None]:
        """Each entry's first value."""
        return [values[0] if values else None for values in self.values(attribute)]

    def has(self, attribute: str) -> bool:
        """Whether any entry has it."""
        return attribute.lower() in self.columns

    def where(self, wanted: list[bool]) -> "Entries":
        """Only the entries that are `wanted`."""
        if all(wanted):
            return self
        rows = [row for row, is_wanted in enumerate(wanted) if is_wanted]
        columns = {name: [found[row] for row in rows] for name, found in self.columns.items()}
        return Entries([self.dns[row] for row in rows], columns)


Find = Callable[[Search], Entries]
"""Reads whole what a search asks for; raises SourceError where it cannot."""


def to_entries(found: Iterable[tuple[str, dict[str, Values]]]) -> Entries:
    """`found`, a DN and its attributes each, as columns."""
    dns: list[str] = []
    columns: dict[str, list[Values | None]] = {}
    by_name: dict[str, list[Values | None]] = {}
    for row, (dn, attributes) in enumerate(found):
        dns.append(dn)
        for name, values in attributes.items():
            column = by_name.get(name)
            if column is None:
                column = by_name[name] = columns.setdefault(name.lower(), [])
            if not values:
                continue
            column.extend([None] * (row - len(column)))
            if len(column) > row:  # the same attribute under two spellings
                column[row] = [*(column[row] or ()), *values]
            else:
                column.append(values)
    for column in columns.values():
        column.extend([None] * (len(dns) - len(column)))
    return Entries(dns, {name: found for name, found in columns.items() if any(found)})


def text_column(name: str, cells: list[str | None]) -> pl.Series:
    """`cells` as a column of text."""
    return pl.Series(name, cells, dtype=pl.String)

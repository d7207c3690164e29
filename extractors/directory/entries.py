"""Entries of a directory column by column, whichever way they were read."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import polars as pl

from extractors.directory.dn import is_below, normal_dn
from schemas.source_file.kinds.directory_source import Scope

Values = list[bytes]
Cell = bytes | Values | None
"""An entry's only value, all of several, or none: most have one, and a list of it is costly."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search of a directory.

    Attributes:
        base: where.
        filter: which entries, in brackets.
        scope: `subtree`, `level` or `base`.
        attributes: just these; none, for the DN alone.
        without: normalized DNs below which entries are left out; `Searches` does that.
    """

    base: str
    filter: str
    scope: Scope
    attributes: tuple[str, ...]
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries in the order in which they were read.

    Attributes:
        dns: their DNs, as the directory writes them.
        columns: by attribute in lower case: a cell an entry.
    """

    dns: list[str]
    columns: dict[str, list[Cell]]

    def __len__(self) -> int:
        return len(self.dns)

    def values(self, attribute: str) -> Iterator[Values]:
        """Yields each entry's values, none where it has none."""
        for cell in self.cells(attribute):
            yield [] if cell is None else [cell] if isinstance(cell, bytes) else cell

    def first(self, attribute: str) -> list[bytes | None]:
        """Returns each entry's first value."""
        return [cell[0] if isinstance(cell, list) else cell for cell in self.cells(attribute)]

    def cells(self, attribute: str) -> list[Cell]:
        """Returns each entry's cell."""
        column = self.columns.get(attribute.lower())
        return [None] * len(self) if column is None else column

    def has(self, attribute: str) -> bool:
        """Whether any entry has it."""
        return attribute.lower() in self.columns

    def only(self, attributes: Iterable[str]) -> "Entries":
        """Returns the same entries with no other attributes than these."""
        names = {name.lower() for name in attributes}
        kept = {name: cells for name, cells in self.columns.items() if name in names}
        return Entries(self.dns, kept)

    def where(self, are_kept: list[bool]) -> "Entries":
        """Returns the entries that are kept, in their order."""
        if all(are_kept):
            return self
        rows = [row for row, is_kept in enumerate(are_kept) if is_kept]
        columns = {name: [cells[row] for row in rows] for name, cells in self.columns.items()}
        return Entries([self.dns[row] for row in rows], columns)


def each_once(entries: Entries) -> Entries:
    """Returns the entries, of those of one DN the first."""
    first: dict[str, int] = {}
    return entries.where([first.setdefault(dn, row) == row for row, dn in enumerate(entries.dns)])


def joined(first: Entries, second: Entries) -> Entries:
    """Returns the entries of both, one after the other."""
    names = dict.fromkeys((*first.columns, *second.columns))
    columns = {name: [*first.cells(name), *second.cells(name)] for name in names}
    return Entries([*first.dns, *second.dns], columns)


Find = Callable[[Search], Entries]
"""Reads all that a search finds; raises SourceError where it cannot."""


@dataclass(frozen=True, slots=True)
class Searches:
    """The searches that find all entries of one sort.

    Attributes:
        each: one a place, with the same attributes.
    """

    each: tuple[Search, ...]

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes that are read."""
        return self.each[0].attributes

    @property
    def where(self) -> str:
        """The bases, for messages."""
        return " and ".join(dict.fromkeys(search.base for search in self.each))

    @property
    def filter(self) -> str:
        """A filter that what any of them finds fits."""
        filters = list(dict.fromkeys(search.filter for search in self.each))
        return filters[0] if len(filters) == 1 else f"(|{''.join(filters)})"

    def leaves_out(self, dn: str) -> bool:
        """Whether a normalized DN is one that `without` leaves out."""
        return any(is_below(dn, base) for search in self.each for base in search.without)

    def of(self, attributes: tuple[str, ...], to_filter: Callable[[str], str] = str) -> "Searches":
        """Returns the same with other attributes, and other filters."""
        return Searches(
            tuple(
                replace(one, attributes=attributes, filter=to_filter(one.filter))
                for one in self.each
            )
        )

    def read(self, find: Find) -> Entries:
        """Reads what all of them find, each entry once."""
        found = Entries([], {})
        for search in self.each:
            entries = find(search)
            if search.without:
                alone = Searches((search,))
                entries = entries.where([not alone.leaves_out(normal_dn(dn)) for dn in entries.dns])
            found = joined(found, entries) if len(found) else entries
        return found if len(self.each) == 1 else each_once(found)


def to_entries(pairs: Iterable[tuple[str, dict[str, Values]]]) -> Entries:
    """Returns the entries, each a DN and its attributes, as columns."""
    dns: list[str] = []
    columns: dict[str, list[Cell]] = {}
    by_name: dict[str, list[Cell]] = {}
    for row, (dn, attributes) in enumerate(pairs):
        dns.append(dn)
        for name, values in attributes.items():
            column = by_name.get(name)
            if column is None:
                column = by_name[name] = columns.setdefault(name.lower(), [])
            if values:
                _put(column, row, values)
    for column in columns.values():
        column.extend([None] * (len(dns) - len(column)))
    return Entries(dns, {name: cells for name, cells in columns.items() if any(cells)})


def _put(column: list[Cell], row: int, values: Values) -> None:
    missing = row - len(column)
    if missing < 0:  # the same attribute under two spellings
        before = column[row]
        column[row] = [*(before if isinstance(before, list) else [before or b""]), *values]
        return
    if missing:
        column.extend([None] * missing)
    column.append(values[0] if len(values) == 1 else values)


def text_column(name: str, cells: list[str | None]) -> pl.Series:
    """Returns `cells` as a column of text."""
    return pl.Series(name, cells, dtype=pl.String)

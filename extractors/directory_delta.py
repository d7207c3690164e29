"""A read that goes on from the last one: who is there is asked again, what changed is fetched.

Who is there comes from the directory itself each time, so that whoever was deleted, moved or no
longer matches is gone, whatever the reading account may see of deleted objects.
"""

from dataclasses import dataclass, field, replace

from extractors.directory_entries import Cell, Entries, Find, Search
from extractors.directory_marks import Mark
from extractors.kept_entries import Kept


class NeedsAllError(Exception):
    """The kept entries do not suffice; the text says why. All is read then."""


@dataclass(slots=True)
class Delta:
    """A read under way, with or without entries to go on from.

    Attributes:
        mark: where the directory stood when it began.
        searches: the searches that entries are kept of, by sort.
        kept: the last read; None reads all.
        found: what was read, by sort.
        changed_count: how many entries were fetched anew.
    """

    mark: Mark
    searches: dict[str, Search]
    kept: Kept | None
    found: dict[str, Entries] = field(default_factory=dict)
    changed_count: int = 0

    def finding(self, find: Find) -> Find:
        """What searches like `find`, but for the searches that entries are kept of."""

        def find_some(search: Search) -> Entries:
            sort = next((name for name, one in self.searches.items() if one == search), None)
            if sort is None:
                return find(search)
            whole = replace(search, attributes=_with(search.attributes, self.mark.key))
            if self.kept is None:
                self.found[sort] = find(whole)
            else:
                kept = self.kept.entries[sort]
                self.found[sort] = self._refreshed(find, whole, kept, self.kept.anchor.mark)
            return self.found[sort]

        return find_some

    def _refreshed(self, find: Find, search: Search, kept: Entries, since: str) -> Entries:
        volatile = [name for name in search.attributes if name.lower() in self.mark.volatile]
        there = find(replace(search, attributes=_with(tuple(volatile), self.mark.key)))
        # What an overlay makes of a URL when it is read is counted by nobody.
        is_new = f"(|({self.mark.counter}>={since})(memberURL=*))"
        changed = find(replace(search, filter=f"(&{search.filter}{is_new})"))
        self.changed_count += len(changed)
        return merged(there, changed, kept, self.mark)


def _with(attributes: tuple[str, ...], key: str) -> tuple[str, ...]:
    return attributes if key.lower() in map(str.lower, attributes) else (*attributes, key)


def merged(there: Entries, changed: Entries, kept: Entries, mark: Mark) -> Entries:
    """Everybody who is `there`: as `changed` says, else as `kept`, but for what is volatile.

    Raises:
        NeedsAllError: one has another DN than before, which members' lists may still know it by,
            or is neither changed nor kept, or has no key.
    """
    new_rows, old_rows = _rows(changed, mark.key), _rows(kept, mark.key)
    rows: list[tuple[bool, int]] = []
    for dn, key in zip(there.dns, there.first(mark.key), strict=True):
        if key is None:
            raise NeedsAllError(f"an entry has no {mark.key}")
        old = old_rows.get(key)
        if old is not None and kept.dns[old] != dn:
            raise NeedsAllError("an entry was renamed or moved")
        if key in new_rows:
            rows.append((True, new_rows[key]))
        elif old is not None:
            rows.append((False, old))
        else:
            raise NeedsAllError("an entry came from elsewhere in the directory")
    columns: dict[str, list[Cell]] = {}
    for name in sorted(changed.columns.keys() | kept.columns.keys() | there.columns.keys()):
        new, old_cells = changed.cells(name), kept.cells(name)
        columns[name] = [new[row] if is_new else old_cells[row] for is_new, row in rows]
    for name in mark.volatile:
        columns[name] = there.cells(name)
    return Entries(there.dns, {name: cells for name, cells in columns.items() if any(cells)})


def _rows(entries: Entries, key: str) -> dict[bytes, int]:
    return {value: row for row, value in enumerate(entries.first(key)) if value is not None}

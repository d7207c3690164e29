"""Searches that read only what changed, and find everything all the same.

What changed is told by the server (DirSync, syncrepl), or by a stamp on each entry. Whatever is
told, one sweep over the ids says what is there now: what is gone is gone, and where anything moved
or took another's name, everything is read, for groups name their members by DN, and need not change
when one of them moves.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from ldap3 import Connection
from ldap3.utils.conv import escape_bytes

from extractors.directory.dn import normal_dn
from extractors.directory.entries import Entries, Find, Search
from extractors.directory.ldap.incremental.changes import Changes, dirsync, syncrepl
from extractors.directory.ldap.incremental.state import DirectoryState, gathered, key_of, overlaid

# Two looks at the same entries of a directory: which are new or changed, and whether any moved.

STAMPS = ("uSNChanged", "entryCSN", "modifyTimestamp")
"""Attributes that change with the entry.

uSNChanged is a number of one controller's own; entryCSN is OpenLDAP's, to the microsecond.
"""

_COARSE = "modifyTimestamp"


def has_moved(before: Entries, after: Entries, attribute: str) -> bool:
    """Whether any entry has another DN than it had, or a DN that another one had.

    `attribute` identifies an entry, whatever it is called.
    """
    names = dict(zip(before.first(attribute), map(normal_dn, before.dns), strict=True))
    owners = {dn: one for one, dn in names.items()}
    return any(
        names.get(one, dn) != dn or owners.get(dn, one) != one
        for one, dn in zip(after.first(attribute), map(normal_dn, after.dns), strict=True)
    )


def changed_ids(before: Entries, after: Entries, attribute: str) -> set[bytes]:
    """The ids of entries that are new, or whose stamp is another one; or that have none."""
    stamp = next((name for name in STAMPS if after.has(name)), _COARSE)
    known = dict(zip(before.first(attribute), before.first(stamp), strict=True))
    # Of a stamp in seconds the last second was perhaps not over when it was read.
    doubtful = max(filter(None, known.values()), default=None) if stamp == _COARSE else None
    return {
        one
        for one, now in zip(after.first(attribute), after.first(stamp), strict=True)
        if one is not None and (now is None or now == doubtful or known.get(one) != now)
    }


def new_ids(before: Entries, after: Entries, attribute: str) -> set[bytes]:
    """The ids of entries that were not there."""
    return {one for one in after.first(attribute) if one is not None} - set(before.first(attribute))


_log = logging.getLogger(__name__)

_MOST_CHANGED = 0.2
"""Of all entries; where more changed, reading all is as fast."""

_AT_ONCE = 100
_MOVED = ("name", "parentGUID", "isDeleted")


@dataclass(frozen=True, slots=True)
class ChangeMethod:
    """How changes are told.

    Attributes:
        server: which server tells them: another one has other numbers and cookies.
        by: `dirsync`, `usn_changed`, `modify_timestamp` or `syncrepl`.
        attribute: what identifies an entry.
        unreported: attributes, in lower case, that change without a trace on the entry.
        root: the naming context, for DirSync.
    """

    server: str
    by: str
    attribute: str
    unreported: frozenset[str]
    root: str = ""


class _UncertainError(Exception):
    """What is there cannot be told from what was there before."""


class DeltaFinder:
    """Finds as `whole` does, and reads only what changed since `last` where that can be told.

    Attributes:
        said: a sentence a search, for the proof of a complete read.
    """

    def __init__(
        self,
        whole: Find,
        connection: Connection,
        way: ChangeMethod,
        last: DirectoryState | None,
        now: datetime,
    ) -> None:
        """Nothing is asked yet.

        Args:
            whole: searches, whole.
            connection: bound; for what the server tells of changes.
            way: how changes are told.
            last: what the last run kept; None where everything is read.
            now: this moment, UTC.
        """
        self.said: list[str] = []
        self._whole = whole
        self._connection = connection
        self._way = way
        self._last = last
        self._full_at = last.full_at if last else now
        self._cookies: dict[str, bytes] = {}
        self._found: dict[str, Entries] = {}

    def state(self) -> DirectoryState:
        """What the next read goes on from."""
        way = self._way
        return DirectoryState(way.server, way.by, self._full_at, self._cookies, self._found)

    def find(self, search: Search) -> Entries:
        """All that `search` finds; one that asks for next to nothing is made anew."""
        if len(search.attributes) <= 1:
            return self._whole(search)
        stamps = () if self._is_told else STAMPS
        asked = replace(search, attributes=_once(*search.attributes, self._way.attribute, *stamps))
        key = key_of(asked)
        changes = self._told(asked, key)
        before = self._last.found.get(key) if self._last else None
        found = None
        if before is not None:
            try:
                found = self._merged(asked, before, changes)
            except _UncertainError as reason:
                _log.info("%s: read whole: %s", search.base, reason)
        if found is None:
            found = self._whole(asked)
            self.said.append(f"{search.base}: all of {len(found):,} entries read")
        self._found[key] = found
        return found

    @property
    def _is_told(self) -> bool:
        return self._way.by in {"dirsync", "syncrepl"}

    def _told(self, asked: Search, key: str) -> Changes | None:
        """What the server tells of changes; None where stamps tell, or it does not.

        Asked before the entries are: what changes meanwhile is told again the next time.
        """
        if not self._is_told:
            return None
        last = self._last.cookies.get(key, b"") if self._last else b""
        if self._way.by == "dirsync":
            names = _once(*asked.attributes, *_MOVED) if last else (self._way.attribute,)
            changes = dirsync(self._connection, self._way.root, names, last)
        else:
            changes = syncrepl(self._connection, asked, last)
        if changes is not None:
            self._cookies[key] = changes.cookie
        return changes if last else None

    def _merged(self, asked: Search, before: Entries, changes: Changes | None) -> Entries:
        """What is there now, of what was there and what changed.

        Raises:
            _UncertainError: that cannot be told for certain.
        """
        if self._is_told and changes is None:
            raise _UncertainError("the server does not tell what changed since")
        apart = {self._way.attribute.lower(), *(name.lower() for name in STAMPS)}
        volatile = tuple(
            name
            for name in asked.attributes
            if name.lower() in self._way.unreported and name.lower() not in apart
        )
        if changes is not None and not changes.is_any and not volatile:
            self.said.append(f"{asked.base}: no entry of {len(before):,} changed, says the server")
            return before
        attribute = self._way.attribute
        stamps = () if self._is_told else STAMPS
        sweep = self._whole(replace(asked, attributes=(attribute, *stamps, *volatile)))
        if None in sweep.first(attribute) or has_moved(before, sweep, attribute):
            self._last = None  # nor may anything else be gone on from
            raise _UncertainError("an entry moved or took another's name")
        compare = new_ids if self._is_told else changed_ids
        wanted = compare(before, sweep, attribute)
        wanted |= (changes.ids if changes else frozenset()).intersection(sweep.first(attribute))
        if len(wanted) > max(_AT_ONCE, _MOST_CHANGED * len(sweep)):
            raise _UncertainError(f"{len(wanted):,} of {len(sweep):,} entries changed")
        fresh = self._by_id(asked, sorted(wanted))
        if set(fresh.first(attribute)) != wanted:
            raise _UncertainError("entries changed while they were read")
        gone = len(set(before.first(attribute)) - set(sweep.first(attribute)))
        self.said.append(
            f"{asked.base}: {len(sweep):,} entries; {len(wanted):,} changed and {gone:,} gone "
            f"since, on top of all that was read on {self._full_at:%Y-%m-%d}"
        )
        return overlaid(_put_together(sweep, fresh, before, attribute), sweep, volatile)

    def _by_id(self, asked: Search, ids: list[bytes]) -> Entries:
        name, found = self._way.attribute, list[tuple[Entries, int]]()
        for start in range(0, len(ids), _AT_ONCE):
            either = (f"({name}={_value(one, name)})" for one in ids[start : start + _AT_ONCE])
            part = self._whole(replace(asked, filter=f"(&{asked.filter}(|{''.join(either)}))"))
            found += [(part, row) for row in range(len(part))]
        return gathered(found)


def _put_together(sweep: Entries, fresh: Entries, before: Entries, attribute: str) -> Entries:
    """The entries that the sweep found, in its order: as they were read now, or before."""
    at: dict[bytes | None, tuple[Entries, int]] = {}
    for entries in (before, fresh):
        at |= {one: (entries, row) for row, one in enumerate(entries.first(attribute))}
    return gathered([at[one] for one in sweep.first(attribute)])


def _value(one: bytes, attribute: str) -> str:
    """An id as it stands in a filter: entryUUID is text, objectGUID its bytes."""
    return one.decode("ascii") if attribute == "entryUUID" else str(escape_bytes(one))


def _once(*names: str) -> tuple[str, ...]:
    by_name = {name.lower(): name for name in reversed(names)}
    return tuple(reversed(by_name.values()))

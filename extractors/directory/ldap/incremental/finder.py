"""Searches that read only what changed, and find everything all the same.

The server reports what changed (DirSync, syncrepl), or a stamp on each entry shows it. Either way
one sweep over the ids says what is there now: what is gone is gone, and where anything moved or
took another's name, everything is read, for groups name their members by DN, and need not change
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

STAMPS = ("uSNChanged", "entryCSN", "modifyTimestamp")
"""Attributes that change with the entry.

uSNChanged is a number of one controller's own; entryCSN is OpenLDAP's, to the microsecond.
"""

_COARSE = "modifyTimestamp"

_log = logging.getLogger(__name__)

_MOST_CHANGED = 0.2
"""Of all entries; where more changed, reading all is as fast."""

_AT_ONCE = 100
_MOVED = ("name", "parentGUID", "isDeleted")


@dataclass(frozen=True, slots=True)
class ChangeMethod:
    """How changes are known.

    Attributes:
        server: the server that reports them: another one has other numbers and cookies.
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


class DeltaFinder:
    """Finds as `whole` does, and reads only what changed since `last` where that is known.

    Attributes:
        proofs: a sentence a search, for the proof of a complete read.
    """

    def __init__(
        self,
        whole: Find,
        connection: Connection,
        method: ChangeMethod,
        last: DirectoryState | None,
        now: datetime,
    ) -> None:
        """Sends nothing yet.

        Args:
            whole: searches, whole.
            connection: bound; for the changes that the server reports.
            method: how changes are known.
            last: what the last run kept; None where everything is read.
            now: this moment, UTC.
        """
        self.proofs: list[str] = []
        self._whole = whole
        self._connection = connection
        self._method = method
        self._last = last
        self._full_at = last.full_at if last else now
        self._cookies: dict[str, bytes] = {}
        self._entries: dict[str, Entries] = {}

    def state(self) -> DirectoryState:
        """Returns what the next read goes on from."""
        method = self._method
        return DirectoryState(method.server, method.by, self._full_at, self._cookies, self._entries)

    def find(self, search: Search) -> Entries:
        """Returns all that `search` finds; one of a single attribute is made anew."""
        if len(search.attributes) <= 1:
            return self._whole(search)
        names = _once(*search.attributes, self._method.attribute, *self._stamps)
        search = replace(search, attributes=names)
        key = key_of(search)
        changes = self._reported_changes(search, key)
        before = self._last.entries.get(key) if self._last else None
        entries = None
        if before is not None:
            try:
                entries = self._merged(search, before, changes)
            except _UncertainError as reason:
                _log.info("%s: read whole: %s", search.base, reason)
        if entries is None:
            entries = self._whole(search)
            self.proofs.append(f"{search.base}: all of {len(entries):,} entries read")
        self._entries[key] = entries
        return entries

    @property
    def _is_reported(self) -> bool:
        """Whether the server reports changes; else stamps show them."""
        return self._method.by in {"dirsync", "syncrepl"}

    @property
    def _stamps(self) -> tuple[str, ...]:
        return () if self._is_reported else STAMPS

    def _reported_changes(self, search: Search, key: str) -> Changes | None:
        """Returns the changes that the server reports; None where stamps show them, or it does not.

        Requested before the entries are: what changes meanwhile is reported again the next time.
        """
        if not self._is_reported:
            return None
        last = self._last.cookies.get(key, b"") if self._last else b""
        if self._method.by == "dirsync":
            names = _once(*search.attributes, *_MOVED) if last else (self._method.attribute,)
            changes = dirsync(self._connection, self._method.root, names, last)
        else:
            changes = syncrepl(self._connection, search, last)
        if changes is not None:
            self._cookies[key] = changes.cookie
        return changes if last else None

    def _merged(self, search: Search, before: Entries, changes: Changes | None) -> Entries:
        """Returns what is there now, from what was there and what changed.

        Raises:
            _UncertainError: that is not certain.
        """
        if self._is_reported and changes is None:
            raise _UncertainError("the server does not tell what changed since")
        apart = {self._method.attribute.lower(), *(name.lower() for name in STAMPS)}
        volatile = tuple(
            name
            for name in search.attributes
            if name.lower() in self._method.unreported and name.lower() not in apart
        )
        if changes is not None and not changes.is_any and not volatile:
            self.proofs.append(
                f"{search.base}: no entry of {len(before):,} changed, says the server"
            )
            return before
        attribute = self._method.attribute
        names = (attribute, *self._stamps, *volatile)
        sweep = self._whole(replace(search, attributes=names))
        if None in sweep.first(attribute) or has_moved(before, sweep, attribute):
            self._last = None  # nor may anything else be gone on from
            raise _UncertainError("an entry moved or took another's name")
        compare = new_ids if self._is_reported else changed_ids
        changed = compare(before, sweep, attribute)
        changed |= (changes.ids if changes else frozenset()).intersection(sweep.first(attribute))
        if len(changed) > max(_AT_ONCE, _MOST_CHANGED * len(sweep)):
            raise _UncertainError(f"{len(changed):,} of {len(sweep):,} entries changed")
        fresh = self._by_id(search, sorted(changed))
        if set(fresh.first(attribute)) != changed:
            raise _UncertainError("entries changed while they were read")
        gone = len(set(before.first(attribute)) - set(sweep.first(attribute)))
        self.proofs.append(
            f"{search.base}: {len(sweep):,} entries; {len(changed):,} changed and {gone:,} gone "
            f"since, on top of all that was read on {self._full_at:%Y-%m-%d}"
        )
        return overlaid(_put_together(sweep, fresh, before, attribute), sweep, volatile)

    def _by_id(self, search: Search, ids: list[bytes]) -> Entries:
        name, rows = self._method.attribute, list[tuple[Entries, int]]()
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            either = "".join(f"({name}={_value(entry_id, name)})" for entry_id in some)
            part = self._whole(replace(search, filter=f"(&{search.filter}(|{either}))"))
            rows += [(part, row) for row in range(len(part))]
        return gathered(rows)


class _UncertainError(Exception):
    """What is there cannot be worked out from what was there before."""


def has_moved(before: Entries, after: Entries, attribute: str) -> bool:
    """Whether any entry has another DN than it had, or a DN that another one had.

    `attribute` identifies an entry, whatever it is called.
    """
    names = dict(zip(before.first(attribute), map(normal_dn, before.dns), strict=True))
    owners = {dn: entry_id for entry_id, dn in names.items()}
    return any(
        names.get(entry_id, dn) != dn or owners.get(dn, entry_id) != entry_id
        for entry_id, dn in zip(after.first(attribute), map(normal_dn, after.dns), strict=True)
    )


def changed_ids(before: Entries, after: Entries, attribute: str) -> set[bytes]:
    """The ids of entries that are new, or whose stamp is another one; or that have none."""
    stamp = next((name for name in STAMPS if after.has(name)), _COARSE)
    known = dict(zip(before.first(attribute), before.first(stamp), strict=True))
    # Of a stamp in seconds the last second was perhaps not over when it was read.
    doubtful = max(filter(None, known.values()), default=None) if stamp == _COARSE else None
    return {
        entry_id
        for entry_id, now in zip(after.first(attribute), after.first(stamp), strict=True)
        if entry_id is not None and (now is None or now == doubtful or known.get(entry_id) != now)
    }


def new_ids(before: Entries, after: Entries, attribute: str) -> set[bytes]:
    """The ids of entries that were not there."""
    ids = {entry_id for entry_id in after.first(attribute) if entry_id is not None}
    return ids - set(before.first(attribute))


def _put_together(sweep: Entries, fresh: Entries, before: Entries, attribute: str) -> Entries:
    """Returns the entries of the sweep, in its order: as they were read now, or before."""
    at: dict[bytes | None, tuple[Entries, int]] = {}
    for entries in (before, fresh):
        at |= {entry_id: (entries, row) for row, entry_id in enumerate(entries.first(attribute))}
    return gathered([at[entry_id] for entry_id in sweep.first(attribute)])


def _value(entry_id: bytes, attribute: str) -> str:
    """Returns an id as it is in a filter: entryUUID is text, objectGUID its bytes."""
    return entry_id.decode("ascii") if attribute == "entryUUID" else str(escape_bytes(entry_id))


def _once(*names: str) -> tuple[str, ...]:
    by_name = {name.lower(): name for name in reversed(names)}
    return tuple(reversed(by_name.values()))

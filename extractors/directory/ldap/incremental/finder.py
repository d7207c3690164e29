"""Searches that read only what changed, and find everything all the same.

The server reports what changed (DirSync, syncrepl), or a stamp on each entry shows it. Either way
one sweep over the ids says what is there now, and under which DN. The sweep also reads what changes
without a trace on the entry: links, which a server takes away, brings back and renames with what
they name, and whatever it generates.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ldap3 import Connection
from ldap3.utils.conv import escape_bytes

from extractors.directory.entries import Entries, Find, Search
from extractors.directory.ldap.incremental.changes import Changes, dirsync, syncrepl
from extractors.directory.ldap.incremental.state import DirectoryState, gathered, key_of, overlaid

STAMPS = ("uSNChanged", "entryCSN", "modifyTimestamp")
"""Attributes that change with the entry.

uSNChanged is a number of one controller's own; entryCSN is OpenLDAP's, to the microsecond.
"""

_COARSE = "modifyTimestamp"
_DOUBT = timedelta(minutes=10)
"""So long before the last read a stamp in seconds may have been given twice, clocks apart."""

URLS = ("memberURL", "labeledURI")
"""Attributes of an entry into which a server may put what a search finds (slapo-dynlist)."""

_log = logging.getLogger(__name__)

_MOST_CHANGED = 0.2
"""Of all entries; where more changed, reading all is as fast."""

BINARY_IDS = frozenset({"objectGUID", "GUID"})
"""Ids that are bytes and no text: Active Directory's, and eDirectory's."""

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
        may_expand: whether entries with a URL may show what it finds.
    """

    server: str
    by: str
    attribute: str
    unreported: frozenset[str]
    root: str = ""
    may_expand: bool = False


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
        generated: Find | None = None,
    ) -> None:
        """Sends nothing yet.

        Args:
            whole: searches, whole.
            connection: bound; for the changes that the server reports.
            method: how changes are known.
            last: what the last run kept; None where everything is read.
            now: this moment, UTC.
            generated: searches, and shows only what the server generates; None where it cannot.
        """
        self.proofs: list[str] = []
        self._whole = whole
        self._connection = connection
        self._method = method
        self._last = last
        self._full_at = last.full_at if last else now
        self._now = now
        self._find_generated = generated
        self._generated: dict[str, frozenset[str]] = {}
        self._cookies: dict[str, bytes] = {}
        self._entries: dict[str, Entries] = {}

    def state(self) -> DirectoryState:
        """Returns what the next read goes on from."""
        return DirectoryState(
            server=self._method.server,
            by=self._method.by,
            full_at=self._full_at,
            read_at=self._now,
            cookies=self._cookies,
            entries=self._entries,
            generated=self._generated,
        )

    def find(self, search: Search) -> Entries:
        """Returns all that `search` finds; one of a single attribute is made anew."""
        if len(search.attributes) <= 1:
            return self._whole(search)
        names = _once(*search.attributes, self._method.attribute, *self._stamps)
        search = replace(search, attributes=names)
        key = key_of(search)
        changes = self._reported_changes(search, key)
        self._generated[key] = self._generated_names(search)
        before = self._last.entries.get(key) if self._last else None
        entries = None
        if before is not None:
            try:
                entries = self._merged(search, key, before, changes)
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
            changes = syncrepl(self._connection, search, self._method.attribute, last)
        if changes is not None:
            self._cookies[key] = changes.cookie
        return changes if last else None

    def _generated_names(self, search: Search) -> frozenset[str]:
        """Returns the attributes, in lower case, that the server generates for any entry."""
        if self._find_generated is None:
            return frozenset()
        return frozenset(self._find_generated(search).columns)

    def _volatile(self, search: Search, key: str) -> tuple[str, ...]:
        """Returns the attributes of the search that are read each time, and never kept."""
        last = self._last.generated.get(key, frozenset()) if self._last else frozenset()
        unkept = self._method.unreported | self._generated[key] | last
        apart = {self._method.attribute.lower(), *(name.lower() for name in STAMPS)}
        return tuple(name for name in search.attributes if name.lower() in unkept - apart)

    def _merged(
        self, search: Search, key: str, before: Entries, changes: Changes | None
    ) -> Entries:
        """Returns what is there now, from what was there and what changed.

        Raises:
            _UncertainError: that is not certain.
        """
        if self._is_reported and changes is None:
            raise _UncertainError("the server does not tell what changed since")
        attribute, volatile = self._method.attribute, self._volatile(search, key)
        urls = URLS if self._method.may_expand else ()
        sweep = self._whole(
            replace(search, attributes=_once(attribute, *self._stamps, *volatile, *urls))
        )
        if None in sweep.first(attribute):
            raise _UncertainError(f"an entry shows no {attribute}")
        changed = self._changed(before, sweep) | _with_url(sweep, attribute)
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

    def _changed(self, before: Entries, sweep: Entries) -> set[bytes]:
        """Returns the ids of entries that are new, or of which a stamp shows a change."""
        attribute = self._method.attribute
        if self._is_reported or self._last is None:
            return new_ids(before, sweep, attribute)
        return changed_ids(before, sweep, attribute, self._last.read_at)

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


def changed_ids(
    before: Entries, after: Entries, attribute: str, last_read_at: datetime
) -> set[bytes]:
    """The ids of entries that are new, or whose stamp is another one; or that have none.

    Of a stamp in seconds, also those that were given about when the entries were last read: the
    same one may have been given again since.
    """
    stamp = next((name for name in STAMPS if after.has(name)), _COARSE)
    known = dict(zip(before.first(attribute), before.first(stamp), strict=True))
    doubtful: bytes | None = None
    if stamp == _COARSE:
        newest = max(filter(None, known.values()), default=b"")
        doubtful = min(newest, f"{last_read_at - _DOUBT:%Y%m%d%H%M%S}".encode())

    def has_changed(entry_id: bytes, now: bytes | None) -> bool:
        if now is None or known.get(entry_id) != now:
            return True
        return doubtful is not None and now >= doubtful

    stamped = zip(after.first(attribute), after.first(stamp), strict=True)
    return {one for one, now in stamped if one is not None and has_changed(one, now)}


def new_ids(before: Entries, after: Entries, attribute: str) -> set[bytes]:
    """The ids of entries that were not there."""
    ids = {entry_id for entry_id in after.first(attribute) if entry_id is not None}
    return ids - set(before.first(attribute))


def _with_url(entries: Entries, attribute: str) -> set[bytes]:
    """Returns the ids of entries with a URL: what such an entry shows may come from a search."""
    ids = entries.first(attribute)
    return {
        entry_id
        for name in URLS
        for entry_id, url in zip(ids, entries.first(name), strict=True)
        if entry_id is not None and url is not None
    }


def _put_together(sweep: Entries, fresh: Entries, before: Entries, attribute: str) -> Entries:
    """Returns the entries of the sweep, by its names: as they were read now, or before."""
    at: dict[bytes | None, tuple[Entries, int]] = {}
    for entries in (before, fresh):
        at |= {entry_id: (entries, row) for row, entry_id in enumerate(entries.first(attribute))}
    kept = gathered([at[entry_id] for entry_id in sweep.first(attribute)])
    return replace(kept, dns=sweep.dns)


def _value(entry_id: bytes, attribute: str) -> str:
    """Returns an id as it is in a filter: most are text, some a GUID's bytes."""
    return str(escape_bytes(entry_id)) if attribute in BINARY_IDS else entry_id.decode("ascii")


def _once(*names: str) -> tuple[str, ...]:
    by_name = {name.lower(): name for name in reversed(names)}
    return tuple(reversed(by_name.values()))

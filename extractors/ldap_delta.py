"""A directory read from where the last read left off, or whole where that would not be sound."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta

import polars as pl
from ldap3 import Connection

from extractors.directory_accounts import users_search
from extractors.directory_delta import Delta, NeedsAllError
from extractors.directory_entries import Search
from extractors.directory_groups import groups_search
from extractors.directory_marks import Mark, domain_mark, tree_mark
from extractors.directory_reading import read_directory
from extractors.kept_entries import Anchor, Kept, from_kept_frame, to_kept_frame
from extractors.reading import Reading
from schemas.directory_sources import ActiveDirectorySource
from schemas.raw import Raw


def read_since(
    reading: Reading, connection: Connection, full_every: timedelta, last: pl.DataFrame | None
) -> Raw:
    """As `read_directory`, with what the next read may go on from in `kept`.

    Args:
        reading: what to read.
        connection: to the server that it is read from.
        full_every: how old the last whole read may be.
        last: what the last read kept.

    Raises:
        SourceError: as `read_directory`.
    """
    searches = {"users": users_search(reading.source, reading.wanted, reading.base_dn)}
    groups = groups_search(reading)
    if groups is not None:
        searches["groups"] = groups
    mark = _mark(reading, connection, searches)
    if mark is None:
        note = "delta: the server does not say how far its changes have got: all was read"
        raw = read_directory(reading)
        return replace(raw, warnings=(*raw.warnings, f"{reading.origin}: {note}"))
    kept = from_kept_frame(last)
    reason = _why_all(kept, mark, searches, reading, full_every)
    if reason is None and kept is not None:
        try:
            return _read(reading, Delta(mark, searches, kept), kept.anchor.read_at, "")
        except NeedsAllError as error:
            reason = str(error)
    return _read(reading, Delta(mark, searches, None), reading.now.isoformat(), reason or "")


def _mark(reading: Reading, connection: Connection, searches: Mapping[str, Search]) -> Mark | None:
    attributes = tuple({name for search in searches.values() for name in search.attributes})
    if isinstance(reading.source, ActiveDirectorySource):
        return domain_mark(connection, attributes)
    return tree_mark(connection, reading.base_dn, attributes)


def _why_all(
    kept: Kept | None,
    mark: Mark,
    searches: Mapping[str, Search],
    reading: Reading,
    full_every: timedelta,
) -> str | None:
    """Why the kept entries cannot be gone on from; None where they can."""
    if kept is None:
        return "nothing is kept of an earlier read"
    anchor = kept.anchor
    if anchor.server != mark.server:
        return "another controller answers, or this one was restored"
    if anchor.searches != _texts(searches):
        return "bases, filters or attributes are not those of the last read"
    if _order(mark.count) < _order(anchor.mark):
        return "the server's count of changes went back"
    if not anchor.is_younger_than(full_every.total_seconds(), reading.now):
        return "the last whole read is older than delta.full_every"
    return None


def _order(count: str) -> int:
    return int(count.removesuffix("Z"))


def _texts(searches: Mapping[str, Search]) -> dict[str, str]:
    return {sort: json.dumps(asdict(search)) for sort, search in searches.items()}


def _read(reading: Reading, delta: Delta, read_at: str, reason: str) -> Raw:
    raw = read_directory(replace(reading, find=delta.finding(reading.find)))
    anchor = Anchor(delta.mark.server, _texts(delta.searches), delta.mark.count, read_at)
    said = (
        f"all was read: {reason}"
        if delta.kept is None
        else f"{delta.changed_count:,} entries were fetched anew, the others are as last read"
    )
    return replace(
        raw,
        proof=(*raw.proof, f"delta: {said}"),
        kept=to_kept_frame(Kept(anchor, delta.found)),
    )

"""What a directory's reader keeps of a complete read: its entries as frames, and where it stood."""

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from extractors.directory.entries import Cell, Entries, Search
from schemas.raw import ReaderState

_log = logging.getLogger(__name__)
_DN = "dn"
_COOKIE = "cookie-"
_VALUES = pl.List(pl.Binary)


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """A complete read, brought up to date since.

    Attributes:
        server: which server answered; another one has other numbers.
        by: how changes are told.
        full_at: when everything was read, UTC.
        cookies: by the search's key: from where the server tells changes.
        found: by the search's key: what it found.
    """

    server: str
    by: str
    full_at: datetime
    cookies: dict[str, bytes]
    found: dict[str, Entries]


def key_of(search: Search) -> str:
    """A name for all that a search depends on; another filter or attribute is another search."""
    said = "\0".join([search.base, search.filter, search.scope, *sorted(search.attributes)])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def to_reader_state(state: DirectoryState) -> ReaderState:
    """The state as a run keeps it for the next one."""
    marks = {
        "server": state.server,
        "by": state.by,
        "full_at": state.full_at.isoformat(),
    } | {f"{_COOKIE}{key}": cookie.hex() for key, cookie in state.cookies.items()}
    return ReaderState(marks, {key: _to_frame(found) for key, found in state.found.items()})


def to_directory_state(kept: ReaderState | None) -> DirectoryState | None:
    """The state that the last run kept; None where there is none, or one of another version."""
    if kept is None:
        return None
    try:
        return _to_directory_state(kept)
    except (KeyError, ValueError, pl.exceptions.PolarsError):
        _log.warning("everything is read: what is kept is damaged, or of another version")
        return None


def _to_directory_state(kept: ReaderState) -> DirectoryState:
    marks = kept.marks
    return DirectoryState(
        server=marks["server"],
        by=marks["by"],
        full_at=datetime.fromisoformat(marks["full_at"]),
        cookies={
            name.removeprefix(_COOKIE): bytes.fromhex(cookie)
            for name, cookie in marks.items()
            if name.startswith(_COOKIE)
        },
        found={key: _to_entries(frame) for key, frame in kept.frames.items()},
    )


def _to_frame(entries: Entries) -> pl.DataFrame:
    values = [
        pl.Series(f"@{name}", [_as_list(cell) for cell in cells], dtype=_VALUES)
        for name, cells in entries.columns.items()
    ]
    return pl.DataFrame([pl.Series(_DN, entries.dns, dtype=pl.String), *values])


def _to_entries(frame: pl.DataFrame) -> Entries:
    if frame.columns[:1] != [_DN] or any(one != _VALUES for one in frame.dtypes[1:]):
        raise ValueError("no entries of ours")
    columns = {
        name.removeprefix("@"): [_as_cell(values) for values in frame[name]]
        for name in frame.columns
        if name != _DN
    }
    return Entries(frame[_DN].to_list(), columns)


def _as_list(cell: Cell) -> list[bytes] | None:
    return [cell] if isinstance(cell, bytes) else cell


def _as_cell(values: pl.Series | None) -> Cell:
    cell: list[bytes] | None = None if values is None else values.to_list()
    return cell[0] if cell and len(cell) == 1 else cell


def gathered(parts: list[tuple[Entries, int]]) -> Entries:
    """The entries at these rows of these entries, in this order."""
    names = dict.fromkeys(name for entries, _ in _each(parts) for name in entries.columns)
    columns = {
        name: [None if column is None else column[row] for column, row in _cells(parts, name)]
        for name in names
    }
    return Entries([entries.dns[row] for entries, row in parts], columns)


def _each(parts: list[tuple[Entries, int]]) -> list[tuple[Entries, int]]:
    """One part of each of the entries."""
    return list({id(entries): (entries, row) for entries, row in parts}.values())


def _cells(parts: list[tuple[Entries, int]], name: str) -> list[tuple[list[Cell] | None, int]]:
    return [(entries.columns.get(name), row) for entries, row in parts]


def overlaid(entries: Entries, fresh: Entries, attributes: tuple[str, ...]) -> Entries:
    """`entries` with these attributes as they are in `fresh`, row by row."""
    names = [name.lower() for name in attributes]
    kept = {name: found for name, found in entries.columns.items() if name not in names}
    now = {name: fresh.columns[name] for name in names if name in fresh.columns}
    return replace(entries, columns=kept | now)

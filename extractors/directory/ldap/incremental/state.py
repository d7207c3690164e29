"""The state that a directory's reader keeps: the entries of a complete read, and its cookies."""

import hashlib
import logging
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from extractors.directory.entries import Cell, Entries, Search
from schemas.raw import ReaderState

_log = logging.getLogger(__name__)
_DN = "dn"
_COOKIE, _GENERATED = "cookie-", "generated-"
_VERSION = "2"
"""What earlier ones kept has links that may be gone since."""
_VALUES = pl.List(pl.Binary)


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """A complete read, brought up to date since.

    Attributes:
        server: which server answered; another one has other numbers.
        by: how changes are known.
        full_at: when everything was read, UTC.
        read_at: when it was last brought up to date, UTC.
        cookies: by the search's key: from where the server reports changes.
        entries: by the search's key: what it found.
        generated: by the search's key: the attributes, in lower case, that the server generated.
    """

    server: str
    by: str
    full_at: datetime
    read_at: datetime
    cookies: dict[str, bytes]
    entries: dict[str, Entries]
    generated: dict[str, frozenset[str]] = field(default_factory=dict)


def key_of(search: Search) -> str:
    """Returns a name of the search; with another filter or attribute it is another search."""
    text = "\0".join([search.base, search.filter, search.scope, *sorted(search.attributes)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def to_reader_state(state: DirectoryState) -> ReaderState:
    """Returns the state as a run keeps it for the next one."""
    marks = {
        "version": _VERSION,
        "server": state.server,
        "by": state.by,
        "full_at": state.full_at.isoformat(),
        "read_at": state.read_at.isoformat(),
    }
    marks |= {f"{_COOKIE}{key}": cookie.hex() for key, cookie in state.cookies.items()}
    marks |= {f"{_GENERATED}{key}": ",".join(sorted(n)) for key, n in state.generated.items()}
    return ReaderState(marks, {key: _to_frame(entries) for key, entries in state.entries.items()})


def to_directory_state(kept: ReaderState | None) -> DirectoryState | None:
    """Returns the state that the last run kept; None without one, or of another version."""
    if kept is None:
        return None
    try:
        return _to_directory_state(kept)
    except (KeyError, ValueError, pl.exceptions.PolarsError):
        _log.warning("everything is read: what is kept is damaged, or of another version")
        return None


def _to_directory_state(kept: ReaderState) -> DirectoryState:
    marks = kept.marks
    if marks["version"] != _VERSION:
        raise ValueError("of another version")
    return DirectoryState(
        server=marks["server"],
        by=marks["by"],
        full_at=datetime.fromisoformat(marks["full_at"]),
        read_at=datetime.fromisoformat(marks["read_at"]),
        cookies={
            name.removeprefix(_COOKIE): bytes.fromhex(cookie)
            for name, cookie in marks.items()
            if name.startswith(_COOKIE)
        },
        entries={key: _to_entries(frame) for key, frame in kept.frames.items()},
        generated={
            name.removeprefix(_GENERATED): frozenset(filter(None, names.split(",")))
            for name, names in marks.items()
            if name.startswith(_GENERATED)
        },
    )


def _to_frame(entries: Entries) -> pl.DataFrame:
    values = [
        pl.Series(f"@{name}", [_as_list(cell) for cell in cells], dtype=_VALUES)
        for name, cells in entries.columns.items()
    ]
    return pl.DataFrame([pl.Series(_DN, entries.dns, dtype=pl.String), *values])


def _to_entries(frame: pl.DataFrame) -> Entries:
    if frame.columns[:1] != [_DN] or any(dtype != _VALUES for dtype in frame.dtypes[1:]):
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
    """Returns the entries at these rows of these entries, in this order."""
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
    """Returns `entries` with these attributes as they are in `fresh`, row by row."""
    names = [name.lower() for name in attributes]
    kept = {name: cells for name, cells in entries.columns.items() if name not in names}
    now = {name: fresh.columns[name] for name in names if name in fresh.columns}
    return replace(entries, columns=kept | now)

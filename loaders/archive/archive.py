"""The archive: accepted and held snapshots of runs, their rejects and activity, as Parquet.

A held plan waits here, as the snapshot of its run, and in the ledger, as that run in state `held`.
Laid out as `<source>/<run_id>/<name>.parquet` in a private folder or an object store.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from loaders.archive.folder import ArchiveFolder
from schemas.errors import ConfigError, StateError
from schemas.snapshot import Snapshot
from schemas.tables import ACCOUNTS, ENTITLEMENTS, GRANTS, RESOURCES

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_RUN_TIME = re.compile(r"(\d{8}T\d{6}Z)-")
_TABLES: dict[str, Mapping[str, pl.DataType]] = {
    "accounts": ACCOUNTS,
    "entitlements": ENTITLEMENTS,
    "resources": RESOURCES,
    "grants": GRANTS,
}
_STORED_AS = {"grants": "held"}
"""What a table is called where it is kept, as every version of this program has kept it."""


Pick = Callable[[pl.LazyFrame], pl.LazyFrame]
"""Says what of a frame is read: some of its rows and columns."""


def whole(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Every row and column."""
    return frame


class ArchivePlace(Protocol):
    """Where frames are kept; each method raises StateError where that fails."""

    def write(self, parts: tuple[str, ...], frame: pl.DataFrame) -> None:
        """Keeps the frame under that path, whole or not at all."""

    def read(self, parts: tuple[str, ...], pick: Pick) -> pl.DataFrame:
        """What `pick` says of the frame under that path, once its checksum is right."""

    def folders(self, name: str) -> list[str]:
        """What is directly below `name`, in order."""

    def remove(self, parts: tuple[str, ...]) -> None:
        """Removes all that is below that path."""


def open_archive(location: str) -> "Archive":
    """The archive at a folder's path or an object store's URL. Nothing is made or connected yet.

    Raises:
        ConfigError: no such kind of URL.
    """
    if location.startswith("file://") or "://" not in location:
        return Archive(ArchiveFolder(Path(location.removeprefix("file://"))))
    from loaders.archive.bucket import open_bucket  # noqa: PLC0415 - for those who use one

    return Archive(open_bucket(location))


@dataclass(frozen=True, slots=True)
class Archive:
    """The frames of runs. `open_archive` makes one.

    Every method raises ConfigError for a source's or a run's name that is no plain file name, and
    StateError where the archive cannot be read or written.
    """

    place: ArchivePlace

    def save_snapshot(self, source: str, run_id: str, snapshot: Snapshot) -> None:
        """Keeps the run's snapshot."""
        for name in _TABLES:
            self.save_frame(source, run_id, _stored_as(name), getattr(snapshot, name))

    def saved_snapshot(self, source: str, run_id: str) -> Snapshot:
        """The run's snapshot, as it was saved.

        Raises:
            StateError: a table is missing, damaged, or of another shape.
        """
        tables = {name: self._saved_table(source, run_id, name) for name in _TABLES}
        grants = tables["grants"]
        counts = (tables["accounts"].height, tables["entitlements"].height)
        if any(
            _beyond(grants[column], count) for column, count in zip(GRANTS, counts, strict=True)
        ):
            raise _damaged(source, run_id, "held", "it names rows that are not there")
        return Snapshot(**tables)

    def save_frame(self, source: str, run_id: str, name: str, frame: pl.DataFrame) -> None:
        """Keeps a frame of the run, such as its rejects, under `name`."""
        self.place.write(_parts(source, run_id, name), frame)

    def saved_frame(self, source: str, run_id: str, name: str, pick: Pick = whole) -> pl.DataFrame:
        """The frame that was kept under `name`, or what `pick` says of it.

        Raises:
            StateError: it is missing or damaged.
        """
        return self.place.read(_parts(source, run_id, name), pick)

    def saved_runs(self, source: str) -> list[str]:
        """The ids of the source's runs of which something is kept, in order."""
        _check_name(source, "source")
        return [name for name in self.place.folders(source) if _began_at(name) is not None]

    def forget(self, source: str, keep: Collection[str], before: datetime) -> None:
        """Removes the source's runs that began before a moment, but for those in `keep`.

        The time is the one in the run's id; what does not look like a run is left alone.
        """
        for run_id in self.saved_runs(source):
            began_at = _began_at(run_id)
            if began_at is not None and began_at < before and run_id not in keep:
                self.place.remove((source, run_id))

    def _saved_table(self, source: str, run_id: str, name: str) -> pl.DataFrame:
        stored = _stored_as(name)
        table, columns = self.saved_frame(source, run_id, stored), _TABLES[name]
        first = dict(list(table.schema.items())[: len(columns)])
        more = list(table.schema.values())[len(columns) :]
        if first != columns or (name != "accounts" and more) or any(t != pl.String for t in more):
            raise _damaged(source, run_id, stored, "it has other columns than it was saved with")
        return table


def _stored_as(name: str) -> str:
    return _STORED_AS.get(name, name)


def _beyond(rows: pl.Series, count: int) -> bool:
    greatest = rows.max()
    return isinstance(greatest, int) and greatest >= count


def _damaged(source: str, run_id: str, name: str, reason: str) -> StateError:
    return StateError(f"the archive's {source}/{run_id}/{name}.parquet is damaged: {reason}")


def _parts(source: str, run_id: str, name: str) -> tuple[str, ...]:
    _check_name(source, "source")
    _check_name(run_id, "run")
    _check_name(name, "table")
    return source, run_id, f"{name}.parquet"


def _check_name(name: str, kind: str) -> None:
    """Raises unless the name is a plain one, which cannot lead out of the archive.

    Raises:
        ConfigError: it has other than letters of ASCII, digits, `.`, `_` and `-`, or a dot first.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"the {kind} {name!r} cannot name a folder: use letters, digits, '.', '_' and '-'"
        )


def _began_at(run_id: str) -> datetime | None:
    time = _RUN_TIME.match(run_id)
    if time is None:
        return None
    try:
        return datetime.strptime(time[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None

"""Request bodies on their way: written to private files once, hashed as they are written."""

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from flows.run.context import RunContext
from loaders.ledger.processes import is_dead, this_process, to_process
from loaders.lumos.body_file import write_body
from schemas.errors import StateError, raise_as
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_file.file import Source
from transforms.upload.body import TAIL, to_body_parts, to_head

_log = logging.getLogger(__name__)
_PREFIX, _FORMER_PREFIX = "requests-", "outbox-"
_HOLDER = "holder"

LARGE_BODY = 10_000_000
"""Bytes.

Lumos rejects a larger CSV (help centre 7793495392, read 2024-10-08); of JSON it says nothing.
"""


@dataclass(frozen=True, slots=True)
class Bodies:
    """The bodies of one upload: the files, the hash of what is in them, and how large they are."""

    paths: list[Path]
    content_hash: str
    byte_count: int
    accounts_each: int


@contextmanager
def request_folder(state: Path) -> Iterator[Path]:
    """A private folder for bodies that is gone afterwards, with what dead processes left behind.

    Raises:
        StateError: it cannot be made.
    """
    for prefix in (_PREFIX, _FORMER_PREFIX):
        for folder in state.glob(f"{prefix}*"):
            if _is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)
    folder = raise_as(
        lambda: _made_in(state),
        {
            OSError: lambda error: StateError(
                f"{state}: no folder for the upload can be made: {error.strerror}"
            )
        },
    )
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made_in(state: Path) -> Path:
    """A new folder, 0700, that says whose it is."""
    folder, me = Path(mkdtemp(prefix=_PREFIX, dir=state)), this_process()
    (folder / _HOLDER).write_text(f"{me}\n{me.place}", "utf-8")
    return folder


def _is_left_behind(folder: Path) -> bool:
    """Whether the process that made a folder certainly is no more."""
    try:
        holder, _, place = (folder / _HOLDER).read_text("utf-8").partition("\n")
    except OSError:
        return False
    return holder.count(":") > 1 and is_dead(to_process(holder, place))


def content_hash(snapshot: Snapshot) -> str:
    """SHA-256, hex, of the accounts as they are uploaded, however many requests carry them."""
    digest = hashlib.sha256()
    for part in to_body_parts(snapshot):
        digest.update(part)
    return digest.hexdigest()


def write_bodies(
    source: Source, run: Run, snapshot: Snapshot, folder: Path, context: RunContext
) -> Bodies:
    """The request bodies as files, and the hash that does not depend on how many there are."""
    context.progress("encoding", 0, 0)
    height = snapshot.accounts.height
    limit = source.file.upload.accounts_per_request
    # A run that goes on splits as it began: its jobs carried the first parts already.
    each = run.accounts_per_request or (height if limit == "all" else limit)
    digest, byte_count = hashlib.sha256(), 0
    paths: list[Path] = []

    def hashed(start: int) -> Iterator[bytes | memoryview]:
        yield to_head(run.app_id or "")
        if start:
            digest.update(b",")
        for part in to_body_parts(snapshot, start, each):
            digest.update(part)
            yield part
        yield TAIL

    for start in range(0, height, each):
        path = folder / f"body-{len(paths):05d}.json"
        size = write_body(path, hashed(start))
        if size > LARGE_BODY:
            _log.warning(
                "%s: the upload is %.0f MB; of CSV, Lumos takes 10 MB; of JSON, it does not say",
                source.name, size / 1e6,
            )  # fmt: skip
        paths.append(path)
        byte_count += size
    return Bodies(paths, digest.hexdigest(), byte_count, each)

"""Request bodies on their way: written to private files once, hashed as they are written."""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows.workspace import Tools
from loaders.bodies import write_body
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_file import Source
from transforms.upload_body import TAIL, to_body_parts, to_head

_log = logging.getLogger(__name__)

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


def content_hash(snapshot: Snapshot) -> str:
    """SHA-256, hex, of the accounts as they are uploaded, however many requests carry them."""
    digest = hashlib.sha256()
    for part in to_body_parts(snapshot):
        digest.update(part)
    return digest.hexdigest()


def write_bodies(
    source: Source, run: Run, snapshot: Snapshot, folder: Path, tools: Tools
) -> Bodies:
    """The request bodies as files, and the hash that does not depend on how many there are."""
    tools.progress("encoding", 0, 0)
    height = snapshot.accounts.height
    asked = source.file.upload.accounts_per_request
    each = height if asked == "all" else asked
    digest, byte_count = hashlib.sha256(), 0
    paths: list[Path] = []

    def hashed(start: int) -> Iterator[bytes]:
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
    return Bodies(paths, digest.hexdigest(), byte_count)

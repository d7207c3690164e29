"""Ours: from the file to upload bodies on disk, checked, rejects split off, planned and guarded."""

import sys
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import flows  # noqa: F401 - its memory settings are the product's
from benchmarks.exports.accounts_csv import SOURCE_FILE
from extractors.read import read_source
from loaders.archive.archive import open_archive
from loaders.lumos.body_file import write_body
from schemas.snapshot import empty_snapshot
from schemas.source_file.file import to_source
from transforms.plan.counted import to_unread
from transforms.plan.guards import check_guards
from transforms.plan.plan import to_plan
from transforms.snapshot.snapshot import to_snapshot
from transforms.upload.body import TAIL, to_body_parts, to_head

_ACCEPTED, _NOW = "20260101T000000Z-000000", "20260102T000000Z-000000"


def main() -> None:
    """`… ours FOLDER`: from its `accounts.csv`; `prepare` only accepts that."""
    folder = Path(sys.argv[1])
    is_preparing = sys.argv[2:] == ["prepare"]
    file = to_source(SOURCE_FILE, "benchmark", "benchmark.yaml").file
    archive = open_archive(str(folder / "archive"))
    now = datetime.now(UTC)
    last = None if is_preparing else archive.saved_snapshot("benchmark", _ACCEPTED)
    kept = None if is_preparing else archive.saved_frame("benchmark", _ACCEPTED, "kept")
    normalized = to_snapshot(
        read_source(file.source, folder, now=now), file, last or empty_snapshot(), now, kept
    )
    snapshot = normalized.snapshot
    if is_preparing:
        archive.save_snapshot("benchmark", _ACCEPTED, snapshot)
        archive.save_frame("benchmark", _ACCEPTED, "kept", normalized.kept)
        return
    plan = to_plan(snapshot, last)
    if last is not None:
        unread = to_unread(normalized.rejects, snapshot, last)
        plan = replace(plan, counted=(*plan.counted, *unread))
    breaches = check_guards(plan, normalized.counts, file.guards)
    archive.save_frame("benchmark", _NOW, "rejects", normalized.rejects)
    archive.save_frame("benchmark", _NOW, "kept", normalized.kept)
    archive.save_frame("benchmark", _NOW, "lines", normalized.lines)
    parts = chain([to_head("benchmark")], to_body_parts(snapshot), [TAIL])
    write_body(folder / "out" / "bodies.json", parts)
    count = normalized.counts["accounts"]
    print(
        f"{count.read} read, {count.accepted} accepted, "
        f"{count.rejected} rejected, {count.kept} kept; "
        f"{plan.accounts.added} added, {plan.accounts.changed} changed, {plan.accounts.removed} "
        f"removed; {len(breaches)} guards broken"
    )


if __name__ == "__main__":
    main()

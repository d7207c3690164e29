"""Ours, for a directory: from its server to upload bodies on disk, checked, planned, guarded."""

import sys
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from pydantic import SecretStr

import flows  # noqa: F401 - its memory settings are the product's
from extractors.read import read_source
from loaders.lumos.body_file import write_body
from schemas.snapshot import empty_snapshot
from schemas.source_file.file import to_source
from transforms.plan.guards import check_guards
from transforms.plan.plan import to_plan
from transforms.snapshot.snapshot import to_snapshot
from transforms.upload.body import TAIL, to_body_parts, to_head


def main() -> None:
    """`… directory_ours FOLDER PASSWORD`: reads by the folder's `source.yaml`."""
    folder, password = Path(sys.argv[1]), sys.argv[2]
    now = datetime.now(UTC)
    file = to_source((folder / "source.yaml").read_text(), "benchmark", "benchmark.yaml").file
    raw = read_source(
        file.source, folder, now=now, resolve=lambda _: SecretStr(password), named=file.named
    )
    normalized = to_snapshot(raw, file, empty_snapshot(), now)
    del raw  # as a sync does
    snapshot = normalized.snapshot
    check_guards(to_plan(snapshot, None), normalized.counts, file.guards)
    body = folder / "bodies.json"
    body.unlink(missing_ok=True)
    write_body(body, chain([to_head("benchmark")], to_body_parts(snapshot), [TAIL]))
    print(
        f"{snapshot.accounts.height:,} accounts, {snapshot.entitlements.height:,} groups, "
        f"{snapshot.grants.height:,} memberships, {body.stat().st_size / 1e6:.1f} MB of bodies"
    )


if __name__ == "__main__":
    main()

"""Ours: from a database to the canonical accounts, or on to upload bodies on disk."""

import sys
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import flows  # noqa: F401 - its memory settings are the product's
from benchmarks.databases.sql_data import ACCOUNTS_ONLY, SOURCE_FILE
from extractors.read import read_source
from loaders.lumos.body_file import write_body
from schemas.snapshot import empty_snapshot
from schemas.source_file.file import to_source
from transforms.plan.plan import to_plan
from transforms.snapshot.snapshot import to_snapshot
from transforms.tables.accounts import to_accounts
from transforms.upload.body import TAIL, to_body_parts, to_head


def main() -> None:
    """`python -m benchmarks.databases.sql_ours URL accounts`, or `… URL bodies FILE`."""
    url, wanted = sys.argv[1], sys.argv[2]
    text = ACCOUNTS_ONLY if wanted == "accounts" else SOURCE_FILE
    file = to_source(text.format(url=url), "benchmark", "benchmark.yaml").file
    now = datetime(2027, 1, 1, tzinfo=UTC)
    if wanted == "accounts":
        raw = read_source(file.source, Path(), now=now)
        conformed, _ = to_accounts(raw.accounts, file, now)
        print(f"{conformed.records.height} accounts, {conformed.count.rejected} rejected")
        return
    # As in a run, the raw rows are let go as soon as they are normalized.
    snapshot = to_snapshot(
        read_source(file.source, Path(), now=now), file, empty_snapshot(), now
    ).snapshot
    plan = to_plan(snapshot, None)
    body = Path(sys.argv[3])
    body.unlink(missing_ok=True)
    write_body(body, chain([to_head("benchmark")], to_body_parts(snapshot), [TAIL]))
    print(f"{plan.accounts.added} accounts, {snapshot.grants.height} associations")


if __name__ == "__main__":
    main()

"""Publishing a snapshot, in a run that may be killed at any line: intent, upload, job, accept.

The snapshot and its hash are stored before the first POST, each job id right after its POST.
Whatever a dead run left, the next one brings to its end first, from the archive: the same snapshot
gives the same bytes.
"""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.outbox import Bodies, content_hash, write_bodies
from flows.workspace import Tools
from loaders.accounts import compare_accounts, read_accounts, submit_accounts
from loaders.jobs import wait_for_job
from loaders.leases import Lease
from loaders.lumos_api import LumosApi
from schemas.errors import (
    ConfigError,
    ReadBackError,
    StateError,
)
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_file import Source

_log = logging.getLogger(__name__)

READ_BACKS = 3
"""How often accounts are read back: a job may end a moment before its effect shows."""


def accepted_snapshot(base: Run | None, tools: Tools) -> Snapshot | None:
    """The snapshot that `base` left in the app; None on a first run.

    Raises:
        StateError: the archive does not have it as it was.
    """
    return tools.archive.saved_snapshot(base.source, base.run_id) if base else None


def save_held(run: Run, snapshot: Snapshot, reason: str, tools: Tools) -> Run:
    """Keeps a plan that a guard stopped, so that a person can let just that one through."""
    tools.archive.save_snapshot(run.source, run.run_id, snapshot)
    return tools.ledger.update_run(
        run.run_id,
        state="held",
        ended_at=tools.now(),
        content_hash=content_hash(snapshot),
        error=reason,
    )


def publish(source: Source, run: Run, snapshot: Snapshot, tools: Tools, lease: Lease) -> Run:
    """Uploads `snapshot` as `run`, or goes on where an earlier attempt stopped; the accepted run.

    Raises:
        LumosError: not reached, refused, failed, still running at the deadline, or not what was
            sent.
        BusyError: the lease was lost.
        StateError: the disk is full, or the stored snapshot is not what was planned.
    """
    api = tools.api
    if api is None or run.app_id is None:
        raise ConfigError("this needs the Lumos API: set LUMOS_API_TOKEN")
    if len(run.job_ids) < run.counts.get("requests", 1):
        run = _submit_all(source, run, snapshot, api, tools, lease)
    _wait(source, run.job_ids[-1], api, tools)
    if source.file.upload.verify:
        _verify(source, run, snapshot, api, tools)
    accepted = tools.ledger.update_run(run.run_id, state="done", ended_at=tools.now(), error=None)
    before = tools.now() - tools.settings.retention
    tools.archive.forget(source.name, keep=[run.run_id], before=before)
    _log.info("%s: accepted as run %s, job %s", source.name, run.run_id, run.job_ids[-1])
    return accepted


def _submit_all(
    source: Source, run: Run, snapshot: Snapshot, api: LumosApi, tools: Tools, lease: Lease
) -> Run:
    """Stores the intent, then sends what has not been sent, one request after the other."""
    with TemporaryDirectory(prefix="outbox-", dir=tools.settings.state) as folder:
        bodies = write_bodies(source, run, snapshot, Path(folder), tools)
        if run.content_hash is None:
            run = _save_intent(run, snapshot, bodies, tools)
        elif run.content_hash != bodies.content_hash:
            raise StateError(
                f"the archived snapshot of run {run.run_id} is not the one that was planned"
            )
        for number, body in enumerate(bodies.paths):
            if number < len(run.job_ids):
                continue
            if run.job_ids:
                _wait(source, run.job_ids[-1], api, tools)
            lease.check()
            tools.progress("uploading", number, len(bodies.paths))
            job_id = submit_accounts(api, body)
            run = tools.ledger.update_run(
                run.run_id, state="submitted", job_ids=(*run.job_ids, job_id)
            )
            _log.info("%s: %d bytes sent, job %s", source.name, body.stat().st_size, job_id)
    return run


def _save_intent(run: Run, snapshot: Snapshot, bodies: Bodies, tools: Tools) -> Run:
    """Stores what is about to be sent: the snapshot first, then the run that names it."""
    tools.archive.save_snapshot(run.source, run.run_id, snapshot)
    return tools.ledger.update_run(
        run.run_id,
        state="planned",
        app_id=run.app_id,
        content_hash=bodies.content_hash,
        counts={**run.counts, "requests": len(bodies.paths), "bytes": bodies.byte_count},
    )


def _wait(source: Source, job_id: str, api: LumosApi, tools: Tools) -> None:
    tools.progress(f"waiting for job {job_id}", 0, 0)
    wait_for_job(api, job_id, source.file.upload.poll, sleep=tools.sleep)


def _verify(source: Source, run: Run, snapshot: Snapshot, api: LumosApi, tools: Tools) -> None:
    """Reads the accounts back; a difference goes into the private archive and fails the run.

    Raises:
        ReadBackError: the app does not hold what was sent.
    """
    sent = snapshot.accounts.select(
        unique_identifier="integration_specific_id", status="user_status"
    )
    app_id = run.app_id or ""
    for attempt in range(READ_BACKS):
        found = read_accounts(
            api, app_id, on_page=lambda done, total: tools.progress("reading back", done, total)
        )
        differences = compare_accounts(sent, found)
        if not differences.height:
            return
        if attempt < READ_BACKS - 1:
            tools.sleep(source.file.upload.poll.every.total_seconds())
    tools.archive.save_frame(run.source, run.run_id, "differences", differences)
    counts = differences["difference"].value_counts(sort=True).rows()
    said = ", ".join(f"{count} {difference}" for difference, count in counts)
    raise ReadBackError(
        f"app {app_id} does not hold what job {run.job_ids[-1]} was sent: {said}; "
        f"the list is in the archive under {run.source}/{run.run_id}"
    )

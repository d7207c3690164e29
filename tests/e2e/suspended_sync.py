"""A sync that stops its own process, SIGSTOP, at a point named on the command line.

`python suspended_sync.py WORKSPACE POINT [AHEAD_S]`: POINT is `before:N` or `after:N`, around the
N-th request of the run, counted from 1; or `pause`, in the first pause before a request is tried
again; or `never`. Its clock is AHEAD_S seconds ahead, and its leases run out after one second.
"""

import os
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx

import flows.run.locks
import loaders.ledger.leases
from flows.run.context import open_context
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources
from flows.sync.order import sync_source
from loaders.ledger.leases import app_lease
from schemas.errors import IngestError

SHORT = timedelta(seconds=1)


def stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def main(workspace: Path, point: str, ahead_s: float = 0) -> None:
    send, count = httpx.HTTPTransport.handle_request, 0

    def watched(self, request):
        nonlocal count
        count += 1
        if point == f"before:{count}":
            stop()
        response = send(self, request)
        response.read()
        if point == f"after:{count}":
            stop()
        return response

    def pause(_seconds: float) -> None:
        if point == "pause":
            stop()

    httpx.HTTPTransport.handle_request = watched
    # Renewed by requests alone: who sleeps while it writes to SQLite keeps the file locked.
    loaders.ledger.leases._RENEWALS_A_TTL = 0.001
    flows.run.locks.app_lease = partial(app_lease, ttl=SHORT)
    settings = read_settings(workspace)
    [source] = choose_sources(settings.workspace, ["hr"], every=False)
    ahead = timedelta(seconds=ahead_s)
    with open_context(settings, sleep=pause) as context:
        try:
            sync_source(source, replace(context, now=lambda: datetime.now(UTC) + ahead))
        except IngestError as error:
            sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *map(float, sys.argv[3:]))

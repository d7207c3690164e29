"""Stopping a machine's Prefect workers without harm to what they have at work.

A worker that is told to stop kills the runs it has at work, at once and without a word, and the
server keeps them as Running. So: pause the pool, wait, then stop.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from flows.orchestration.prefect_api import WORKING_STATES, FlowRun, PrefectApi
from flows.orchestration.run_leases import end_dead_runs, run_holdings
from loaders.ledger.ledger import Ledger
from loaders.ledger.processes import is_dead, process_of, this_process
from schemas.errors import PrefectServerError

QUIET = timedelta(seconds=15)
"""How long nothing is to be at work: a worker that has just taken a run is beginning it."""

_LOOK_S = 2.0
_ENDS_WITHIN = timedelta(seconds=20)
_PROC = Path("/proc")
_SERVER = "PREFECT_API_URL"


@dataclass(frozen=True, slots=True)
class Drain:
    """What stopping needs.

    Attributes:
        api: the server's.
        ledger: tells which runs have a process, and where.
        deployments: the ids of those whose runs have a lease in that ledger while they work.
        now: the clock, UTC.
        sleep: waits for seconds.
        tell: told a line when something begins.
    """

    api: PrefectApi
    ledger: Ledger
    deployments: list[str]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    tell: Callable[[str], None]


def wait_until_idle(drain: Drain, pool: str, longest: timedelta) -> None:
    """Waits until no run of the pool is at work on this machine; the pool is paused already.

    Raises:
        PrefectServerError: some still are after so long.
    """
    ends_at = drain.now() + longest
    idle_since: datetime | None = None
    told: set[str] = set()
    while True:
        end_dead_runs(drain.ledger, drain.api, drain.deployments, drain.now())
        working = _at_work_here(drain, pool)
        now = drain.now()
        if not working:
            idle_since = idle_since or now
            if now - idle_since >= QUIET:
                return
        else:
            idle_since = None
            for run in working:
                if run.id not in told:
                    drain.tell(f"waiting for {run.name} ({run.state_name})")
                told.add(run.id)
        if now >= ends_at:
            names = ", ".join(run.name for run in working) or "a run that may just begin"
            raise PrefectServerError(f"still at work: {names}; the worker was not stopped")
        drain.sleep(_LOOK_S)


def _at_work_here(drain: Drain, pool: str) -> list[FlowRun]:
    """The pool's runs at work, but for those whose process is on another machine."""
    held = run_holdings(drain.ledger, drain.now())
    us = this_process()
    return [
        run
        for run in drain.api.runs(pool=pool, states=WORKING_STATES)
        if run.id not in held
        or (held[run.id].holder.host, held[run.id].holder.place) == (us.host, us.place)
    ]


def workers_here(pool: str) -> list[int]:
    """The processes of this machine, and of this user, that are Prefect workers of the pool.

    Those of another server, which may have a pool of that name too, are none of them.
    """
    found = []
    server = os.environ.get(_SERVER)
    for folder in _PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            words = _texts(folder / "cmdline")
            if folder.stat().st_uid != os.geteuid() or not _is_worker_of(words, pool):
                continue
            variables = _texts(folder / "environ")
        except OSError:  # gone meanwhile, or another's
            continue
        named = [one.partition("=")[2] for one in variables if one.startswith(f"{_SERVER}=")]
        if (named[0] if named else None) == server:
            found.append(int(folder.name))
    return sorted(found)


def _texts(path: Path) -> list[str]:
    return path.read_bytes().decode(errors="replace").split("\0")


def _is_worker_of(words: list[str], pool: str) -> bool:
    is_prefect = any(Path(word).name == "prefect" for word in words[:4])
    if not is_prefect or not {"worker", "start"} <= set(words):
        return False
    named = [after for word, after in pairwise(words) if word in {"--pool", "-p"}]
    named += [word.partition("=")[2] for word in words if word.startswith("--pool=")]
    return named[-1:] == [pool]


def stop_workers(drain: Drain, pids: list[int]) -> None:
    """Ends the processes, which have nothing at work, and waits until they have ended.

    Each gets SIGTERM, and once more after a while: one that a shell began in the background takes
    the first for nothing.

    Raises:
        PrefectServerError: one does not end.
    """
    processes = [process for pid in pids if (process := process_of(pid)) is not None]
    for _ in range(2):
        for process in processes:
            if not is_dead(process):
                os.kill(process.pid, signal.SIGTERM)
        ends_at = drain.now() + _ENDS_WITHIN
        while drain.now() < ends_at:
            if all(map(is_dead, processes)):
                return
            drain.sleep(_LOOK_S / 4)
    left = ", ".join(str(process.pid) for process in processes if not is_dead(process))
    raise PrefectServerError(f"the worker does not end: process {left}")

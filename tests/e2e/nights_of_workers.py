"""`make nights`: run, worker and server are killed in one night, and the night is right.

No part of `make test`: it takes five minutes. Jobs at Lumos end when the test says so, so that what
is cut off is at work however late a busy machine is with it.
"""

import os
import signal

import pytest
from deployed import Deployed, PrefectServer, deploy_for_soon, until, worker

pytest_plugins = ["tests.postgresql_server", "tests.e2e.deployed"]
pytestmark = pytest.mark.timeout(1800)


def test_a_night_is_right_whatever_is_killed(deployed: Deployed, server: PrefectServer) -> None:
    names = {"hr", "crm", "erp"}
    deployed.hold_jobs()
    deploy_for_soon(deployed, names)
    with worker(deployed, "first") as first:
        # The schedule fires, and each run is cut off once it has sent its upload.
        pids = deployed.waiting(names)
        os.kill(pids["crm"], signal.SIGKILL)
        os.kill(pids["erp"], signal.SIGTERM)
        for name in ("crm", "erp"):
            until(lambda name=name: deployed.states()[name][0] == "CRASHED")
        first.send_signal(signal.SIGTERM)
        first.wait(120)  # it takes the third run with it, without a word
    assert deployed.states()["hr"][0] == "RUNNING"
    with worker(deployed, "second") as second:
        watchdog = deployed.begin("watchdog", grace_seconds=1, retry_minutes=0)
        until(lambda: deployed.state(watchdog) == "COMPLETED")
        assert deployed.states()["hr"][0] == "CRASHED"
        nightly = deployed.begin("nightly", grace_seconds=60, retry_minutes=0)
        until(lambda: {"nightly", *names} <= deployed.processes().keys())
        server.restart()
        deployed.let_jobs_end()
        until(lambda: deployed.ledger_states(names) == {name: {"done"} for name in names})
        until(lambda: deployed.state(nightly) == "COMPLETED")
        # What ended while the server was away may be Running there still.
        watchdog = deployed.begin("watchdog", grace_seconds=1, retry_minutes=0)
        until(lambda: deployed.state(watchdog) == "COMPLETED")
        stopped = deployed.type("stop-worker")
        assert stopped.code == 0, stopped.err
        assert f"stopped, with nothing at work: process {second.pid}" in stopped.out
    assert deployed.workspace.stats()["overlapping_uploads"] == 0
    assert len(deployed.workspace.accounts()) == 3
    assert not server.ask("work_pools/lumos")["is_paused"]

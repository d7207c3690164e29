"""`make nights`: run, worker and server are killed in one night, and the night is right.

No part of `make test`: it takes five minutes, and waits for a worker, a server and a clock that a
busy machine may be late with.
"""

import os
import signal

import pytest
from deployed import Deployed, PrefectServer, deploy_for_soon, until, worker

pytest_plugins = ["tests.postgresql_server", "tests.e2e.deployed"]
pytestmark = pytest.mark.timeout(900)


def test_a_night_is_right_whatever_is_killed(deployed: Deployed, server: PrefectServer) -> None:
    names = {"hr", "crm", "erp"}
    deploy_for_soon(deployed, names)
    with worker(deployed, "first") as first:
        # The schedule fires, and each run is cut off once it has sent its upload.
        killed = deployed.cut_off(names, lambda pid: os.kill(pid, signal.SIGKILL))
        until(lambda: deployed.states()[killed] == ["CRASHED"])
        ended = deployed.cut_off(names - {killed}, lambda pid: os.kill(pid, signal.SIGTERM))
        until(lambda: deployed.states()[ended] == ["CRASHED"])
        stopped_with = deployed.cut_off(
            names - {killed, ended}, lambda _: first.send_signal(signal.SIGTERM)
        )
        first.wait(60)  # it takes the third run with it, without a word
    assert deployed.states()[stopped_with] == ["RUNNING"]
    with worker(deployed, "second") as second:
        watchdog = deployed.begin("watchdog", grace_seconds=1, retry_minutes=0)
        until(lambda: deployed.state(watchdog) == "COMPLETED")
        nightly = deployed.begin("nightly", retry_minutes=0)
        assert deployed.states()[stopped_with][0] == "CRASHED"
        until(lambda: names & deployed.processes().keys())
        server.restart()
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

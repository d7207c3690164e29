"""Two machines, one ledger in PostgreSQL and one archive: one line of accepted snapshots."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from obstore.store import S3Store
from terminal import SOURCE, Workspace, rows

from sandbox.server import running_sandbox

pytest_plugins = ["tests.postgresql_server", "tests.s3_server"]

NAMES = ("crm", "hr")


def test_a_second_machine_goes_on_from_what_the_first_one_accepted(
    workspace: Workspace, tmp_path_factory, new_database: Callable[[], str]
):
    shared = tmp_path_factory.mktemp("shared")
    env = {"LUMOS_INGEST_LEDGER": new_database(), "LUMOS_INGEST_ARCHIVE": str(shared / "archive")}
    workspace.export(*rows(20))
    first = workspace.run("sync", "hr", "--json", env=env)
    assert first.code == 0, first.err

    second = Workspace(tmp_path_factory.mktemp("second"), workspace.sandbox)
    second.source()
    second.export(*rows(5))
    held = second.run("sync", "hr", "--json", env=env)
    assert held.code == 3
    run_id = first.document["sources"][0]["run_id"]
    assert held.document["sources"][0]["base_run_id"] == run_id
    assert len(workspace.accounts()) == 20

    second.export(*rows(19))
    assert second.run("sync", "hr", env=env).code == 0
    states = [run["state"] for run in workspace.run("runs", "--json", env=env).document]
    assert states == ["done", "held", "done"]
    assert not Path(workspace.path / ".lumos-ingest" / "ledger.db").exists()


def test_the_password_of_the_ledger_is_never_said(workspace: Workspace):
    workspace.export(*rows(3))
    url = "postgresql://someone:secret4711@127.0.0.1:9/ledger"
    said = workspace.run("sync", "hr", env={"LUMOS_INGEST_LEDGER": url})
    assert said.code == 1
    assert "127.0.0.1" in said.err
    assert "secret4711" not in said.err + said.out


def in_a_bucket(store: S3Store, endpoint: str) -> dict[str, str]:
    """The settings of an archive in an object store."""
    return {
        "LUMOS_INGEST_ARCHIVE": f"s3://{store.config['bucket']}/archive",
        "AWS_ENDPOINT": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }


def begun(machine: Workspace, env: dict[str, str]) -> subprocess.Popen[str]:
    """`sync --all` on that machine."""
    command = [Path(sys.executable).with_name("lumos-ingest"), "sync", "--all", "--json"]
    return subprocess.Popen(
        [*command, "--workspace", machine.path],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_at_once_upload_no_app_twice_and_what_was_killed_is_taken_over(
    tmp_path: Path,
    new_database: Callable[[], str],
    new_bucket: Callable[[], S3Store],
    s3_endpoint: str,
) -> None:
    with running_sandbox(job_seconds=7) as sandbox:
        env = {
            "LUMOS_API_URL": sandbox.url,
            "LUMOS_API_TOKEN": sandbox.token,
            "LUMOS_INGEST_LEDGER": new_database(),
            **in_a_bucket(new_bucket(), s3_endpoint),
        }
        machines = [Workspace(tmp_path / name, sandbox) for name in ("first", "second")]
        for machine in machines:
            machine.path.mkdir()
            machine.export(*rows(7))
            for name in NAMES:
                machine.source(SOURCE.replace("HR Portal", f"App {name}"), name)
        first, second = machines
        with begun(first, env) as killed:
            ends_at = time.monotonic() + 120
            while first.stats()["uploads"] < len(NAMES) and time.monotonic() < ends_at:
                time.sleep(0.05)
            busy = second.run("sync", "--all", "--json", env=env)
            assert (busy.code, busy.err.count("another run is at work on")) == (1, len(NAMES))
            killed.kill()
            killed.communicate(timeout=60)
        assert first.stats()["uploads"] == len(NAMES)
        with begun(first, env) as one, begun(second, env) as other:
            said = "".join("".join(child.communicate(timeout=120)) for child in (one, other))
        assert "Traceback" not in said
        runs = second.run("runs", "--json", env=env).document
        done = {run["source"] for run in runs if run["state"] == "done"}
        assert done == set(NAMES), said
        assert not {"reading", "planned", "submitted"} & {run["state"] for run in runs}, runs
        assert first.stats()["overlapping_uploads"] == 0

"""What `--json` prints is what its published schema says, command by command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import jsonschema
import pytest
from document_schema import check_document
from terminal import SOURCE, Workspace, row, rows, typed

from flows.cli.documents import DOCUMENTS, VERSION
from flows.cli.main import app

ACTIVITY = """
activity:
  source: {kind: csv, activity: exports/log.csv}
  columns: {account_id: id, event_type: {constant: LOGIN}, timestamp: {column: at, timezone: UTC}}
"""
SPAN = ("--since", "2026-11-01", "--until", "2026-11-03", "--window", "1d")
AT_A_SERVER = {"deploy", "stop-worker"}
"""Commands that need a Prefect server: their tests hold their documents."""


@pytest.fixture
def nights(workspace: Workspace) -> Workspace:
    """A workspace whose source has activity, a reject and a plan to hold, and one that is wrong."""
    workspace.source(SOURCE + ACTIVITY + "guards: {max_rejected_rows: 100%}\n")
    workspace.export(*rows(20), row(30, state="Let go"))
    (workspace.path / "exports" / "log.csv").write_text(
        "id,at\na0001,2026-11-02T10:00:00\na0002,2026-11-02T11:00:00\n", "utf-8"
    )
    assert workspace.run("sync", "hr").code == 0
    workspace.source("app: [", "wrong")
    workspace.export(*rows(9), row(10, state="SUSPENDED"), row(30, state="Let go"))
    return workspace


def held(workspace: Workspace, command: str, *words: str, code: int = 0) -> None:
    said = workspace.run(*command.split()[:1], *words, "--json")
    assert said.code == code, said.err
    check_document(command, said.document)


def test_every_command_has_a_schema():
    commands = {one.callback.__name__.replace("_", "-") for one in app.registered_commands}
    assert commands - {"schema"} <= {name.split()[0] for name in DOCUMENTS}


def test_the_schema_is_one_and_says_its_version():
    schema = typed("schema", "--documents").document
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:lumos-ingest:documents:{VERSION}"
    with pytest.raises(jsonschema.ValidationError):
        check_document("error", {"error": "no", "exit_code": 2, "more": 1})
    with pytest.raises(jsonschema.ValidationError):
        check_document("error", {"error": "no"})


def test_what_a_night_prints_is_what_the_schema_says(nights: Workspace):
    held(nights, "check", code=2)
    held(nights, "check --fresh", "hr", "--fresh", "26h")
    held(nights, "preview", "hr", code=3)
    held(nights, "sync", "--all", code=2)
    held(nights, "sync", "hr", code=3)
    held(nights, "check", "hr")
    held(nights, "runs")
    run = nights.run("runs", "hr", "--json").document[0]["run_id"]
    held(nights, "approve", run, "--reason", "so")
    held(nights, "runs", "hr", run)
    held(nights, "why", "hr", "a0001")
    held(nights, "reject", run, "--reason", "no")
    held(nights, "activity", "hr")
    held(nights, "backfill", "hr", *SPAN, "--dry-run")
    held(nights, "backfill", "hr", *SPAN)
    held(nights, "backfill", "hr", *SPAN)
    (nights.path / "sources" / "wrong.yaml").unlink()
    held(nights, "repair", "--reason", "why not")


def test_what_a_run_that_fails_prints_is_what_the_schema_says(nights: Workspace):
    nights.fault("job_stuck")
    nights.source(SOURCE.replace("60s}", "0.2s}"))
    nights.export(*rows(20))
    held(nights, "sync", "hr", code=1)
    run = nights.run("runs", "hr", "--json").document[0]["run_id"]
    held(nights, "abandon", run, "--reason", "stuck")
    (nights.path / "exports" / "hr.csv").unlink()
    held(nights, "sync", "hr", code=1)
    held(nights, "runs")
    said = nights.run("sync", "none", "--json")
    check_document("error", said.document)


def test_what_lays_things_out_prints_is_what_the_schema_says(workspace: Workspace):
    workspace.export(*rows(5))
    held(workspace, "init")
    held(workspace, "new", "other", "--from", "exports/hr.csv")


def test_what_the_demonstration_prints_is_what_the_schema_says():
    check_document("demo", typed("demo", "--json").document)


@contextmanager
def process(*words: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "lumos_ingest", *words]
    how = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env={**os.environ, **env}, **how) as running:
        try:
            yield running
        finally:
            running.send_signal(signal.SIGINT)
            running.wait(60)


def test_a_line_of_serve_is_what_the_schema_says(workspace: Workspace):
    workspace.source(SOURCE + 'schedule: {cron: "0 2 * * *"}\n')
    assert workspace.run("sync", "hr").code == 1  # so that serve has something to make up for
    workspace.export(*rows(5))
    env = {"LUMOS_API_URL": workspace.sandbox.url, "LUMOS_API_TOKEN": workspace.sandbox.token}
    with process("serve", "--json", "-w", str(workspace.path), **env) as running:
        check_document("serve", json.loads(running.stdout.readline()))


def test_what_the_sandbox_prints_is_what_the_schema_says(workspace: Workspace):
    with process("sandbox", "--json", "--port", "0") as running:
        lines = iter(running.stdout.readline, "}\n")
        check_document("sandbox", json.loads("".join([*lines, "}"])))

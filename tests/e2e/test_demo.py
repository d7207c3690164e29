"""The demonstration: the example workspace, two nights, in a sandbox of its own."""

import os
import shutil
from pathlib import Path

import pytest
from terminal import typed

from flows.cli.stand_in.demo import make_databases

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    return typed("demo", "--json")


def test_the_demo_shows_arrivals_a_plan_a_held_guard_and_a_kept_reject(told, tmp_path: Path):
    assert told.code == 0, told.err
    arrived = {one["source"]: one for one in told.document["arrived"]}
    assert arrived["hr_portal"]["accounts"] == 59
    assert arrived["crm"]["permissions"] == 103
    assert arrived["app_database"]["accounts"] == 45
    [activity] = told.document["activity"]
    assert activity["source"] == "hr_portal"
    assert activity["holds"] == activity["counts"]["activity_sent"] == 92
    second = {one["source"]: one for one in told.document["second_night"]}
    assert second["crm"]["state"] == "held"
    assert second["hr_portal"]["state"] == "done"
    assert second["hr_portal"]["counts"]["accounts_kept"] == 1
    holds = {one["source"]: one["accounts"] for one in told.document["holds"]}
    has_server = Path("/usr/sbin/slapd").exists()
    assert has_server or not os.environ.get("CI"), "missing: slapd"
    served = {"directory_server": 21} if has_server else {}
    assert holds == {"app_database": 47, "crm": 49, "directory": 20, "hr_portal": 59} | served
    assert list(tmp_path.iterdir()) == []


def test_the_example_workspace_checks_out(workspace, tmp_path: Path):
    copied = shutil.copytree(EXAMPLES, tmp_path / "examples")
    make_databases(copied / "exports")
    said = typed(
        "check",
        "--workspace",
        str(copied),
        env={
            "LUMOS_API_URL": workspace.sandbox.url,
            "LUMOS_API_TOKEN": workspace.sandbox.token,
            "LUMOS_INGEST_STATE": str(workspace.path / "state"),
        },
    )
    assert said.code == 0, said.err

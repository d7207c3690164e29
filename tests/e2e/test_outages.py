"""Lumos goes wrong in the ways that servers do: the snapshot arrives once, or nothing is harmed."""

import pytest
from terminal import SOURCE, Workspace, rows


@pytest.mark.parametrize(
    "fault",
    [
        "429=0.1@/accounts/upload*2",
        "500@/accounts/upload",
        "502@/apps",
        "503@/accounts*2",
        "cut_before@/accounts/upload",
        "cut_after@/accounts/upload",
        "state_missing",
    ],
)
def test_a_passing_outage_is_borne(workspace: Workspace, fault: str):
    workspace.export(*rows(12))
    workspace.fault(fault)
    said = workspace.run("sync", "hr")
    assert said.code == 0, said.err
    assert len(workspace.accounts()) == 12


def test_a_job_that_fails_leaves_the_accounts_and_the_last_snapshot_as_they_were(
    workspace: Workspace,
):
    workspace.export(*rows(12))
    workspace.run("sync", "hr")
    workspace.export(*rows(11))
    workspace.fault("job_fails")
    said = workspace.run("sync", "hr")
    assert said.code == 1
    assert "no reason" in said.err
    assert len(workspace.accounts()) == 12
    again = workspace.run("sync", "hr", "--json")
    assert again.code == 0
    assert again.document["sources"][0]["counts"]["accounts_removed"] == 1
    assert len(workspace.accounts()) == 11


def test_a_job_still_running_at_the_deadline_is_waited_for_by_the_next_run(workspace: Workspace):
    workspace.source(SOURCE.replace("give_up_after: 60s", "give_up_after: 0.3s"))
    workspace.export(*rows(12))
    workspace.fault("job_stuck")
    said = workspace.run("sync", "hr")
    assert said.code == 1
    assert "run again" in said.err
    again = workspace.run("sync", "hr")
    assert again.code == 1
    assert "run again" in again.err
    assert workspace.stats()["uploads"] == 1
    assert workspace.run("runs", "--json").document[0]["state"] == "submitted"


def test_a_job_that_lumos_has_forgotten_is_followed_by_a_fresh_upload(workspace: Workspace):
    workspace.export(*rows(12))
    workspace.fault("job_forgotten")
    assert workspace.run("sync", "hr").code == 1
    assert workspace.run("sync", "hr").code == 0
    assert len(workspace.accounts()) == 12
    states = [run["state"] for run in workspace.run("runs", "--json").document]
    assert states == ["done", "failed"]


def test_a_token_that_is_taken_back_meanwhile_does_not_lose_the_job(workspace: Workspace):
    workspace.source(SOURCE.replace("give_up_after: 60s", "give_up_after: 0.2s"))
    workspace.export(*rows(12))
    workspace.fault("job_stuck")
    workspace.run("sync", "hr")
    said = workspace.run("sync", "hr", env={"LUMOS_API_TOKEN": "lsk_other"})
    assert said.code == 1
    assert workspace.run("runs", "--json").document[0]["state"] == "submitted"

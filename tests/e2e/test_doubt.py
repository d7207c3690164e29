"""What the app holds is not always what was accepted: then the guards go by what Lumos holds."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from terminal import SOURCE, Workspace, row, rows
from test_killed import killed

from flows.sync.request_files import request_folder


def test_accounts_of_an_upload_whose_end_nobody_saw_are_not_removed_unguarded(workspace: Workspace):
    workspace.source(f"{SOURCE}guards: {{max_added_accounts: 40, max_added_associations: 40}}\n")
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(60))
    workspace.fault("job_forgotten")
    assert workspace.run("sync", "hr").code == 1
    assert len(workspace.accounts()) == 60
    workspace.export(*rows(20))
    said = workspace.run("sync", "hr")
    assert said.code == 3
    assert "max_removed_accounts: 40 of 60 accounts that Lumos holds" in said.out
    assert len(workspace.accounts()) == 60


def test_an_unchanged_snapshot_is_sent_where_the_app_may_hold_another(workspace: Workspace):
    workspace.source(SOURCE.replace("upload: {", "upload: {unchanged: skip, "))
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(21))
    workspace.fault("job_forgotten")
    assert workspace.run("sync", "hr").code == 1
    workspace.export(*rows(20))
    assert workspace.run("sync", "hr", "--json").document["sources"][0]["state"] == "done"
    assert len(workspace.accounts()) == 20


def test_a_first_sync_that_would_deactivate_what_the_app_holds_is_held(
    workspace: Workspace, tmp_path_factory
):
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    other = Workspace(tmp_path_factory.mktemp("other"), workspace.sandbox)
    other.source()
    other.export(*[row(number, state="SUSPENDED") for number in range(1, 21)])
    said = other.run("sync", "hr")
    assert said.code == 3
    assert "max_deactivated_accounts: 20 of 20 accounts that Lumos holds" in said.out
    assert "first_into_full_app: 20 of 20 accounts that Lumos holds" in said.out


def test_a_plan_held_for_one_app_is_not_let_through_into_another(workspace: Workspace):
    """The same rows and no base on either side: only the app differs, and what it would lose."""
    filled = {}
    for name, count in (("Small", 12), ("Large", 50)):
        filler = SOURCE.replace("HR Portal", name)
        workspace.source(filler, name)
        workspace.source(SOURCE)
        workspace.export(*rows(count))
        assert workspace.run("sync", name).code == 0
        filled[name] = count
        (workspace.path / "sources" / f"{name}.yaml").unlink()
    (workspace.path / ".lumos-ingest" / "ledger.db").unlink()
    assert workspace.run("repair", "--reason", "the ledger is lost").code == 0
    workspace.export(*rows(3))
    workspace.source(SOURCE.replace("HR Portal", "Small"))
    assert workspace.run("sync", "hr").code == 3
    workspace.source(SOURCE.replace("HR Portal", "Large"))
    said = workspace.run("sync", "hr", "--allow-removals")
    assert said.code == 3
    assert "The source has moved since" in said.out
    found = httpx.get(f"{workspace.sandbox.url}/sandbox/state").json()["apps"]
    assert {app["name"]: app["statuses"]["ACTIVE"] for app in found} == filled


def test_a_split_upload_goes_on_as_it_began(tmp_path: Path):
    from sandbox.server import running_sandbox

    with running_sandbox(job_seconds=0, uploads="merge") as merging:
        workspace = Workspace(tmp_path, merging)
        split = SOURCE.replace("upload: {", "upload: {verify: false, accounts_per_request: 4, ")
        workspace.source(split)
        workspace.export(*rows(12))
        assert killed(workspace, "after:submitted") < 0
        assert len(workspace.accounts()) == 4
        workspace.source(SOURCE.replace("upload: {", "upload: {verify: false, "))
        (workspace.path / "exports" / "hr.csv").unlink()
        assert workspace.run("sync", "hr").code == 1
        assert len(workspace.accounts()) == 12
        assert workspace.run("runs", "--json").document[1]["state"] == "done"


def test_a_damaged_id_keeps_the_account_it_may_have_been(workspace: Workspace):
    workspace.export(*rows(19), "müller,mu@example.com,M,M,ACTIVE,Ops,Reader")
    workspace.run("sync", "hr")
    workspace.export(
        *rows(19), "m\N{REPLACEMENT CHARACTER}ller,mu@example.com,M,M,ACTIVE,Ops,Reader"
    )
    said = workspace.run("sync", "hr")
    assert said.code == 0, said.err
    assert "müller" in workspace.accounts()


def test_no_removal_at_all_is_allowed_where_the_file_says_so(workspace: Workspace):
    workspace.source(SOURCE + "guards: {max_removed_accounts: 0%}\n")
    workspace.export(*rows(5))
    workspace.run("sync", "hr")
    workspace.export(*rows(4))
    assert workspace.run("sync", "hr").code == 3


def test_one_app_by_name_in_one_file_and_by_id_in_another_is_refused(workspace: Workspace):
    workspace.export(*rows(12))
    workspace.run("sync", "hr")
    [app] = httpx.get(f"{workspace.sandbox.url}/sandbox/state").json()["apps"]
    workspace.source(
        SOURCE.replace(
            SOURCE.split("\n")[1],
            f"app: {{id: {app['id']}}}",
        ),
        "twin",
    )
    said = workspace.run("sync", "twin")
    assert said.code == 2
    assert "the source hr feeds the same app" in said.err
    assert len(workspace.accounts()) == 12


def test_a_preview_compares_with_the_app_it_would_go_to(workspace: Workspace):
    workspace.export(*rows(12))
    workspace.run("sync", "hr")
    said = httpx.post(
        f"{workspace.sandbox.url}/apps",
        headers={"Authorization": f"Bearer {workspace.sandbox.token}"},
        json={"name": "Another", "category": "HR & Learning", "description": "d"},
    )
    named = SOURCE.split("\n")[1]
    workspace.source(SOURCE.replace(named, f"app: {{id: {said.json()['id']}}}"))
    assert workspace.run("preview", "hr", "--json").document["base_run_id"] is None
    env = {"LUMOS_API_TOKEN": ""}
    said = workspace.run("preview", "hr", "--json", env=env)
    assert said.document["base_run_id"] is not None
    assert "Lumos was not asked" in said.document["warnings"][0]


def test_the_request_files_that_a_dead_process_left_are_swept(tmp_path: Path):
    program = (
        "import os, sys, pathlib; from flows.sync.request_files import request_folder\n"
        "with request_folder(pathlib.Path(sys.argv[1])) as folder:\n"
        "    (folder / 'body-00000.json').write_text('rows'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=True)
    [left] = tmp_path.iterdir()
    with request_folder(tmp_path) as folder:
        assert not left.exists()
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_the_request_files_of_a_process_that_lives_are_left_alone(tmp_path: Path):
    with request_folder(tmp_path) as first, request_folder(tmp_path) as second:
        assert first.exists()
        assert second.exists()


@pytest.mark.parametrize("retention", ["0s", "1s"])
def test_what_a_later_run_needs_is_never_forgotten(workspace: Workspace, retention: str):
    env = {"LUMOS_INGEST_RETENTION": retention}
    workspace.export(*rows(12))
    for _ in range(2):
        assert workspace.run("sync", "hr", env=env).code == 0
    workspace.export(*rows(3))
    assert workspace.run("sync", "hr", env=env).code == 3
    kept = {path.name for path in (workspace.path / ".lumos-ingest/archive/hr").iterdir()}
    listed = workspace.run("runs", "--json").document
    assert {listed[0]["run_id"], listed[1]["run_id"]} <= kept
    assert workspace.run("sync", "hr", "--allow-removals", env=env).code == 0

"""A CSV export reaches Lumos: the commands as a person types them, against the sandbox."""

import json
import stat

from terminal import SOURCE, Workspace, row, rows


def test_every_account_of_the_export_arrives_with_its_permissions(workspace: Workspace):
    workspace.export(row(1, "Reader; Writer"), row(2, "", "INACTIVE"), row(3))
    said = workspace.run("sync", "hr", "--json")
    assert said.code == 0, said.err
    [run] = said.document["sources"]
    assert (run["state"], run["counts"]["accounts_added"]) == ("done", 3)
    held = workspace.accounts()
    assert {one: account["status"] for one, account in held.items()} == {
        "a0001": "ACTIVE",
        "a0002": "SUSPENDED",
        "a0003": "ACTIVE",
    }
    assert [one["name"] for one in held["a0001"]["permissions"]] == ["Reader", "Writer"]
    assert held["a0001"]["attributes"] == [{"type": "Team", "name": "Ops"}]


def test_a_truncated_export_never_reaches_lumos(workspace: Workspace):
    workspace.export(*rows(20))
    assert workspace.run("sync", "hr").code == 0
    workspace.export(*rows(9))
    said = workspace.run("sync", "hr")
    assert said.code == 3
    assert "max_removed_accounts: 11 of 20, allowed 2 (10%)" in said.out
    assert "lumos-ingest sync hr --allow-removals" in said.out
    assert len(workspace.accounts()) == 20
    assert workspace.stats()["uploads"] == 1


def test_an_empty_export_is_never_uploaded_whatever_the_file_says(workspace: Workspace):
    workspace.export(*rows(3))
    assert workspace.run("sync", "hr").code == 0
    text = (workspace.path / "sources" / "hr.yaml").read_text()
    none = "guards: {min_accounts: 0, max_removed_accounts: 100%, max_removed_associations: 100%}"
    workspace.source(text + none)
    workspace.export()
    assert workspace.run("sync", "hr").code == 3
    assert workspace.run("sync", "hr", "--allow-removals").code == 3
    assert len(workspace.accounts()) == 3


def test_a_held_plan_is_let_through_once_by_a_person(workspace: Workspace):
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(9))
    held = workspace.run("sync", "hr", "--json").document["sources"][0]
    allowed = workspace.run("sync", "hr", "--allow-removals", "--json")
    assert allowed.code == 0, allowed.err
    run = allowed.document["sources"][0]
    assert run["plan"]["verdict"]["approves_run"] == held["run_id"]
    assert run["approved_by"] == run["actor"]
    assert run["approved_at"]
    assert len(workspace.accounts()) == 9


def test_a_held_plan_is_not_let_through_when_the_source_has_moved(workspace: Workspace):
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(9))
    workspace.run("sync", "hr")
    workspace.export(*rows(8))
    said = workspace.run("sync", "hr", "--allow-removals")
    assert said.code == 3
    assert "The source has moved since run" in said.out
    assert len(workspace.accounts()) == 20


def test_a_held_plan_is_not_let_through_when_others_would_be_removed(workspace: Workspace):
    """As many as were held, but not the same ones: nobody has looked at these."""
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(9))
    workspace.run("sync", "hr")
    workspace.export(*rows(20)[11:])
    said = workspace.run("sync", "hr", "--allow-removals")
    assert said.code == 3
    assert "The source has moved since run" in said.out
    assert len(workspace.accounts()) == 20


def test_removals_that_nobody_has_looked_at_are_not_let_through(workspace: Workspace):
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(9))
    assert workspace.run("sync", "hr", "--allow-removals").code == 3
    assert len(workspace.accounts()) == 20


def test_a_rejected_row_keeps_its_last_accepted_record(workspace: Workspace):
    workspace.export(row(1, "Reader; Writer"), row(2), row(3))
    workspace.run("sync", "hr")
    broken = "a0001,user1@example.com,Given1,Family1,nonsense,Ops,Reader;Writer"
    new_and_broken = "a0009,,,,nonsense,Ops,Reader"
    workspace.source(SOURCE + "guards: {max_rejected_rows: 5}\n")
    workspace.export(broken, row(2), row(3), new_and_broken)
    said = workspace.run("sync", "hr", "--json")
    assert said.code == 0, said.err
    counts = said.document["sources"][0]["counts"]
    assert (counts["accounts_rejected"], counts["accounts_kept"]) == (2, 1)
    held = workspace.accounts()
    assert sorted(held) == ["a0001", "a0002", "a0003"]
    assert held["a0001"]["email"] == "user1@example.com"
    assert [one["name"] for one in held["a0001"]["permissions"]] == ["Reader", "Writer"]


def test_rejected_rows_fail_the_run_where_the_file_says_so(workspace: Workspace):
    workspace.source((workspace.path / "sources/hr.yaml").read_text() + "rejected_rows: fail\n")
    workspace.export(row(1), "a0002,no address,,,ACTIVE,Ops,Reader")
    said = workspace.run("sync", "hr")
    assert said.code == 1
    assert "exports/hr.csv:3: email is no e-mail address" in said.err
    assert workspace.stats()["uploads"] == 0


def test_a_first_sync_into_an_app_that_is_not_empty_is_held(workspace: Workspace, tmp_path_factory):
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    other = Workspace(tmp_path_factory.mktemp("other"), workspace.sandbox)
    other.source()
    other.export(*rows(5))
    said = other.run("sync", "hr")
    assert said.code == 3
    assert "max_removed_accounts: 15 of 20" in said.out
    assert len(workspace.accounts()) == 20
    assert other.run("sync", "hr", "--allow-removals").code == 0
    assert len(workspace.accounts()) == 5


def test_an_unchanged_snapshot_is_not_sent_where_the_file_says_skip(workspace: Workspace):
    text = (workspace.path / "sources/hr.yaml").read_text()
    workspace.source(text.replace("upload: {", "upload: {unchanged: skip, "))
    workspace.export(*rows(3))
    workspace.run("sync", "hr")
    again = workspace.run("sync", "hr", "--json")
    assert again.document["sources"][0]["state"] == "unchanged"
    assert workspace.stats()["uploads"] == 1


def test_accounts_that_lumos_does_not_hold_as_sent_fail_the_run(workspace: Workspace, tmp_path):
    from sandbox.server import running_sandbox

    with running_sandbox(job_seconds=0, uploads="merge") as merging:
        other = Workspace(tmp_path, merging)
        other.source()
        other.export(*rows(12))
        assert other.run("sync", "hr").code == 0
        other.export(*rows(11))
        said = other.run("sync", "hr")
    assert said.code == 1
    assert "1 not sent" in said.err
    assert "a0012" not in said.err


def test_a_split_upload_sends_every_account_in_requests_of_the_size_asked_for(tmp_path):
    from sandbox.server import running_sandbox

    with running_sandbox(job_seconds=0, uploads="merge") as merging:
        other = Workspace(tmp_path, merging)
        other.source(SOURCE.replace("upload: {", "upload: {accounts_per_request: 5, "))
        other.export(*rows(12))
        said = other.run("sync", "hr", "--json")
        assert said.code == 0, said.err
        assert len(said.document["sources"][0]["job_ids"]) == 3
        assert len(other.accounts()) == 12


def test_one_source_going_wrong_does_not_keep_the_next_from_its_turn(workspace: Workspace):
    workspace.source(
        "app: {name: Other, create: {category: Developers, description: x}}\n"
        "source: {kind: csv, accounts: exports/missing.csv}\n",
        "another",
    )
    workspace.export(*rows(3))
    said = workspace.run("sync", "--all", "--json")
    assert said.code == 1
    assert [one["state"] for one in said.document["sources"]] == ["failed", "done"]
    assert "exports/missing.csv" in said.err


def test_two_sources_that_feed_one_app_are_refused(workspace: Workspace):
    workspace.source(name="twin")
    workspace.export(*rows(3))
    said = workspace.run("sync", "hr")
    assert said.code == 2
    assert "sources/twin.yaml: app: sources/hr.yaml feeds the same app" in said.err


def test_runs_lists_what_happened_newest_first(workspace: Workspace):
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(5))
    workspace.run("sync", "hr")
    listed = workspace.run("runs", "--json").document
    assert [run["state"] for run in listed] == ["held", "done"]
    wanted = {"run_id", "source", "state", "started_at", "ended_at", "counts", "job_id"}
    assert wanted <= set(listed[0])
    assert listed[0]["job_id"] is None
    assert listed[1]["job_id"]
    assert workspace.run("runs", "other", "--json").code == 2
    workspace.source(SOURCE.replace("HR Portal,", "CRM,"), "other")
    assert workspace.run("runs", "other", "--json").document == []


def test_everything_the_workspace_keeps_is_private(workspace: Workspace):
    workspace.export(*rows(3))
    workspace.run("sync", "hr")
    state = workspace.path / ".lumos-ingest"
    kept = [state, *state.rglob("*")]
    assert len(kept) > 5
    for path in kept:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_what_a_sync_says_is_one_json_document(workspace: Workspace):
    workspace.export(*rows(3))
    said = workspace.run("sync", "hr", "--json")
    assert json.loads(said.out)["sources"][0]["source"] == "hr"

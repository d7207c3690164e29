"""A person decides: `approve`, `reject` and `abandon` as they are typed, and what waits."""

import pytest
from terminal import SOURCE, Said, Workspace, at_a_terminal, rows

REASON = ("--reason", "the Lyon site has closed")


def held(workspace: Workspace, left: int = 9) -> str:
    """Twenty accounts are in the app, fewer are in the export: that is held; the run's id."""
    if not workspace.accounts():
        workspace.export(*rows(20))
        assert workspace.run("sync", "hr").code == 0
    workspace.export(*rows(left))
    said = workspace.run("sync", "hr", "--json")
    assert said.code == 3
    run_id: str = said.document["sources"][0]["run_id"]
    return run_id


def one_line(said: Said, code: int) -> str:
    """The one line on stderr of a command that ended so and said nothing else."""
    assert (said.code, said.out) == (code, ""), said
    [line] = said.err.splitlines()
    assert line.startswith("lumos-ingest: ")
    return line


def waits(workspace: Workspace) -> list[tuple[str, str | None]]:
    """What the runs wait as, newest first."""
    listed = workspace.run("runs", "hr", "--json").document
    return [(run["state"], run["waits"]) for run in listed]


def test_a_held_plan_is_one_line_on_stderr_that_says_what_to_type(workspace: Workspace):
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(9))
    said = workspace.run("sync", "hr")
    assert said.code == 3
    [line] = [line for line in said.err.splitlines() if line.startswith("lumos-ingest: ")]
    run_id = workspace.run("runs", "--json").document[0]["run_id"]
    assert f"hr: held as run {run_id}, nothing was uploaded: max_removed_accounts: 11 of 20" in line
    for words in ("preview hr", f"approve {run_id} --reason", f"reject {run_id} --reason"):
        assert f"lumos-ingest {words}" in line
        assert f"lumos-ingest {words}" in said.out


def test_an_approved_plan_is_carried_out_by_the_next_sync(workspace: Workspace):
    run_id = held(workspace)
    assert waits(workspace) == [("held", "undecided"), ("done", None)]
    said = workspace.run("approve", run_id, *REASON)
    assert said.code == 0, said.err
    assert f"hr: run {run_id} is approved until" in said.out
    assert len(workspace.accounts()) == 20
    assert waits(workspace) == [("held", "approved"), ("done", None)]
    preview = workspace.run("preview", "hr")
    assert preview.code == 0
    assert "a person approved this; a sync carries it out" in preview.out
    synced = workspace.run("sync", "hr", "--json")
    assert synced.code == 0, synced.err
    [run] = synced.document["sources"]
    assert (run["state"], run["approves_run_id"]) == ("done", run_id)
    assert run["approved_by"] == run["actor"]
    assert run["approved_at"]
    assert len(workspace.accounts()) == 9
    assert [one[1] for one in waits(workspace)] == [None, None, None]


def test_a_decision_is_shown_whole_and_its_reason_only_to_a_person(workspace: Workspace):
    run_id = held(workspace)
    document = workspace.run("approve", run_id, *REASON, "--json").document
    decision = document["decision"]
    assert (document["run_id"], document["waits"]) == (run_id, "approved")
    assert (decision["decision"], decision["reason"]) == ("approve", REASON[1])
    assert decision["decided_at"] < decision["lapses_at"]
    [shown] = workspace.run("runs", "hr", run_id, "--json").document
    assert (shown["decision"], shown["decisions"]) == (decision, [decision])
    plain = workspace.run("runs", "hr", run_id)
    assert "approve, " in plain.out
    assert REASON[1] not in plain.out + workspace.run("runs").out + workspace.run("sync", "hr").err
    assert REASON[1] in at_a_terminal(workspace, "runs", "hr", run_id)


@pytest.mark.parametrize("command", ["approve", "reject", "abandon"])
def test_a_decision_needs_a_run_and_a_reason(workspace: Workspace, command: str):
    run_id = held(workspace)
    before = workspace.run("runs", "--json").document
    for words in ((run_id,), (), ("--reason", "x"), (run_id, "--reason")):
        assert workspace.run(command, *words).code == 2
    for blank in ("", "  ", "\n\t"):
        line = one_line(workspace.run(command, run_id, "--reason", blank), 2)
        assert "--reason: say why" in line
    for wrong in ("", "nonsense", "hr", run_id + "0", "%"):
        line = one_line(workspace.run(command, wrong, *REASON), 2)
        assert "lumos-ingest runs lists them" in line
    assert "may mean" in one_line(workspace.run(command, run_id[:4], *REASON), 2)
    assert workspace.run("runs", "--json").document == before


def test_the_beginning_of_a_run_s_id_or_what_ends_it_will_do(workspace: Workspace):
    run_id = held(workspace)
    assert workspace.run("approve", run_id.partition("-")[2], *REASON).code == 0
    assert workspace.run("reject", run_id[:-1], *REASON).code == 0
    [shown] = workspace.run("runs", "hr", run_id[:-1], "--json").document
    assert [one["decision"] for one in shown["decisions"]] == ["reject", "approve"]
    assert "no source 'crm'; there are hr" in one_line(workspace.run("runs", "crm", run_id), 2)


def test_what_is_decided_already_is_told_and_stands(workspace: Workspace):
    run_id = held(workspace)
    assert workspace.run("approve", run_id, *REASON).code == 0
    assert "is approved already, by" in one_line(workspace.run("approve", run_id, *REASON), 2)
    said = workspace.run("reject", run_id, "--reason", "half of it is missing")
    assert said.code == 0
    assert "its approval is taken back" in said.out
    assert "is rejected already" in one_line(workspace.run("reject", run_id, *REASON), 2)
    assert "was rejected by" in one_line(workspace.run("approve", run_id, *REASON), 2)
    assert waits(workspace)[0] == ("held", None)
    again = workspace.run("sync", "hr")
    assert again.code == 3
    assert "This very plan was rejected by" in again.out
    assert "This very plan was rejected by" in again.err
    assert len(workspace.accounts()) == 20


def test_what_came_after_a_held_plan_is_told(workspace: Workspace):
    first = held(workspace)
    assert workspace.run("approve", first, *REASON).code == 0
    second = held(workspace, left=8)
    assert workspace.run("runs", "hr", "--json").document[0]["run_id"] == second
    line = one_line(workspace.run("approve", first, *REASON), 2)
    assert f"run {second} (held) came after it: decide on that one" in line
    assert workspace.run("approve", second, *REASON).code == 0
    assert workspace.run("sync", "hr").code == 0
    for command in ("approve", "reject"):
        assert "is carried out already" in one_line(workspace.run(command, second, *REASON), 2)
    done = workspace.run("runs", "hr", "--json").document[0]["run_id"]
    assert "is not held, but done" in one_line(workspace.run("approve", done, *REASON), 2)
    assert "is done: it cannot be abandoned" in one_line(workspace.run("abandon", done, *REASON), 2)


def test_a_source_that_has_moved_is_held_anew_and_says_that_another_plan_was_approved(
    workspace: Workspace,
):
    first = held(workspace)
    assert workspace.run("approve", first, *REASON).code == 0
    workspace.export(*rows(8))
    said = workspace.run("sync", "hr")
    assert said.code == 3
    assert f"The source has moved since run {first} was held: its approval, by" in said.out
    assert len(workspace.accounts()) == 20


def test_an_approval_that_has_lapsed_carries_nothing_out(workspace: Workspace):
    workspace.source(SOURCE + "guards: {approval_lapses: 0s}\n")
    run_id = held(workspace)
    assert workspace.run("approve", run_id, *REASON).code == 0
    assert waits(workspace)[0] == ("held", "lapsed")
    assert f"{run_id} was approved by" in one_line(workspace.run("approve", run_id, *REASON), 2)
    said = workspace.run("sync", "hr")
    assert said.code == 3
    assert f"The approval of run {run_id}, by" in said.out
    assert len(workspace.accounts()) == 20


def test_nobody_lifts_the_guard_on_an_empty_export(workspace: Workspace):
    run_id = held(workspace, left=0)
    line = one_line(workspace.run("approve", run_id, *REASON), 2)
    assert "cannot be approved: min_accounts cannot be lifted: mend the source" in line
    said = workspace.run("sync", "hr", "--allow-removals")
    assert said.code == 3
    assert "No one may approve it: min_accounts cannot be lifted" in said.out
    assert "No one may approve it: min_accounts cannot be lifted" in said.err
    assert workspace.run("reject", said_run(workspace), *REASON).code == 0


def said_run(workspace: Workspace) -> str:
    run_id: str = workspace.run("runs", "--json").document[0]["run_id"]
    return run_id


def test_check_and_runs_say_what_waits(workspace: Workspace):
    assert workspace.run("check", "--json").document["sources"]["hr"]["waits"] is None
    run_id = held(workspace)
    waiting = workspace.run("check", "--json").document["sources"]["hr"]["waits"]
    assert (waiting["run_id"], waiting["waits"], waiting["decision"]) == (run_id, "undecided", None)
    for command in ("check", "runs"):
        said = workspace.run(command)
        assert said.code == 0
        assert (
            f"run {run_id[17:]} is held: lumos-ingest approve or reject {run_id[17:]}" in said.out
        )
    workspace.run("approve", run_id, *REASON)
    waiting = workspace.run("check", "--json").document["sources"]["hr"]["waits"]
    assert waiting["decision"]["lapses_at"]
    for command in ("check", "runs"):
        assert f"run {run_id[17:]} is approved until" in workspace.run(command).out
    workspace.run("sync", "hr")
    assert workspace.run("check", "--json").document["sources"]["hr"]["waits"] is None


def test_a_run_whose_job_never_ends_is_abandoned(workspace: Workspace):
    workspace.source(SOURCE.replace("give_up_after: 60s", "give_up_after: 0.1s"))
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(19))
    workspace.fault("job_stuck")
    assert workspace.run("sync", "hr").code == 1
    run_id = said_run(workspace)
    assert workspace.run("sync", "hr").code == 1, "the next run waits for that job"
    assert said_run(workspace) == run_id
    assert "is not held, but submitted" in one_line(workspace.run("reject", run_id, *REASON), 2)
    said = workspace.run("abandon", run_id, "--reason", "stuck since Monday")
    assert said.code == 0, said.err
    assert "is waited for no more" in said.out
    assert "has failed already" in one_line(workspace.run("abandon", run_id, *REASON), 2)
    [run] = workspace.run("runs", "hr", run_id, "--json").document
    assert (run["state"], run["decision"]["reason"]) == ("failed", "stuck since Monday")
    assert run["error"].startswith("abandoned by ")
    workspace.source(SOURCE)
    synced = workspace.run("sync", "hr", "--json")
    assert synced.code == 0, synced.err
    assert synced.document["sources"][0]["recovered"] == []
    assert len(workspace.accounts()) == 19

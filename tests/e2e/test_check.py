"""Check: is everything in place? Nothing is uploaded."""

import re

from terminal import SOURCE, Workspace, rows, typed


def test_a_workspace_in_order_checks_out(workspace: Workspace):
    workspace.export(*rows(3))
    said = workspace.run("check")
    assert said.code == 0, said.err
    assert "takes the token" in said.out
    assert "accounts: exports/hr.csv" in said.out
    assert "app HR Portal is not in Lumos yet; the first sync makes it" in said.out
    assert workspace.stats()["uploads"] == 0


def test_every_problem_is_told_at_once(workspace: Workspace):
    said = typed("check", "--workspace", str(workspace.path), "--json")
    assert said.code == 2
    assert "LUMOS_API_TOKEN" in said.document["lumos"]["problems"][0]
    assert "exports/hr.csv" in said.document["sources"]["hr"]["problems"][0]


def test_a_column_that_is_not_there_is_told_before_a_sync(workspace: Workspace):
    workspace.source(SOURCE.replace("email: email", "email: mail"))
    workspace.export(*rows(3))
    said = workspace.run("check", "hr")
    assert said.code == 1
    assert "no column 'mail', wanted for email; did you mean 'email'?" in said.err


def test_a_server_that_is_not_there_is_told(workspace: Workspace):
    workspace.export(*rows(3))
    said = workspace.run("check", env={"LUMOS_API_URL": "http://127.0.0.1:9"})
    assert said.code == 1
    assert "127.0.0.1:9" in said.err


def test_when_a_source_is_due_is_told_on_the_clocks_of_its_zone(workspace: Workspace):
    workspace.source(SOURCE + 'schedule: {cron: "0 2 * * *", timezone: Europe/Paris}\n')
    workspace.export(*rows(3))
    said = workspace.run("check", "--json")
    assert said.code == 0
    (fact,) = [one for one in said.document["sources"]["hr"]["facts"] if "is due next" in one]
    assert re.fullmatch(r"sync is due next at \d{4}-\d\d-\d\d 02:00 CES?T, under serve", fact)


def test_a_category_that_lumos_does_not_have_is_told_before_a_sync(workspace: Workspace):
    workspace.source(SOURCE.replace("HR & Learning", "HR_AND_LEARNING"))
    workspace.export(*rows(3))
    said = workspace.run("check")
    assert said.code == 2
    assert "app.create.category: Lumos has no category 'HR_AND_LEARNING'; did you mean" in said.err


def test_a_broken_source_file_is_one_finding_among_the_others(workspace: Workspace):
    workspace.source("app: [", "broken")
    workspace.export(*rows(3))
    said = workspace.run("check", "--json")
    assert said.code == 2
    assert said.document["sources"]["hr"]["ok"]
    assert "sources/broken.yaml" in said.document["sources"]["broken"]["problems"][0]
    assert workspace.run("check", "hr").code == 0


def test_a_source_may_be_called_lumos_or_state(workspace: Workspace):
    (workspace.path / "sources" / "hr.yaml").rename(workspace.path / "sources" / "lumos.yaml")
    workspace.export(*rows(3))
    said = workspace.run("check", "--json")
    assert said.document["lumos"]["facts"] != said.document["sources"]["lumos"]["facts"]


def test_a_source_that_was_not_accepted_for_long_is_named(workspace: Workspace):
    workspace.export(*rows(3))
    workspace.source(SOURCE.replace("HR Portal", "CRM"), "crm")
    offline = {"LUMOS_API_URL": "http://127.0.0.1:9"}
    assert workspace.run("sync", "hr").code == 0
    said = workspace.run("check", "--fresh", "26h", env=offline)
    assert said.code == 1
    assert "lumos-ingest: crm: never accepted, not within 1d 2h" in said.err
    assert "hr" not in said.err
    assert workspace.run("check", "hr", "--fresh", "26h", env=offline).code == 0
    said = workspace.run("check", "hr", "--fresh", "0s", "--json", env=offline)
    assert said.code == 1
    assert said.document["sources"]["hr"]["fresh"] is False


def test_a_duration_without_a_unit_is_wrong_usage(workspace: Workspace):
    said = workspace.run("check", "--fresh", "26")
    assert said.code == 2
    assert "number and a unit" in said.err

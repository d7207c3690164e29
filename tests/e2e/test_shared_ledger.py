"""Two machines, one ledger in PostgreSQL and one archive: one line of accepted snapshots."""

from collections.abc import Callable
from pathlib import Path

from terminal import Workspace, rows

pytest_plugins = ["tests.postgresql_server"]


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

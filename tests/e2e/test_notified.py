"""Whoever `LUMOS_INGEST_NOTIFY` names is told how the commands' runs end."""

from terminal import SOURCE, Workspace, row, rows

from tests.message_taker import listening


def test_failures_holds_lateness_and_recoveries_are_told_and_no_row(workspace: Workspace) -> None:
    with listening() as (host, came):
        env = {"LUMOS_INGEST_NOTIFY": f"json://{host}/canary-4711"}
        workspace.source(SOURCE + "rejected_rows: fail\n")
        workspace.export(*rows(20))
        assert workspace.run("sync", "hr", env=env).code == 0
        workspace.export(*rows(19), "a0020,canary-4711@@example.com,,,ACTIVE,Ops,Reader")
        assert workspace.run("sync", "hr", env=env).code == 1
        workspace.export(*rows(4), row(5, team="canary-4711"))
        assert workspace.run("sync", "hr", env=env).code == 3
        assert workspace.run("check", "--fresh", "0.001s", env=env).code == 1
        workspace.export(*rows(20))
        done = workspace.run("sync", "hr", env=env)
        assert done.code == 0
    titles = [str(one["title"]).removeprefix("lumos-ingest: hr: ") for one in came]
    assert titles == ["failed", "held for a person", "not accepted for too long", "accepted again"]
    assert "exports/hr.csv" in str(came[0]["message"])
    assert "canary-4711" not in str(came) + done.err


def test_a_source_whose_file_is_wrong_is_told_once(workspace: Workspace) -> None:
    workspace.export(*rows(3))
    workspace.source("app: {name: X}\nsource: {kind: csv}\n", "crm")
    with listening() as (host, came):
        for _ in range(2):
            env = {"LUMOS_INGEST_NOTIFY": f"json://{host}/"}
            assert workspace.run("sync", "--all", env=env).code == 2
    assert [one["title"] for one in came] == ["lumos-ingest: crm: failed"]
    assert "sources/crm.yaml:2" in str(came[0]["message"])


def test_a_monitor_is_told_of_a_source_whose_file_was_made_wrong(workspace: Workspace) -> None:
    workspace.export(*rows(3))
    assert workspace.run("sync", "hr").code == 0
    workspace.source(SOURCE + "schedule: {cron: banana}\n")
    with listening() as (host, came):
        env = {"LUMOS_INGEST_NOTIFY": f"json://{host}/"}
        said = workspace.run("check", "--fresh", "26h", "--json", env=env)
    assert said.code == 2
    assert "; hr: accepted " in said.err
    hr = said.document["sources"]["hr"]
    assert (hr["fresh"], hr["accepted_at"] is None) == (False, False)
    assert "sources/hr.yaml" in hr["error"]
    assert [one["title"] for one in came] == ["lumos-ingest: hr: failed"]


def test_check_says_where_nobody_could_be_told(workspace: Workspace) -> None:
    workspace.export(*rows(3))
    said = workspace.run("check", "hr", env={"LUMOS_INGEST_NOTIFY": "canary-4711"})
    assert said.code == 2
    assert "hr: LUMOS_INGEST_NOTIFY: an address is none that apprise knows" in said.err
    workspace.source(SOURCE + "notify: {env: NOBODY_IS_HERE}\n")
    said = workspace.run("check", "hr")
    assert said.code == 2
    assert "NOBODY_IS_HERE is not set" in said.err
    assert "canary-4711" not in said.err + said.out

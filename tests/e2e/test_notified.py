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

"""`deploy` and a worker on a real Prefect server: what it registers, and a run that is killed."""

import os
import signal

import pytest
import yaml
from deployed import (
    OURS,
    TWO,
    Deployed,
    PrefectServer,
    deploy_for_soon,
    key_of,
    source,
    until,
    worker,
)

pytest_plugins = ["tests.postgresql_server", "tests.e2e.deployed"]
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("prefect")]


def test_the_server_has_the_schedules_of_the_files_and_what_people_changed(
    deployed: Deployed, server: PrefectServer
) -> None:
    work = deployed.workspace
    for name in ("people", "badges", "tools"):
        more = "activity: {source: {kind: csv, activity: log.csv}}\n" if name == "people" else ""
        work.source(source(name, more=more), name)
    first = deployed.type("deploy")
    assert first.code == 0, first.err
    assert "sync/people" in first.out
    assert set(deployed.schedules()) == {"people", "badges", "tools", "activity/people", *OURS}
    people = deployed.deployments()["people"]
    assert people["global_concurrency_limit"]["limit"] == 1
    assert people["concurrency_options"]["collision_strategy"] == "ENQUEUE"
    assert people["parameters"] == {"source": "people", "workspace": str(work.path)}
    by_hand = {"name": "by-hand", "flow_id": people["flow_id"], "parameters": people["parameters"]}
    server.ask("deployments/", by_hand)

    [submitted] = deployed.type("sync", "people", "--submit", "--json").document["sources"]
    assert deployed.state(submitted["flow_run_id"]) == "SCHEDULED"
    span = ("--since", "2026-01-01", "--until", "2026-07-01", "--window", "7d")
    [backfill] = deployed.type("backfill", "people", *span, "--submit", "--json").document[
        "sources"
    ]
    asked = server.ask(f"flow_runs/{backfill['flow_run_id']}")
    assert asked["deployment_id"] == deployed.deployments()["activity/people"]["id"]
    assert asked["parameters"]["since"] == "2026-01-01"
    future = ("--since", "2026-01-01", "--until", "2226-07-01")
    assert deployed.type("backfill", "people", *future, "--submit").code == 2

    work.source(source("people", "0 3 * * *"), "people")
    (work.path / "sources" / "tools.yaml").unlink()
    text = (work.path / "prefect.yaml").read_text("utf-8")
    badges = text.index("name: badges")
    changed = text[badges:].replace("slug: sync", "slug: at-night", 1)
    changed = changed.replace("tags: [lumos-ingest]", "tags: [lumos-ingest, doors]", 1)
    (work.path / "prefect.yaml").write_text(text[:badges] + changed, "utf-8")
    before = deployed.deployments()
    second = deployed.type("deploy", "--json")
    assert second.code == 0, second.err
    document = second.document
    assert document["changed"] == {
        "sync/people": ["schedules"],
        "sync/badges": ["schedules", "tags"],
    }
    assert (document["made"], document["gone"]) == ([], ["sync/tools"])
    after = deployed.deployments()
    assert {name for name in before if before[name]["updated"] != after[name]["updated"]} <= {
        "people", "badges",
    }  # fmt: skip
    assert sorted(after["badges"]["tags"]) == ["doors", "lumos-ingest"]

    assert deployed.type("deploy", "--prune", "--json").document["removed"] == ["sync/tools"]
    file = yaml.safe_load((work.path / "prefect.yaml").read_text("utf-8"))
    in_file = {
        key_of(one["lumos_ingest"]["flow"], one["name"]): [
            (schedule["cron"], schedule["slug"]) for schedule in one["schedules"]
        ]
        for one in file["deployments"]
    }
    assert deployed.schedules() == {**in_file, "by-hand": []}
    assert in_file["people"] == [("0 3 * * *", "sync")]
    assert in_file["badges"] == [(TWO, "at-night")]


def test_a_run_that_is_killed_is_asked_for_again(deployed: Deployed) -> None:
    deployed.hold_jobs()
    deploy_for_soon(deployed, {"hr"})
    with worker(deployed, "first") as first:
        # The schedule fires, and the run is cut off once it has sent its upload.
        os.kill(deployed.waiting({"hr"})["hr"], signal.SIGKILL)
        until(lambda: deployed.states()["hr"][0] == "CRASHED")
        deployed.let_jobs_end()
        deployed.begin("watchdog", grace_seconds=1, retry_minutes=0)
        until(lambda: deployed.ledger_states({"hr"}) == {"hr": {"done"}})
        until(lambda: "RUNNING" not in deployed.states()["hr"])
        stopped = deployed.type("stop-worker")
        assert stopped.code == 0, stopped.err
        assert f"stopped, with nothing at work: process {first.pid}" in stopped.out
    assert deployed.workspace.stats()["overlapping_uploads"] == 0
    assert len(deployed.workspace.accounts()) == 3

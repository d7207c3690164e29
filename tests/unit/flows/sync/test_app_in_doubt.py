"""An app of which nobody knows for certain what it holds: compared with all that it may hold."""

from collections.abc import Iterator

import pytest

from schemas.errors import IngestError, ReadBackError
from schemas.run import Run
from tests.unit.flows.sync.world import APP, Fault, World, but
from tests.unit.flows.world import in_memory

ALLOW = "guards: {first_into_full_app: allow, max_rejected_rows: 100%}\n"


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has(*but())
        yield world


def fill(world: World, *ids: str, status: str | None = "ACTIVE", email: str | None = "x@y") -> None:
    """The app holds these accounts, which no run here has sent."""
    world.lumos.accounts[APP] |= {
        one: {"unique_identifier": one, "status": status, "email": email, "permissions": []}
        for one in ids
    }


def guards_of(world: World) -> list[tuple[str, int]]:
    """The guards that hold the source as it is now, with what each counts."""
    verdict = world.preview().planned.verdict
    assert verdict.is_held
    return [(breach.guard, breach.found) for breach in verdict.breaches]


def not_accepted(world: World, fault: Fault = "alters") -> Run:
    world.lumos.faults = [fault]
    with pytest.raises(IngestError):
        world.sync()
    return world.runs()[0]


def test_a_first_sync_into_an_app_that_lumos_fills_is_held_once(world: World):
    fill(world, *but())
    assert guards_of(world) == [("first_into_full_app", 10)]
    assert world.sync().run.state == "held"
    assert world.sync().run.state == "held"
    assert world.uploads() == []
    assert world.sync(allow_removals=True).run.state == "done"
    assert world.sync().run.state == "done"


def test_a_file_may_allow_the_first_sync_into_a_full_app_and_nothing_else(world: World):
    world.more = ALLOW
    fill(world, *but())
    assert world.sync().run.state == "done"
    with in_memory(World) as other:
        other.more = ALLOW
        other.has(*but())
        fill(other, *but(), "x", "y")
        assert guards_of(other) == [("max_removed_accounts", 2)]


def test_an_app_that_lumos_fills_is_never_called_a_first_run(world: World):
    assert world.preview().planned.plan.is_first
    assert "first run" in world.preview().planned.against
    fill(world, "a")
    planned = world.preview().planned
    assert not planned.plan.is_first
    assert "first run" not in planned.against


def test_a_rejected_row_keeps_an_account_that_only_lumos_knows(world: World):
    world.more = ALLOW
    fill(world, *but())
    world.add("a", email="nobody")
    assert world.sync().run.state == "done"
    assert world.uploads()[-1] == but()
    [sent] = [one for one in world.lumos.jobs[-1].accounts if one["unique_identifier"] == "a"]
    assert (sent["status"], sent["email"]) == ("ACTIVE", "x@y")


def test_a_line_without_an_id_keeps_whoever_only_lumos_knows_and_is_there(world: World):
    world.more = ALLOW
    world.has(*but("a"))
    fill(world, *but())
    fill(world, "left", status="DEPROVISIONED")
    world.end = ",b@example.com,ACTIVE,r"
    assert world.sync().run.state == "done"
    assert world.uploads()[-1] == but()


@pytest.mark.parametrize(("status", "email"), [("ACTIVE", None), (None, "x@y"), (None, None)])
def test_a_rejected_row_whose_account_cannot_be_kept_holds_the_plan(
    world: World, status: str | None, email: str | None
):
    world.more = ALLOW
    fill(world, *but(), *(f"z{number}" for number in range(30)))
    world.rows |= {f"z{number}": {} for number in range(30)}
    fill(world, "a", status=status, email=email)
    world.add("a", email="nobody")
    assert guards_of(world) == [("max_removed_accounts", 1)]


def test_where_rejects_are_left_out_nothing_is_kept_and_nothing_held_for_it(world: World):
    world.more = ALLOW + "rejected_rows: leave_out\n"
    fill(world, *but(), *(f"z{number}" for number in range(30)))
    world.rows |= {f"z{number}": {} for number in range(30)}
    world.add("a", email="nobody")
    assert world.sync().run.state == "done"
    assert "a" not in world.uploads()[-1]


@pytest.mark.parametrize("fault", ["alters", "forgotten", "fails"])
def test_a_first_upload_that_was_not_accepted_is_a_base_in_doubt(world: World, fault: Fault):
    """Lumos took it; the next night's export has lost all roles."""
    doubted = not_accepted(world, fault)
    world.rows = {one: {"roles": ""} for one in but()}
    planned = world.preview().planned
    assert planned.verdict.is_held
    assert "max_removed_associations" in str(planned.verdict)
    assert not planned.plan.is_first
    assert planned.against == f"run {doubted.run_id}, which was sent and not accepted"
    assert world.sync().run.state == "held"


def test_after_a_first_upload_that_was_not_accepted_the_same_export_goes_through(world: World):
    not_accepted(world)
    assert world.sync().run.state == "done"
    assert world.holds() == world.says()


def test_a_plan_is_compared_with_the_accepted_and_with_each_doubted_snapshot(world: World):
    world.sync()
    world.rows = {one: {"roles": "r;s;t"} for one in but()}
    world.more = "guards: {max_added_associations: 100, per_entitlement: {max_added: 100}}\n"
    not_accepted(world, "forgotten")
    world.more = ""
    world.rows = {one: {} for one in but()}
    assert ("max_removed_associations", 20) in guards_of(world)


def test_a_rejected_row_keeps_what_an_upload_in_doubt_had_sent(world: World):
    world.more = ALLOW
    world.sync()
    world.add("k", roles="s")
    not_accepted(world, "forgotten")
    world.add("k", roles="s", email="nobody")
    assert world.sync().run.state == "done"
    assert world.holds()["k"] == ("ACTIVE", "s")


def test_what_is_in_doubt_is_so_until_the_next_accepted_run(world: World):
    world.sync()
    not_accepted(world, "alters")
    assert world.sync().run.state == "done"
    with world.context() as context:
        assert context.ledger.doubtful_runs(APP) == []
    assert world.sync().planned.doubted is None


def test_where_lumos_tells_no_status_a_run_is_accepted(world: World):
    def hide(_what: str) -> None:
        for held in world.lumos.accounts[APP].values():
            held["status"] = None

    world.watch = hide
    assert world.sync().run.state == "done"
    world.has(*but("a"))
    assert world.sync().run.state == "done"


def test_what_lumos_does_tell_differently_is_no_accepted_run(world: World):
    world.lumos.faults = ["alters"]
    with pytest.raises(ReadBackError, match="1 other status"):
        world.sync()

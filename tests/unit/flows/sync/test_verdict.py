"""The verdict: what holds a plan, what lets a held one through, and what Lumos's accounts say."""

from dataclasses import replace

import pytest

from flows.sync.verdict import IN_LUMOS, Verdict, decide, live_breaches, seen_breaches
from schemas.plan import Breach
from schemas.run import Run
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards
from schemas.statuses import CAN_LOG_IN, GONE, UPLOAD_STATUSES
from tests.unit.builders import NOW, account, snapshot, source_file
from tests.unit.flows.sync.world import APP, World
from tests.unit.flows.world import in_memory

REMOVED = Breach("max_removed_accounts", "10%", 4, 28, 49, is_removal=True)
DROPPED = Breach("max_removed_associations", "20%", 4, 28, 49, is_removal=True)
CLOSED = Breach("max_deactivated_accounts", "10%", 4, 28, 49, is_removal=True)
EMPTY = Breach("min_accounts", "1", 1, 0, 0, is_removal=False)
REJECTED = Breach("max_rejected_rows", "1%", 1, 5, 100, is_removal=False, table="accounts")
BASE = Run("base", "hr", "done", "me@host", NOW)


def held_run(*breaches: Breach, **fields: object) -> Run:
    """A run that those breaches held."""
    run = Run("held", "hr", "held", "me@host", NOW, app_id=APP, base_run_id="base")
    return replace(run, content_hash="hash", breaches=seen_breaches(breaches), **fields)


def decided(*breaches: Breach, held: Run | None = None, base: Run | None = BASE) -> Verdict:
    """The verdict on a plan that breaks them, into the usual app, with the usual snapshot."""
    return decide(breaches, held, APP, base, lambda: "hash")


def not_asked() -> str:
    raise AssertionError("the snapshot is hashed where its hash decides nothing")


def test_a_plan_that_breaks_nothing_passes_whatever_was_held():
    for held in (None, held_run(), held_run(REMOVED)):
        verdict = decide((), held, APP, BASE, not_asked)
        assert verdict == Verdict(())
        assert not verdict.is_held
        assert str(verdict) == "the guards let it pass"


@pytest.mark.parametrize("breaches", [(REMOVED,), (EMPTY,), (CLOSED, REJECTED)])
def test_a_breach_holds_the_plan_while_no_held_one_is_let_through(breaches: tuple[Breach, ...]):
    verdict = decide(breaches, None, APP, BASE, not_asked)
    assert verdict == Verdict(breaches)
    assert verdict.is_held
    assert str(verdict) == f"held: {'; '.join(map(str, breaches))}"


@pytest.mark.parametrize("breaches", [(REMOVED,), (DROPPED,), (CLOSED,), (REMOVED, CLOSED)])
def test_the_very_plan_that_was_held_for_removals_is_let_through(breaches: tuple[Breach, ...]):
    verdict = decided(*breaches, held=held_run(*breaches))
    assert verdict == Verdict(breaches, approves_run="held")
    assert not verdict.is_held
    said = "; ".join(map(str, breaches))
    assert str(verdict) == f"let through by a person, held as run held: {said}"


@pytest.mark.parametrize("other", [EMPTY, REJECTED])
@pytest.mark.parametrize("removals", [(), (REMOVED,), (REMOVED, DROPPED, CLOSED)])
def test_one_breach_that_is_no_removal_keeps_the_plan_held(
    removals: tuple[Breach, ...], other: Breach
):
    for breaches in ((*removals, other), (other, *removals)):
        verdict = decide(breaches, held_run(*breaches), APP, BASE, not_asked)
        assert verdict == Verdict(breaches)
        assert verdict.is_held


@pytest.mark.parametrize(
    "now",
    [
        (CLOSED,),
        (REMOVED, CLOSED),
        (replace(REMOVED, limit="5%"),),
        (replace(REMOVED, found=29),),
        (replace(REMOVED, base=50),),
    ],
)
def test_a_plan_with_other_breaches_than_were_seen_is_held_anew(now: tuple[Breach, ...]):
    verdict = decide(now, held_run(REMOVED), APP, BASE, not_asked)
    assert verdict == Verdict(now, stale_approval_of="held")
    assert verdict.is_held
    said = "; ".join(map(str, now))
    assert str(verdict) == f"held: {said}; the source has moved since run held was held"


@pytest.mark.parametrize(
    "seen",
    [{"app_id": "app-2"}, {"app_id": None}, {"base_run_id": "older"}, {"base_run_id": None}],
)
def test_a_plan_for_another_app_or_against_another_run_is_held_anew(seen: dict[str, str | None]):
    verdict = decide((REMOVED,), held_run(REMOVED, **seen), APP, BASE, not_asked)
    assert verdict == Verdict((REMOVED,), stale_approval_of="held")


def test_a_first_plan_that_was_held_is_let_through_against_nothing():
    held = held_run(REMOVED, base_run_id=None)
    assert decided(REMOVED, held=held, base=None).approves_run == "held"
    assert decided(REMOVED, held=held_run(REMOVED), base=None).stale_approval_of == "held"


@pytest.mark.parametrize("content_hash", ["another", None])
def test_another_snapshot_with_the_same_breaches_is_held_anew(content_hash: str | None):
    held = replace(held_run(REMOVED), content_hash=content_hash)
    assert decided(REMOVED, held=held) == Verdict((REMOVED,), stale_approval_of="held")


def test_a_held_run_that_does_not_say_what_was_seen_lets_nothing_through():
    held = held_run()
    assert decided(REMOVED, held=held) == Verdict((REMOVED,), stale_approval_of="held")


def lived(holds: dict[str, str], now: Snapshot, guards: str = "{}") -> tuple[Breach, ...]:
    """The breaches of a snapshot in an app that holds these statuses."""
    bounds: Guards = source_file(f"guards: {guards}\n").guards
    with in_memory(World) as world:
        world.lumos.accounts[APP] = {
            one: {"unique_identifier": one, "status": status} for one, status in holds.items()
        }
        with world.context() as context:
            assert context.api is not None
            return live_breaches(context.api, APP, now, bounds)


def people(count: int, start: int = 0, status: str = "ACTIVE") -> Snapshot:
    """A snapshot of as many accounts, numbered from `start`."""
    numbers = range(start, start + count)
    return snapshot([account(f"a{number:03}", user_status=status) for number in numbers])


def active(count: int, status: str = "ACTIVE") -> dict[str, str]:
    """What an app holds with as many accounts, numbered from 0."""
    return {f"a{number:03}": status for number in range(count)}


@pytest.mark.parametrize(("count", "allowed"), [(2, 1), (19, 1), (20, 2), (130, 13)])
def test_up_to_the_share_of_what_lumos_holds_may_be_removed(count: int, allowed: int):
    assert lived(active(count), people(count, start=allowed)) == ()
    [breach] = lived(active(count), people(count, start=allowed + 1))
    assert breach == Breach(
        *("max_removed_accounts", "10%", allowed, allowed + 1, count),
        is_removal=True,
        table=IN_LUMOS,
    )


@pytest.mark.parametrize(("count", "allowed"), [(2, 1), (10, 1), (29, 2)])
def test_up_to_the_share_of_what_lumos_holds_may_be_deactivated(count: int, allowed: int):
    def closing(closed: int) -> Snapshot:
        return snapshot(
            [
                account(f"a{n:03}", user_status="SUSPENDED" if n < closed else "ACTIVE")
                for n in range(count)
            ]
        )

    assert lived(active(count), closing(allowed)) == ()
    [breach] = lived(active(count), closing(allowed + 1))
    assert breach == Breach(
        *("max_deactivated_accounts", "10%", allowed, allowed + 1, count),
        is_removal=True,
        table=IN_LUMOS,
    )


@pytest.mark.parametrize("status", UPLOAD_STATUSES)
def test_only_an_account_that_lumos_does_not_show_as_gone_can_be_removed(status: str):
    held = active(3, status)
    found = lived(held, people(3, start=3), "{max_removed_accounts: 0}")
    assert [one.found for one in found] == ([] if status in GONE else [3])


@pytest.mark.parametrize("after", UPLOAD_STATUSES)
def test_an_account_that_could_log_in_and_cannot_is_deactivated(after: str):
    held = {f"a{number:03}": status for number, status in enumerate(UPLOAD_STATUSES)}
    now = people(len(held), status=after)
    found = lived(held, now, "{max_deactivated_accounts: 0, max_removed_accounts: 0}")
    closed = 0 if after in CAN_LOG_IN else len(CAN_LOG_IN)
    assert [(one.guard, one.found) for one in found] == [
        ("max_deactivated_accounts", closed) for _ in range(bool(closed))
    ]


def test_an_app_that_holds_nothing_can_lose_nothing():
    assert lived({}, people(3)) == ()


def test_an_account_whose_status_lumos_does_not_tell_can_be_removed():
    held = {"a000": None, "a001": None}
    found = lived(held, people(1, start=5), "{max_removed_accounts: 0}")  # type: ignore[arg-type]
    assert [(one.guard, one.found, one.base) for one in found] == [("max_removed_accounts", 2, 2)]

"""A held plan: what a person may decide of it, what then becomes of it, and what is told."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from flows.run.decisions import abandon, named_run
from flows.sync.held import approve, bearing_text, held_error, reject, what_to_do
from flows.sync.plan import Planned
from flows.sync.verdict import Verdict
from loaders.archive.archive import Archive
from loaders.ledger.decisions import decisions_on
from schemas.errors import BusyError, ConfigError, GuardError, JobTimeoutError
from schemas.plan import Breach
from schemas.run import Decision, Run
from tests.unit.builders import NOW, account, normalized
from tests.unit.flows.sync.world import APP, World, but, states
from tests.unit.flows.world import in_memory
from transforms.plan.plan import to_plan

WEEK = timedelta(days=7)
REMOVED = Breach("max_removed_accounts", "10%", 4, 28, 49)
REJECTED = Breach("max_rejected_rows", "1%", 1, 5, 100, table="accounts")
APPROVAL = Decision("held-1", "approve", "you@host", NOW, "a site has closed", NOW + WEEK)
MOST_STEPS = 40


@pytest.fixture
def world() -> Iterator[World]:
    """An app that was fed ten accounts, of whom two have left: that is held."""
    with in_memory(World) as world:
        world.has(*but())
        world.sync()
        world.has(*but("a", "b"))
        assert world.sync().run.state == "held"
        world.may_take_away = 2
        yield world


def approves(world: World, run: Run | None = None, good_for: timedelta = WEEK) -> Decision:
    """A person approves the run, or the newest one."""
    with world.context() as context:
        return approve(run or world.runs()[0], "a site has closed", good_for, context)


def rejects(world: World, run: Run | None = None) -> Decision | None:
    """A person rejects the run, or the newest one; what that takes back."""
    with world.context() as context:
        return reject(run or world.runs()[0], "half of it is missing", context)[1]


def refused(world: World, run: Run | None = None) -> str:
    """Why the run cannot be approved; nothing is decided."""
    run = run or world.runs()[0]
    before = decisions_on(world.ledger, run.run_id)
    with pytest.raises(ConfigError) as caught:
        approves(world, run)
    assert decisions_on(world.ledger, run.run_id) == before
    return str(caught.value)


# What an approval is good for.


def test_the_next_run_carries_out_what_was_approved_and_says_who_let_it_through(world: World):
    held = world.runs()[0]
    approval = approves(world)
    world.now += timedelta(days=6)
    run = world.sync().run
    assert run.state == "done"
    assert run.approves_run_id == held.run_id
    assert (run.approved_by, run.approved_at) == (approval.actor, approval.decided_at)
    assert world.holds() == world.says()


def test_an_approval_lapses_and_the_plan_is_held_anew(world: World):
    held = world.runs()[0]
    approves(world)
    world.now += WEEK
    outcome = world.sync()
    assert outcome.run.state == "held"
    assert outcome.planned.verdict.bearing == "lapsed"
    assert f"the approval of run {held.run_id} has lapsed" in (outcome.run.error or "")
    assert len(world.uploads()) == 1


@pytest.mark.parametrize("change", ["fewer", "more", "others", "roles", "emails"])
def test_an_approval_is_for_no_other_plan(world: World, change: str):
    held = world.runs()[0]
    approves(world)
    match change:
        case "fewer":
            world.has(*but("a", "b", "c"))
        case "more":
            world.add("k")
        case "others":
            world.has(*but("a", "c"))
        case "roles":
            world.add("c", roles="s")
        case "emails":
            world.add("c", email="c@example.com")
    outcome = world.sync()
    assert outcome.run.state == "held"
    assert outcome.planned.verdict.stale_approval_of == held.run_id
    assert len(world.uploads()) == 1
    world.has(*but("a", "b"))
    assert world.sync().run.state == "held", "a plan that came in between was seen by nobody"


def test_an_approval_is_for_no_other_app(world: World):
    approves(world)
    world.lumos.apps["app-2"] = "Y"
    world.lumos.accounts["app-2"] = {
        one: {"unique_identifier": one, "status": "ACTIVE"} for one in but()
    }
    world.app = "{id: app-2}"
    assert world.sync().run.state == "held"
    assert len(world.uploads()) == 1


def test_an_approval_is_not_for_what_another_accepted_run_has_made_of_the_app(world: World):
    approves(world)
    world.accepts_elsewhere(*but("c"))
    assert world.sync().run.state == "held"
    assert len(world.uploads()) == 1


def test_a_plan_in_which_only_last_logins_have_moved_on_is_the_one_that_was_seen(world: World):
    world.columns = ["last_login"]
    world.has(*but("a", "b"), last_login="2020-06-01T00:00:00Z")
    assert world.sync().run.state == "held"
    approves(world)
    world.has(*but("a", "b"), last_login="2020-06-02T00:00:00Z")
    assert world.sync().run.state == "done"
    assert world.holds() == dict.fromkeys(but("a", "b"), ("ACTIVE", "r"))


def test_a_plan_in_which_both_times_of_use_have_moved_on_is_the_one_that_was_seen(world: World):
    world.columns = ["last_login", "last_activity"]
    times = dict.fromkeys(world.columns, "2020-06-01T00:00:00Z")
    world.has(*but("a", "b"), **times)
    assert world.sync().run.state == "held"
    approves(world)
    world.has(*but("a", "b"), **dict.fromkeys(times, "2020-06-02T00:00:00Z"))
    assert world.sync().run.state == "done"


def test_a_plan_in_which_a_role_has_passed_to_another_is_not_the_one_that_was_seen(world: World):
    world.add("c", roles="s")
    assert world.sync().run.state == "held"
    approves(world)
    world.add("c")
    world.add("d", roles="s")
    assert world.sync().run.state == "held"
    assert len(world.uploads()) == 1


def test_a_plan_with_one_more_who_holds_nothing_is_not_the_one_that_was_seen(world: World):
    approves(world)
    world.add("k", roles="")
    assert world.sync().run.state == "held"
    assert len(world.uploads()) == 1


def test_a_plan_with_one_more_attribute_is_not_the_one_that_was_seen(world: World):
    world.columns = ["site"]
    world.more = "attributes: {Site: site}\n"
    assert world.sync().run.state == "held"
    approves(world)
    world.add("c", site="Lyon")
    assert world.sync().run.state == "held"
    assert len(world.uploads()) == 1


def test_an_archive_that_holds_another_plan_than_was_seen_is_no_approval_of_that_one(world: World):
    held = world.runs()[0]
    approves(world)
    world.has(*but("a", "c"))
    other = world.preview().planned.normalized.snapshot
    Archive(world.place).save_snapshot("hr", held.run_id, other)
    world.columns = ["last_login"]
    world.has(*but("a", "c"), last_login="2020-06-01T00:00:00Z")
    assert world.sync().run.state == "held"
    assert len(world.uploads()) == 1


def test_a_held_plan_that_the_archive_has_lost_is_not_taken_for_this_one(
    world: World, caplog: pytest.LogCaptureFixture
):
    world.columns = ["last_login"]
    world.has(*but("a", "b"), last_login="2020-06-01T00:00:00Z")
    held = world.sync().run
    approves(world)
    world.place.remove(("hr", held.run_id))
    world.has(*but("a", "b"), last_login="2020-06-02T00:00:00Z")
    assert world.sync().planned.verdict.stale_approval_of == held.run_id
    [told] = [text for text in caplog.messages if "cannot be compared" in text]
    assert told.startswith("hr: the plan that was held cannot be compared: ")
    assert held.run_id in told


def test_a_run_that_fails_leaves_the_approval_in_force(world: World):
    approves(world)
    world.lumos.faults = ["refused"]
    with pytest.raises(Exception, match="422"):
        world.sync()
    assert states(world)[-1] == "failed"
    assert world.runs()[0].approves_run_id == world.runs()[1].run_id


@pytest.mark.parametrize("point", range(MOST_STEPS))
def test_wherever_a_run_ends_what_was_approved_is_carried_out_once(world: World, point: int):
    approves(world)
    world.crashes_at(point)
    world.sync()
    assert world.holds() == world.says()
    done = [run for run in world.runs() if run.approves_run_id and run.state == "done"]
    assert len(done) == 1


@pytest.mark.parametrize("point", range(8))
def test_wherever_deciding_ends_it_is_decided_or_it_is_not(world: World, point: int):
    crashed = world.crashes(lambda: approves(world), point)
    said = decisions_on(world.ledger, world.runs()[0].run_id)
    assert len(said) in ([0, 1] if crashed else [1])
    assert world.sync().run.state == ("done" if said else "held")


# What a rejection does.


def test_a_rejected_plan_is_held_again_and_says_who_refused_it_every_time(world: World):
    rejects(world)
    for _ in range(3):
        outcome = world.sync()
        assert outcome.run.state == "held"
        assert outcome.planned.verdict.bearing == "rejects"
    world.add("k")
    assert world.sync().planned.verdict.bearing is None


def test_a_rejection_takes_an_approval_back(world: World):
    approval = approves(world)
    assert rejects(world) == approval
    assert world.sync().run.state == "held"
    assert len(world.uploads()) == 1


def test_a_plan_that_was_rejected_once_may_be_approved_when_it_comes_again(world: World):
    rejects(world)
    world.sync()
    approves(world)
    assert world.sync().run.state == "done"


def test_an_approval_that_is_taken_back_before_anything_is_sent_sends_nothing(world: World):
    """The person is quicker than the run that has seen the approval and plans."""
    held = world.runs()[0]
    approves(world)
    world.rejected = False

    def watch(what: str) -> None:
        carries = world.runs()[0].approves_run_id
        if carries and not world.rejected and what == "before a frame is kept":
            world.rejected = True
            rejects(world, held)

    world.watch = watch
    with pytest.raises(GuardError, match="was taken back"):
        world.sync()
    world.watch = lambda _: None
    assert len(world.uploads()) == 1
    assert states(world)[-1] == "failed"


@pytest.mark.parametrize("point", ["before POST /accounts/upload", "after POST /accounts/upload"])
def test_an_approval_cannot_be_taken_back_once_its_plan_may_have_been_sent(
    world: World, point: str
):
    held = world.runs()[0]
    approves(world)
    assert world.crashes_at(point)
    with pytest.raises(ConfigError, match="is carried out already, as run"):
        rejects(world, held)
    assert world.runs()[0].run_id in refused(world, held)
    world.sync()
    assert world.holds() == world.says()


# What cannot be decided.


def test_a_plan_is_approved_once(world: World):
    approval = approves(world)
    assert refused(world) == (
        f"run {approval.run_id} is approved already, by {approval.actor} on 2020-07-01 00:00 UTC, "
        "until 2020-07-08 00:00 UTC: the next sync of hr carries it out"
    )
    rejects(world)
    assert "was rejected by" in refused(world)
    with pytest.raises(ConfigError, match="is rejected already"):
        rejects(world)


def test_an_approval_that_has_lapsed_is_not_given_again_unseen(world: World):
    approves(world)
    world.now += WEEK
    assert "lapsed: lumos-ingest sync hr holds what the source says now" in refused(world)


def test_only_the_newest_held_plan_of_a_source_can_be_decided_on(world: World):
    first = world.runs()[0]
    world.add("k")
    second = world.sync().run
    assert refused(world, first) == (
        f"run {first.run_id} waits no more: run {second.run_id} (held) came after it: decide on "
        "that one"
    )
    world.has(*but())
    done = world.sync().run
    assert f"run {done.run_id} (done) came after it" in refused(world, second)
    assert "is not held, but done" in refused(world, done)


def test_a_plan_that_was_carried_out_is_decided_on_no_more(world: World):
    held = world.runs()[0]
    approves(world)
    done = world.sync().run
    carried_out = f"carried out already, as run {done.run_id} (done)"
    assert carried_out in refused(world, held)
    with pytest.raises(ConfigError, match="carried out already"):
        rejects(world, held)


def test_nobody_approves_an_empty_read_or_rejected_rows(world: World):
    world.rows = {}
    world.sync()
    assert "cannot be approved: min_accounts cannot be lifted: mend" in refused(world)
    world.has(*but("a"), *"klmnop")
    for one in "klmnop":
        world.add(one, email="nobody")
    world.sync()
    assert "max_rejected_rows cannot be lifted" in refused(world)
    assert rejects(world) is None


# What `sync --allow-removals` does: it approves what waits, and carries it out.


def test_allowing_removals_approves_what_waits_and_carries_it_out(world: World):
    held = world.runs()[0]
    assert world.sync(allow_removals=True).run.state == "done"
    [decision] = decisions_on(world.ledger, held.run_id)
    assert (decision.decision, decision.reason) == ("approve", "--allow-removals")
    assert decision.lapses_at == decision.decided_at + WEEK


def test_allowing_removals_approves_nothing_that_nobody_has_seen(world: World):
    world.has(*but())
    world.sync()
    world.has(*but("a", "b"))
    assert world.sync(allow_removals=True).run.state == "held"
    assert len(world.uploads()) == 2


def test_allowing_removals_lets_no_rejected_plan_through(world: World):
    rejects(world)
    assert world.sync(allow_removals=True).planned.verdict.bearing == "rejects"
    assert len(world.uploads()) == 1


def test_allowing_removals_lifts_no_guard_that_nobody_may_lift(world: World):
    world.rows = {}
    world.sync()
    outcome = world.sync(allow_removals=True)
    assert outcome.run.state == "held"
    assert decisions_on(world.ledger, world.runs()[1].run_id) == []


def test_an_approval_is_good_for_as_long_as_the_source_file_says(world: World):
    world.more = "guards: {approval_lapses: 2h}\n"
    held = world.runs()[0]
    world.sync(allow_removals=True)
    [decision] = decisions_on(world.ledger, held.run_id)
    assert decision.lapses_at == decision.decided_at + timedelta(hours=2)


# Giving up a run.


def gives_up(world: World, run: Run) -> Run:
    with world.context() as context:
        return abandon(run, "stuck since Monday", context)


def test_a_run_whose_job_never_ends_is_given_up_and_the_next_waits_for_it_no_more(world: World):
    world.has(*but())
    world.lumos.faults = ["never ends"]
    world.more = "upload: {poll: {give_up_after: 0s}}\n"
    with pytest.raises(JobTimeoutError):
        world.sync()
    stuck = world.runs()[0]
    assert stuck.state == "submitted"
    world.now += timedelta(hours=3)
    ended = gives_up(world, stuck)
    assert (ended.state, ended.ended_at) == ("failed", world.now)
    [decision] = decisions_on(world.ledger, stuck.run_id)
    assert (decision.decision, decision.reason) == ("abandon", "stuck since Monday")
    assert ended.error == f"abandoned by {decision.actor}"
    assert [run.run_id for run in world.ledger.doubtful_runs(APP)] == [stuck.run_id]
    world.more = ""
    outcome = world.sync()
    assert (outcome.run.state, outcome.recovered) == ("done", ())
    assert world.ledger.doubtful_runs(APP) == []


def test_a_run_that_may_have_been_sent_is_given_up_and_its_app_is_in_doubt(world: World):
    world.has(*but())
    assert world.crashes_at("before POST /accounts/upload")
    planned = world.runs()[0]
    assert planned.state == "planned"
    assert gives_up(world, planned).state == "failed"
    assert [run.run_id for run in world.ledger.doubtful_runs(APP)] == [planned.run_id]
    assert world.sync().recovered == ()


def test_a_run_that_a_process_is_at_work_on_is_not_given_up(world: World):
    world.has(*but())
    seen: list[str] = []

    def watch(what: str) -> None:
        if what == "after POST /accounts/upload" and not seen:
            run = world.runs()[0]
            with pytest.raises(BusyError, match="another run is at work on"):
                gives_up(world, run)
            seen.append(run.run_id)

    world.watch = watch
    run = world.sync().run
    assert (run.state, [run.run_id]) == ("done", seen)
    assert decisions_on(world.ledger, run.run_id) == []


@pytest.mark.parametrize("state", ["reading", "held", "done", "unchanged", "failed"])
def test_only_a_run_that_is_under_way_is_given_up(world: World, state: str):
    run = world.ledger.start_run("hr", "me@host", world.now, APP)
    run = world.ledger.update_run(run.run_id, state=state)
    with pytest.raises(ConfigError, match="cannot be abandoned"):
        gives_up(world, run)
    assert world.ledger.run(run.run_id) == run
    assert decisions_on(world.ledger, run.run_id) == []


# Which run is meant.


def test_a_run_is_named_by_the_beginning_of_its_id_or_of_what_comes_after_its_time(world: World):
    held, ledger = world.runs()[0], world.ledger
    for text in (held.run_id, held.run_id[:-1], held.run_id[17:], held.run_id[17:22]):
        assert named_run(ledger, text) == held
    assert named_run(ledger, held.run_id, "hr") == held
    for text, said in {
        "": "name a run",
        " ": "name a run",
        "%": "there is no run '%'",
        "_": "there is no run '_'",
        "2020": "may mean",
        "1999": "there is no run '1999'",
    }.items():
        with pytest.raises(ConfigError, match=said):
            named_run(ledger, text)
    with pytest.raises(ConfigError, match="lumos-ingest runs crm lists them"):
        named_run(ledger, held.run_id, "crm")


# What is told.


def planned(verdict: Verdict) -> Planned:
    """A plan with that verdict."""
    made = normalized([account("a")])
    return Planned(made, None, to_plan(made.snapshot, None), verdict)


def test_a_person_is_told_how_to_look_at_a_plan_approve_and_reject_it():
    verdict = Verdict((REMOVED,))
    assert what_to_do("hr", "run-1", verdict) == [
        "Look at it: lumos-ingest preview hr",
        'Approve it: lumos-ingest approve run-1 --reason "…"',
        "or at once: lumos-ingest sync hr --allow-removals",
        'Reject it:  lumos-ingest reject run-1 --reason "…"',
    ]
    assert what_to_do("hr", "run-1", verdict, " --as-of 2026-08-31") == [
        "Approve it: lumos-ingest sync hr --as-of 2026-08-31 --allow-removals",
        'Reject it:  lumos-ingest reject run-1 --reason "…"',
    ]


@pytest.mark.parametrize("breaches", [(REJECTED,), (REMOVED, REJECTED), (REJECTED, REMOVED)])
def test_a_person_is_told_what_nobody_may_approve(breaches: tuple[Breach, ...]):
    assert what_to_do("hr", "run-1", Verdict(breaches)) == [
        "Look at it: lumos-ingest preview hr",
        (
            "No one may approve it: max_rejected_rows cannot be lifted: mend the source, or change "
            "that key under guards: in its file, and sync again"
        ),
    ]


def test_a_person_is_told_who_has_decided_before():
    by = "by you@host on 2026-08-01 12:00 UTC"
    told = {
        "approves": f"Approved {by}, as run held-1.",
        "lapsed": f"The approval of run held-1, {by}, lapsed on 2026-08-08 12:00 UTC.",
        "other_plan": "The source has moved since run held-1 was held: its approval, "
        f"{by}, was of another plan.",
        "rejects": f"This very plan was rejected {by}, as run held-1.",
    }
    for bearing, text in told.items():
        assert bearing_text(Verdict((REMOVED,), APPROVAL, bearing)) == text  # type: ignore[arg-type]
    assert bearing_text(Verdict((REMOVED,))) == ""


def test_the_error_of_a_held_plan_is_one_line_that_says_why_and_what_to_type():
    error = held_error("hr", "run-1", planned(Verdict((REMOVED,), APPROVAL, "other_plan")))
    assert str(error) == (
        "held as run run-1, nothing was uploaded: "
        "max_removed_accounts: 28 of 49, allowed 4 (10%); "
        "The source has moved since run held-1 was held: its approval, by you@host on "
        "2026-08-01 12:00 UTC, was of another plan; "
        "Look at it: lumos-ingest preview hr; "
        'Approve it: lumos-ingest approve run-1 --reason "…"; '
        "or at once: lumos-ingest sync hr --allow-removals; "
        'Reject it: lumos-ingest reject run-1 --reason "…"'
    )
    assert (error.run_id, error.exit_code) == ("run-1", 3)

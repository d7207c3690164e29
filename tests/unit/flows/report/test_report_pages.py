"""Pages of runs: what happened and what to type, by ledger and archive alone; no id unasked."""

import contextlib
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from flows.report.changes import ACCOUNTS_SHOWN, MOVERS_SHOWN
from flows.report.files import to_html, write_run_page, write_sources_page
from flows.report.hashes import Names, hashed
from flows.report.run_page import RunPage, to_run_page
from flows.report.sources_page import to_sources_page
from flows.sync.held import approve, reject
from schemas.errors import ConfigError, IngestError
from schemas.run import Run
from tests.unit.builders import account
from tests.unit.builders import snapshot as made
from tests.unit.flows.sync.world import World, but
from tests.unit.flows.world import in_memory

KEY = b"k" * 32
HASHES, CLEAR = Names(KEY, has_ids=False), Names(KEY, has_ids=True)
DAY = timedelta(days=1)
GUARDS = "guards: {max_rejected_rows: 50%}\n"


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.more = GUARDS
        world.has(*but())
        yield world


def night(world: World) -> Run:
    """The next night's run, whatever came of it."""
    world.now += DAY
    with contextlib.suppress(IngestError):
        world.sync()
    return world.runs()[0]


def page_of(world: World, run: Run, names: Names = HASHES) -> RunPage:
    with world.context() as context:
        return to_run_page(run, context, names)


def html_of(world: World, run: Run, names: Names = HASHES) -> str:
    return to_html(page_of(world, run, names))


def commands(page: RunPage) -> list[str]:
    return [one.command for one in page.headline.advice]


def test_an_accepted_run_says_what_it_left_and_how_to_go_back(world: World):
    first = night(world)
    world.add("k")
    world.add("b", user_status="SUSPENDED")
    page = page_of(world, night(world))
    assert page.headline.sentence == "Accepted: 11 accounts are in the app."
    assert f"lumos-ingest sync hr --from-archive {first.run_id}" in commands(page)
    assert ("added", 1, "good") in page.tiles
    assert ("can log in no more", 1, "warn") in page.tiles
    assert [(one.status, one.before, one.now) for one in page.statuses] == [
        ("ACTIVE", 10, 10),
        ("SUSPENDED", 0, 1),
    ]
    assert [point.size for point in page.sizes] == [10, 11]
    assert [point.is_this for point in page.sizes] == [False, True]


def test_a_first_run_is_told_as_one(world: World):
    page = page_of(world, night(world))
    assert page.headline.sentence.startswith("The first run into this app. Accepted: 10 accounts")
    assert page.moved is not None
    assert page.moved.accounts == ()
    assert page.moved.opened == 0


def test_a_held_run_says_why_whom_it_concerns_and_the_very_words_to_type(world: World):
    night(world)
    world.has(*but("a", "b", "c"))
    held = night(world)
    page = page_of(world, held)
    assert (held.state, page.headline.tone) == ("held", "warn")
    assert page.headline.reasons == (
        "Accounts removed: 3 of 10; the bound is 10% (max_removed_accounts)",
        "Permissions taken away: 3 of 10; the bound is 20% (max_removed_associations)",
    )
    assert commands(page) == [
        f"lumos-ingest report {held.run_id} --ids --open",
        "lumos-ingest preview hr",
        f'lumos-ingest approve {held.run_id} --reason "…"',
        "lumos-ingest sync hr",
        f'lumos-ingest reject {held.run_id} --reason "…"',
    ]
    assert page.moved is not None
    assert [(one.name, one.change) for one in page.moved.accounts] == [
        (hashed(KEY, one), "removed") for one in "abc"
    ]
    broken, *others = page.guards.lines
    assert (broken.key, broken.found, broken.allowed) == ("max_removed_accounts", 3, 1)
    assert broken.is_broken
    assert broken.found_percent > broken.allowed_percent
    assert {one.key for one in (*others, *page.guards.quiet)} >= {"max_added_accounts"}


def test_what_no_one_may_approve_is_not_offered(world: World):
    night(world)
    world.more = "guards: {min_accounts: 11}\n"
    held = night(world)
    page = page_of(world, held)
    assert not [one for one in commands(page) if " approve " in one]
    assert "guards.min_accounts" in page.headline.advice[-1].words


def test_what_a_person_decided_moves_the_headline_on(world: World):
    night(world)
    world.has(*but("a", "b", "c"))
    held = night(world)
    with world.context() as context:
        approve(held, "Ana said so", DAY, context)
    assert page_of(world, held).headline.state == "approved"
    assert "Ana" not in html_of(world, held)
    assert "Ana said so" in html_of(world, held, CLEAR)
    world.now += 2 * DAY
    assert page_of(world, held).headline.state == "approval lapsed"
    with world.context() as context:
        reject(held, "no", context)
    assert page_of(world, held).headline.state == "rejected"
    world.has(*but())
    later = night(world)
    page = page_of(world, held)
    assert (page.headline.tone, page.headline.advice) == ("calm", ())
    assert later.run_id in page.headline.sentence


def test_a_failed_run_says_what_is_certain_and_what_is_not(world: World):
    night(world)
    world.is_exported = False
    page = page_of(world, night(world))
    assert page.headline.sentence == "Failed. Nothing was uploaded: Lumos keeps what it had."
    assert "hr.csv" in page.headline.reasons[0]
    assert commands(page) == ["lumos-ingest check hr", "lumos-ingest sync hr"]
    world.is_exported, world.lumos.faults = True, ["fails"]
    assert "in doubt" in page_of(world, night(world)).headline.sentence


def test_rejects_and_what_they_keep_are_told_by_line_and_for_how_long(world: World):
    night(world)
    world.add("d", user_status="Let go")
    night(world)
    world.now += 2 * DAY
    run = night(world)
    page = page_of(world, run)
    [group] = page.reading.rows
    assert (group.count, group.column) == (1, "user_status")
    assert group.places == (f"hr.csv:5 {hashed(KEY, 'd')}",)
    record = next(one for one in page.reading.kept if one.table == "accounts")
    assert (record.name, record.age) == (hashed(KEY, "d"), "3d 5s")
    [table] = [one for one in page.reading.tables if one.table == "accounts"]
    assert (table.read, table.is_whole, table.kept) == (10, True, 1)
    assert page_of(world, run, CLEAR).reading.rows[0].places == ("hr.csv:5 d",)
    assert "Let go" not in html_of(world, run, CLEAR)


def test_a_read_says_how_it_was_proved_whole(world: World):
    page = page_of(world, night(world))
    [proof] = page.reading.proof
    assert "hr.csv: 10 rows" in proof
    assert [one.name for one in page.reading.exports] == ["hr.csv"]


def test_each_stage_is_told_with_its_time_and_memory(world: World):
    page = page_of(world, night(world))
    assert page.stages is not None
    assert [one.stage for one in page.stages] == ["extract", "transform", "plan", "publish"]
    assert max(one.time_percent for one in page.stages) == 100
    world.is_exported = False
    failed = page_of(world, night(world))
    assert failed.stages is not None
    assert "extract" in [one.stage for one in failed.stages]


def test_a_run_of_an_earlier_version_says_what_it_lacks(world: World):
    run = night(world)
    plan = {name: one for name, one in run.plan.items() if name not in {"guards", "proof"}}
    run = world.ledger.update_run(run.run_id, plan=plan, stages=None)
    page = page_of(world, run)
    assert (page.stages, page.guards.is_noted, page.reading.has_proof) == (None, False, False)
    text = to_html(page)
    assert text.count("is of an earlier version") == 3


def test_what_the_archive_has_no_more_is_said_and_the_rest_is_there(world: World):
    run = night(world)
    world.place.remove(("hr", run.run_id))
    page = page_of(world, run)
    assert page.moved is None
    assert "not kept any more" in str(page.changes)
    assert [one.counts.added for one in page.tables] == [10, 1, 10]


def test_a_page_loads_nothing_and_has_no_script(world: World):
    night(world)
    world.has(*but("a", "b", "c"))
    text = html_of(world, night(world))
    assert not re.search(r"<script|<link|<img|<iframe|<object|\bsrc=|url\(|@import|https?:", text)
    assert not re.search(r"\bhref=", text)
    assert "default-src 'none'" in text


MARKED = "canary4711"
HOSTILE = f"<b>{MARKED}</b>"


def marked_nights(world: World) -> list[Run]:
    """Runs of every kind, with a marked account and permission whose names are markup."""
    world.more = GUARDS + "attributes: {Team: team}\n"
    world.columns = ["team"]
    world.add(HOSTILE, email=f"{MARKED}@example.com", roles=HOSTILE, team=HOSTILE)
    night(world)
    world.add(HOSTILE, email=f"{MARKED}@example.com", roles=f"s {MARKED}", team=HOSTILE)
    night(world)
    world.add(HOSTILE, email=f"{MARKED} broken", user_status=MARKED, roles=HOSTILE, team=MARKED)
    night(world)
    world.has(*but("a", "b", "c"))
    night(world)
    world.is_exported = False
    night(world)
    runs = world.runs()
    assert {run.state for run in runs} == {"done", "held", "failed"}
    return runs


def test_no_marked_value_is_in_any_page_unless_ids_are_asked_for(world: World):
    runs = marked_nights(world)
    for run in runs:
        assert MARKED not in html_of(world, run)
    in_clear = "".join(html_of(world, run, CLEAR) for run in runs)
    assert f"&lt;b&gt;{MARKED}&lt;/b&gt;" in in_clear
    assert HOSTILE not in in_clear


def test_an_attribute_that_says_where_people_work_is_told_by_its_values(world: World):
    world.more = "attributes: {Shoe size: shoe, Department: team}\n"
    world.columns = ["shoe", "team"]
    for number, one in enumerate(but()):
        world.add(one, shoe=str(number % 2), team="Sales" if number < 5 else "Legal")
    night(world)
    world.add("a", shoe="0", team="Legal")
    world.add("k", shoe="0", team="Legal")
    world.add("b", shoe="1", team="Sales", email="z@example.com")
    moved = page_of(world, night(world), CLEAR).moved
    assert moved is not None
    assert moved.department == "Department"
    assert [(o.name, o.before, o.gained, o.lost, o.changed) for o in moved.departments] == [
        ("Legal", 5, 2, 0, 0),
        ("Sales", 5, 0, 1, 1),
    ]


def test_a_page_is_bounded_however_much_changes(world: World):
    count = 2000
    world.more = "guards: {max_added_accounts: 100%, max_added_associations: 100%}\n"
    run = night(world)
    accounts = [account(f"n{one:05}", roles=f"r{one:05}") for one in range(count)]
    with world.context() as context:
        context.archive.save_snapshot("hr", run.run_id, made(accounts, world.source.file))
        rejects = context.archive.saved_frame("hr", run.run_id, "rejects")
        row = {"table": "accounts", "file": "hr.csv", "row": 2, "key": "k", "reason": "is wrong"}
        many = pl.DataFrame([row] * count).with_columns(is_cell=pl.lit(value=False))
        many = pl.concat([rejects, many.cast({"row": pl.UInt32})], how="diagonal")
        context.archive.save_frame("hr", run.run_id, "rejects", many)
    base = night(world)
    world.ledger.update_run(run.run_id, base_run_id=base.run_id)
    page = page_of(world, world.runs()[1], CLEAR)
    assert page.moved is not None
    assert len(page.moved.accounts) == ACCOUNTS_SHOWN
    assert page.moved.more_accounts == count + 10 - ACCOUNTS_SHOWN
    assert len(page.moved.entitlements) == MOVERS_SHOWN
    [group] = page.reading.rows
    assert (group.count, len(group.places) + group.more) == (count, count)
    text = to_html(page)
    assert f"and {page.moved.more_accounts:,} more" in text
    assert len(text) < 150_000


def test_a_page_is_its_owners_alone_and_says_in_its_name_that_it_has_ids(world: World):
    run = night(world)
    with world.context() as context:
        path = write_run_page(run, context, HASHES, None)
        in_clear = write_run_page(run, context, CLEAR, None)
        with pytest.raises(ConfigError, match="cannot be written"):
            write_run_page(run, context, HASHES, Path("/nowhere/page.html"))
    assert path == world.folder / "reports" / f"hr-{run.run_id}.html"
    assert in_clear.name == f"hr-{run.run_id}-ids.html"
    assert {one.stat().st_mode & 0o777 for one in (path, in_clear)} == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_page_goes_when_the_archive_lets_its_run_go(world: World):
    old = night(world)
    world.now += timedelta(days=91)
    new = night(world)
    other = world.folder / "reports" / "mine.html"
    with world.context() as context:
        for names in (HASHES, CLEAR):
            write_run_page(old, context, names, None)
        other.write_text("mine", "utf-8")
        kept = write_run_page(new, context, HASHES, None)
    assert set(other.parent.iterdir()) == {kept, other}


def in_workspace(world: World, schedule: str = "") -> None:
    """Writes the source file where a workspace has it."""
    text = (
        f"app: {world.app}\nsource: {{kind: csv, accounts: hr.csv}}\n"
        "entitlements: [{type: Role, column: roles}]\n"
    )
    (world.folder / "sources").mkdir(exist_ok=True)
    (world.folder / "sources" / "hr.yaml").write_text(text + schedule, "utf-8")


def state_of(world: World) -> tuple[str, str]:
    with world.context() as context:
        [line] = to_sources_page(context).lines
        return line.state, line.sentence


def test_the_index_says_how_each_source_stands(world: World):
    in_workspace(world)
    assert state_of(world) == ("new", "No run was accepted yet.")
    night(world)
    assert state_of(world) == ("fine", "")
    world.has(*but("a", "b", "c"))
    held = night(world)
    state, sentence = state_of(world)
    assert (state, "Accounts removed: 3 of 10" in sentence) == ("held", True)
    world.cut_at = 0
    night(world)
    night(world)
    state, sentence = state_of(world)
    assert (state, sentence.startswith("The last 2 runs failed:")) == ("failing", True)
    assert f"Run {held.run_id} is held besides" in sentence
    world.cut_at = None
    world.has(*but())
    night(world)
    assert state_of(world)[0] == "fine"
    (world.folder / "sources" / "hr.yaml").write_text("colums: {}\n", "utf-8")
    assert state_of(world)[0] == "broken"


def test_a_source_that_was_due_and_not_accepted_is_stale(world: World):
    in_workspace(world, 'schedule: {cron: "0 2 * * *"}\n')
    night(world)
    world.now += timedelta(hours=3)
    assert state_of(world)[0] == "fine"  # it was due an hour ago, and may be at work
    world.now += timedelta(hours=2)
    assert state_of(world) == (
        "stale",
        "Nothing was accepted since it was due, 2020-07-02 02:00 UTC.",
    )


def test_the_index_leads_to_pages_that_lie_beside_it_and_lead_back(world: World, tmp_path: Path):
    in_workspace(world)
    night(world)
    world.has(*but("a", "b", "c"))
    night(world)
    with world.context() as context:
        path, page = write_sources_page(context, HASHES, tmp_path / "all.html")
    linked = re.findall(r'href="([^"]+)"', path.read_text("utf-8"))
    assert len(linked) == 2
    assert set(linked) == set(page.links.values())
    for name in linked:
        assert re.findall(r'href="([^"]+)"', (tmp_path / name).read_text("utf-8")) == ["all.html"]

"""The stages up to a plan: what it is against, what is told of it, what a person may do then."""

import os
from collections.abc import Iterator

import pytest

from flows.sync.plan import Target, to_target
from schemas.errors import ContractError, LumosRefusedError, ReadBackError
from schemas.source_file.file import Source, to_source
from tests.unit.flows.sync.world import APP, World, but
from tests.unit.flows.world import in_memory


@pytest.fixture
def world() -> Iterator[World]:
    with in_memory(World) as world:
        world.has(*but())
        yield world


def target(world: World, app_id: str | None = APP) -> Target:
    with world.context() as context:
        return to_target(world.source, app_id, context)


def test_an_app_that_is_not_there_holds_nothing_for_certain(world: World):
    assert target(world, None) == Target(None, None, None, is_certain=True)


def test_an_app_that_was_never_fed_may_hold_anything(world: World):
    found = target(world)
    assert (found.app_id, found.base, found.last, found.is_certain) == (APP, None, None, False)
    assert (found.doubtful, found.doubts, found.kept_from) == ((), (), None)
    assert found.live is not None
    assert found.live.height == 0


def test_an_app_holds_what_was_accepted_last(world: World):
    world.sync()
    world.add("k")
    run = world.sync().run
    found = target(world)
    assert (found.app_id, found.base, found.is_certain) == (APP, run, True)
    assert found.last is not None
    assert found.last.accounts["integration_specific_id"].to_list() == [*but(), "k"]


def test_after_an_upload_that_failed_nobody_knows_for_certain(world: World):
    run = world.sync().run
    world.lumos.faults = ["alters"]
    with pytest.raises(ReadBackError):
        world.sync()
    found = target(world)
    assert (found.base, found.is_certain) == (run, False)


def test_a_person_is_told_of_every_stage(world: World):
    world.sync()
    assert world.stages == [
        ("reading the source", 0, 0),
        ("checking the rows", 0, 0),
        ("planning", 0, 0),
        ("encoding", 0, 0),
        ("uploading", 0, 1),
        ("waiting for job job-1", 0, 0),
        ("reading back", 10, 10),
    ]


def test_the_log_says_what_is_planned_sent_and_accepted(
    world: World, caplog: pytest.LogCaptureFixture
):
    world.sync()
    caplog.set_level("INFO")
    caplog.clear()
    world.has(*but("a"))
    world.add("b", roles="s;t")
    world.add("k")
    run = world.sync().run
    assert [message for message in caplog.messages if message.startswith("hr: ")][-3:] == [
        (
            "hr: accounts: 1 added, 0 changed, 1 removed; associations: 3 added, 2 removed; "
            "the guards let it pass"
        ),
        f"hr: {run.counts['bytes']} bytes sent, job job-2",
        f"hr: accepted as run {run.run_id}, job job-2",
    ]


def test_the_first_rejected_row_fails_the_run_where_the_file_says_so(world: World):
    world.more = "rejected_rows: fail\n"
    world.add("k", email="nobody")
    world.add("l", email="nobody", user_status="gone")
    with pytest.raises(ContractError) as caught:
        world.sync()
    assert str(caught.value) == (
        "hr.csv:12: email is no e-mail address (2 rejected rows in all; rejected_rows: fail): "
        "fix the rows, or keep_last"
    )
    world.rows = {"a": {"email": ""}}
    with pytest.raises(ContractError) as caught:
        world.sync()
    assert str(caught.value).startswith("hr.csv:2: the row neither an e-mail address nor both")
    world.has(*but())
    assert world.sync().run.state == "done"


def test_a_preview_says_what_a_sync_would_do_and_changes_nothing(world: World):
    world.sync()
    world.has(*but("a"))
    before, steps = world.holds(), world.steps
    preview = world.preview()
    assert preview.source == world.source
    assert preview.paths is None
    assert preview.planned.plan.accounts.removed == 1
    assert preview.planned.base == world.runs()[0]
    assert preview.planned.normalized.warnings == ()
    assert world.holds() == before
    assert len(world.runs()) == len(world.uploads()) == 1
    assert world.steps > steps
    world.has(*but("a", "b"))
    assert world.preview().planned.verdict.is_held
    assert world.sync().run.state == "held"
    assert world.preview().planned.verdict.approves_run is None


def test_a_preview_of_an_app_that_was_never_fed_goes_by_what_lumos_holds(world: World):
    world.lumos.accounts[APP] = {
        one: {"unique_identifier": one, "status": "ACTIVE"} for one in "uvwxyz"
    }
    breaches = world.preview().planned.verdict.breaches
    assert [(breach.guard, breach.found, breach.base) for breach in breaches] == [
        ("max_removed_accounts", 6, 6),
        ("first_into_full_app", 6, 6),
    ]
    assert world.preview(with_lumos=False).planned.verdict.breaches == ()


def test_a_preview_without_a_token_goes_by_what_was_accepted_last(world: World):
    run = world.sync().run
    world.has(*but("a"))
    planned = world.preview(with_lumos=False).planned
    assert planned.base == run
    assert planned.plan.accounts.removed == 1
    note = "Lumos was not asked (no LUMOS_API_TOKEN): what the app holds was not compared"
    assert planned.normalized.warnings == (note,)


def test_a_preview_without_a_token_goes_by_no_other_source(world: World):
    world.sync()
    other = world.ledger.start_run("other", "a@host", world.now, "app-2")
    world.ledger.update_run(other.run_id, state="done", ended_at=world.now)
    planned = world.preview(with_lumos=False).planned
    assert planned.base is not None
    assert planned.base.source == "hr"


def test_a_preview_keeps_the_record_of_a_rejected_row_as_a_sync_does(world: World):
    world.more = "guards: {max_rejected_rows: 1}\n"
    world.sync()
    world.add("a", email="nobody", user_status="?")
    planned = world.preview().planned
    assert planned.plan.accounts.removed == 0
    assert planned.normalized.kept.height == 1


class DirectoryWorld(World):
    """A World whose source is a directory's export: a person in a group that is in another."""

    @property
    def source(self) -> Source:
        """The source `hr`."""
        text = (
            f"app: {self.app}\n"
            "source: {kind: ldif, file: hr.ldif, id: uid, group_id: cn, nested_groups: effective}\n"
        )
        return to_source(text, "hr", "sources/hr.yaml")

    def write_source(self) -> None:
        """Writes the export."""
        group = "dn: cn={0},dc=x\nobjectClass: groupOfNames\ncn: {0}\nmember: {1},dc=x\n\n"
        person = "dn: uid=a,dc=x\nobjectClass: inetOrgPerson\nuid: a\ngivenName: A\nsn: B\n"
        mail = "mail: a@example.com\n\n"
        groups = group.format("inner", "uid=a") + group.format("outer", "cn=inner")
        (self.folder / "hr.ldif").write_text(person + mail + groups, "utf-8")
        os.utime(self.folder / "hr.ldif", (self.now.timestamp(), self.now.timestamp()))


def test_a_preview_says_through_which_groups_an_account_holds_another():
    with in_memory(DirectoryWorld) as world:
        paths = world.preview().paths
    assert paths is not None
    assert paths.rows() == [("a", "outer", "outer > inner")]


def test_a_preview_without_a_token_before_the_first_run_is_against_nothing(world: World):
    planned = world.preview(with_lumos=False).planned
    assert planned.base is None
    assert planned.plan.is_first


def test_a_preview_of_an_app_that_lumos_does_not_have_is_refused(world: World):
    world.app = "{id: app-9}"
    with pytest.raises(LumosRefusedError, match="app-9"):
        world.preview()

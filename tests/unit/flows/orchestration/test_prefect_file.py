"""prefect.yaml: made from the source files; what a person writes into it stays."""

from pathlib import Path

import pytest

from flows.orchestration.deploy.prefect_file import PrefectFile, read_prefect_file, without, write
from schemas.errors import ConfigError
from schemas.source_file.file import Source, to_source

TWO = "0 2 * * *"


def source(name: str = "hr", cron: str | None = TWO, more: str = "") -> Source:
    schedule = f'schedule: {{cron: "{cron}", timezone: Europe/Paris}}\n' if cron else ""
    text = f"app: {{name: App {name}}}\nsource: {{kind: csv, accounts: a.csv}}\n{schedule}{more}"
    return to_source(text, name, f"sources/{name}.yaml")


def taken_up(folder: Path, *sources: Source) -> PrefectFile:
    file = read_prefect_file(folder, list(sources))
    write(file)
    return file


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / "prefect.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def entries(file: PrefectFile) -> dict[str, list[tuple[str, str, str]]]:
    return {
        one.entry.full_name: [(s.cron, s.timezone, s.slug) for s in one.entry.schedules]
        for one in file.located
    }


NIGHTLY = [(TWO, "Europe/Paris", "sync")]


def test_each_source_is_a_deployment_with_the_schedule_of_its_file(tmp_path: Path) -> None:
    activity = 'activity: {schedule: {cron: "30 * * * *"}}\n'
    file = taken_up(tmp_path, source(), source("crm", None, activity))
    name = file.name
    assert entries(file) == {
        "sync/hr": NIGHTLY,
        "sync/crm": [],
        "activity/crm": [("30 * * * *", "UTC", "activity")],
        f"nightly/{name}": [],
        f"watchdog/{name}": [("*/5 * * * *", "UTC", "watchdog")],
        f"decide/{name}": [],
    }
    for one in file.located:
        limit = one.entry.concurrency_limit
        assert one.entry.parameters["workspace"] == str(tmp_path)
        assert one.entry.flow == "watchdog" or (limit and limit.limit == 1)


def test_a_file_that_is_as_it_should_be_is_not_written_again(tmp_path: Path) -> None:
    assert write(read_prefect_file(tmp_path, [source()]))
    assert not write(read_prefect_file(tmp_path, [source()]))


def test_a_schedule_goes_with_the_source_file_until_a_person_changes_it(tmp_path: Path) -> None:
    taken_up(tmp_path, source())
    file = taken_up(tmp_path, source(cron="0 3 * * *"))
    assert entries(file)["sync/hr"] == [("0 3 * * *", "Europe/Paris", "sync")]
    edit(tmp_path, "- {cron: 0 3 * * *, ", "- {cron: 30 4 * * *, ")
    edited = [("30 4 * * *", "Europe/Paris", "sync")]
    file = taken_up(tmp_path, source(cron="0 3 * * *"))
    assert (entries(file)["sync/hr"], file.notes) == (edited, [])
    file = taken_up(tmp_path, source(cron="0 5 * * *"))
    assert entries(file)["sync/hr"] == edited
    [note] = file.notes
    assert "hr: sync: its schedules were changed here, and stay; " in note
    assert "sources/hr.yaml has 0 5 * * * Europe/Paris now" in note
    taken_up(tmp_path, source(cron="30 4 * * *"))  # agreed again, so it goes with the file
    assert entries(taken_up(tmp_path, source(cron=None)))["sync/hr"] == []


def test_comments_and_what_people_add_stay(tmp_path: Path) -> None:
    taken_up(tmp_path, source())
    edit(tmp_path, "tags: [lumos-ingest]\n    parameters: {source: hr", (
        "tags: [lumos-ingest, people]   # of the staff\n"
        "    description: Who works here\n    parameters: {source: hr"
    ))  # fmt: skip
    edit(tmp_path, "env: {}", 'env: {TZ: "UTC"}')
    edit(tmp_path, "slug: sync}", "slug: at-night}")
    with (tmp_path / "prefect.yaml").open("a") as file:
        file.write("  - {name: mine, entrypoint: 'pipelines/mine.py:mine'}\n")
    file = taken_up(tmp_path, source(cron="0 3 * * *"), source("crm"))
    assert "# of the staff" in file.text
    assert "{name: mine, entrypoint: 'pipelines/mine.py:mine'}" in file.text
    [hr] = [one.entry for one in file.located if one.entry.full_name == "sync/hr"]
    assert hr.description == "Who works here"
    assert hr.tags == ["lumos-ingest", "people"]
    assert hr.schedules[0].slug == "at-night"
    assert {one.entry.work_pool.job_variables["env"]["TZ"] for one in file.located} == {"UTC"}


def test_an_entry_of_a_source_that_is_gone_stays_until_it_is_pruned(tmp_path: Path) -> None:
    taken_up(tmp_path, source(), source("crm"))
    file = read_prefect_file(tmp_path, [source()])
    assert "sync/crm" in entries(file)
    pruned = without(file, {"sync/crm"})
    assert "crm" not in pruned.text
    assert "sync/hr" in entries(pruned)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("collision_strategy: ENQUEUE}\n    sch", "collision_strategy: CANCEL_NEW}\n    sch",
         "is not cancelled"),
        ("    concurrency_limit: {limit: 1, collision_strategy: ENQUEUE}\n    schedules:\n",
         "    schedules:\n", "concurrency_limit: is missing"),
        ("limit: 1,", "limit: 2,", "should be {limit: 1"),
        ("parameters: {source: hr,", "parameters: {source: hr, allow_removals: true,",
         "parameters.allow_removals: is not known"),
        ("parameters: {source: hr,", "parameters: {source: crm,", "parameters.source: should be"),
        ("cron: 0 2 * * *, timezone: Europe/Paris, slug", "interval: 3600, slug",
         "a schedule is {cron"),
        ("cron: 0 2 * * *, timezone: Europe/Paris, slug", "cron: banana, slug", "schedules.0.cron"),
        ("slug: sync}", "slug: sync}\n      - {cron: 0 4 * * *, slug: sync}", "the slug sync"),
        ("    work_pool: *pool\n  - name: hr", "    job_variables: {}\n  - name: hr",
         "job_variables: is not known"),
        ("prefect_flows.sync", "prefect_flows.activity", "entrypoint: should be"),
        ("env: {}", "env: {LUMOS_API_TOKEN: '{{ $TOKEN }}'}", "the environment has no variable"),
        ("env: {}", "env: {LUMOS_API_TOKEN: abc}", "would lie in Prefect's database"),
        ("deployments:", "deployments: [", "is no YAML"),
        ("slug: watchdog}\n", "slug: watchdog}\n    concurrency_limit: 1\n", "leave it out"),
    ],
)  # fmt: skip
def test_what_would_go_wrong_on_the_server_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, line: str
) -> None:
    taken_up(tmp_path, source())
    edit(tmp_path, old, new)
    with pytest.raises(ConfigError, match=r"prefect\.yaml:\d+: ") as raised:
        read_prefect_file(tmp_path, [source()])
    assert line in str(raised.value)
    assert "abc" not in str(raised.value)


def test_two_entries_of_one_source_are_refused(tmp_path: Path) -> None:
    taken_up(tmp_path, source())
    text = (tmp_path / "prefect.yaml").read_text("utf-8")
    entry = text[text.index("  - name: hr") :]
    with (tmp_path / "prefect.yaml").open("a") as file:
        file.write(entry.replace("name: hr", "name: hr-again"))
    with pytest.raises(ConfigError, match=r"is at prefect\.yaml:\d+ already: keep one"):
        read_prefect_file(tmp_path, [source()])


def test_a_folder_that_is_not_this_one_is_told(tmp_path: Path) -> None:
    taken_up(tmp_path, source())
    edit(tmp_path, f"workspace: {tmp_path}", "workspace: /srv/identities")
    file = read_prefect_file(tmp_path, [source(), source("crm")])
    assert file.notes == [
        f"prefect.yaml: runs work in /srv/identities, as it says; this is {tmp_path}"
    ]
    assert {one.entry.parameters["workspace"] for one in file.located} == {"/srv/identities"}

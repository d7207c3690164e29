"""`report`: pages to be read by eye, by keyboard and by screen reader, by their owner alone."""

import json
from pathlib import Path

import pytest
from browser import Page, open_page, wait_for
from terminal import SOURCE, Workspace, row, rows

from tests.npm_packages import axe_script

NIGHTLY = SOURCE.replace("{Team: team}", "{Department: team}") + (
    "guards: {max_rejected_rows: 20%}\n"
    'schedule: {cron: "0 2 * * *", timezone: Europe/Paris}\n'
    "activity:\n"
    "  source: {kind: csv, activity: logs/*.csv}\n"
    "  columns: {account_id: id, event_type: {constant: LOGIN}, timestamp: at}\n"
)
LOOKS = [(1280, "light"), (390, "dark"), (1280, "dark"), (390, "light")]
LONG = "CN=Long\\, Very,OU=People of the northern branch,OU=Everyone,DC=corp,DC=example,DC=com"
MARKED = "canary4711"


def nights(workspace: Workspace) -> dict[str, str]:
    """Runs of every kind, by what they are: `first`, `done`, `held`, `failed`, `activity`."""
    workspace.source(NIGHTLY)
    usual = [*rows(40), row(41, roles=f"Reader;{MARKED}", team=f"{MARKED} team")]
    ids = {}

    def night(name: str, *words: str) -> None:
        workspace.run(*words)
        ids[name] = workspace.run("runs", "--limit", "1", "--json").document[0]["run_id"]

    workspace.export(*usual)
    night("first", "sync", "hr")
    changed = [row(1, state="SUSPENDED"), row(2, roles="Reader;Writer", team="Sales")]
    lost = row(3, state=f"{MARKED} let go")
    named = f'"{LONG}",{MARKED}@example.com,{MARKED},{MARKED},ACTIVE,Sales,{MARKED} role'
    workspace.export(*changed, lost, *usual[3:], named)
    night("done", "sync", "hr")
    (workspace.path / "logs").mkdir()
    (workspace.path / "logs" / "a.csv").write_text("id,at\na0004,2026-07-01T00:00:00Z\n", "utf-8")
    night("activity", "activity", "hr")
    workspace.export(*changed, lost, *usual[3:], header="id,mail,given,family,state,team,roles")
    night("failed", "sync", "hr")
    workspace.export(*changed, *usual[2:20])
    night("held", "sync", "hr")
    return ids


def test_a_page_lies_in_the_state_folder_for_its_owner_and_its_path_is_printed(
    workspace: Workspace,
):
    ids = nights(workspace)
    for name, run_id in ids.items():
        said = workspace.run("report", run_id)
        assert (said.code, said.err) == (0, ""), name
        path = Path(said.out.strip())
        assert path.parent == workspace.path / ".lumos-ingest" / "reports"
        assert path.stat().st_mode & 0o777 == 0o600
        text = path.read_text("utf-8")
        assert MARKED not in text
        assert workspace.sandbox.token not in text
    told = workspace.run("report", ids["held"].rpartition("-")[2], "--ids", "--json").document
    assert (told["run_id"], told["state"], told["has_ids"]) == (ids["held"], "held", True)
    assert MARKED in Path(told["report"]).read_text("utf-8")
    assert workspace.run("report", "hr", "--json").document["run_id"] == ids["held"]
    out = workspace.path / "page.html"
    assert workspace.run("report", ids["done"], "--out", str(out)).out.strip() == str(out)
    index = workspace.run("report", "--all", "--json").document
    [hr] = index["sources"]
    assert (hr["state"], hr["accepted_run_id"]) == ("held", ids["done"])
    assert {ids["held"], ids["done"], ids["activity"]} == set(hr["reports"])
    assert all(Path(one).exists() for one in [index["report"], *hr["reports"].values()])


@pytest.mark.parametrize("words", [(), ("hr", "--all"), ("20990101",)])
def test_what_cannot_be_meant_is_one_line(workspace: Workspace, words: tuple[str, ...]):
    said = workspace.run("report", *words)
    assert said.code == 2
    assert "Traceback" not in said.err


def test_the_pages_can_be_used_by_everyone(workspace: Workspace, browser: str, tmp_path: Path):
    ids = nights(workspace)
    paths = [Path(workspace.run("report", one, "--ids").out.strip()) for one in ids.values()]
    paths.append(Path(workspace.run("report", "--all").out.strip()))
    paths.append(Path(workspace.run("report", ids["held"]).out.strip()))
    script = axe_script()
    with open_page(browser, "about:blank", tmp_path / "profile") as page:
        for path in paths:
            for width, scheme in LOOKS if path in paths[-2:] else LOOKS[:2]:
                page.look(width, scheme)
                shown(page, path)
                page.run("document.querySelectorAll('details').forEach((one) => one.open = true)")
                assert page.run("document.documentElement.scrollWidth") <= width, (path, width)
                page.run(f"{script};0")
                found = page.run(
                    "axe.run().then(({violations}) => JSON.stringify(violations.map("
                    "(one) => [one.id, one.nodes.map((node) => node.html)])))"
                )
                assert json.loads(found) == [], (path.name, width, scheme)
        shown(page, paths[-1])
        check_keys(page)


def shown(page: Page, path: Path) -> None:
    """Opens the page, and waits until it is there."""
    page.ask("Page.navigate", url=path.as_uri())
    wait_for(
        lambda: page.run(
            f"location.href === {json.dumps(path.as_uri())} && document.readyState === 'complete'"
        )
    )


def check_keys(page: Page) -> None:
    """Every part that opens is reached by Tab, and opened by Enter."""
    parts = page.run("document.querySelectorAll('summary').length")
    assert parts
    seen = set()
    for _ in range(3 * parts):
        page.press("Tab")
        where = "[...document.querySelectorAll('summary')].indexOf(document.activeElement)"
        place = page.run(where)
        if place < 0 or place in seen:
            continue
        seen.add(place)
        was = page.run("document.activeElement.parentElement.open")
        page.press("Enter")
        wait_for(lambda was=was: page.run("document.activeElement.parentElement.open") != was)
    assert seen == set(range(parts))

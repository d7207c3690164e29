"""The sandbox's page in a real browser: what is in the sandbox is on the page, as text."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser import QUIET, open_page, wait_for

from sandbox.server import running_sandbox
from tests.npm_packages import axe_script

MARKUP = "<img src=x onerror=\"document.title='struck'\">"
SHOWN_MARKUP = "&lt;img src=x onerror=\"document.title='struck'\"&gt;"


@pytest.fixture(scope="module")
def filled_sandbox() -> Iterator[str]:
    """Serve a sandbox with an app, two accounts, a good and a failed job, and activity."""
    with running_sandbox(job_seconds=0) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.url, headers=headers, timeout=60) as api:
            body = {"name": "HR Portal", "category": "HR & Learning", "description": "x"}
            app_id = api.post("/apps", json=body).json()["id"]
            ana = {
                "unique_identifier": "00012",
                "email": "ana@example.com",
                "status": "SUSPENDED",
                "permissions": [{"unique_identifier": "p", "type": "Role", "name": "Payroll"}],
                "attributes": [{"type": "Cost Center", "name": "CC042"}],
            }
            struck = {"unique_identifier": "00013", "first_name": MARKUP, "last_name": "Silva"}
            upload = {"app_id": app_id, "accounts": [ana, struck]}
            api.post("/accounts/upload", json=upload)
            api.post("/accounts/upload", json={"app_id": app_id, "accounts": [ana, ana]})
            record = {
                "account": {"external_id": "00012"},
                "event": {"type": "LOGIN"},
                "timestamp": "2026-01-31T12:34:00Z",
                "source_app_id": app_id,
            }
            api.post("/activity_records", json={"records": [record]})
        yield sandbox.url


def dumped(browser: str, url: str, profile: Path) -> str:
    """Return the page's markup after it has read what it shows."""
    options = [
        *QUIET,
        f"--user-data-dir={profile}",
        "--virtual-time-budget=5000",
        "--dump-dom",
    ]
    done = subprocess.run(
        [browser, *options, url], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


@pytest.fixture(scope="module")
def page(browser: str, filled_sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    markup = dumped(browser, filled_sandbox, tmp_path_factory.mktemp("profile"))
    return markup.split("<script>")[0]


def test_the_page_shows_apps_accounts_jobs_and_activity(page: str) -> None:
    assert "sandbox: a local stand-in, not Lumos" in page
    assert "<b>HR Portal</b><span>2 accounts · HR &amp; Learning</span>" in page
    assert '<div class="main">00012</div>' in page
    assert '<span class="badge warn">SUSPENDED</span>' in page
    assert "<em>Role</em>Payroll" in page
    assert "<em>Cost Center</em>CC042" in page
    assert '<span class="badge good">SUCCESS</span>' in page
    assert '<span class="badge bad">FAILURE</span>' in page
    assert "2 new, 0 updated, 0 gone" in page
    assert "row 2: unique_identifier is that of an earlier row" in page
    assert '<span class="badge ">LOGIN</span>' in page
    assert "2026-01-31 12:34" in page


def test_markup_in_a_name_is_shown_as_text(page: str) -> None:
    assert SHOWN_MARKUP in page
    assert "<img" not in page
    assert "<title>Lumos sandbox</title>" in page


def test_an_empty_sandbox_says_what_to_do(browser: str, tmp_path: Path) -> None:
    with running_sandbox() as sandbox:
        page = dumped(browser, sandbox.url, tmp_path)
    assert "Nothing here yet. POST /apps makes an app" in page.split("<script>")[0]
    assert "No upload yet." in page


def test_the_page_shows_what_arrives_while_it_is_open_by_itself(browser: str, tmp_path: Path):
    with (
        running_sandbox(job_seconds=0) as sandbox,
        open_page(browser, sandbox.url, tmp_path) as page,
    ):
        wait_for(lambda: "No activity yet" in page.text())
        assert "late-0001" not in page.text()
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.url, headers=headers, timeout=60) as api:
            body = {"name": "Late App", "category": "Developers", "description": "x"}
            app_id = api.post("/apps", json=body).json()["id"]
            late = {"unique_identifier": "late-0001", "email": "late@example.com"}
            api.post("/accounts/upload", json={"app_id": app_id, "accounts": [late]})
        wait_for(lambda: "late-0001" in page.text())
        assert "Late App" in page.text()


def test_on_a_telephone_status_and_permissions_are_there_without_scrolling_sideways(
    browser: str, filled_sandbox: str, tmp_path: Path
) -> None:
    with open_page(browser, "about:blank", tmp_path) as page:
        page.look(390, "light")
        page.ask("Page.navigate", url=filled_sandbox)
        wait_for(lambda: "SUSPENDED" in page.text() and "LOGIN" in page.text())
        assert page.run("document.documentElement.scrollWidth") <= 390
        beyond = """[...document.querySelectorAll(".scroll, .badge, .chip")].filter(
            (one) => one.scrollWidth > one.clientWidth + 1
                || one.getBoundingClientRect().right > 390).length"""
        assert page.run(beyond) == 0
        cells = page.run(
            "[...document.querySelectorAll('#accounts td')].map((one) => one.dataset.head)"
        )
        assert {"Account", "Status", "Permissions"} <= set(cells)
        page.run(f"{axe_script()};0")
        found = page.run("axe.run().then((all) => all.violations.map((one) => one.id).join())")
        assert found == ""

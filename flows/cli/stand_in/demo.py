"""The command `demo`: the example workspace into a sandbox, twice, as a person would see it happen.

The first night everything arrives. The second night one export has changed and holds a broken row,
which is kept as it last was; the other was cut off half-way, and a guard holds it. All of it in a
folder that is gone afterwards.
"""

import contextlib
import logging
import shutil
import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

import httpx

from flows.activity.order import send_activity
from flows.cli.activity import sending_document, show_sending
from flows.cli.output import Output
from flows.cli.plan.view import show_outcome
from flows.cli.stand_in.demo_directory import running_directory
from flows.run.context import RunContext, open_context
from flows.run.settings import read_settings
from flows.run.summary import run_summary
from flows.run.workspace import choose_sources
from flows.sync.order import Outcome, sync_source
from sandbox.server import Sandbox, running_sandbox
from schemas.errors import ConfigError
from schemas.source_file.file import Source

SHIPPED = Path(__file__).parents[2] / "examples"
IN_THE_REPOSITORY = Path(__file__).parents[3] / "examples"


def demo_command(*, as_json: bool) -> int:
    """Runs the demonstration; 0 when it went as it should.

    Raises:
        IngestError: it did not.
    """
    output = Output(as_json=as_json)
    for name in ("flows", "loaders", "transforms", "extractors", "uvicorn"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with (
        TemporaryDirectory(prefix="lumos-ingest-demo-") as folder,
        running_sandbox(job_seconds=0.2) as sandbox,
    ):
        workspace = Path(folder)
        shutil.copytree(examples_folder(), workspace, dirs_exist_ok=True, copy_function=shutil.copy)
        make_databases(workspace / "exports")
        with running_directory(workspace) as has_server:
            document = _two_nights(workspace, sandbox, output)
        if not has_server:
            output.line(
                "OpenLDAP is not installed, or may not run here: with it (Debian: slapd), the"
            )
            output.line("directory is read from a server of its own as well as from its export.")
    output.document(document)
    return 0


def examples_folder() -> Path:
    """Where the example workspace lies: in the installed package, or in the repository.

    Raises:
        ConfigError: in neither.
    """
    for folder in (SHIPPED, IN_THE_REPOSITORY):
        if (folder / "sources").is_dir():
            return folder
    raise ConfigError("the example workspace is not installed with this program")


def make_databases(folder: Path) -> None:
    """Makes a SQLite file, anew, beside each text of SQL in `folder`: examples keep the text."""
    for text in folder.glob("*.sql"):
        file = text.with_suffix(".db")
        file.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.executescript(text.read_text("utf-8"))


def _for_a_moment(seconds: float) -> None:
    """Waits, but not for as long as a real job is given: the sandbox's take a moment."""
    sleep(min(seconds, 0.25))


def _two_nights(workspace: Path, sandbox: Sandbox, output: Output) -> dict[str, object]:
    environ = {"LUMOS_API_URL": sandbox.url, "LUMOS_API_TOKEN": sandbox.token}
    settings = read_settings(workspace, environ)
    sources = choose_sources(settings.workspace, [], every=True)
    output.line(f"A sandbox, a local stand-in for the Lumos API, runs at {sandbox.url}.")
    with output.progress() as progress, open_context(settings, progress=progress) as opened:
        context = replace(opened, sleep=_for_a_moment)
        output.line("\nThe first night: every export is new.\n", "bold")
        first = [sync_source(source, context) for source in sources]
        arrived = _arrivals(first, sandbox)
        _show_arrivals("what arrived", arrived, output)
        output.line("Then who used what: the newest login and activity of each account.\n")
        sent = [
            _sent(source, context, sandbox, output) for source in sources if source.file.activity
        ]
        for path in sorted((workspace / "exports-next-day").iterdir()):
            shutil.copy(path, workspace / "exports" / path.name)
        make_databases(workspace / "exports")
        output.line("The second night: the HR portal has changed, and one of its rows is broken;")
        output.line("the CRM's export was cut off half-way; two are new to the order desk; and in")
        output.line("the directory one has left, one is shut out, one is an administrator now.\n")
        second = []
        for source in sources:
            second.append(sync_source(source, context))
            show_outcome(source, second[-1], output)
            output.line("")
    holds = _arrivals(second, sandbox)
    _show_arrivals("what the apps hold now: the cut export took nothing away", holds, output)
    output.line("Next: copy the folder examples/ and make it yours; docs/csv.md says how.")
    return {
        "arrived": arrived,
        "activity": sent,
        "first_night": [run_summary(outcome.run) for outcome in first],
        "second_night": [run_summary(outcome.run) for outcome in second],
        "holds": holds,
    }


def _sent(
    source: Source, context: RunContext, sandbox: Sandbox, output: Output
) -> dict[str, object]:
    """Sends a source's activity; the run, and how many records the sandbox holds."""
    sending = send_activity(source, context)
    show_sending(source.name, sending, output)
    output.line("")
    query: dict[str, str | int] = {"app_id": sending.run.app_id or "", "size": 1}
    held = httpx.get(f"{sandbox.url}/sandbox/activity", params=query).json()["total"]
    return {**sending_document(sending), "holds": held}


def _arrivals(outcomes: list[Outcome], sandbox: Sandbox) -> list[dict[str, Any]]:
    """What the sandbox holds for each run's app, and what that run rejected and changed."""
    return [_arrival(outcome, sandbox) for outcome in outcomes]


def _arrival(outcome: Outcome, sandbox: Sandbox) -> dict[str, Any]:
    run, plan = outcome.run, outcome.planned.plan
    query: dict[str, str | int] = {"app_id": run.app_id or "", "size": 100}
    answer = httpx.get(f"{sandbox.url}/sandbox/accounts", params=query).json()
    accounts = answer["items"]
    return {
        "source": run.source,
        "state": run.state,
        "accounts": answer["total"],
        "by_status": dict(Counter(account["status"] for account in accounts).most_common()),
        "permissions": sum(len(account["permissions"]) for account in accounts),
        "attributes": sum(len(account["attributes"]) for account in accounts),
        "rejected": run.counts["accounts_rejected"],
        "kept": run.counts["accounts_kept"],
        "changes": f"+{plan.accounts.added} ~{plan.accounts.changed} -{plan.accounts.removed}",
    }


def _show_arrivals(title: str, arrived: list[dict[str, Any]], output: Output) -> None:
    rows = [tuple(_shown(value) for value in arrival.values()) for arrival in arrived]
    output.table(title, [name.replace("_", " ") for name in arrived[0]], rows)


def _shown(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    return value

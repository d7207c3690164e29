"""A source, a clock and a Lumos in memory: syncs in this process, with crashes on demand.

The Lumos checks, at every upload, what no upload may ever do (`World.check_upload`).
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx

from flows.run.context import RunContext
from flows.sync.order import Outcome, sync_source
from flows.sync.origin import THE_SOURCE, SnapshotOrigin
from flows.sync.plan import Preview, preview_source
from flows.sync.request_files import content_hash
from loaders.archive.archive import Archive
from schemas.run import OPEN_STATES, Run
from schemas.source_file.file import Source, to_source
from schemas.statuses import CAN_LOG_IN, GONE
from tests.unit.builders import account, snapshot
from tests.unit.flows.world import Machine, must

APP = "app-1"
PAGE = 100

Account = dict[str, Any]
"""An account as it was sent."""

Held = dict[str, tuple[str, str]]
"""Status and roles by account."""

Fault = Literal[
    "refused", "unreachable", "unanswered", "fails", "forgotten", "never ends", "alters"
]
"""What becomes of an upload.

`refused`: 422. `unreachable`: 503, and nothing is taken. `unanswered`: it is taken, then 503. Of
the others the job `fails`, is not known when it is asked about, is at work for ever, or ends well
but leaves an account suspended.
"""


@dataclass
class Job:
    """An upload that was taken; it makes its accounts the app's own when it ends."""

    job_id: str
    app_id: str
    accounts: list[Account]
    ends_at: datetime
    fault: Fault | None
    is_over: bool = False


@dataclass
class Lumos:
    """Apps and what they hold; an upload is a snapshot of its app.

    Attributes:
        apps: name by id.
        accounts: of each app, by id.
        jobs: every upload that was taken, in order.
        faults: what becomes of the next uploads; those after go well.
        job_time: how long a job takes.
        is_snapshot: whether an account that an upload lacks is removed.
        is_down: whether nothing is answered.
    """

    apps: dict[str, str] = field(default_factory=lambda: {APP: "X"})
    accounts: dict[str, dict[str, Account]] = field(default_factory=lambda: {APP: {}})
    jobs: list[Job] = field(default_factory=list)
    faults: list[Fault | None] = field(default_factory=list)
    job_time: timedelta = timedelta(seconds=5)
    is_snapshot: bool = True
    is_down: bool = False

    def answer(self, request: httpx.Request, now: datetime) -> httpx.Response:
        """What Lumos says; whatever has ended by now has had its effect."""
        self.settle(now)
        if self.is_down:
            return httpx.Response(503)
        path = request.url.path.strip("/").split("/")
        if path[0] == "apps":
            return self._about_apps(request, path[1:])
        match [request.method, *path]:
            case ["POST", "accounts", "upload"]:
                return self._taken(json.loads(request.content), now)
            case ["GET", "accounts", "upload", job_id]:
                return self._state(job_id)
            case ["GET", "accounts"]:
                params = request.url.params
                held = self.accounts[params["app_id"]]
                status = params.get("status")
                asked = {k: a for k, a in held.items() if status in {None, a["status"]}}
                return self._page(asked, int(params["page"]))
        raise AssertionError(f"{request.method} {request.url}")

    def _about_apps(self, request: httpx.Request, path: list[str]) -> httpx.Response:
        if request.method == "POST":
            return self._made_app(json.loads(request.content))
        match path:
            case []:
                every = [{"id": one, "user_friendly_label": n} for one, n in self.apps.items()]
                return httpx.Response(200, json={"items": every})
            case ["categories"]:
                return httpx.Response(200, json=["Other"])
            case [app_id]:
                named = {"id": app_id, "user_friendly_label": self.apps.get(app_id)}
                return httpx.Response(200 if app_id in self.apps else 404, json=named)
        raise AssertionError(f"{request.method} {request.url}")

    def settle(self, now: datetime) -> None:
        """Lets the jobs that have ended by now have their effect, in the order of their ends."""
        due = [job for job in self.jobs if not job.is_over and job.ends_at <= now]
        for job in sorted(due, key=lambda job: job.ends_at):
            if job.fault == "never ends":
                continue
            job.is_over = True
            if job.fault != "fails":
                self._apply(job)

    def _apply(self, job: Job) -> None:
        held = self.accounts[job.app_id]
        if self.is_snapshot:
            held.clear()
        held |= {account["unique_identifier"]: dict(account) for account in job.accounts}
        if job.fault == "alters":
            next(iter(held.values()))["status"] = "SUSPENDED"

    def _taken(self, body: dict[str, Any], now: datetime) -> httpx.Response:
        fault = self.faults.pop(0) if self.faults else None
        if fault == "refused":
            return httpx.Response(422, json={"detail": "no"})
        if fault == "unreachable":
            return httpx.Response(503)
        job_id = f"job-{len(self.jobs) + 1}"
        job = Job(job_id, body["app_id"], body["accounts"], now + self.job_time, fault)
        self.jobs.append(job)
        if fault == "unanswered":
            return httpx.Response(503)
        return httpx.Response(200, json={"job_id": job_id, "state": "NOT_STARTED"})

    def _state(self, job_id: str) -> httpx.Response:
        [job] = [job for job in self.jobs if job.job_id == job_id]
        if job.fault == "forgotten":
            return httpx.Response(404)
        ended = "FAILURE" if job.fault == "fails" else "SUCCESS"
        return httpx.Response(200, json={"state": ended if job.is_over else "RUNNING"})

    def _page(self, held: dict[str, Account], page: int) -> httpx.Response:
        shown = [
            {
                "id": f"lumos-{one}",
                "unique_identifier": one,
                "status": account["status"],
                "email": account.get("email"),
            }
            for one, account in held.items()
        ][(page - 1) * PAGE : page * PAGE]
        return httpx.Response(200, json={"items": shown, "total": len(held)})

    def _made_app(self, body: dict[str, Any]) -> httpx.Response:
        app_id = f"app-{len(self.apps) + 1}"
        self.apps[app_id] = body["name"]
        self.accounts[app_id] = {}
        return httpx.Response(200, json={"id": app_id})


@dataclass
class World(Machine):
    """A source `hr`, the app it feeds, and the Lumos that has it.

    Attributes:
        more: further lines of the source file.
        app: how it names its app.
        rows: the source's accounts: id, and the cells that differ from the usual ones.
        columns: the export's columns beside the usual ones.
        is_exported: whether the source's export is there.
        complete: further keys of the block `source`, after a comma.
        repeated: accounts whose line stands there again.
        end: the export's last line; "" for none.
        cut_at: how many of its lines, the header's included, are there; None for all.
        lumos: the Lumos.
        may_take_away: how many accounts an upload may remove or deactivate at once, where a
            person has let that through; None for what the usual guards allow.
    """

    more: str = ""
    app: str = f"{{id: {APP}}}"
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    is_exported: bool = True
    complete: str = ""
    repeated: list[str] = field(default_factory=list)
    end: str = ""
    cut_at: int | None = None
    lumos: Lumos = field(default_factory=Lumos)
    may_take_away: int | None = None

    @property
    def source(self) -> Source:
        """The source `hr`."""
        text = (
            f"app: {self.app}\n"
            f"source: {{kind: csv, accounts: hr.csv, max_age: null{self.complete}}}\n"
            "entitlements: [{type: Role, column: roles}]\n"
        )
        return to_source(text + self.more, "hr", "sources/hr.yaml")

    def has(self, *ids: str, **cells: str) -> None:
        """The source has just these accounts, all with these cells."""
        self.rows = {one: dict(cells) for one in ids}

    def add(self, account_id: str, **cells: str) -> None:
        """The source has an account more, or has it with other cells."""
        self.rows[account_id] = cells

    def write_source(self) -> None:
        """Writes the export, or removes it."""
        if not self.is_exported:
            (self.folder / "hr.csv").unlink()
            return
        usual = {"email": "a@example.com", "user_status": "ACTIVE", "roles": "r"}
        usual |= dict.fromkeys(self.columns, "")
        lines = [",".join(["integration_specific_id", *usual])]
        for one, cells in self.rows.items():
            lines.append(",".join([one, *(usual | cells).values()]))
        lines += [line for one in self.repeated for line in lines if line.startswith(f"{one},")]
        lines += [self.end] if self.end else []
        text = "".join(f"{line}\n" for line in lines[: self.cut_at])
        (self.folder / "hr.csv").write_text(text, "utf-8")
        os.utime(self.folder / "hr.csv", (self.now.timestamp(), self.now.timestamp()))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Lumos; the process may end before it is asked, and before it has answered."""
        what = f"{request.method} {request.url.path}"
        self.tick(f"before {what}")
        if what == "POST /accounts/upload":
            self.check_upload(json.loads(request.content), request.content)
        found = self.lumos.answer(request, self.now)
        self.tick(f"after {what}")
        return found

    def check_upload(self, body: dict[str, Any], content: bytes) -> None:
        """Makes sure that an upload is one that may be sent.

        It is never empty; it is what the one open run has planned, and no later run was accepted;
        it takes away no more of what the app holds than the guards let pass.

        Raises:
            LawBrokenError: it is not.
        """
        must(body["accounts"], "an empty snapshot is sent")
        runs = [run for run in self.runs() if run.app_id == body["app_id"]]
        open_runs = [run for run in runs if run.state in OPEN_STATES]
        must(len(open_runs) == 1, f"{len(open_runs)} runs are open")
        [sender] = open_runs
        later = runs[: runs.index(sender)]
        must("done" not in {run.state for run in later}, "a later run was accepted")
        if not self.lumos.is_snapshot:
            return
        accounts = content.partition(b'"accounts":[')[2].removesuffix(b"]}")
        is_planned = hashlib.sha256(accounts).hexdigest() == sender.content_hash
        must(is_planned, "what is sent is not what was planned")
        after = {one["unique_identifier"]: one["status"] for one in body["accounts"]}
        held = self.lumos.accounts[body["app_id"]]
        there = {one: a["status"] for one, a in held.items() if a["status"] not in GONE}
        allowed = self.may_take_away or max(1, len(there) // 10)
        removed = there.keys() - after.keys()
        must(len(removed) <= allowed, f"{sorted(removed)} are removed")
        closed = [
            one
            for one in there.keys() & after.keys()
            if there[one] in CAN_LOG_IN and after[one] not in CAN_LOG_IN
        ]
        must(len(closed) <= allowed, f"{sorted(closed)} are deactivated")

    @contextmanager
    def context(self) -> Iterator[RunContext]:
        """What a run works with."""
        with self.open(self.answer) as context:
            yield context

    def sync(self, *, allow_removals: bool = False, origin: SnapshotOrigin = THE_SOURCE) -> Outcome:
        """A run of the source as it is now."""
        self.write_source()
        with self.context() as context:
            return sync_source(self.source, context, allow_removals=allow_removals, origin=origin)

    def sync_without_lumos(self) -> Outcome:
        """A run of a workspace that has no token."""
        with self.context() as context:
            return sync_source(self.source, replace(context, api=None))

    def preview(self, *, with_lumos: bool = True) -> Preview:
        """What a run of the source would do now."""
        self.write_source()
        with self.context() as context:
            return preview_source(
                self.source, context if with_lumos else replace(context, api=None)
            )

    def crashes_at(self, point: int | str) -> bool:
        """Whether a run ends at a point; its lease has run out after."""
        return self.crashes(self.sync, point)

    def runs(self) -> list[Run]:
        """Every run of the ledger, newest first."""
        return self.ledger.runs()

    def holds(self, app_id: str = APP) -> Held:
        """What the app holds once every job has ended."""
        self.lumos.settle(self.now + timedelta(hours=1))
        return {one: _to_held(account) for one, account in self.lumos.accounts[app_id].items()}

    def says(self) -> Held:
        """What the app should hold by the source, where no row is a reject."""
        usual = {"user_status": "ACTIVE", "roles": "r"}
        full = {one: usual | cells for one, cells in self.rows.items()}
        return {one: (cells["user_status"], cells["roles"]) for one, cells in full.items()}

    def accepts_elsewhere(self, *ids: str) -> Run:
        """A run of another workspace with the same ledger uploads these accounts, all as usual."""
        rows, self.rows = self.rows, {one: {} for one in ids}
        base = self.ledger.accepted_into(APP)
        run = self.ledger.start_run("hr", "other@host", self.now, APP)
        made = snapshot(
            [
                account(one, user_status=status, roles=roles)
                for one, (status, roles) in self.says().items()
            ],
            self.source.file,
        )
        Archive(self.place).save_snapshot("hr", run.run_id, made)
        self.lumos.accounts[APP] = {
            one: {"unique_identifier": one, "status": "ACTIVE", "permissions": [{"name": "r"}]}
            for one in ids
        }
        self.rows = rows
        return self.ledger.update_run(
            run.run_id,
            state="done",
            ended_at=self.now,
            content_hash=content_hash(made),
            base_run_id=base.run_id if base else None,
        )

    def uploads(self) -> list[list[str]]:
        """The ids of every upload that was taken, in order."""
        return [[one["unique_identifier"] for one in job.accounts] for job in self.lumos.jobs]


def _to_held(account: Account) -> tuple[str, str]:
    return account["status"], ";".join(one["name"] for one in account["permissions"])


def but(*left: str) -> list[str]:
    """The ids of ten accounts, but for those that have left."""
    return [one for one in "abcdefghij" if one not in left]


def states(world: World) -> list[str]:
    """The states of the runs, oldest first."""
    return [run.state for run in reversed(world.runs())]

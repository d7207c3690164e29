"""A log, a clock and a Lumos in memory: activity runs in this process, with crashes on demand."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from flows.run.context import RunContext
from loaders.ledger.activity import saved_batches
from schemas.source_file.file import Source, to_source
from tests.unit.flows.world import Machine, must

Record = tuple[str, str, str]
"""An account, an event type, a moment."""


@dataclass
class World(Machine):
    """Lumos, a log and a clock.

    Attributes:
        keep: the source file's `keep`.
        more: further keys of its block `activity`, after a comma.
        lines: the log.
        batches: the records of every batch that was taken, in order.
        bodies: the same as bytes.
        asked: the job of every question about a state, in order.
        refuses_from: how many batches are taken before the others are refused; None never.
        may_repeat: whether a batch that the ledger has as done may be sent again.
    """

    keep: str = "all"
    more: str = ""
    lines: list[Record] = field(default_factory=list)
    batches: list[list[Record]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses_from: int | None = None
    may_repeat: bool = False

    @property
    def source(self) -> Source:
        """The source `log`."""
        text = (
            "app: {id: app-1}\nsource: {kind: csv, accounts: a.csv}\n"
            f"activity: {{keep: {self.keep}, overlap: 1h, records_per_request: 2{self.more},"
            " source: {kind: csv, activity: log.csv, max_age: null}}\n"
        )
        return to_source(text, "log", "sources/log.yaml")

    def log(self, account: str, at: datetime, what: str = "LOGIN") -> Record:
        """Adds a line to the log."""
        record = (account, what, f"{at:%Y-%m-%dT%H:%M:%SZ}")
        self.lines.append(record)
        return record

    def write_log(self) -> None:
        rows = ["account_id,event_type,timestamp", *(",".join(line) for line in self.lines)]
        (self.folder / "log.csv").write_text("\n".join(rows) + "\n", "utf-8")

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Lumos: takes a batch whole, or is never told of it; a job is done when it is asked."""
        path = request.url.path
        if path == "/apps/app-1":
            return httpx.Response(200, json={"id": "app-1", "name": "X"})
        if request.method == "POST":
            self.tick("before a batch is taken")
            if self.refuses_from is not None and len(self.batches) >= self.refuses_from:
                return httpx.Response(422, json={"detail": "no"})
            is_repeated = self.is_done(request.content)
            must(self.may_repeat or not is_repeated, "a batch that is done is sent again")
            self.bodies.append(request.content)
            self.batches.append([_to_record(one) for one in json.loads(request.content)["records"]])
            self.tick("after a batch was taken")
            return httpx.Response(200, json={"job": {"job_id": f"job-{len(self.batches)}"}})
        job_id = path.rpartition("/")[2]
        self.tick(f"before the state of {job_id} is told")
        self.asked.append(job_id)
        return httpx.Response(200, json={"job_id": job_id, "state": "DONE"})

    @contextmanager
    def context(self) -> Iterator[RunContext]:
        """What a run works with."""
        with self.open(self.answer) as context:
            yield context

    def is_done(self, body: bytes) -> bool:
        """Whether the ledger has a batch of these bytes as done."""
        digest, ledger = hashlib.sha256(body).hexdigest(), self.ledger
        batches = [one for run in ledger.runs() for one in saved_batches(ledger, run.run_id)]
        return any(one.content_hash == digest and one.done_at is not None for one in batches)


def _to_record(sent: dict[str, Any]) -> Record:
    return sent["account"]["external_id"], sent["event"]["type"], sent["timestamp"]

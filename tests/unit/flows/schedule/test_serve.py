"""The loop of `serve`, with a clock of its own: what is due runs, and a stop ends it."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.run.side_by_side import Slots
from flows.schedule.serve import Serving, serve
from flows.schedule.timetable import Duty, Timetable
from loaders.ledger.ledger import open_ledger
from schemas.source_file.file import Source, to_source

BEGIN = datetime(2026, 11, 30, 1, 59, 30, tzinfo=UTC)


def source(name: str, cron: str) -> Source:
    text = (
        f"app: {{name: App {name}}}\nsource: {{kind: csv, accounts: a.csv}}\n"
        f'schedule: {{cron: "{cron}"}}\n'
    )
    return to_source(text, name, f"sources/{name}.yaml")


class Night:
    """A night of sources: each look at the clock is ten seconds later."""

    def __init__(self, sources: list[Source], stop_after: int, slots: Slots) -> None:
        self.lock, self.looks = threading.Lock(), 0
        self.left, self.slots = stop_after, slots
        self.files: list[Source] | None = sources
        self.ran: list[str] = []
        self.changed: list[Duty] = []

    def now(self) -> datetime:
        with self.lock:
            self.looks += 1
            return BEGIN + timedelta(seconds=10 * self.looks)

    def sources(self) -> list[Source] | None:
        files, self.files = self.files, None
        return files

    def run(self, source: Source, _duty: Duty) -> bool:
        with self.lock:
            self.ran.append(source.name)
            self.left -= 1
            if not self.left:
                self.slots.stop()
        return False

    def serve(self, path: Path) -> tuple[list[Duty], bool]:
        with open_ledger(f"sqlite:///{path / 'ledger.db'}") as ledger:
            serving = Serving(
                self.sources, self.run, self.changed.extend, lambda _duty, _next: None, self.now
            )
            return serve(serving, Timetable(ledger), self.slots)


def test_each_source_runs_when_it_is_due_and_the_loop_ends_when_it_is_told(tmp_path: Path) -> None:
    night = Night([source("hr", "0 2 * * *"), source("crm", "0 2 * * *")], 2, Slots(1))
    assert night.serve(tmp_path) == ([], False)
    assert sorted(night.ran) == ["crm", "hr"]
    assert sorted(night.changed) == [Duty("crm", "sync"), Duty("hr", "sync")]


def test_what_is_at_work_at_the_stop_is_told(tmp_path: Path) -> None:
    slots = Slots(2)
    night = Night([source("hr", "0 2 * * *")], 1, slots)

    def run(source: Source, duty: Duty) -> bool:
        Night.run(night, source, duty)
        slots.sleep(60)
        return False

    night.run = run  # type: ignore[method-assign]
    assert night.serve(tmp_path) == ([Duty("hr", "sync")], False)

"""The loop of `serve`: what is due is begun, at most so many at once, until it is told to stop."""

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from flows.run.crash_report import report_bug
from flows.run.side_by_side import GRACE_S, Slots, StoppedError, join
from flows.schedule.timetable import Duty, Timetable
from schemas.source_file.file import Source

LOOK_S = 1.0
"""How long it sleeps at most: files change, and a machine may have been suspended."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What the loop needs of its command.

    Attributes:
        sources: reads the good sources, where a file changed; None where none did.
        run: does what is due; whether a failure may be tried again.
        changed: told of the duties whose schedule is new, changed or gone.
        ended: told of a duty whose run ended, and when it begins next, UTC.
        now: the clock, UTC.
    """

    sources: Callable[[], list[Source] | None]
    run: Callable[[Source, Duty], bool]
    changed: Callable[[list[Duty]], None]
    ended: Callable[[Duty, datetime | None], None]
    now: Callable[[], datetime]


def serve(
    serving: Serving, timetable: Timetable, slots: Slots, grace_s: float = GRACE_S
) -> tuple[list[Duty], bool]:
    """Begins what is due until the slots are stopped.

    Returns:
        What was stopped at work, and whether some of it did not end within the grace.
    """
    loop = _Loop(serving, timetable, slots)
    with contextlib.suppress(StoppedError):
        while True:
            slots.check()
            loop.take_up_files()
            loop.begin_due()
            loop.note_ended(LOOK_S)
    has_stuck = join(loop.threads.values(), slots, grace_s)
    loop.note_ended(0)
    return list(loop.threads), has_stuck


class _Loop:
    """What is at work, by what it does; each in a thread of its own."""

    def __init__(self, serving: Serving, timetable: Timetable, slots: Slots) -> None:
        self._serving = serving
        self._timetable = timetable
        self._slots = slots
        self._files: dict[str, Source] = {}
        self._results: queue.Queue[tuple[Duty, bool]] = queue.Queue()
        self.threads: dict[Duty, threading.Thread] = {}

    def take_up_files(self) -> None:
        """Goes by what the source files say now, where one changed."""
        sources = self._serving.sources()
        if sources is None:
            return
        self._files = {source.name: source for source in sources}
        changed = self._timetable.update(sources, self._serving.now())
        if changed:
            self._serving.changed(changed)

    def begin_due(self) -> None:
        """Begins what is due, each as soon as a slot is free."""
        for duty in self._timetable.due(self._serving.now()):
            self._slots.wait_for_one()
            if not self._timetable.begin(duty, self._serving.now()):
                self._slots.give_back()
                continue
            work = partial(self._work, duty, self._files[duty.source])
            self.threads[duty] = threading.Thread(target=work, daemon=True)
            self.threads[duty].start()

    def note_ended(self, patience_s: float) -> None:
        """Notes what ended; where nothing has, waits so long for it."""
        with contextlib.suppress(queue.Empty):
            duty, may_retry = self._results.get(block=patience_s > 0, timeout=patience_s)
            while True:
                self.threads.pop(duty).join()
                next_at = self._timetable.end(duty, self._serving.now(), may_retry=may_retry)
                self._serving.ended(duty, next_at)
                duty, may_retry = self._results.get_nowait()

    def _work(self, duty: Duty, source: Source) -> None:
        may_retry = False
        try:
            with self._slots.held():
                may_retry = self._serving.run(source, duty)
        except StoppedError:
            return
        except BaseException as bug:  # noqa: BLE001 - a thread has nobody else to tell
            report_bug(bug)
        self._results.put((duty, may_retry))

"""The loop of `serve`: what is due is begun, at most so many at once, until it is told to stop."""

import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

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
    results: queue.Queue[tuple[Duty, bool]] = queue.Queue()
    files: dict[str, Source] = {}
    threads: dict[Duty, threading.Thread] = {}

    def work(duty: Duty, source: Source) -> None:
        with contextlib.suppress(StoppedError), slots.held():
            results.put((duty, serving.run(source, duty)))

    with contextlib.suppress(StoppedError):
        while True:
            slots.check()
            sources = serving.sources()
            if sources is not None:
                files = {source.name: source for source in sources}
                changed = timetable.update(sources, serving.now())
                if changed:
                    serving.changed(changed)
            for duty in timetable.due(serving.now()):
                slots.wait_for_one()
                if timetable.begin(duty, serving.now()):
                    work_on = partial(work, duty, files[duty.source])
                    threads[duty] = threading.Thread(target=work_on, daemon=True)
                    threads[duty].start()
                else:
                    slots.give_back()
            _drain(results, timetable, threads, serving)
    stopped = list(threads)
    has_stuck = join(threads.values(), slots, grace_s)
    with contextlib.suppress(queue.Empty):
        while True:
            stopped.remove(results.get_nowait()[0])
    return stopped, has_stuck


def _drain(
    results: "queue.Queue[tuple[Duty, bool]]",
    timetable: Timetable,
    threads: dict[Duty, threading.Thread],
    serving: Serving,
) -> None:
    """Notes what ended; where nothing has, waits a while for it."""
    with contextlib.suppress(queue.Empty):
        duty, may_retry = results.get(timeout=LOOK_S)
        while True:
            threads.pop(duty).join()
            serving.ended(duty, timetable.end(duty, serving.now(), may_retry=may_retry))
            duty, may_retry = results.get_nowait()

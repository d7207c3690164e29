"""Work under way: what is known of it is told, and nothing else."""

import threading

from flows.cli.lines.progress import Work, plain_lines


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_stage_has_its_count_its_rate_and_an_estimate() -> None:
    clock = Clock()
    work = Work("hr", clock=clock)
    work.moved("reading back", 0, 10_000)
    assert (work.title, work.figures) == ("hr: reading back", "")
    clock.now += 10
    work.moved("reading back", 2_500, 10_000)
    assert work.figures == "2,500 of 10,000, 250/s, about 30 s left"


def test_a_stage_without_a_count_has_only_its_time() -> None:
    clock = Clock()
    work = Work("", clock=clock)
    work.moved("planning", 0, 0)
    clock.now += 130
    assert (work.title, work.figures) == ("planning", "for 2 min 10 s")


def test_a_new_stage_begins_its_own_rate() -> None:
    clock = Clock()
    work = Work("hr", clock=clock)
    work.moved("reading the source", 90_000, 0)
    clock.now += 50
    work.moved("uploading", 1, 3)
    clock.now += 60
    work.moved("uploading", 2, 3)
    assert work.figures == "2 of 3, 1/min, about 1 min 0 s left"


def test_where_nobody_watches_it_is_told_now_and_then_and_no_more_at_the_end() -> None:
    told: list[str] = []
    has_told = threading.Event()

    def tell(text: str) -> None:
        told.append(text)
        has_told.set()

    with plain_lines(tell, every_s=0.001) as line_of:
        with line_of("hr") as moved:
            moved("uploading", 1, 2)
            assert has_told.wait(60)
        assert told[0] == "hr: uploading: 1 of 2"
        with line_of("crm"):
            pass  # at no stage yet: nothing to tell
    count = len(told)
    assert {text.partition(":")[0] for text in told} == {"hr"}
    assert len(told) == count

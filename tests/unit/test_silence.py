"""How long silence is borne, and what is done after a time."""

import threading
import time

from extractors.silence import alarm


def test_an_alarm_is_not_at_work_any_more_when_its_block_has_ended() -> None:
    has_begun, ended = threading.Event(), []

    def act() -> None:
        has_begun.set()
        time.sleep(0.1)
        ended.append(True)

    with alarm(0.0, act):
        assert has_begun.wait(60)
    assert ended == [True]


def test_an_alarm_does_nothing_where_its_block_is_in_time() -> None:
    rung: list[bool] = []
    with alarm(10.0, lambda: rung.append(True)):
        pass
    assert rung == []

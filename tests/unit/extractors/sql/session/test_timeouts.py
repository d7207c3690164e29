"""How long silence is borne, and what is done after a time."""

import threading
import time

from extractors.sql.session.timeouts import deadline


def test_a_deadline_is_not_at_work_any_more_when_its_block_has_ended() -> None:
    has_begun, ended = threading.Event(), []

    def act() -> None:
        has_begun.set()
        time.sleep(0.1)
        ended.append(True)

    with deadline(0.0, act):
        assert has_begun.wait(60)
    assert ended == [True]


def test_a_deadline_does_nothing_where_its_block_is_in_time() -> None:
    acted: list[bool] = []
    with deadline(10.0, lambda: acted.append(True)):
        pass
    assert acted == []

import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from loaders.lumos.client import LumosApi
from loaders.lumos.jobs import wait_for_job
from loaders.lumos.retries import Retry
from schemas.errors import JobFailedError, JobTimeoutError, LumosRefusedError
from schemas.source_file.blocks import Poll

POLL = Poll(
    every=timedelta(seconds=2),
    at_most_every=timedelta(seconds=10),
    give_up_after=timedelta(minutes=2),
)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Job:
    """A job that tells these states in order, the last again and again; a number is a status."""

    def __init__(self, *states: Any) -> None:
        self.states = list(states)
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.raw_path.decode())
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, int):
            return httpx.Response(state)
        return httpx.Response(200, json={"job_id": "j", "state": state})


def wait(job: Job, clock: Clock, poll: Poll = POLL, job_id: str = "j") -> list[str]:
    """The states that were told while waiting."""
    told: list[str] = []
    api = LumosApi(
        "https://x.example",
        SecretStr("t"),
        transport=httpx.MockTransport(job),
        retry=Retry(attempts=1),
        clock=clock,
        sleep=clock.sleep,
    )
    with api:
        wait_for_job(api, job_id, poll, clock=clock, sleep=clock.sleep, on_state=told.append)
    return told


def test_a_job_is_waited_for_until_it_has_ended_well() -> None:
    job, clock = Job("NOT_STARTED", "NOT_STARTED", "RUNNING", "RUNNING", "SUCCESS"), Clock()
    assert wait(job, clock) == ["NOT_STARTED", "RUNNING", "SUCCESS"]
    assert job.asked == ["/accounts/upload/j"] * 5
    assert clock.slept == [2, 3, 4.5, 6.75]


def test_a_job_that_has_ended_is_not_waited_for() -> None:
    clock = Clock()
    assert wait(Job("SUCCESS"), clock) == ["SUCCESS"]
    assert clock.slept == []


def test_the_pauses_grow_to_the_longest_and_no_further() -> None:
    clock = Clock()
    wait(Job(*["RUNNING"] * 10, "SUCCESS"), clock)
    assert clock.slept[4:] == [10] * 6


def test_a_first_pause_above_the_longest_is_kept_short() -> None:
    clock = Clock()
    poll = Poll(every=timedelta(seconds=30), at_most_every=timedelta(seconds=5))
    wait(Job("RUNNING", "RUNNING", "SUCCESS"), clock, poll)
    assert max(clock.slept) <= 5


def test_a_job_that_failed_says_what_to_look_at() -> None:
    with pytest.raises(JobFailedError, match=r"job j: .*gives no reason.*recorded as accepted"):
        wait(Job("RUNNING", "FAILURE"), Clock())


def test_a_job_that_is_still_running_at_the_deadline_is_left_to_the_next_run() -> None:
    clock = Clock()
    with pytest.raises(JobTimeoutError, match=r"is still RUNNING after 2m .*goes on waiting"):
        wait(Job("RUNNING"), clock)
    assert clock.now == 120


@pytest.mark.parametrize("state", [None, "NOT_STARTED", "RUNNING", "PAUSED"])
def test_a_job_in_no_final_state_is_not_over(state: str | None) -> None:
    clock = Clock()
    assert wait(Job(state, "SUCCESS"), clock)[-1] == "SUCCESS"
    assert clock.slept == [2]


def test_a_job_whose_answer_has_no_state_is_not_over() -> None:
    clock, answers = Clock(), [{"job_id": "j"}, {"job_id": "j", "state": "SUCCESS"}]
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answers.pop(0)))
    with LumosApi("https://x.example", SecretStr("t"), transport=transport) as api:
        wait_for_job(api, "j", POLL, clock=clock, sleep=clock.sleep)
    assert clock.slept == [2]


def test_a_state_nobody_knows_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    wait(Job("PAUSED", "PAUSED", "RUNNING", "SUCCESS"), Clock())
    warned = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warned == ["job j: Lumos tells a state this version does not know; waiting on"]


def test_an_outage_while_waiting_is_not_the_end_of_the_job(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told = wait(Job("RUNNING", 503, 429, "SUCCESS"), Clock())
    assert told == ["RUNNING", "SUCCESS"]
    assert "its state cannot be read" in caplog.text


def test_an_outage_to_the_deadline_leaves_the_job_to_the_next_run() -> None:
    with pytest.raises(JobTimeoutError, match=r"job j: has not ended after 2m"):
        wait(Job(503), Clock())


def test_a_job_that_lumos_has_forgotten_is_told_as_such() -> None:
    with pytest.raises(LumosRefusedError, match="job j: Lumos does not know the job") as caught:
        wait(Job("RUNNING", 404), Clock())
    assert caught.value.status == 404
    assert caught.value.__context__ is None


def test_a_job_that_lumos_does_not_know_right_after_the_post_is_asked_for_once_more() -> None:
    clock = Clock()
    assert wait(Job(404, "RUNNING", "SUCCESS"), clock) == ["RUNNING", "SUCCESS"]
    with pytest.raises(LumosRefusedError, match="job j: Lumos does not know the job"):
        wait(Job(404, 404), clock)


def test_another_refusal_is_not_borne() -> None:
    with pytest.raises(LumosRefusedError, match="check LUMOS_API_TOKEN"):
        wait(Job("RUNNING", 401), Clock())


def test_an_answer_that_is_no_job_is_refused() -> None:
    with pytest.raises(LumosRefusedError, match="is LUMOS_API_URL right"):
        wait(Job(["RUNNING"]), Clock())


def test_a_job_id_cannot_lead_elsewhere() -> None:
    job = Job("SUCCESS")
    wait(job, Clock(), job_id="../../apps?x")
    assert job.asked == ["/accounts/upload/..%2F..%2Fapps%3Fx"]

"""A flow run that was cancelled at the server stops by itself, whatever becomes of its worker.

A server ends no process: it marks the run Cancelled, also where the worker that was to end it is
gone, and the process goes on and sends. So each run asks, as it asks its lease.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from prefect import State
from prefect.runtime import deployment, flow_run
from prefect.states import Cancelled

from flows.orchestration.prefect_api import PrefectApi, api_url, open_prefect_api
from flows.run.context import RunContext
from schemas.errors import CancelledError, PrefectServerError

_log = logging.getLogger(__name__)

_ASKS_EVERY_S = 2.0
_ASKS_AGAIN_AFTER_S = 60.0
"""How long a server that did not answer is left alone: a run goes on without one."""

_LONGEST_SLEEP_S = 5.0

_STOPPING = {"CANCELLING", "CANCELLED"}


class Cancellation:
    """Asks the server, not too often, whether the flow run is to go on."""

    def __init__(
        self, api: PrefectApi, run_id: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Asks nothing yet."""
        self._api = api
        self._run_id = run_id
        self._clock = clock
        self._lock = threading.Lock()
        self._asks_at = clock()

    def check(self) -> None:
        """Raises where the run was cancelled; a server that does not answer has said nothing.

        Raises:
            CancelledError: it was.
        """
        with self._lock:
            if self._clock() < self._asks_at:
                return
            try:
                states = [run.state_type for run in self._api.runs(ids=[self._run_id])]
            except PrefectServerError as error:
                _log.warning("whether the run was cancelled is not known: %s", error)
                self._asks_at = self._clock() + _ASKS_AGAIN_AFTER_S
                return
            if _STOPPING.isdisjoint(states):
                self._asks_at = self._clock() + _ASKS_EVERY_S
                return
        raise CancelledError(
            "the flow run was cancelled in Prefect: nothing more is sent; the next run goes on "
            "with what was"
        )


@contextmanager
def stopped_when_cancelled(context: RunContext) -> Iterator[RunContext]:
    """The context of a flow run that asks, between its steps, in its waits and before it sends."""
    if not flow_run.id or not api_url():
        yield context
        return
    with open_prefect_api() as api:
        yield with_check(context, Cancellation(api, flow_run.id).check)


def with_check(context: RunContext, check: Callable[[], None]) -> RunContext:
    """The context with a check wherever a run may be stopped."""

    def sleep(seconds: float) -> None:
        while seconds > 0:
            part_s = min(seconds, _LONGEST_SLEEP_S)
            context.sleep(part_s)
            check()
            seconds -= part_s

    def progress(stage: str, done: int, total: int) -> None:
        check()
        context.progress(stage, done, total)

    def may_send() -> None:
        check()
        context.may_send()

    return replace(context, sleep=sleep, progress=progress, may_send=may_send)


def cancelled_state(error: CancelledError) -> State[None]:
    """How a deployment's run ends that was cancelled: as such, and not as one that failed.

    Raises:
        CancelledError: the run is of no deployment: whoever typed its command is to know.
    """
    if not deployment.id:
        raise error
    return Cancelled(message=str(error))

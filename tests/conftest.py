"""What every run of the tests keeps to, however busy the machine.

A worker of pytest-xdist that crashes ends the whole run, red and at once; hypothesis gives an
example as long as it takes.
"""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from flows.cli.lines.logs import OURS

settings.register_profile(
    "unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _loggers_as_before() -> Iterator[None]:
    """A command that runs in this process has our loggers write to stderr, and nowhere else."""
    loggers = [logging.getLogger(name) for name in OURS]
    before = [(one.handlers[:], one.level, one.propagate) for one in loggers]
    yield
    for one, (handlers, level, propagate) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


class _Crashes:
    """In the process that hands out the tests: what is known of its workers' ends.

    xdist would start the crashed worker anew, and with `--dist loadgroup` wait for ever for what
    it had left to do; told not to (`--max-worker-restart=0`), it still lets the others end every
    test that they have been given.
    """

    def __init__(self) -> None:
        self._crashed = ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        if error:
            self._crashed = f"worker {node.gateway.id} crashed: the run ends here"

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self) -> None:
        """The next report is that of the test that crashed, where one ran."""
        if self._crashed:
            pytest.exit(self._crashed, pytest.ExitCode.TESTS_FAILED)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A crash while the tests were collected fails none of them."""
        if self._crashed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Crashes())

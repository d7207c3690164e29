"""Telling a person how runs end: failures, holds and recoveries, each once and not every time.

What was told last of a source is in the ledger. A message that is not taken changes nothing about
a run: a warning says so, and the next event is told.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeVar

from pydantic import SecretStr

from flows.notices.message import to_message
from flows.run.context import RunContext
from flows.run.crash_report import BugError, without_text
from loaders.ledger.notices import Claim, claim_notice, put_back
from schemas.errors import BusyError, ConfigError, IngestError, StateError
from schemas.notices import Message, Notice, NoticeEvent
from schemas.run import Run, RunKind
from schemas.settings import Settings
from schemas.source_file.file import Source
from schemas.source_file.secrets import Resolve

_log = logging.getLogger(__name__)

QUIET_FOR = timedelta(hours=20)
"""How long the same is not told again: a source that fails every night is told every night."""


class Ended(Protocol):
    """What came of a run."""

    @property
    def run(self) -> Run:
        """The run."""
        ...


_End = TypeVar("_End", bound=Ended)


def with_notices(
    source: Source, kind: RunKind, context: RunContext, work: Callable[[], _End]
) -> _End:
    """What `work` returns; whoever looks after the source is told how it ended.

    That another run is at work is told by that one.

    Raises:
        IngestError: as `work` raised it.
        BugError: `work` failed for a reason of our own.
    """
    try:
        ended = without_text(work, context.settings.state)
    except BusyError:
        raise
    except (IngestError, BugError) as error:
        notice = Notice(source.name, kind, "failed", context.now(), error.run_id)
        _tell(notice, str(error), source, context)
        raise
    run = ended.run
    event: NoticeEvent = "held" if run.state == "held" else "recovered"
    notice = Notice(source.name, kind, event, context.now(), run.run_id)
    _tell(notice, run.error or f"accepted as run {run.run_id}", source, context)
    return ended


def tell_broken(name: str, error: ConfigError, context: RunContext) -> None:
    """Tells whom the workspace names that the file of a source is wrong: it has no run."""
    _tell(Notice(name, "sync", "failed", context.now()), str(error), None, context)


def tell_stale(source: Source, kind: RunKind, context: RunContext, line: str) -> None:
    """Tells whoever looks after the source that it was not accepted for too long."""
    _tell(Notice(source.name, kind, "stale", context.now()), line, source, context)


def check_channels(source: Source, settings: Settings, resolve: Resolve) -> None:
    """Raises unless who is told of the source can be told; nothing is sent.

    Raises:
        ConfigError: a secret cannot be fetched, or holds no address.
    """
    from flows.notices.channels import problem_of

    where = "LUMOS_INGEST_NOTIFY" if source.file.notify is None else f"{source.path}: notify"
    for addresses in _addresses(source, settings, resolve):
        problem = problem_of(addresses)
        if problem:
            raise ConfigError(f"{where}: {problem}")


def _addresses(source: Source | None, settings: Settings, resolve: Resolve) -> list[SecretStr]:
    """The addresses of who is told of the source: its file's, else the workspace's.

    Of one whose file is wrong, the workspace's.

    Raises:
        ConfigError: a secret cannot be fetched.
    """
    named = source.file.notify if source is not None else None
    if named is None:
        return [settings.notify] if settings.notify else []
    return [resolve(secret) for secret in named]


def _tell(notice: Notice, line: str, source: Source | None, context: RunContext) -> None:
    try:
        addresses = _addresses(source, context.settings, context.resolve)
    except ConfigError as error:
        _log.warning("%s: nobody was told (%s): %s", notice.source, notice.event, error)
        return
    if not addresses:
        return
    claim = _claim(notice, context)
    if claim is None:
        return
    message = to_message(notice, line, context.link)
    problems = [_deliver(one, message, context) for one in addresses]
    why = "; ".join(dict.fromkeys(filter(None, problems)))
    if why:
        _log.warning("%s: not everyone was told: %s", notice.source, why)
    if all(problems):
        _or_leave(partial(put_back, context.ledger, notice, claim))


def _deliver(addresses: SecretStr, message: Message, context: RunContext) -> str | None:
    if context.deliver is not None:
        return context.deliver(addresses, message)
    from flows.notices.channels import deliver

    return deliver(addresses, message)


def _claim(notice: Notice, context: RunContext) -> Claim | None:
    """The claim to tell it; None where it was told already. Without a ledger it is told anyway."""
    try:
        return claim_notice(context.ledger, notice, QUIET_FOR)
    except StateError:
        return None if notice.event == "recovered" else Claim(None)


def _or_leave(work: Callable[[], None]) -> None:
    try:
        work()
    except StateError as error:
        _log.warning("what was not told is not told again: %s", error)

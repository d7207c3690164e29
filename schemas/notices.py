"""What whoever looks after a source is told of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import SecretStr

from schemas.run import RunKind

NoticeEvent = Literal["failed", "held", "recovered", "stale"]
"""A run failed; a plan is held for a person; all is well again; nothing was accepted for too long.
"""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person was told of a source.

    Attributes:
        source: the source's name.
        kind: what kind of run it is about.
        event: what happened.
        noticed_at: when it was told, UTC.
        run_id: the run; None where no run had begun.
    """

    source: str
    kind: RunKind
    event: NoticeEvent
    noticed_at: datetime
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in words.

    Attributes:
        title: what happened to which source.
        body: why, and where to look.
        is_good: whether nothing need be done.
    """

    title: str
    body: str
    is_good: bool


Deliver = Callable[[SecretStr, Message], str | None]
"""Delivers a message to addresses; why one of them did not take it, None where all did."""

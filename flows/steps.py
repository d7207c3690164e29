"""How a stage is run: at once, in this process, or as whatever a flow makes of it."""

from collections.abc import Callable
from typing import Any

Step = Callable[[str, Callable[[], Any]], Any]
"""Runs a stage by name: `step("extract", stage)` returns what `stage()` returns."""


def at_once(_name: str, stage: Callable[[], Any]) -> Any:  # noqa: ANN401 - a stage's own type
    """The step of a command that a person types: in this process, with no server to wait for."""
    return stage()

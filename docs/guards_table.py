"""Writes the table of guards in docs/guards.md from `schemas.guards`: `make docs`."""

import re
from pathlib import Path

from schemas.guards import GUARDS, Guard

PAGE = Path(__file__).with_name("guards.md")
_BLOCK = re.compile(r"(?<=<!-- guards: make docs -->\n).*?(?=\n\n)", re.DOTALL)


def to_table() -> str:
    """Every guard, a row each."""
    head = ("| key | counts | a share is of | default | a person may approve |", "| --- " * 5 + "|")
    return "\n".join([*head, *map(_row, GUARDS)])


def to_page() -> str:
    """The page with its table as the guards are now."""
    return _BLOCK.sub(lambda _: to_table(), PAGE.read_text("utf-8"))


def _row(guard: Guard) -> str:
    floor = f", at least {guard.floor}" if guard.default.endswith("%") and guard.floor > 1 else ""
    approvable = "yes" if guard.is_approvable else "no"
    cells = (f"`{guard.key}`", guard.counted, guard.base, f"`{guard.default}`{floor}", approvable)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(to_page(), "utf-8")

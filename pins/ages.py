"""Writes the table of `docs/dependencies.md`: when each pinned version was released: `make ages`.

uv resolves the pins as `make lock` does, and its answer has the times of upload (PEP 751). Only
names, versions and dates are kept.
"""

import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pins.locked import pins_in

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "dependencies.md"
BEGIN, END = "<!-- ages: make ages -->\n", "<!-- /ages -->\n"


def released(document: dict[str, Any]) -> dict[str, date]:
    """The day of the first file of each package of a `pylock.toml`; without those of no date."""
    days = {}
    for package in document["packages"]:
        files = [*package.get("wheels", []), package.get("sdist", {}), package.get("archive", {})]
        times = [one["upload-time"] for one in files if "upload-time" in one]
        if times:
            days[package["name"]] = min(times).date()
    return days


def to_table(days: dict[str, date], versions: dict[str, str]) -> str:
    """Rows of Markdown, the oldest first."""
    rows = sorted((day, name) for name, day in days.items() if name in versions)
    lines = [f"| {day} | {name} | {versions[name]} |" for day, name in rows]
    return "\n".join(["| released | package | pinned |", "| --- | --- | --- |", *lines, ""])


def _resolved() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pylock.toml"
        words = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
        words += ["--group", "build", "--constraints", "requirements.lock", "pyproject.toml"]
        words += ["--format", "pylock.toml", "--output-file", str(path)]
        subprocess.run(words, cwd=ROOT, check=True)
        return tomllib.loads(path.read_text("utf-8"))


def main() -> None:
    """Writes the table into the page."""
    pins = pins_in(ROOT / "requirements.lock")
    table = to_table(released(_resolved()), {name: str(one) for name, one in pins.items()})
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table + END + rest.partition(END)[2], "utf-8")


if __name__ == "__main__":
    sys.exit(main())

"""A source file for an export: how it is written, and what its columns mean."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.prompt import Prompt

from extractors.read import read_source
from flows.cli.new.written import (
    Wanted,
    Written,
    doubt_lines,
    doubts_of,
    flow,
    mapping_lines,
)
from schemas.errors import ConfigError, IngestError, SourceFormatError, SourceIncompleteError
from schemas.raw import Raw, RawTable
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.statuses import UPLOAD_STATUSES
from schemas.tables import ROW
from transforms.tables.proposal import Proposal, to_proposal

_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?:\d{4}|\d{6})?(?!\d)"
)
_MOST_SKIPPED = 8
_LEAST_GOOD = 0.4
_TRIES: tuple[dict[str, object], ...] = (
    {},
    {"separator": ";"},
    {"separator": ","},
    {"separator": "tab"},
    {"separator": "|"},
    {"separator": "||"},
    {"blank": ("\\N",)},
    {"escape": "\\"},
    {"header": False},
    {"header": False, "blank": ("\\N",)},
    {"header": False, "escape": "\\", "quote": "none"},
)


def of_export(wanted: Wanted) -> Written:
    """Returns what reads the export, as it is written today.

    Raises:
        ConfigError: no such file.
        SourceError: it cannot be read.
    """
    is_url = "://" in wanted.origin
    shown = wanted.origin if is_url else _path_in(wanted.workspace, wanted.origin)
    raw, options = _read(wanted.workspace, shown)
    table = raw.accounts
    made = to_proposal(table)
    if wanted.asks:
        ask_meanings(made)
    age = datetime.now(UTC) - raw.taken_at
    doubts = doubts_of(made)
    lines = [*_source_lines(shown, options, raw.warnings, age, made), *mapping_lines(made, table)]
    return Written([*lines, *doubt_lines(doubts)], doubts)


def _path_in(workspace: Path, origin: str) -> str:
    """Returns the path from the workspace, where it lies in there."""
    path = Path(origin)
    absolute = path if path.is_absolute() else workspace / path
    if not absolute.exists() and path.exists():
        absolute = path.resolve()
    if not absolute.is_file():
        raise ConfigError(f"{origin}: no such file: --from is an export, or a URL")
    inside = absolute.resolve()
    if inside.is_relative_to(workspace.resolve()):
        return inside.relative_to(workspace.resolve()).as_posix()
    return str(inside)


def _read(workspace: Path, path: str) -> tuple[Raw, dict[str, object]]:
    """The export read in the first way that makes a table of it, and how.

    Raises:
        SourceError: none does.
    """
    problem: IngestError | None = None
    for skipped in range(_MOST_SKIPPED):
        for tried in _TRIES if skipped == 0 else _TRIES[:1]:
            options = {**tried, **({"skip_lines": skipped} if skipped else {})}
            source = CsvSource.model_validate(
                {"kind": "csv", "accounts": path, "max_age": None, **options}
            )
            try:
                raw = read_source(source, workspace, now=datetime.now(UTC))
            except (SourceFormatError, SourceIncompleteError) as error:
                problem = problem or error
                continue
            if _is_good(raw.accounts, has_header=options.get("header") is not False):
                return raw, options
    raise problem or SourceFormatError(f"{path}: no table of accounts can be seen in it")


def _is_good(table: RawTable, *, has_header: bool) -> bool:
    columns = [name for name in table.rows.columns if name != ROW]
    looks_like_data = has_header and any("@" in name for name in columns)
    is_mostly_rows = table.rows.height >= _LEAST_GOOD * max(table.read_count, 1)
    return len(columns) > 1 and is_mostly_rows and not looks_like_data


def ask_meanings(made: Proposal) -> None:
    """Asks what each word of a status means that nobody can tell."""
    for word, meaning in made.statuses.items():
        if meaning is None:
            choices = [*UPLOAD_STATUSES[1:6], "DEPROVISIONED", "skip"]
            answer = Prompt.ask(f"What status is {word or '(blank)'!r}?", choices=choices)
            made.statuses[word] = None if answer == "skip" else answer


def _source_lines(
    path: str,
    options: dict[str, object],
    warnings: tuple[str, ...],
    age: timedelta,
    made: Proposal,
) -> list[str]:
    folder, slash, file = path.rpartition("/")
    lines = [
        "source:",
        "  kind: csv",
        f"  accounts: {flow(folder + slash + _DATE.sub('*', file))}",
    ]
    if any("Windows-1252" in warning for warning in warnings):
        lines.append("  encoding: windows-1252    # it is not UTF-8; is this right?")
    lines += [f"  {key}: {flow(value)}" for key, value in options.items()]
    if age > timedelta(hours=36):
        lines.append(
            "  max_age: null    # this export is old; leave this line out for a nightly one"
        )
    if made.secrets:
        lines.append(f"# Left out, called like secrets: {', '.join(map(flow, made.secrets))}")
    return lines

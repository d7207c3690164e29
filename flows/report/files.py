"""Pages as files: 0600, whole or not at all, each complete in itself."""

import os
import re
import secrets
from dataclasses import replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.report.hashes import Names
from flows.report.run_page import RunPage, to_run_page
from flows.report.sources_page import SourcesPage, to_sources_page
from flows.run.context import RunContext
from flows.run.summary import time_text
from schemas.errors import ConfigError, raise_as
from schemas.run import Run

FOLDER = "reports"
"""Where pages lie in the state folder."""

INDEX = "index.html"
_PAGE = re.compile(r".+-(\d{8}T\d{6}Z)-\w+(?:-ids)?\.html")
"""A page of a run, with the time in its id."""

_TEMPLATES = Path(__file__).parent / "templates"


def page_name(run: Run, *, has_ids: bool) -> str:
    """What the file of a run's page is called; one with ids in clear says so."""
    return f"{run.source}-{run.run_id}{'-ids' if has_ids else ''}.html"


def to_html(page: RunPage | SourcesPage, index: str = "") -> str:
    """The page as one HTML document that loads nothing; `index` is the file that leads back."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["n"] = lambda number: f"{number:,}"
    environment.filters["time"] = time_text
    name = "run.html" if isinstance(page, RunPage) else "sources.html"
    html = environment.get_template(name).render(page=page, index=index)
    # A letter that is not printed may turn a line around, or hide a part of it.
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "\ufffd", html)


def write_run_page(run: Run, context: RunContext, names: Names, out: Path | None) -> Path:
    """Writes the run's page; where it lies.

    Raises:
        ConfigError: it cannot be written there.
        StateError: the ledger cannot be read.
    """
    path = out or _folder(context) / page_name(run, has_ids=names.has_ids)
    _write(path, to_html(to_run_page(run, context, names)))
    return path


def write_sources_page(
    context: RunContext, names: Names, out: Path | None
) -> tuple[Path, SourcesPage]:
    """Writes the index, and beside it the page of each run that it leads to; where it lies.

    Raises:
        ConfigError: a page cannot be written there.
        StateError: the ledger cannot be read.
    """
    path = out or _folder(context) / INDEX
    page = to_sources_page(context)
    runs = [run for line in page.lines for run in line.pages]
    links = {run.run_id: page_name(run, has_ids=names.has_ids) for run in runs}
    for run in runs:
        html = to_html(to_run_page(run, context, names), path.name)
        _write(path.parent / links[run.run_id], html)
    page = replace(page, links=links, has_ids=names.has_ids)
    _write(path, to_html(page))
    return path, page


def _folder(context: RunContext) -> Path:
    """The folder of pages, 0700, without those of runs that the archive keeps no more.

    Raises:
        ConfigError: it cannot be made.
    """
    folder = context.settings.state / FOLDER
    oldest = f"{context.now() - context.settings.retention:%Y%m%dT%H%M%SZ}"

    def make() -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        for path in folder.iterdir():
            began = _PAGE.fullmatch(path.name)
            if began is not None and began[1] < oldest:
                path.unlink(missing_ok=True)

    raise_as(
        make, {OSError: lambda error: ConfigError(f"{folder}: cannot be used: {error.strerror}")}
    )
    return folder


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")

    def write() -> None:
        try:
            handle = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    raise_as(
        write,
        {OSError: lambda error: ConfigError(f"{path}: cannot be written: {error.strerror}")},
    )

"""The command `report`: a run as a page of its own, or an index over all sources."""

import webbrowser
from dataclasses import dataclass
from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.report.files import write_run_page, write_sources_page
from flows.report.hashes import Names, sharing_key
from flows.report.sources_page import SourceLine, SourcesPage
from flows.run.context import RunContext, open_context
from flows.run.decisions import named_run
from flows.run.settings import read_settings
from flows.run.workspace import source_paths
from schemas.run import Run


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a page is written: with ids in clear, to which file, and whether a browser shows it."""

    has_ids: bool = False
    out: Path | None = None
    is_opened: bool = False


def report_command(
    workspace: Path, run: str | None, options: ReportOptions, *, as_json: bool
) -> int:
    """Writes the page of the run, or the index where None is named, and prints its path; 0.

    Raises:
        ConfigError: the workspace is none, there is no such run, or the file cannot be written.
        StateError: the ledger cannot be read.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    source_paths(settings.workspace)
    with open_context(settings, with_lumos=False) as context:
        names = Names(sharing_key(settings.state), options.has_ids)
        if run is None:
            path, page = write_sources_page(context, names, options.out)
            output.document({"report": str(path.absolute()), "sources": _documents(page, path)})
        else:
            meant = _meant(run, context)
            path = write_run_page(meant, context, names, options.out)
            output.document(
                {
                    "report": str(path.absolute()),
                    "run_id": meant.run_id,
                    "source": meant.source,
                    "state": meant.state,
                    "has_ids": options.has_ids,
                }
            )
    output.line(str(path.absolute()))
    if options.is_opened and not webbrowser.open(path.absolute().as_uri()):
        output.note("lumos-ingest: no browser could be started here: open that file in one")
    return 0


def _meant(text: str, context: RunContext) -> Run:
    """The run that is named; of a source's name, its newest."""
    if text in {path.stem for path in source_paths(context.settings.workspace)}:
        newest = context.ledger.runs(text, 1)
        if newest:
            return newest[0]
    return named_run(context.ledger, text)


def _documents(page: SourcesPage, path: Path) -> list[dict[str, object]]:
    return [_document(line, page, path) for line in page.lines]


def _document(line: SourceLine, page: SourcesPage, path: Path) -> dict[str, object]:
    return {
        "source": line.name,
        "state": line.state,
        "text": line.sentence,
        "accepted_run_id": line.accepted.run_id if line.accepted else None,
        "accepted_at": line.accepted.started_at.isoformat() if line.accepted else None,
        "due_at": line.due_at.isoformat() if line.due_at else None,
        "reports": {
            run.run_id: str((path.parent / page.links[run.run_id]).absolute()) for run in line.pages
        },
    }

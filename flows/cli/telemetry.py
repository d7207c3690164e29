"""What machines are told of a command: the form of its log, its traces, and metrics at its end."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flows.cli.lines.logs import SETTING as LOG_FORMAT
from flows.cli.lines.logs import LogFormat
from flows.cli.output import tell_error
from flows.cli.usage import workspace_in
from schemas.errors import ConfigError, IngestError

if TYPE_CHECKING:
    from flows.run.context import RunContext

METRICS_FILE = "LUMOS_INGEST_METRICS_FILE"

_FORMATS = ("text", "json")
_TRACED = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_RUNS = frozenset({"sync", "activity", "backfill", "serve"})
_NO_LEDGER = frozenset({"init", "new", "demo", "sandbox", "schema"})


@contextmanager
def observed(words: list[str]) -> Iterator[None]:
    """The block that carries out the words; nothing that is not asked for is loaded.

    Raises:
        ConfigError: what is asked for cannot be.
    """
    command, workspace = (words[0] if words else ""), workspace_in(words)
    LogFormat.is_json = False
    LogFormat.is_json = _log_format(workspace) == "json"
    with ExitStack() as stack:
        if command in _RUNS and any(os.environ.get(name) for name in _TRACED):
            from flows.monitoring.traces import is_asked, traced_process

            if is_asked(os.environ):
                stack.enter_context(traced_process(os.environ))
        try:
            yield
        finally:
            if command not in _NO_LEDGER and setting(METRICS_FILE, workspace):
                _open_and_write(workspace)


def setting(name: str, workspace: Path) -> str | None:
    """The setting, from the environment or the workspace's `.env`; None where it cannot be read.

    A file that does not name it is not parsed: that takes longer than some commands.
    """
    if name in os.environ:
        return os.environ[name]
    try:
        is_named = name.encode() in (workspace / ".env").read_bytes()
    except OSError:
        return None
    if not is_named:
        return None
    from flows.run.settings import environment_of

    try:
        return environment_of(workspace, os.environ).get(name)
    except ConfigError:
        return None  # the command says so


def _log_format(workspace: Path) -> str:
    written = (setting(LOG_FORMAT, workspace) or _FORMATS[0]).strip().lower()
    if written not in _FORMATS:
        raise ConfigError(f"{LOG_FORMAT}: should be text or json")
    return written


def _open_and_write(workspace: Path) -> None:
    from flows.run.context import open_context
    from flows.run.settings import read_settings

    try:
        settings = read_settings(workspace)
        if settings.state.is_dir():
            with open_context(settings, with_lumos=False) as context:
                write_metrics_file(context)
    except IngestError:
        return  # the command has said so


def write_metrics_file(context: "RunContext") -> None:
    """Writes the metrics where the setting says; where that fails, a line says so, and no more."""
    file = setting(METRICS_FILE, context.settings.workspace)
    if not file:
        return
    from flows.monitoring.exposition import write_metrics

    try:
        write_metrics(context.settings.workspace / Path(file).expanduser(), context)
    except IngestError as error:
        tell_error(f"the metrics were not written: {error}")

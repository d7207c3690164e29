"""Lines on stderr: as text for people or, by a setting, as JSON for whatever collects logs.

The fields are those of the Elastic Common Schema, without what could quote a row (ecs-logging
2.3 writes every traceback).
"""

import json
import logging
import sys
from datetime import UTC, datetime

from flows.cli.lines.layout import wrapped

OURS = ("extractors", "transforms", "loaders", "flows", "sandbox")
SETTING = "LUMOS_INGEST_LOG_FORMAT"
PROGRAM = "lumos-ingest"

_ECS_VERSION = "8.11"


class LogFormat:
    """Whether the lines are JSON; one for the process, as its stderr is one."""

    is_json = False


def to_json_line(level: str, logger: str, text: str, moment: datetime) -> str:
    """One line of JSON."""
    return json.dumps(
        {
            "@timestamp": moment.astimezone(UTC).isoformat(timespec="milliseconds"),
            "log.level": level,
            "message": text,
            "ecs.version": _ECS_VERSION,
            "log.logger": logger,
            "service.name": PROGRAM,
        },
        ensure_ascii=True,
    )


def tell(text: str, level: str = "info", *, width: int | None = None) -> None:
    """Writes one line on stderr; at a terminal of that width, no word of it is broken."""
    if LogFormat.is_json:
        lines = [to_json_line(level, PROGRAM, text, datetime.now(UTC))]
    else:
        lines = wrapped(text, width)
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.stderr.flush()


class _Json(logging.Formatter):
    """A log record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Without a traceback, which can quote a row."""
        moment = datetime.fromtimestamp(record.created, UTC)
        level = record.levelname.lower()
        return to_json_line(level, record.name, record.getMessage(), moment)


def log_to_stderr(*, verbose: bool) -> None:
    """Our own loggers' lines on stderr: one a stage where nobody watches a bar; warnings always."""
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(levelname)s %(message)s")
    handler.setFormatter(_Json() if LogFormat.is_json else plain)
    # Not the loggers' own level: a Prefect server gets every line, whoever watches here.
    handler.setLevel(logging.WARNING if sys.stderr.isatty() and not verbose else logging.INFO)
    for name in OURS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False

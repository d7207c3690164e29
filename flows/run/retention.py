"""What the archive no longer needs, removed at the end of a run."""

import logging
from datetime import timedelta

from flows.run.context import RunContext
from schemas.errors import StateError
from schemas.source_file.file import Source

_log = logging.getLogger(__name__)


GIVE_UP_AFTER = timedelta(days=1)


def prune(source: Source, context: RunContext) -> None:
    """Lets the archive forget what no later run needs and is older than the retention."""
    try:
        keep = context.ledger.needed_runs(source.name)
        context.archive.forget(source.name, keep, context.now() - context.settings.retention)
    except StateError as error:
        _log.warning("%s: the archive was not pruned: %s", source.name, error)

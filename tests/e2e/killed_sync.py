"""A sync that kills its own process, SIGKILL, at a point named on the command line.

`python killed_sync.py WORKSPACE POINT`: POINT is `stage:NAME` (when a stage is announced), or
`before:STATE` / `after:STATE` (around the ledger's writing of a run's state), or `never`.
"""

import os
import signal
import sys
from pathlib import Path

from flows.run.context import open_context
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources
from flows.sync.order import sync_source
from loaders.ledger.ledger import Ledger


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(workspace: Path, point: str) -> None:
    when, _, what = point.partition(":")

    def announced(stage: str, _done: int, _total: int) -> None:
        if when == "stage" and stage.startswith(what):
            die()

    write = Ledger.update_run

    def watched(self, run_id, **changes):
        if when == "before" and changes.get("state") == what:
            die()
        run = write(self, run_id, **changes)
        if when == "after" and changes.get("state") == what:
            die()
        return run

    Ledger.update_run = watched
    settings = read_settings(workspace)
    [source] = choose_sources(settings.workspace, ["hr"], every=False)
    with open_context(settings, progress=announced) as context:
        sync_source(source, context)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

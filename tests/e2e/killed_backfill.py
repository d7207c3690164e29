"""A backfill that kills its own process, SIGKILL, at its N-th transaction.

`python killed_backfill.py WORKSPACE N SINCE UNTIL`.
"""

import os
import signal
import sys
from pathlib import Path

from flows.activity.backfill import send_windows, to_spans
from flows.run.context import open_context, utc_now
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources
from loaders.ledger.ledger import Ledger


def main(workspace: Path, point: int, since: str, until: str) -> None:
    left = point
    write = Ledger.in_transaction

    def watched(self, work):
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return write(self, work)

    Ledger.in_transaction = watched
    settings = read_settings(workspace)
    [source] = choose_sources(settings.workspace, ["hr"], every=False)
    with open_context(settings) as context:
        for _ in send_windows(source, to_spans(source, since, until, "1d", utc_now()), context):
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])

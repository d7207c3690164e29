"""The command `lumos-ingest`, and `python -m lumos_ingest`."""

import json
import sys

from lumos_ingest.rooms import check_rooms

WRONG_USAGE = 2
INTERRUPTED = 130


def main() -> None:
    """Runs what was typed, once the packages that Python finds are known to be our own."""
    problem = None
    try:
        check_rooms()
    except ImportError as error:
        problem = str(error)
    if problem is not None:
        sys.stderr.write(f"lumos-ingest: {problem}\n")
        if "--json" in sys.argv:
            document = {"error": problem, "exit_code": WRONG_USAGE}
            sys.stdout.write(json.dumps(document, indent=2) + "\n")
        sys.exit(WRONG_USAGE)
    try:
        from flows.cli.main import main as run
    except KeyboardInterrupt:  # before any command could begin
        sys.exit(INTERRUPTED)

    run()

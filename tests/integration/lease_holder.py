"""Takes a lease and holds it until its input ends: a process of its own for the tests of leases."""

import sys
from datetime import UTC, datetime

from loaders.ledger.leases import app_lease
from loaders.ledger.ledger import open_ledger
from schemas.errors import BusyError

with open_ledger(sys.argv[1]) as ledger:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        with app_lease(ledger, "app", now=lambda: datetime.now(UTC)):
            sys.stdout.write("held\n")
            sys.stdout.flush()
            sys.stdin.readline()
    except BusyError:
        sys.stdout.write("busy\n")

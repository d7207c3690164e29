"""The line `csv`: accounts of a CSV to upload bodies, beside a floor that checks nothing."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contestant import in_turns
from benchmarks.exports.accounts_csv import write_accounts
from benchmarks.exports.csv_to_bodies import contestants
from benchmarks.line import Outcome, Size

SIZES = ((1_000_000, 1.2, 900), (4_000_000, 1.25, 2_400))
"""Accounts, the most in times of the floor, the most MiB."""


def measure(size: Size) -> Iterator[Outcome]:
    """Ours beside the floor, and beside peers where there are any."""
    for count, most, most_mib in SIZES if size.is_full else [(200_000, 1.2, 900)]:
        with TemporaryDirectory(prefix="lumos-ingest-bench-") as name:
            folder = Path(name)
            write_accounts(folder / "accounts.csv", count, night=0)
            prepare = [sys.executable, "-m", "benchmarks.exports.ours", name, "prepare"]
            subprocess.run(prepare, check=True)
            write_accounts(folder / "accounts.csv", count, night=1)
            floor, ours, *peers = contestants(folder, size.peers)
            in_turns([floor, ours, *peers], size.rounds, folder / "out")
        what = f"CSV, {count:,} accounts with five entitlements each, to bodies"
        yield Outcome(what, ours, floor, most, by="wall", most_mib=most_mib)
        for peer in peers:
            yield Outcome(what, ours, peer, 1.0, by="wall")

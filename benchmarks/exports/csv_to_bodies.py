"""From a CSV of accounts to upload bodies on disk, beside a floor that checks nothing, and peers.

`python -m benchmarks.exports.csv_to_bodies [--accounts N] [--rounds R] [--peers PYTHON]`: PYTHON is
the interpreter of an environment with `dlt` and `sling-linux-amd64`. Each command is a process of
its own, in turns, and writes into an empty folder; figures are medians of wall seconds and the
largest peak of resident memory.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.contestant import Contestant, in_turns
from benchmarks.exports.accounts_csv import write_accounts


def contestants(folder: Path, peers: str | None) -> list[Contestant]:
    """The floor, ours, and the peers where there are any."""
    csv, out = str(folder / "accounts.csv"), folder / "out"
    found = [
        Contestant(
            "floor", [sys.executable, "-m", "benchmarks.exports.floor", csv, f"{out}/floor.json"]
        ),
        Contestant("ours", [sys.executable, "-m", "benchmarks.exports.ours", str(folder)]),
    ]
    if peers:
        home = subprocess.run(
            [peers, "-c", "import sling_linux_amd64 as s; print(s.__path__[0])"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        sling = Path(home) / "bin" / "sling-linux-amd64"
        sling.chmod(0o755)
        target = f"file://{out}/sling.jsonl"
        words = [str(sling), "run", "--src-stream", f"file://{csv}", "--tgt-object", target]
        quiet = {"SLING_DISABLE_TELEMETRY": "TRUE", "SLING_HOME_DIR": f"{folder}/sling"}
        script = str(Path(__file__).with_name("peer_dlt.py"))
        plain = {"RUNTIME__DLTHUB_TELEMETRY": "false"}
        found.append(Contestant("Sling", words, quiet))
        found.append(Contestant("dlt", [peers, script, csv, f"{out}/dlt"], plain))
    return found


def main() -> None:
    """Makes the data, runs the rounds, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", help="the interpreter of an environment with dlt and Sling")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="lumos-ingest-bench-") as name:
        folder = Path(name)
        write_accounts(folder / "accounts.csv", asked.accounts, night=0)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.exports.ours", name, "prepare"], check=True
        )
        write_accounts(folder / "accounts.csv", asked.accounts, night=1)
        size = (folder / "accounts.csv").stat().st_size / 1e6
        print(f"{asked.accounts} accounts, {size:.0f} MB of CSV, {os.cpu_count()} cores")
        running = contestants(folder, asked.peers)
        in_turns(running, asked.rounds, folder / "out")
    floor, ours = running[0].wall_s, running[1].wall_s
    print(f"{'':8}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}{'x floor':>9}{'x ours':>8}")
    for one in running:
        wall, cpu, peak = one.wall_s, one.cpu_s, one.peak_mib
        print(f"{one.name:8}{wall:8.1f}{cpu:8.1f}{peak:10.0f}{wall / floor:9.2f}{wall / ours:8.2f}")


if __name__ == "__main__":
    main()

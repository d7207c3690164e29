"""Every line of the table of speed and memory, in one go.

`python -m benchmarks.all [LINE ...] [--full] [--rounds R] [--before PYTHON] [--peers PYTHON]`:
small sizes, in under five minutes; `--full` takes the sizes of the targets. PYTHON is the
interpreter of an environment: with an earlier build of this program, to be compared with in turns;
or with the peers. Trust the ratios, which are of one run; seconds and memory move with the machine
and with the size.
"""

import argparse
import os
import sys
import time

from benchmarks.exports import lines as exports
from benchmarks.line import Measure, Outcome, Size
from benchmarks.logs import lines as logs
from benchmarks.lumos import read_back, start_up, whole_sync

LINES: dict[str, Measure] = {
    "csv": exports.measure,
    "read-back": read_back.measure,
    "sync": whole_sync.measure,
    "activity": logs.measure,
    "start": start_up.measure,
}

_HEAD = ("", "wall s", "CPU s", "MiB", "beside", "wall s", "CPU s", "ratio", "at most", "")


def main() -> None:
    """Measures the lines that are asked for, and prints the table as it grows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", nargs="*", metavar="LINE", help=f"of {', '.join(LINES)}; or all")
    parser.add_argument("--full", action="store_true", help="the sizes of the targets")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--before", metavar="PYTHON", help="of an earlier build")
    parser.add_argument("--peers", metavar="PYTHON", help="of an environment with the peers")
    asked = parser.parse_args()
    unknown = set(asked.lines) - set(LINES)
    if unknown:
        parser.error(f"no line {min(unknown)!r}: there are {', '.join(LINES)}")
    size = Size(asked.full, asked.rounds, asked.before, asked.peers)
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, rounds: {asked.rounds}")
    print(_markdown(_HEAD))
    print(_markdown(["---", *["---:"] * 3, "---", *["---:"] * 4, "---"]))
    for name in asked.lines or LINES:
        began = time.perf_counter()
        try:
            for outcome in LINES[name](size):
                print(_markdown(_cells(outcome, size)), flush=True)
        except OSError as missing:
            print(_markdown([f"{name}: not measured: {missing}", *[""] * 9]), flush=True)
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)


def _markdown(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(outcome: Outcome, size: Size) -> list[str]:
    ours, beside, ratio = outcome.ours, outcome.beside, outcome.ratio
    bounds = [
        f"{outcome.most:g} x ({outcome.by})" if outcome.most else "",
        f"{outcome.most_s:g} s" if outcome.most_s else "",
        f"{outcome.most_mib:,.0f} MiB" if outcome.most_mib and size.is_full else "",
    ]
    return [
        outcome.what,
        f"{ours.wall_s:.2f}",
        f"{ours.cpu_s:.2f}",
        f"{ours.peak_mib:,.0f}",
        beside.name if beside else "",
        f"{beside.wall_s:.2f}" if beside else "",
        f"{beside.cpu_s:.2f}" if beside else "",
        f"{ratio:.2f}" if ratio else "",
        ", ".join(filter(None, bounds)),
        _verdict(outcome, size),
    ]


def _verdict(outcome: Outcome, size: Size) -> str:
    """What is missed; memory and seconds have bounds for full sizes and idle machines alone."""
    ratio, ours = outcome.ratio, outcome.ours
    missed = [
        "ratio" if outcome.most and ratio and ratio > outcome.most else "",
        "seconds" if outcome.most_s and ours.wall_s > outcome.most_s else "",
        "memory" if size.is_full and outcome.most_mib and ours.peak_mib > outcome.most_mib else "",
    ]
    return " and ".join(filter(None, missed)) + " missed" if any(missed) else "met"


if __name__ == "__main__":
    main()

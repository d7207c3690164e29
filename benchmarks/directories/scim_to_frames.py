"""From a SCIM service into raw tables, beside a loop of httpx that asks page after page.

`python -m benchmarks.directories.scim_to_frames [--users N] [--groups G] [--rounds R]`: the service
is its own, on loopback, and answers in 20 ms, 100 resources a page. Each read is a process of its
own, in turns; figures are medians of the seconds from before the first request to the last table
and of CPU seconds in between, imports apart, and the largest peak of resident memory. The loop
keeps what it read as lists of the values that ours has columns of, and checks nothing.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

WAYS = ("loop", "ours")


def loop(url: str) -> int:
    """Reads page after page."""
    import httpx

    rows: list[tuple[object, ...]] = []
    members: list[tuple[str, str]] = []
    with httpx.Client() as client:
        for path in ("/Users", "/Groups"):
            start, total = 1, 1
            while start <= total:
                answer = client.get(f"{url}{path}", params={"startIndex": start, "count": 100})
                document = answer.json()
                total = document["totalResults"]
                start += len(document["Resources"])
                for one in document["Resources"]:
                    if path == "/Groups":
                        members += [(one["id"], member["value"]) for member in one["members"]]
                        continue
                    name, mail = one["name"], one["emails"][0]["value"]
                    names = (name["givenName"], name["familyName"], one["userName"])
                    rows.append((one["id"], mail, *names, one["active"], one["roles"][0]["value"]))
    return len(rows) + len(members)


def ours(url: str) -> int:
    """Reads as a run does."""
    from datetime import UTC, datetime

    from extractors.read import read_source
    from schemas.source_file.kinds.scim_source import ScimSource

    source = ScimSource.model_validate({"kind": "scim", "url": url})
    raw = read_source(source, Path(), now=datetime.now(UTC))
    # Who is in which group, and a role for each user: as many as the loop has users and members.
    return raw.associations.rows.height if raw.associations is not None else 0


def measured(way: str, url: str) -> None:
    """One read in this process: prints its seconds and what it counted."""
    import httpx  # noqa: F401 - loaded before the clock starts
    import polars  # noqa: F401 - loaded before the clock starts

    import extractors.read
    import extractors.scim.source  # noqa: F401 - loaded before the clock starts

    begun, cpu = time.perf_counter(), time.process_time()
    count = {"loop": loop, "ours": ours}[way](url)
    print(time.perf_counter() - begun, time.process_time() - cpu, count)


def one_round(way: str, url: str) -> tuple[float, float, float, int]:
    """Wall and CPU seconds, peak MiB and what was counted, of a process of its own."""
    words = [
        sys.executable,
        "-m",
        "benchmarks.directories.scim_to_frames",
        "--way",
        way,
        "--url",
        url,
    ]
    child = subprocess.Popen(words, stdout=subprocess.PIPE)
    said = child.stdout.read().decode() if child.stdout else ""
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{way} failed")
    wall, cpu, count = said.split()
    return float(wall), float(cpu), used.ru_maxrss / 1024, int(count)


def main() -> None:
    """Measures both and prints a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--url")
    options = parser.parse_args()
    if options.way:
        measured(options.way, options.url)
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "benchmarks.directories.scim_service", str(port)]
    service = subprocess.Popen([*words, str(options.users), str(options.groups)])
    try:
        _wait(port)
        url = f"http://127.0.0.1:{port}"
        rounds = [(way, one_round(way, url)) for _ in range(options.rounds) for way in WAYS]
    finally:
        service.terminate()
        service.wait()
    walls = {way: statistics.median(r[0] for name, r in rounds if name == way) for way in WAYS}
    print("| | wall s | CPU s | peak MiB | x the loop |\n| --- | ---: | ---: | ---: | ---: |")
    for way in WAYS:
        mine = [figures for name, figures in rounds if name == way]
        cpu, peak = statistics.median(r[1] for r in mine), max(r[2] for r in mine)
        ratio = walls[way] / walls["loop"]
        print(f"| {way} | {walls[way]:.2f} | {cpu:.2f} | {peak:.0f} | {ratio:.2f} |")
    if len({figures[3] for _, figures in rounds}) > 1:
        raise SystemExit("the two did not read the same")


def _wait(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the service did not start")


if __name__ == "__main__":
    main()

"""From a directory into a frame of text: 50,000 entries of 12 attributes, beside ldap3 alone.

`python -m benchmarks.directories.ldap_to_frame [--users N] [--rounds R] [--peers PYTHON]`: PYTHON
is the interpreter of an environment with `python-ldap` and `polars`. The directory is an OpenLDAP
of its own on loopback. Each read is a process of its own, in turns; figures are medians of the
seconds from before the bind to the whole frame, imports apart, and the largest peak of resident
memory.
"""

import argparse
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.directory_tree import Tree
from tests.openldap_server import OpenLdap, running_openldap

ATTRIBUTES = (
    "uid",
    "cn",
    "sn",
    "givenName",
    "mail",
    "employeeNumber",
    "employeeType",
    "departmentNumber",
    "title",
    "telephoneNumber",
    "uidNumber",
    "manager",
)


@dataclass
class Reader:
    """A way to read, and what its rounds took: wall and CPU seconds, peak MiB, the frames."""

    name: str
    words: list[str]
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    frames: set[str] = field(default_factory=set)

    def run(self) -> None:
        """One round."""
        child = subprocess.Popen(self.words, stdout=subprocess.PIPE)
        said = child.stdout.read().decode() if child.stdout else ""
        _, status, used = os.wait4(child.pid, 0)
        if status:
            raise SystemExit(f"{self.name} failed")
        wall, cpu, frame = said.split()
        self.walls.append(float(wall))
        self.cpus.append(float(cpu))
        self.peaks.append(used.ru_maxrss / 1024)
        self.frames.add(frame)


def readers(server: OpenLdap, peers: str | None) -> list[Reader]:
    """Ours, ldap3 alone, and python-ldap where there is one."""
    asked = [
        f"ldap://{server.host}:{server.port}",
        server.people,
        *server.reader,
        "; ",
        *ATTRIBUTES,
    ]
    script = str(Path(__file__).with_name("ldap_peers.py"))
    found = [
        Reader("ours", [sys.executable, "-m", "benchmarks.directories.ldap_ours", *asked]),
        Reader("ldap3", [sys.executable, "-W", "ignore", script, "ldap3", *asked]),
    ]
    if peers:
        found.append(Reader("python-ldap", [peers, script, "python-ldap", *asked]))
    return found


def main() -> None:
    """Fills the directory, runs the rounds, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", help="the interpreter of an environment with python-ldap")
    asked = parser.parse_args()
    tree = Tree(asked.users, teams_count=300)
    with (
        TemporaryDirectory(prefix="lumos-ingest-bench-") as name,
        running_openldap(Path(name), tree) as server,
    ):
        running = readers(server, asked.peers)
        for _ in range(asked.rounds):
            for one in running:
                one.run()
    if len({frame for one in running for frame in one.frames}) > 1:
        raise SystemExit("the frames are not the same")
    print(f"{asked.users} users, {len(ATTRIBUTES)} attributes, {os.cpu_count()} cores")
    print(f"{'':12}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}{'x ours':>8}")
    ours = statistics.median(running[0].walls)
    for one in running:
        wall, cpu = statistics.median(one.walls), statistics.median(one.cpus)
        print(f"{one.name:12}{wall:8.2f}{cpu:8.2f}{max(one.peaks):10.0f}{wall / ours:8.2f}")


if __name__ == "__main__":
    main()

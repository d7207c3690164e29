"""From a private OpenLDAP to upload bodies on disk: 20,000 people in 300 groups, 43,750 times.

`python -m benchmarks.directories.directory_to_bodies [--users N] [--rounds R]`. Each round is a
process of its own, imports included; figures are the median of wall and CPU seconds and the largest
peak of resident memory. The server's programs must be there (Debian: slapd).
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.directory_tree import Tree, group_dn, user_dn
from tests.openldap_server import running_openldap

_MORE = 3_370
"""Members of one more group, so that groups and memberships are as many as said above."""

_SOURCE = """
app: {{name: Directory}}
source:
  kind: ldap
  host: {host}
  port: {port}
  protocol: starttls
  ca_file: {ca_file}
  base_dn: {base}
  username: {username}
  password: {{env: LDAP_PASSWORD}}
  users: {{base: "{people}"}}
  groups: {{base: "{groups}", filter: "(&(cn=*)(!(objectClass=posixGroup)))"}}
attributes: {{Title: title, Department: departmentNumber, Type: employeeType}}
"""


def main() -> None:
    """Fills a server, runs the rounds, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    tree = Tree(users_count=asked.users, teams_count=290)
    members = "".join(f"member: {user_dn(number)}\n" for number in range(_MORE))
    more = f"dn: {group_dn('more')}\nobjectClass: groupOfNames\ncn: more\n{members}\n"
    with (
        TemporaryDirectory() as name,
        running_openldap(Path(name), tree, more_ldif=more) as server,
    ):
        folder = Path(name)
        dn, password = server.reader
        text = _SOURCE.format(
            host=server.host,
            port=server.port,
            ca_file=server.authority.file,
            base=server.base,
            username=dn,
            people=server.people,
            groups=server.groups,
        )
        (folder / "source.yaml").write_text(text)
        words = [sys.executable, "-m", "benchmarks.directories.directory_ours", name, password]
        rounds = [_round(words) for _ in range(asked.rounds)]
        subprocess.run(words, check=True)
    walls, cpus, peaks = zip(*rounds, strict=True)
    wall, cpu = statistics.median(walls), statistics.median(cpus)
    print(f"{wall:.1f} s wall, {cpu:.1f} s CPU, {max(peaks):.0f} MiB at most")


def _round(words: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and the peak of resident memory in MiB of one process."""
    began = time.perf_counter()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit("the round failed")
    wall = time.perf_counter() - began
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()

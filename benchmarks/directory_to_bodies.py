"""From a private OpenLDAP to upload bodies on disk: 20,000 people, 300 groups, who is in which.

`python -m benchmarks.directory_to_bodies [--users N] [--rounds R]`. Each round is a process of its
own, imports included; figures are the median of wall and CPU seconds and the largest peak of
resident memory. The server's programs must be there (Debian: slapd).
"""

import argparse
import statistics
import sys
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from benchmarks.csv_to_bodies import Contestant

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
attributes: {{Title: title, Department: departmentNumber, Type: employeeType}}
"""


def read_to_bodies(folder: Path, password: str) -> str:
    """What was read and written, for a person."""
    from extractors.read import read_source
    from loaders.bodies import write_body
    from schemas.snapshot import empty_snapshot
    from schemas.source_file import to_source
    from transforms.guards import check_guards
    from transforms.plan import to_plan
    from transforms.snapshot import to_snapshot
    from transforms.upload_body import TAIL, to_body_parts, to_head

    now = datetime.now(UTC)
    file = to_source((folder / "source.yaml").read_text(), "benchmark", "benchmark.yaml").file
    raw = read_source(
        file.source, folder, now=now, resolve=lambda _: SecretStr(password), named=file.named
    )
    normalized = to_snapshot(raw, file, empty_snapshot(), now)
    snapshot = normalized.snapshot
    check_guards(to_plan(snapshot, None), normalized.counts, file.guards)
    body = folder / "bodies.json"
    body.unlink(missing_ok=True)
    write_body(body, chain([to_head("benchmark")], to_body_parts(snapshot), [TAIL]))
    return (
        f"{snapshot.accounts.height:,} accounts, {snapshot.entitlements.height:,} groups, "
        f"{snapshot.held.height:,} memberships, {body.stat().st_size / 1e6:.1f} MB of bodies"
    )


def main() -> None:
    """Fills a server, runs the rounds, prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--password", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.folder:
        print(read_to_bodies(asked.folder, asked.password))
        return
    from tests.directory_tree import Tree
    from tests.openldap_server import running_openldap

    tree = Tree(users_count=asked.users, teams_count=290)
    with TemporaryDirectory() as name, running_openldap(Path(name), tree) as server:
        folder = Path(name)
        dn, password = server.reader
        text = _SOURCE.format(
            host=server.host,
            port=server.port,
            ca_file=server.authority.file,
            base=server.base,
            username=dn,
            people=server.people,
        )
        (folder / "source.yaml").write_text(text)
        words = [sys.executable, "-m", "benchmarks.directory_to_bodies", "--folder", name]
        ours = Contestant("ours", [*words, "--password", password])
        for _ in range(asked.rounds):
            ours.run()
        print(read_to_bodies(folder, password))
    wall, cpu = statistics.median(ours.walls), statistics.median(ours.cpus)
    print(f"{wall:.1f} s wall, {cpu:.1f} s CPU, {max(ours.peaks):.0f} MiB at most")


if __name__ == "__main__":
    main()

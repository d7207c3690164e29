"""A Kerberos realm of one's own, and a PostgreSQL that takes its tickets, as a pytest plugin."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

_CONFIG = """
[libdefaults]
  default_realm = TEST.EXAMPLE
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  TEST.EXAMPLE = {{
    kdc = 127.0.0.1:{port}
    database_module = TEST.EXAMPLE
    key_stash_file = {home}/stash
  }}
[kdcdefaults]
  kdc_listen = 127.0.0.1:{port}
  kdc_tcp_listen = 127.0.0.1:{port}
[dbmodules]
  TEST.EXAMPLE = {{
    db_library = db2
    database_name = {home}/principal
  }}
[logging]
  kdc = FILE:{home}/kdc.log
"""
_HBA = """
hostgssenc all lumos 127.0.0.1/32 gss include_realm=0
hostgssenc all all   127.0.0.1/32 reject
host  all other 127.0.0.1/32 gss include_realm=0
host  all trusted 127.0.0.1/32 trust
"""


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm and a server.

    `lumos` and `other`, whose passwords are their names, have tickets: `lumos` gets in encrypted
    by Kerberos alone, `other` is let in by a ticket on any connection, `trusted` without one.

    Attributes:
        port: the server's, on localhost.
        config: Kerberos's configuration.
    """

    port: int
    config: Path

    def environment(self, cache: Path) -> dict[str, str]:
        """The variables of a process whose tickets lie in `cache`."""
        return {**os.environ, "KRB5_CONFIG": str(self.config), "KRB5CCNAME": f"FILE:{cache}"}

    def get_ticket(self, user: str, cache: Path) -> None:
        """What `kinit` does."""
        subprocess.run(
            ["kinit", f"{user}@TEST.EXAMPLE"],
            env=self.environment(cache),
            input=f"{user}\n",
            text=True,
            check=True,
            capture_output=True,
        )


@pytest.fixture(scope="module")
def realm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Realm]:
    """A KDC, and a PostgreSQL whose principal is `postgres/localhost`."""
    from tests.postgresql_server import running_postgresql

    kdc = _programs()
    home = tmp_path_factory.mktemp("realm")
    port = _free_port()
    config, keytab = home / "krb5.conf", home / "server.keytab"
    config.write_text(_CONFIG.format(port=port, home=home))
    there = {**os.environ, "KRB5_CONFIG": str(config), "KRB5_KDC_PROFILE": str(config)}
    create = [kdc["kdb5_util"], "create", "-W", "-r", "TEST.EXAMPLE", "-s", "-P", "x"]
    subprocess.run(create, env=there, check=True, capture_output=True)
    for query in (
        "addprinc -pw lumos lumos",
        "addprinc -pw other other",
        "addprinc -randkey postgres/localhost",
        f"ktadd -k {keytab} postgres/localhost",
    ):
        asked = [kdc["kadmin.local"], "-r", "TEST.EXAMPLE", "-q", query]
        subprocess.run(asked, env=there, check=True, capture_output=True)
    run = ["setpriv", "--pdeathsig", "KILL", kdc["krb5kdc"], "-n", "-r", "TEST.EXAMPLE"]
    process = subprocess.Popen(run, env=there, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        _wait_until_up(port, process)
        options = {"krb_server_keyfile": "server.keytab"}
        with running_postgresql(options, hba=_HBA, files=(keytab,)) as server:
            with psycopg.connect(server.inside, autocommit=True) as connection:
                for role in ("lumos", "other", "trusted"):
                    connection.execute(f"CREATE ROLE {role} LOGIN")
            yield Realm(server.port, config)
    finally:
        process.terminate()
        process.wait()


def _programs() -> dict[str, str]:
    debian = {
        "krb5kdc": "krb5-kdc",
        "kdb5_util": "krb5-kdc",
        "kadmin.local": "krb5-admin-server",
        "kinit": "krb5-user",
    }
    path = f"{os.environ['PATH']}:/usr/sbin"
    found = {name: shutil.which(name, path=path) for name in debian}
    missing = [f"{name} (Debian: {debian[name]})" for name, where in found.items() if not where]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    return {name: where for name, where in found.items() if where}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_up(port: int, process: "subprocess.Popen[bytes]") -> None:
    ends_at = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the KDC did not start: exit code {process.poll()}")

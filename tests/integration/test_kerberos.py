"""A domain read with a Kerberos ticket, from the KDC of a real Active Directory (Samba)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.samba_ad_server import SambaAd

pytest_plugins = ["tests.samba_ad_server", "tests.kerberos_package"]
pytestmark = pytest.mark.xdist_group("kerberos")

_PROGRAM = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from extractors.read import read_source
from schemas.source_file.kinds.directory_source import ActiveDirectorySource
from schemas.errors import SourceError

host, ca_file, base = sys.argv[1:]
source = ActiveDirectorySource(
    kind="active_directory", host=host, ca_file=ca_file, base_dn=base, authentication="gssapi"
)
try:
    raw = read_source(source, Path(), now=datetime.now(UTC))
    print(raw.accounts.rows["username"].n_unique())
except SourceError as error:
    print(error)
"""
_CONFIG = """
[libdefaults]
  default_realm = CORP.EXAMPLE
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
[realms]
  CORP.EXAMPLE = {{
    kdc = {host}
  }}
"""


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SambaAd, Path]]:
    """A domain controller with a KDC, known by its address, and Kerberos's configuration."""
    from tests.samba_ad_server import running_samba_ad

    home = tmp_path_factory.mktemp("kdc")
    with running_samba_ad(home, 50, services="ldap, cldap, kdc") as server:
        name = ["samba-tool", "spn", "add", f"ldap/{server.host}", "DC1$", "-s"]
        subprocess.run([*name, home / "etc" / "smb.conf"], check=True, capture_output=True)
        config = home / "krb5.conf"
        config.write_text(_CONFIG.format(host=server.host))
        yield server, config


def read(
    domain: tuple[SambaAd, Path], package: Path, cache: Path
) -> subprocess.CompletedProcess[str]:
    server, config = domain
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, server.host, server.authority.file, server.base],
        env=kerberos(config, cache) | {"PYTHONPATH": f"{root}{os.pathsep}{package}"},
        capture_output=True,
        text=True,
        check=False,
    )


def kerberos(config: Path, cache: Path) -> dict[str, str]:
    return {**os.environ, "KRB5_CONFIG": str(config), "KRB5CCNAME": f"FILE:{cache}"}


def test_a_ticket_logs_in_to_a_domain(
    domain: tuple[SambaAd, Path], kerberos_folder: Path, tmp_path: Path
) -> None:
    server, config = domain
    user, password = server.reader
    subprocess.run(
        ["kinit", f"{user.partition('@')[0]}@CORP.EXAMPLE"],
        env=kerberos(config, tmp_path / "tickets"),
        input=f"{password}\n",
        check=True,
        capture_output=True,
        text=True,
    )

    ran = read(domain, kerberos_folder, tmp_path / "tickets")

    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) >= server.users_count


def test_no_ticket_is_one_line(
    domain: tuple[SambaAd, Path], kerberos_folder: Path, tmp_path: Path
) -> None:
    ran = read(domain, kerberos_folder, tmp_path / "none")

    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("\n") == 1
    assert "no Kerberos ticket for ldap/" in ran.stdout

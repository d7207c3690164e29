"""A private Active Directory (Samba) on a loopback address of its own, as a pytest plugin."""

import os
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import Authority, new_authority, new_certificate

_LONGEST_START_S = 120
_PYTHON = "/usr/bin/python3"  # the one that has samba's own modules
_CONFIG = """
[global]
  netbios name = DC1
  realm = CORP.EXAMPLE
  workgroup = CORP
  server role = active directory domain controller
  server services = {services}
  interfaces = {host}/8
  bind interfaces only = yes
  disable netbios = yes
  private dir = {home}/private
  lock directory = {home}
  state directory = {home}/state
  cache directory = {home}/cache
  pid directory = {home}/run
  ncalrpc dir = {home}/ncalrpc
  idmap_ldb:use rfc2307 = yes
  ldap server require strong auth = no
  tls keyfile = {key}
  tls certfile = {certificate}
  tls cafile = {authority}
"""


@dataclass(frozen=True, slots=True)
class SambaAd:
    """A running domain controller.

    Attributes:
        host: its address, for which its certificate is, and for `dc1.corp.example`. LDAP and
            StartTLS on 389, LDAPS on 636.
        users_count: the users `user00000` …, what each is follows from its number
            (`tests/samba_ad_tree.py`): one in 10 from 3 is disabled, one in 15 from 4 expired, one
            in 20 from 5 locked out, the password of one in 25 from 6 expired.
        authority: signed the server's certificate; `authority.file` is what to trust.
        other_authority: did not.
        base: the domain's DN; below it OU=People, OU=Groups, OU=Services.
        admin: who may do anything, and the password.
        reader: an ordinary account, and its password.
        process: the server itself.
    """

    host: str
    users_count: int
    authority: Authority
    other_authority: Authority
    process: subprocess.Popen[bytes]
    base: str = "DC=corp,DC=example"
    admin: tuple[str, str] = ("Administrator@corp.example", "Passw0rd-1")
    reader: tuple[str, str] = ("svc-reader@corp.example", "Passw0rd-2")


@pytest.fixture(scope="session")
def samba_ad_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SambaAd]:
    """A domain controller with 500 users."""
    with running_samba_ad(tmp_path_factory.mktemp("ad"), 500) as server:
        yield server


@contextmanager
def running_samba_ad(home: Path, users_count: int, services: str = "ldap") -> Iterator[SambaAd]:
    """A domain controller of one's own in `home`."""
    check_samba_programs()
    host = _free_address()
    authority, other = new_authority(home), new_authority(home, "other-ca")
    certificate = new_certificate(
        home, authority, "server", names=("dc1.corp.example",), addresses=(host,)
    )
    _provision(home, host)
    for folder in ("cache", "run", "ncalrpc"):
        (home / folder).mkdir(exist_ok=True)
    config = home / "etc" / "smb.conf"
    config.write_text(
        _CONFIG.format(
            host=host,
            home=home,
            services=services,
            key=certificate.key_file,
            certificate=certificate.file,
            authority=authority.file,
        )
    )
    _run(_PYTHON, Path(__file__).with_name("samba_ad_tree.py"), config, users_count)
    with (home / "log").open("wb") as log:
        # Ends by itself when its standard input closes: nothing is left of a killed run.
        run = ["setpriv", "--pdeathsig", "TERM", "samba", "-i", "-M", "single", "--debug-stdout"]
        process = subprocess.Popen(
            [*run, "-s", config],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        try:
            _wait_until_up(host, process)
            yield SambaAd(host, users_count, authority, other, process)
        finally:
            if process.stdin:
                process.stdin.close()
            process.terminate()
            process.wait()


def check_samba_programs() -> None:
    """Fails under CI, and skips elsewhere, where programs or rights are missing."""
    wanted = {"samba": "samba-ad-dc", "samba-tool": "samba-ad-provision", "setpriv": "util-linux"}
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
    missing = [
        f"{program} (Debian: {package})"
        for program, package in wanted.items()
        if not shutil.which(program, path=path)
    ]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    if os.geteuid():
        pytest.skip("a domain controller needs the ports 389 and 636: run as root")


def _provision(home: Path, host: str) -> None:
    _run(
        *("samba-tool", "domain", "provision", "--realm=CORP.EXAMPLE", "--domain=CORP"),
        *("--adminpass=Passw0rd-1", "--server-role=dc", "--dns-backend=NONE", "--use-rfc2307"),
        *(f"--targetdir={home}", "--host-name=dc1", f"--host-ip={host}"),
        *("--option=vfs objects=", f"--option=xattr_tdb:file = {home}/state/xattr.tdb"),
    )


def _run(*words: object) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words[0]}: {done.stderr.decode()[-2000:]}")


def _free_address() -> str:
    """An address of the loopback network where nobody listens for LDAP."""
    for _ in range(100):
        numbers = random.randint(64, 126), random.randint(1, 250), random.randint(1, 250)
        host = "127.{}.{}.{}".format(*numbers)
        try:
            with socket.create_server((host, 389)), socket.create_server((host, 636)):
                return host
        except OSError:
            continue
    raise RuntimeError("no address of the loopback network has its ports 389 and 636 free")


def _wait_until_up(host: str, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection((host, 636), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"samba did not start: exit code {process.poll()}")

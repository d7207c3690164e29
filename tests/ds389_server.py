"""A private 389 Directory Server on a free port of 127.0.0.1, as a pytest plugin.

Made from Debian's own template, without dscreate, which wants its folders in /etc and systemd.
"""

import base64
import getpass
import hashlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_LONGEST_START_S = 120
_SBIN = f"/usr/sbin:{os.environ.get('PATH', '')}"
_DATA = Path("/usr/share/dirsrv")
_SCHEMAS = (_DATA / "schema", Path("/etc/dirsrv/schema"))
_BACKEND = """
dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: userRoot
nsslapd-suffix: {base}
nsslapd-directory: {home}/db/userRoot

dn: cn="{base}",cn=mapping tree,cn=config
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: "{base}"
nsslapd-state: backend
nsslapd-backend: userRoot
"""
_ON = ("MemberOf Plugin", "referential integrity postoperation")


@dataclass(frozen=True, slots=True)
class Ds389:
    """A running server.

    Attributes:
        host: its address.
        port: for LDAP.
        base: the tree's root.
        admin: who may do anything, and the password.
        process: the server itself. Overlays memberOf and referential integrity are on; entries that
            were there at its start came by `ldif2db` and have no entryUUID.
    """

    host: str
    port: int
    base: str
    process: subprocess.Popen[bytes]
    admin: tuple[str, str] = ("cn=Directory Manager", "secret-secret")


@contextmanager
def running_ds389(home: Path, base: str, ldif: str) -> Iterator[Ds389]:
    """A server of one's own in `home`, with the entries of `ldif`."""
    _check_programs()
    port = _free_port()
    config = _made(home, base, port)
    export = home / "entries.ldif"
    export.write_text(ldif, "utf-8")
    _run("ns-slapd", "ldif2db", "-D", config, "-n", "userRoot", "-i", export)
    with (home / "log.txt").open("wb") as log:
        run = ["setpriv", "--pdeathsig", "KILL", _program("ns-slapd"), "-D", config]
        process = subprocess.Popen(
            [*run, "-i", home / "run" / "pid", "-d", "0"], stdout=log, stderr=log
        )
        try:
            _wait_until_up(port, process)
            yield Ds389("127.0.0.1", port, base, process)
        finally:
            process.terminate()
            process.wait()


def _made(home: Path, base: str, port: int) -> Path:
    """Writes the server's configuration, and returns its folder."""
    for name in ("etc", "db", "dbhome", "bak", "ldif", "lock", "log", "run", "inst", "tmp"):
        (home / name).mkdir()
    schema = next(folder for folder in _SCHEMAS if (folder / "00core.ldif").exists())
    shutil.copytree(schema, home / "etc" / "schema")
    shutil.copy("/etc/dirsrv/config/slapd-collations.conf", home / "etc")
    shutil.copy("/etc/dirsrv/config/certmap.conf", home / "etc")
    hashed = hashlib.sha1(b"secret-secret" + b"salt", usedforsecurity=False).digest()
    values = {
        "schema_dir": home / "etc" / "schema",
        "config_dir": home / "etc",
        "cert_dir": home / "etc",
        "db_dir": home / "db",
        "db_home_dir": home / "dbhome",
        "bak_dir": home / "bak",
        "ldif_dir": home / "ldif",
        "lock_dir": home / "lock",
        "log_dir": home / "log",
        "run_dir": home / "run",
        "inst_dir": home / "inst",
        "tmp_dir": home / "tmp",
        "db_lib": "bdb",
        "ds_suffix": base,
        "ds_port": port,
        "ds_user": getpass.getuser(),
        "ds_passwd": "{SSHA}" + base64.b64encode(hashed + b"salt").decode(),
        "rootdn": "cn=Directory Manager",
        "fqdn": "localhost",
        "ldapi_enabled": "off",
        "ldapi_autobind": "off",
        "ldapi": home / "run" / "ldapi",
    }
    text = (_DATA / "data" / "template-dse.ldif").read_text("utf-8")
    text = re.sub(r"%(\w+)%", lambda name: str(values[name[1]]), text)
    text = text.replace("\nnsslapd-port:", "\nnsslapd-listenhost: 127.0.0.1\nnsslapd-port:", 1)
    for plugin in _ON:
        pattern = rf"(dn: cn={plugin},.*?nsslapd-pluginenabled: )off"
        text, count = re.subn(pattern, r"\1on", text, count=1, flags=re.DOTALL)
        assert count, plugin
    text = text.rstrip("\n") + "\n" + _BACKEND.format(base=base, home=home)
    (home / "etc" / "dse.ldif").write_text(text, "utf-8")
    return home / "etc"


def _check_programs() -> None:
    """Fails under CI, and skips elsewhere, where the server's programs are missing."""
    if shutil.which("ns-slapd", path=_SBIN) and shutil.which("setpriv", path=_SBIN):
        return
    said = "missing: ns-slapd (Debian: 389-ds-base)"
    if os.environ.get("CI"):
        pytest.fail(said)
    pytest.skip(said)


def _program(name: str) -> str:
    return shutil.which(name, path=_SBIN) or name


def _run(name: str, *arguments: object) -> None:
    words = [_program(name), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:2])}: {(done.stdout + done.stderr)[-2000:]}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"ns-slapd did not start: exit code {process.poll()}")

"""A directory server for the demonstration: OpenLDAP with the example's tree, where it is there.

It listens on loopback alone, holds a copy of the example's export, and ends with the command.
"""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_ELSEWHERE = "/usr/sbin:/usr/local/sbin:/usr/bin:/bin"
_SCHEMAS, _MODULES = Path("/etc/ldap/schema"), Path("/usr/lib/ldap")
_LONGEST_START_S = 20

_CONFIG = """
include {schemas}/core.schema
include {schemas}/cosine.schema
include {schemas}/inetorgperson.schema
include {schemas}/nis.schema
include {schemas}/dyngroup.schema
modulepath {modules}
moduleload back_mdb.so
moduleload lastbind.so
moduleload ppolicy.so
database mdb
suffix dc=example,dc=org
directory {folder}/db
maxsize 16777216
dbnosync
access to attrs=userPassword by * none
access to * by * read
"""

_SOURCE = """
app:
  name: Directory server
  create: {{category: IT & Security, description: The directory as its server has it}}
source:
  kind: ldap
  host: 127.0.0.1
  port: {port}
  protocol: ldap    # on loopback, and without a password
  authentication: anonymous
  base_dn: dc=example,dc=org
  users: {{base: "ou=People,dc=example,dc=org"}}
  groups: {{base: "ou=Groups,dc=example,dc=org"}}
attributes: {{Department: departmentNumber}}
"""


@contextmanager
def running_directory(workspace: Path) -> Iterator[bool]:
    """Whether a server runs, and with it the source `directory_server` of the workspace.

    None does where OpenLDAP is not installed as Debian has it, or may not run from this folder.
    """
    names = ("slapd", "slapadd", "setpriv")
    slapd, slapadd, setpriv = (shutil.which(name, path=_ELSEWHERE) for name in names)
    config = None
    if slapd and slapadd and setpriv and (_MODULES / "lastbind.so").exists():
        config = _loaded(slapadd, workspace)
    if not (slapd and setpriv and config):
        yield False
        return
    port = _free_port()
    command = [setpriv, "--pdeathsig", "KILL", slapd, "-f", str(config), "-d", "0"]
    with subprocess.Popen(  # noqa: S603 - OpenLDAP's own program
        [*command, "-h", f"ldap://127.0.0.1:{port}"], stderr=subprocess.DEVNULL
    ) as server:
        try:
            is_up = _is_up(port, server)
            if is_up:
                source = workspace / "sources" / "directory_server.yaml"
                source.write_text(_SOURCE.format(port=port), "utf-8")
            yield is_up
        finally:
            server.terminate()


def _loaded(slapadd: str, workspace: Path) -> Path | None:
    """The configuration of a server that holds the export; None where it does not take it."""
    folder = workspace / "directory-server"
    (folder / "db").mkdir(parents=True)
    config = folder / "slapd.conf"
    text = _CONFIG.format(schemas=_SCHEMAS, modules=_MODULES, folder=folder)
    config.write_text(text, "utf-8")
    export = (workspace / "exports" / "directory.ldif").read_text("utf-8")
    ended = subprocess.run(  # noqa: S603 - OpenLDAP's own program
        [slapadd, "-q", "-f", config],
        input=export.removeprefix("version: 1\n").lstrip(),
        text=True,
        capture_output=True,
        check=False,
    )
    return None if ended.returncode else config


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _is_up(port: int, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server answers before it ends, and in time."""
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.poll() is None and time.monotonic() < ends_at:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        time.sleep(0.05)
    return False

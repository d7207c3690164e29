"""A private sshd on loopback, for as long as the tests last, as a pytest plugin."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest

_SSHD = "/usr/sbin/sshd"
_LONGEST_START_S = 60


@dataclass(frozen=True)
class SftpServer:
    """Where it listens, the key it shows, and the key that it lets in.

    Attributes:
        url: up to the path, with the user in it.
        port: on 127.0.0.1.
        host_key: its public key, in OpenSSH's form.
        fingerprint: of that key.
        private_key: the client's, a file.
        known_hosts: a file of host keys that has this server's.
    """

    url: str
    port: int
    host_key: str
    fingerprint: str
    private_key: Path
    known_hosts: Path


@pytest.fixture(scope="session")
def sftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SftpServer]:
    """A real OpenSSH server; its paths are this machine's own."""
    missing = [] if Path(_SSHD).exists() else ["sshd (Debian: openssh-server)"]
    missing += [] if shutil.which("setpriv") else ["setpriv (Debian: util-linux)"]
    if missing and os.environ.get("CI"):
        pytest.fail(f"missing: {', '.join(missing)}")
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}")
    home, port = tmp_path_factory.mktemp("sshd"), _free_port()
    made = _made(home, port)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    command = ["setpriv", "--pdeathsig", "KILL", _SSHD, "-D", "-e", "-f", str(home / "config")]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_until_up(port, server, home / "log")
        yield made
    finally:
        server.terminate()
        server.wait()


def _made(home: Path, port: int) -> SftpServer:
    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    for name, key in (("host", host), ("client", client)):
        path = home / name
        path.touch(mode=0o600)
        path.write_bytes(key.export_private_key())
    public = host.export_public_key().decode().strip()
    (home / "authorized").write_bytes(client.export_public_key())
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {public}\n", "utf-8")
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {home}/host",
        f"AuthorizedKeysFile {home}/authorized",
        f"PidFile {home}/pid",
        "StrictModes no",
        "PermitRootLogin yes",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "UsePAM no",
        "Subsystem sftp internal-sftp",
        "ForceCommand internal-sftp",
    ]
    (home / "config").write_text("\n".join(lines) + "\n", "utf-8")
    return SftpServer(
        url=f"sftp://{getpass.getuser()}@127.0.0.1:{port}",
        port=port,
        host_key=public,
        fingerprint=host.get_fingerprint("sha256"),
        private_key=home / "client",
        known_hosts=home / "known_hosts",
    )


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_up(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), 2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"sshd did not start: {log.read_text('utf-8')}")

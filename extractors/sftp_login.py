"""An SSH connection to an SFTP server whose host key is the one that was agreed on."""

from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
from asyncssh import SSHKey, SSHKnownHosts

from schemas.errors import ConfigError
from schemas.secrets import Resolve
from schemas.zone_logins import SftpZone
from schemas.zone_urls import ZoneUrl

_PORT = 22


@dataclass(slots=True)
class HostKeys:
    """What is known of the server's host key.

    Attributes:
        known_hosts: the file's entries; None where the key itself is given.
        key: the key; None where it is not given, or by its fingerprint only.
        fingerprint: `SHA256:…`; None where it is not given.
        shown: the fingerprint of the key that the server showed and that is not trusted.
    """

    known_hosts: SSHKnownHosts | None = None
    key: SSHKey | None = None
    fingerprint: str | None = None
    shown: str | None = field(default=None)

    def problem(self, url: ZoneUrl) -> str:
        """Why the key that the server showed is not trusted, and what to do."""
        showed = (
            f"it shows {self.shown}" if self.shown else "it shows no key of a kind that is known"
        )
        if self.known_hosts is None:
            known, key = True, "sftp.host_key"
        else:
            host = url.host.strip("[]")
            matched = asyncssh.match_known_hosts(self.known_hosts, host, "", url.port or _PORT)
            known, key = any(matched[:2]), "sftp.known_hosts"
        if known:
            return (
                f"{url.base}: its host key is not the one in {key} ({showed}): somebody may stand "
                "between; ask who runs the server before you change it"
            )
        return (
            f"{url.base}: its host key is not known ({showed}): compare it with what the server's "
            f"people say, and put it into {key}"
        )


class HostKeyCheck(asyncssh.SSHClient):
    """Asked for a host key that is not among the trusted ones: only a fingerprint may tell it."""

    def __init__(self, host_keys: HostKeys) -> None:
        self._host_keys = host_keys

    def validate_host_public_key(self, host: str, addr: str, port: int, key: SSHKey) -> bool:  # noqa: ARG002 - asyncssh's
        """Whether the key has the fingerprint that was agreed on."""
        shown = key.get_fingerprint("sha256")
        if shown == self._host_keys.fingerprint:
            return True
        self._host_keys.shown = shown
        return False


def to_host_keys(login: SftpZone, workspace: Path) -> HostKeys:
    """What the source file says of the server's key.

    Raises:
        ConfigError: the file cannot be read, or is none of host keys; the key is no key.
    """
    problem = None
    try:
        if login.known_hosts:
            path = workspace / Path(login.known_hosts).expanduser()
            text = path.read_text("utf-8")
            return HostKeys(known_hosts=asyncssh.import_known_hosts(text))
        if login.host_key and login.host_key.startswith("SHA256:"):
            return HostKeys(fingerprint=login.host_key.rstrip("="))
        return HostKeys(key=asyncssh.import_public_key(login.host_key or ""))
    except OSError as error:
        problem = f"sftp.known_hosts: {login.known_hosts} cannot be read: {error.strerror}"
    except ValueError:
        which = "known_hosts" if login.known_hosts else "host_key"
        problem = f"sftp.{which}: is not in OpenSSH's form: ssh-keyscan prints it"
    raise ConfigError(problem)


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, with what; never shown."""

    username: str
    password: str | None = field(repr=False)
    key: SSHKey | None = field(repr=False)


def to_login(url: ZoneUrl, zone: SftpZone, resolve: Resolve) -> Login:
    """Who logs in, with the secrets from their places.

    Raises:
        ConfigError: a secret is not in its place, or the private key cannot be read.
    """
    username = url.user or zone.username or ""
    if zone.private_key is None:
        password = resolve(zone.password).get_secret_value() if zone.password else None
        return Login(username, password, None)
    text = resolve(zone.private_key).get_secret_value()
    passphrase = resolve(zone.passphrase).get_secret_value() if zone.passphrase else None
    problem = None
    try:
        key = asyncssh.import_private_key(text.strip() + "\n", passphrase)
        return Login(username, None, key)
    except asyncssh.KeyEncryptionError:
        problem = "its passphrase is wrong"
    except asyncssh.KeyImportError:
        problem = "is no private key that can be read, or needs a passphrase"
    raise ConfigError(f"sftp.private_key: {problem}")


async def connect(
    url: ZoneUrl, login: Login, host_keys: HostKeys, timeout_s: float
) -> asyncssh.SSHClientConnection:
    """A connection that is logged in, by nothing but what the source file names."""
    trusted = [host_keys.key] if host_keys.key else []
    connection, _ = await asyncssh.create_connection(
        lambda: HostKeyCheck(host_keys),
        url.host.strip("[]"),
        url.port or _PORT,
        username=login.username,
        password=login.password,
        client_keys=[login.key] if login.key else None,
        preferred_auth="publickey" if login.key else "password,keyboard-interactive",
        known_hosts=host_keys.known_hosts or (trusted, [], []),
        # Neither the user's own configuration nor an agent has a say.
        config=None,
        agent_path=None,
        gss_host=None,
        connect_timeout=timeout_s,
        login_timeout=timeout_s,
        keepalive_interval=15,
        keepalive_count_max=4,
    )
    return connection

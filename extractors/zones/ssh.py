"""A connection to an SFTP server, logged in when it is first needed, and what failed on it."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import asyncssh
from asyncssh import SSHKey, SSHKnownHosts

from schemas.errors import ConfigError, SourceUnavailableError, raise_as
from schemas.source_file.secrets import Resolve
from schemas.source_file.zones.logins import SftpZone
from schemas.source_file.zones.urls import ZoneUrl

_Result = TypeVar("_Result")

_PORT = 22
_OF_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (asyncssh.SFTPPermissionDenied, "the server gives no permission"),
    (asyncssh.SFTPConnectionLost, "the connection was cut"),
    (asyncssh.SFTPError, "the server refuses it"),
    (
        asyncssh.PermissionDenied,
        "the server refuses the login: check the user and the password or key",
    ),
    (
        asyncssh.KeyExchangeFailed,
        "no host key or cipher in common: has the server's host key changed?",
    ),
    (TimeoutError, "no answer in time"),
    (socket.gaierror, "the host's name is not known"),
)


class EventLoop:
    """Runs coroutines one after the other in a thread, and keeps connections alive in between.

    What is asynchronous is called through it from where nothing is.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, _Result], timeout_s: float) -> _Result:
        """Returns what the coroutine returns; TimeoutError where it takes longer."""
        within = asyncio.wait_for(coroutine, timeout_s)
        future = asyncio.run_coroutine_threadsafe(within, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Ends the loop and its threads."""
        asyncio.run_coroutine_threadsafe(
            self._loop.shutdown_default_executor(), self._loop
        ).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


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
        """Returns why the key that the server showed is not trusted, and what to do."""
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


@dataclass(frozen=True, slots=True)
class Login:
    """A user with a password or a key; never shown."""

    username: str
    password: str | None = field(repr=False)
    key: SSHKey | None = field(repr=False)


@dataclass(slots=True)
class SftpConnection:
    """One login, kept for all that is done until `close`.

    Attributes:
        url: one of the URLs on the server.
        zone: who logs in.
        host_keys: the key the server must show.
        resolve: fetches the secrets, once they are needed.
        timeout_s: how long an answer may take.
    """

    url: ZoneUrl
    zone: SftpZone
    host_keys: HostKeys
    resolve: Resolve
    timeout_s: float
    _loop: EventLoop | None = None
    _connection: asyncssh.SSHClientConnection | None = None
    _sftp: asyncssh.SFTPClient | None = None

    def run(
        self,
        work: Callable[[asyncssh.SFTPClient], Awaitable[_Result]],
        name: str,
        timeout_s: float | None = None,
    ) -> _Result:
        """Returns what `work` returns; `name` is what it is about, for errors.

        Raises:
            ConfigError: the host key is not the one agreed on; a secret is not in its place.
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        # In this thread: a secret may be fetched by what has an event loop of its own.
        login = None if self._sftp else to_login(self.url, self.zone, self.resolve)

        async def attempt() -> _Result:
            return await work(self._sftp or await self._log_in(login))

        def unavailable(error: Exception) -> SourceUnavailableError:
            return SourceUnavailableError(f"{name}: {_reason(error)}")

        loop = self._loop = self._loop or EventLoop()
        return raise_as(
            lambda: loop.run(attempt(), timeout_s or 2 * self.timeout_s),
            {
                asyncssh.HostKeyNotVerifiable: lambda _: ConfigError(
                    self.host_keys.problem(self.url)
                ),
                asyncssh.Error: unavailable,
                OSError: unavailable,
            },
        )

    async def _log_in(self, login: Login | None) -> asyncssh.SFTPClient:
        if login is None:
            raise asyncssh.ConnectionLost("")
        self._connection = await connect(self.url, login, self.host_keys, self.timeout_s)
        self._sftp = await self._connection.start_sftp_client()
        return self._sftp

    def close(self) -> None:
        """Ends the connection, where there is one."""
        loop, connection = self._loop, self._connection
        self._loop = self._connection = self._sftp = None
        if loop is None:
            return
        if connection is not None:
            with contextlib.suppress(asyncssh.Error, OSError):
                loop.run(_end(connection), self.timeout_s)
        loop.close()


def to_host_keys(login: SftpZone, workspace: Path) -> HostKeys:
    """Returns what the source file says of the server's key.

    Raises:
        ConfigError: the file cannot be read, or is none of host keys; the key is no key.
    """
    key = "sftp.known_hosts" if login.known_hosts else "sftp.host_key"
    return raise_as(
        lambda: _read_host_keys(login, workspace),
        {
            OSError: lambda error: ConfigError(
                f"{login.known_hosts} cannot be read: {error.strerror}", key=key
            ),
            ValueError: lambda _: ConfigError(
                "is not in OpenSSH's form: ssh-keyscan prints it", key=key
            ),
        },
    )


def _read_host_keys(login: SftpZone, workspace: Path) -> HostKeys:
    if login.known_hosts:
        path = workspace / Path(login.known_hosts).expanduser()
        return HostKeys(known_hosts=asyncssh.import_known_hosts(path.read_text("utf-8")))
    if login.host_key and login.host_key.startswith("SHA256:"):
        return HostKeys(fingerprint=login.host_key.rstrip("="))
    return HostKeys(key=asyncssh.import_public_key(login.host_key or ""))


def to_login(url: ZoneUrl, zone: SftpZone, resolve: Resolve) -> Login:
    """Returns who logs in, with the secrets from their places.

    Raises:
        ConfigError: a secret is not in its place, or the private key cannot be read.
    """
    username = url.user or zone.username or ""
    if zone.private_key is None:
        password = resolve(zone.password).get_secret_value() if zone.password else None
        return Login(username, password, None)
    text = resolve(zone.private_key).get_secret_value()
    passphrase = resolve(zone.passphrase).get_secret_value() if zone.passphrase else None
    key = raise_as(
        lambda: asyncssh.import_private_key(text.strip() + "\n", passphrase),
        {
            asyncssh.KeyEncryptionError: lambda _: ConfigError(
                "its passphrase is wrong", key="sftp.private_key"
            ),
            asyncssh.KeyImportError: lambda _: ConfigError(
                "is no private key that can be read, or needs a passphrase", key="sftp.private_key"
            ),
        },
    )
    return Login(username, None, key)


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


async def connect(
    url: ZoneUrl, login: Login, host_keys: HostKeys, timeout_s: float
) -> asyncssh.SSHClientConnection:
    """Logs in by nothing but what the source file names."""
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


async def _end(connection: asyncssh.SSHClientConnection) -> None:
    connection.abort()
    await connection.wait_closed()


def _reason(error: Exception) -> str:
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), None)
    if reason is None and isinstance(error, OSError) and error.errno:
        what = "cannot be stored here" if error.errno in _OF_THE_DISK else "cannot connect"
        return f"{what}: {os.strerror(error.errno)}"
    return reason or "the connection was ended by the server"

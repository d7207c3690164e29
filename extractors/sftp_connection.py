"""A connection to an SFTP server, logged in when it is first needed, and what failed on it."""

import contextlib
import errno
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import asyncssh

from extractors.event_loop import EventLoop
from extractors.sftp_login import HostKeys, Login, connect, to_login
from schemas.errors import ConfigError, SourceUnavailableError
from schemas.secrets import Resolve
from schemas.zone_logins import SftpZone
from schemas.zone_urls import ZoneUrl

_Done = TypeVar("_Done")
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
        work: Callable[[asyncssh.SFTPClient], Awaitable[_Done]],
        name: str,
        timeout_s: float | None = None,
    ) -> _Done:
        """What `work` returns; `name` is what it is about, for errors.

        Raises:
            ConfigError: the host key is not the one agreed on; a secret is not in its place.
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        # In this thread: a secret may be fetched by what has an event loop of its own.
        login = None if self._sftp else to_login(self.url, self.zone, self.resolve)

        async def attempt() -> _Done:
            return await work(self._sftp or await self._log_in(login))

        self._loop = self._loop or EventLoop()
        refusal, problem = None, ""
        try:
            return self._loop.run(attempt(), timeout_s or 2 * self.timeout_s)
        except asyncssh.HostKeyNotVerifiable:
            refusal = self.host_keys.problem(self.url)
        except (asyncssh.Error, OSError) as error:
            problem = _reason(error)
        if refusal:
            raise ConfigError(refusal)
        raise SourceUnavailableError(f"{name}: {problem}")

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


async def _end(connection: asyncssh.SSHClientConnection) -> None:
    connection.abort()
    await connection.wait_closed()


def _reason(error: Exception) -> str:
    said = next((reason for kind, reason in _REASONS if isinstance(error, kind)), None)
    if said is None and isinstance(error, OSError) and error.errno:
        what = "cannot be stored here" if error.errno in _OF_THE_DISK else "cannot connect"
        return f"{what}: {os.strerror(error.errno)}"
    return said or "the connection was ended by the server"

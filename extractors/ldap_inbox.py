"""What a connection of ldap3 receives, as whole messages, in time."""

import logging
import time
from collections.abc import Iterator

from ldap3 import Connection
from ldap3.core.exceptions import LDAPResponseTimeoutError, LDAPSocketReceiveError

from extractors.ldap_messages import message_size

_log = logging.getLogger(__name__)
_BLOCK = 1 << 17
_TOO_LATE = "no answer in time"


class Inbox:
    """Bytes that were received and not read yet, of one connection.

    Attributes:
        deadline: on `time.monotonic`'s clock, when to give up waiting; None: never. What a single
            receive may take is the socket's own timeout.
    """

    def __init__(self, connection: Connection) -> None:
        self.deadline: float | None = None
        self._connection = connection
        self._unread = b""
        self._at = 0
        self._socket: object = None

    def messages(self) -> Iterator[bytes]:
        """Whole messages as they come, until the server closes the connection.

        Raises:
            SourceFormatError: what comes is no LDAP.
            LDAPResponseTimeoutError: nothing came in time; the connection is closed.
            LDAPSocketReceiveError: the connection was lost, and is closed.
        """
        self._check_same_socket()
        while True:
            size = message_size(self._unread, self._at)
            there = len(self._unread) - self._at
            if size is None or there < size:
                if not self._receive(1 if size is None else size - there):
                    return
                continue
            end = self._at + size
            message, self._at = self._unread[self._at : end], end
            yield message

    def _check_same_socket(self) -> None:
        """Bytes that came before TLS or a new connection are no part of what comes after."""
        if self._socket is not self._connection.socket:
            is_left = self._at < len(self._unread)
            self._socket, self._unread, self._at = self._connection.socket, b"", 0
            if is_left and self._connection.tls_started:
                raise LDAPSocketReceiveError("answers were received before TLS was there")

    def _receive(self, wanted: int) -> bool:
        """Whether `wanted` more bytes, or more than that, were received before the end."""
        blocks = [self._unread[self._at :]]
        while wanted > 0:
            block = self._block()
            if not block:
                return False
            blocks.append(block)
            wanted -= len(block)
        self._unread, self._at = b"".join(blocks), 0
        return True

    def _block(self) -> bytes:
        problem = "the connection was lost"
        try:
            return self._block_in_time()
        except TimeoutError:
            problem = _TOO_LATE
        except (OSError, AttributeError):
            _log.debug("the connection was lost")
        self._connection.strategy.close()
        self._connection.last_error = problem
        if problem == _TOO_LATE:
            raise LDAPResponseTimeoutError(problem)
        raise LDAPSocketReceiveError(problem)

    def _block_in_time(self) -> bytes:
        link = self._connection.socket
        if self.deadline is None:
            return bytes(link.recv(_BLOCK))
        left_s = self.deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        idle_s = link.gettimeout()
        link.settimeout(left_s if idle_s is None else min(left_s, idle_s))
        try:
            return bytes(link.recv(_BLOCK))
        finally:
            link.settimeout(idle_s)

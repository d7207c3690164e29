"""How a connection of ldap3 receives answers: entries as raw bytes, decoded once.

ldap3 keeps the connection, TLS, bind, controls and requests; only receiving is ours. What is no
plain entry goes to ldap3's own decoder, after a check that its lengths are sound.
"""

import gc
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ldap3 import DIGEST_MD5, Connection
from ldap3.core.exceptions import (
    LDAPExceptionError,
    LDAPResponseTimeoutError,
    LDAPSocketReceiveError,
)
from ldap3.strategy.base import RESPONSE_COMPLETE, SESSION_TERMINATED_BY_SERVER, TRANSACTION_ERROR
from ldap3.strategy.sync import SyncStrategy
from ldap3.utils.asn1 import decode_message_fast

from extractors.directory.ldap.protocol.ber import NO_MESSAGE, check_message, message_size
from extractors.directory.ldap.protocol.raw_entries import Attributes, decode_entry
from schemas.errors import SourceFormatError, raise_as

_log = logging.getLogger(__name__)
_BLOCK = 1 << 17
_TOO_LATE = "no answer in time"

_DISCONNECTION = "1.3.6.1.4.1.1466.20036"  # RFC 4511, 4.4.1
_TRANSACTION_ERROR = "2.16.840.1.113719.1.27.103.4"  # Novell's
_UNDECODABLE: tuple[type[Exception], ...] = (
    ArithmeticError,
    LDAPExceptionError,
    LookupError,
    TypeError,
    ValueError,
)
"""What ldap3's decoder raises of a message that is none."""

_MORE_FOLLOWS = frozenset({"searchResEntry", "searchResRef", "intermediateResponse"})


class RawEntryStrategy(SyncStrategy):  # type: ignore[misc] # ldap3 has no types
    """Answers entries with `raw_attributes` of bytes, and nothing else made of them.

    Attributes:
        inbox: what was received; its `deadline` says how long to wait.
        notice: the server's own notice that it ends the session; None while there is none.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.inbox = Inbox(connection)
        self.notice: dict[str, Any] | None = None
        self._names: dict[bytes, str] = {}

    def _get_response(self, message_id: int, timeout: float | None) -> list[Any] | str:  # noqa: ARG002 - ldap3's signature
        try:
            with _uncollected():
                return self._answers(message_id)
        except (LDAPExceptionError, SourceFormatError):
            self.close()  # what comes next would be taken for the answer to something else
            raise

    def _answers(self, message_id: int) -> list[Any] | str:
        """Returns all up to the result, and ldap3's mark of its end; or the mark of another end."""
        answers: list[Any] = []
        for message in self._messages():
            entry = decode_entry(message, self._names)
            if entry is not None and entry[0] == message_id:
                answers.append(_as_ldap3_has_it(*entry[1:]))
                continue
            number, answer = self._by_ldap3(message)
            if number == 0:
                ended = self._ended_by(answer)
                if ended:
                    return ended
                continue
            if number != message_id:
                raise LDAPSocketReceiveError("an answer to another request was received")
            answers.append(answer)
            if answer["type"] not in _MORE_FOLLOWS:
                return [*answers, RESPONSE_COMPLETE]
        return str(SESSION_TERMINATED_BY_SERVER)

    def _by_ldap3(self, message: bytes) -> tuple[int, dict[str, Any]]:
        """Returns the message's id, and the answer as ldap3 decodes it."""
        check_message(message)
        number, answer = raise_as(
            lambda: self._decoded(message),
            dict.fromkeys(_UNDECODABLE, lambda _: SourceFormatError(NO_MESSAGE)),
        )
        if number < 0 or not answer:
            raise SourceFormatError(NO_MESSAGE)
        return number, answer

    def _decoded(self, message: bytes) -> tuple[int, dict[str, Any]]:
        decoded = decode_message_fast(message)
        return int(decoded["messageID"]), self.decode_response_fast(decoded)

    def _ended_by(self, notice: dict[str, Any]) -> str | None:
        """Returns ldap3's mark for an unsolicited notice; None for one that can be ignored."""
        name = notice.get("responseName")
        if name == _DISCONNECTION:
            self.notice = notice
            return str(SESSION_TERMINATED_BY_SERVER)
        if name == _TRANSACTION_ERROR:
            return str(TRANSACTION_ERROR)
        _log.debug("a notice of an unknown kind was received")
        return None

    def _messages(self) -> Iterator[bytes]:
        connection = self.connection
        is_signed = connection.sasl_mechanism == DIGEST_MD5 and connection._digest_md5_kis
        if not is_signed or connection.sasl_in_progress:
            yield from self.inbox.messages()
            return
        while messages := self.receiving():  # checks each signature, and takes it off
            yield from messages


def use_raw_entries(connection: Connection) -> RawEntryStrategy:
    """Makes `connection`, open or not, answer by this strategy from now on, and returns it.

    Referrals are never followed (ldap3 would bind to the other host with the same password), ranges
    are left as they are, and attributes that are not there are not there.
    """
    strategy = RawEntryStrategy(connection)
    strategy._outstanding = connection.strategy._outstanding
    connection.strategy = strategy
    for name in (
        "send",
        "open",
        "get_response",
        "post_send_single_response",
        "post_send_search",
    ):
        setattr(connection, name, getattr(strategy, name))
    connection.auto_referrals = False
    connection.auto_range = False
    connection.empty_attributes = False
    connection.check_names = False
    connection.fast_decoder = True
    return strategy


class Inbox:
    """Receives whole messages in time: the bytes of one connection that were not read yet.

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
        """Yields whole messages as they come, until the server closes the connection.

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
        """Drops bytes of before TLS or a new connection: they are no part of what comes after.

        Raises:
            LDAPSocketReceiveError: such bytes came where TLS is on now.
        """
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


def _as_ldap3_has_it(dn: str, attributes: Attributes) -> dict[str, Any]:
    return {
        "type": "searchResEntry",
        "dn": dn,
        "raw_attributes": attributes,
        "attributes": attributes,
    }


@contextmanager
def _uncollected() -> Iterator[None]:
    """Switches the garbage collector off meanwhile.

    A page has no cycles, and would be gone over again and again while it grows: a third of the
    time.
    """
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()

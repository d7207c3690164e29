"""How a connection of ldap3 receives answers: entries as raw bytes, decoded once.

ldap3 keeps the connection, TLS, bind, controls and requests; only receiving is ours. What is no
plain entry goes to ldap3's own decoder, after a check that its lengths are sound.
"""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ldap3 import DIGEST_MD5, Connection
from ldap3.core.exceptions import LDAPExceptionError, LDAPSocketReceiveError
from ldap3.strategy.base import (
    RESPONSE_COMPLETE,
    SESSION_TERMINATED_BY_SERVER,
    TRANSACTION_ERROR,
)
from ldap3.strategy.sync import SyncStrategy
from ldap3.utils.asn1 import decode_message_fast

from extractors.ldap_entries import Attributes, decode_entry
from extractors.ldap_inbox import Inbox
from extractors.ldap_messages import NO_MESSAGE, check_message
from schemas.errors import SourceFormatError

_log = logging.getLogger(__name__)
_DISCONNECTION = "1.3.6.1.4.1.1466.20036"  # RFC 4511, 4.4.1
_TRANSACTION_ERROR = "2.16.840.1.113719.1.27.103.4"  # Novell's
_MORE_FOLLOWS = frozenset({"searchResEntry", "searchResRef", "intermediateResponse"})


class RawEntryStrategy(SyncStrategy):  # type: ignore[misc] # ldap3 has no types
    """Answers entries with `raw_attributes` of bytes, and nothing else made of them.

    Attributes:
        inbox: what was received; its `deadline` says how long to wait.
        notice: what the server said when it ended the session unasked; None while it has not.
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
        """Everything up to the result, and ldap3's mark for the end; or its mark for another."""
        found: list[Any] = []
        for message in self._messages():
            entry = decode_entry(message, self._names)
            if entry is not None and entry[0] == message_id:
                found.append(_as_ldap3_has_it(*entry[1:]))
                continue
            number, answer = self._by_ldap3(message)
            if number == 0:
                ended = self._ended_by(answer)
                if ended:
                    return ended
                continue
            if number != message_id:
                raise LDAPSocketReceiveError("an answer to another request was received")
            found.append(answer)
            if answer["type"] not in _MORE_FOLLOWS:
                return [*found, RESPONSE_COMPLETE]
        return str(SESSION_TERMINATED_BY_SERVER)

    def _by_ldap3(self, message: bytes) -> tuple[int, dict[str, Any]]:
        """The message's id, and the answer as ldap3 decodes it."""
        check_message(message)
        answer: dict[str, Any] = {}
        number = -1
        try:
            decoded = decode_message_fast(message)
            number = int(decoded["messageID"])
            answer = self.decode_response_fast(decoded)
        except (ArithmeticError, LDAPExceptionError, LookupError, TypeError, ValueError):
            _log.debug("an answer could not be decoded")
        if number < 0 or not answer:
            raise SourceFormatError(NO_MESSAGE)
        return number, answer

    def _ended_by(self, notice: dict[str, Any]) -> str | None:
        """What ldap3 makes of a notice nobody asked for; None for one that can be ignored."""
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


def _as_ldap3_has_it(dn: str, attributes: Attributes) -> dict[str, Any]:
    return {
        "type": "searchResEntry",
        "dn": dn,
        "raw_attributes": attributes,
        "attributes": attributes,
    }


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for cycles meanwhile.

    A page has none, and would be gone over again and again while it grows: a third of the time.
    """
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()


def use_raw_entries(connection: Connection) -> RawEntryStrategy:
    """The strategy that `connection`, open or not, answers with from now on.

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

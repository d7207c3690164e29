"""Entries of a directory's answers, decoded straight from their BER bytes (RFC 4511, X.690).

Every length is checked against what encloses it, so that a broken or hostile answer is refused: it
is never read past its end, and never becomes an entry that was not sent.
"""

from extractors.directory.ldap.protocol.ber import (
    NO_MESSAGE,
    SEQUENCE,
    SHORT,
    BrokenError,
    long_length,
    opened,
)
from schemas.errors import SourceFormatError

Attributes = dict[str, list[bytes]]
RawEntry = tuple[str, Attributes]
"""A DN, and the values of each attribute under the name that the server gives it."""

_SET, _INTEGER, _OCTETS, _ENTRY = 0x31, 0x02, 0x04, 0x64
_MOST_ID_BYTES, _LARGEST_ID, _MOST_NAMES = 5, (1 << 31) - 1, 4096
_ROOM = 6  # what stands around a name and its only value: three tags and lengths


def decode_entry(
    message: bytes, names: dict[bytes, str] | None = None
) -> tuple[int, str, Attributes] | None:
    """Decodes the message's id, the entry's DN and its attributes; values in the server's order.

    `names` is where names of attributes are kept from one entry to the next. None where the message
    is none that this reads: no SearchResultEntry, or one with controls.

    Raises:
        SourceFormatError: the bytes are no whole LDAP message.
    """
    # By hand, and not by `raise_as`: this runs once an entry.
    try:
        return _entry(message, {} if names is None else names)
    except (BrokenError, IndexError, UnicodeDecodeError):
        pass
    raise SourceFormatError(NO_MESSAGE)


def _entry(message: bytes, names: dict[bytes, str]) -> tuple[int, str, Attributes] | None:
    at, end = opened(message, 0, SEQUENCE)
    if end != len(message):
        raise BrokenError
    at, stop = opened(message, at, _INTEGER)
    number = int.from_bytes(message[at:stop], "big")
    if not 0 < stop - at <= _MOST_ID_BYTES or number > _LARGEST_ID:
        raise BrokenError
    if message[stop] != _ENTRY:
        return None
    at, stop = opened(message, stop, _ENTRY)
    if stop != end:
        return None
    at, stop = opened(message, at, _OCTETS)
    dn = message[at:stop].decode()
    at, stop = opened(message, stop, SEQUENCE)
    if stop != end:
        raise BrokenError
    return number, dn, _attributes(message, at, end, names)


def _attributes(message: bytes, at: int, end: int, names: dict[bytes, str]) -> Attributes:
    """Decodes the attributes from `at` to `end`.

    This loop is most of what reading costs. Nearly all attributes have one short value: then all
    four lengths follow from two of them, and hold only if every part ends where the next begins.
    """
    attributes: Attributes = {}
    while at < end:
        length, name_length = message[at + 1], message[at + 3]
        middle = at + 4 + name_length
        if (
            name_length + _ROOM <= length <= SHORT
            and message[middle + 3] + name_length + _ROOM == length
            and message[middle + 1] == message[middle + 3] + 2
            and message[at] == SEQUENCE
            and message[at + 2] == _OCTETS
            and message[middle] == _SET
            and message[middle + 2] == _OCTETS
        ):
            written, at = message[at + 4 : middle], at + 2 + length
            values = [message[middle + 4 : at]]
        else:
            written, values, at = _attribute(message, at)
        name = names.get(written)
        if name is None:
            name = _named(written, names)
        attributes[name] = attributes[name] + values if name in attributes else values
    if at != end:
        raise BrokenError
    return attributes


def _named(written: bytes, names: dict[bytes, str]) -> str:
    if len(names) >= _MOST_NAMES:
        names.clear()
    name = names[written] = written.decode()
    return name


def _attribute(message: bytes, at: int) -> tuple[bytes, list[bytes], int]:
    """Decodes an attribute's name, its values, and where it ends.

    A value needs no check of its own: `at` only grows, so it is `stop` at last only if all fitted.
    """
    at, stop = opened(message, at, SEQUENCE)
    at, middle = opened(message, at, _OCTETS)
    name = message[at:middle]
    at, last = opened(message, middle, _SET)
    if last != stop:
        raise BrokenError
    values = []
    while at < stop:
        length = message[at + 1]
        if message[at] != _OCTETS:
            raise BrokenError
        at += 2
        if length > SHORT:
            length, at = long_length(message, at, length)
        values.append(message[at : at + length])
        at += length
    if at != stop:
        raise BrokenError
    return name, values, stop

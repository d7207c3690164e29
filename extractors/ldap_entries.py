"""Entries of a directory's answers, decoded straight from their BER bytes (RFC 4511, X.690).

Every length is checked against what encloses it, so that a broken or hostile answer is refused: it
is never read past its end, and never becomes an entry that was not sent.
"""

from schemas.errors import SourceFormatError

Attributes = dict[str, list[bytes]]
RawEntry = tuple[str, Attributes]
"""A DN, and the values of each attribute under the name that the server gives it."""

LARGEST_MESSAGE = 1 << 28
_SEQUENCE, _SET, _INTEGER, _OCTETS = 0x30, 0x31, 0x02, 0x04
_ENTRY, _CONTROLS = 0x64, 0xA0
_CONSTRUCTED, _TAG_NUMBER, _SHORT = 0x20, 0x1F, 0x7F
_MOST_LENGTH_BYTES, _MOST_ID_BYTES, _LARGEST_ID = 8, 5, (1 << 31) - 1
_USUAL, _USUAL_HEAD = b"\x30\x82", 4  # a length of two bytes
_DEEPEST, _MOST_NAMES = 12, 4096
_ROOM = 6  # what stands around a name and its only value: three tags and lengths


class _BrokenError(Exception):
    """The bytes are no message."""


def decode_entry(
    message: bytes, names: dict[bytes, str] | None = None
) -> tuple[int, str, Attributes] | None:
    """The message's id, the entry's DN and its attributes; values in the server's order.

    `names` is where names of attributes are kept from one entry to the next. None where the message
    is none that this reads: no SearchResultEntry, or one with controls.

    Raises:
        SourceFormatError: the bytes are no whole LDAP message.
    """
    try:
        return _entry(message, {} if names is None else names)
    except (_BrokenError, IndexError, UnicodeDecodeError):
        pass
    raise SourceFormatError(
        "the directory sent an answer that is no LDAP message: see what stands between"
    )


def check_message(message: bytes) -> None:
    """Nothing: every length in the message fits into what encloses it, to the byte.

    Raises:
        SourceFormatError: one does not.
    """
    try:
        _check_elements(message, 0, len(message), 0)
    except (_BrokenError, IndexError):
        pass
    else:
        return
    raise SourceFormatError(
        "the directory sent an answer that is no LDAP message: see what stands between"
    )


def message_size(data: bytes, at: int) -> int | None:
    """How many bytes the message that starts at `at` has; None where too few are there to tell.

    Raises:
        SourceFormatError: no message starts like this, or none that long is taken.
    """
    head = data[at : at + 2 + _MOST_LENGTH_BYTES]
    if head[:2] == _USUAL and len(head) > _USUAL_HEAD:
        return _USUAL_HEAD + (head[2] << 8 | head[3])
    if head and head[0] != _SEQUENCE:
        raise SourceFormatError("the directory answers with something that is not LDAP: check port")
    if len(head) < 2:  # noqa: PLR2004 - a tag and a length
        return None
    count = head[1] & _SHORT if head[1] > _SHORT else 0
    if len(head) < 2 + count and count <= _MOST_LENGTH_BYTES:
        return None
    size = 2 + count + (int.from_bytes(head[2 : 2 + count], "big") if count else head[1])
    if head[1] == _SHORT + 1 or count > _MOST_LENGTH_BYTES or size > LARGEST_MESSAGE:
        raise SourceFormatError(
            f"the directory sent an answer of more than {LARGEST_MESSAGE >> 20} MiB: ask for less"
        )
    return size


def _entry(message: bytes, names: dict[bytes, str]) -> tuple[int, str, Attributes] | None:
    at, end = _opened(message, 0, _SEQUENCE)
    if end != len(message):
        raise _BrokenError
    at, stop = _opened(message, at, _INTEGER)
    number = int.from_bytes(message[at:stop], "big")
    if not 0 < stop - at <= _MOST_ID_BYTES or number > _LARGEST_ID:
        raise _BrokenError
    if message[stop] != _ENTRY:
        return None
    at, stop = _opened(message, stop, _ENTRY)
    if stop != end:
        return None
    at, stop = _opened(message, at, _OCTETS)
    dn = message[at:stop].decode()
    at, stop = _opened(message, stop, _SEQUENCE)
    if stop != end:
        raise _BrokenError
    return number, dn, _attributes(message, at, end, names)


def _attributes(message: bytes, at: int, end: int, names: dict[bytes, str]) -> Attributes:
    """The attributes from `at` to `end`.

    This loop is most of what reading costs. Nearly all attributes have one short value: then all
    four lengths follow from two of them, and hold only if every part ends where the next begins.
    """
    attributes: Attributes = {}
    while at < end:
        length, name_length = message[at + 1], message[at + 3]
        middle = at + 4 + name_length
        if (
            name_length + _ROOM <= length <= _SHORT
            and message[middle + 3] + name_length + _ROOM == length
            and message[middle + 1] == message[middle + 3] + 2
            and message[at] == _SEQUENCE
            and message[at + 2] == _OCTETS
            and message[middle] == _SET
            and message[middle + 2] == _OCTETS
        ):
            written, at = message[at + 4 : middle], at + 2 + length
            values = [message[middle + 4 : at]]
        else:
            written, values, at = _attribute(message, at, end)
        name = names.get(written)
        if name is None:
            name = _named(written, names)
        attributes[name] = attributes[name] + values if name in attributes else values
    if at != end:
        raise _BrokenError
    return attributes


def _named(written: bytes, names: dict[bytes, str]) -> str:
    if len(names) >= _MOST_NAMES:
        names.clear()
    name = names[written] = written.decode()
    return name


def _attribute(message: bytes, at: int, end: int) -> tuple[bytes, list[bytes], int]:
    """An attribute's name, its values, and where it ends.

    A value needs no check of its own: `at` only grows, so it is `stop` at last only if all fitted.
    """
    at, stop = _opened(message, at, _SEQUENCE)
    at, middle = _opened(message, at, _OCTETS)
    name = message[at:middle]
    at, last = _opened(message, middle, _SET)
    if last != stop or stop > end:
        raise _BrokenError
    values = []
    while at < stop:
        length = message[at + 1]
        if message[at] != _OCTETS:
            raise _BrokenError
        at += 2
        if length > _SHORT:
            length, at = _long_length(message, at, length)
        values.append(message[at : at + length])
        at += length
    if at != stop:
        raise _BrokenError
    return name, values, stop


def _opened(message: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the content of the element at `at` starts and ends."""
    length = message[at + 1]
    if message[at] != tag:
        raise _BrokenError
    at += 2
    if length > _SHORT:
        length, at = _long_length(message, at, length)
    if at + length > len(message):
        raise _BrokenError
    return at, at + length


def _long_length(message: bytes, at: int, first: int) -> tuple[int, int]:
    """A length of several bytes, and where the content starts. LDAP has no indefinite ones."""
    count = first & _SHORT
    if not 0 < count <= _MOST_LENGTH_BYTES:
        raise _BrokenError
    return int.from_bytes(message[at : at + count], "big"), at + count


def _check_elements(message: bytes, at: int, end: int, depth: int) -> None:
    if depth > _DEEPEST:
        raise _BrokenError
    while at < end:
        tag = message[at]
        if tag & _TAG_NUMBER == _TAG_NUMBER:
            raise _BrokenError
        at, stop = _opened(message, at, tag)
        if stop > end:
            raise _BrokenError
        if tag & _CONSTRUCTED:
            _check_elements(message, at, stop, depth + 1)
        at = stop

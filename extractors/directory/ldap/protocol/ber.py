"""LDAP messages as bytes (RFC 4511, 5.1; X.690): where each ends, and whether its lengths fit."""

from schemas.errors import SourceFormatError, raise_as

LARGEST_MESSAGE = 1 << 28
SEQUENCE, SHORT = 0x30, 0x7F
NO_MESSAGE = "the directory sent an answer that is no LDAP message: see what stands between"

_CONSTRUCTED, _TAG_NUMBER = 0x20, 0x1F
_MOST_LENGTH_BYTES, _DEEPEST = 8, 12
_USUAL, _USUAL_HEAD = b"\x30\x82", 4  # a length of two bytes


class BrokenError(Exception):
    """The bytes are no message; never shown to anyone."""


def check_message(message: bytes) -> None:
    """Raises unless every length in the message fits into what encloses it, to the byte.

    Raises:
        SourceFormatError: one does not.
    """
    raise_as(
        lambda: _check_elements(message, 0, len(message), 0),
        dict.fromkeys((BrokenError, IndexError), lambda _: SourceFormatError(NO_MESSAGE)),
    )


def message_size(data: bytes, at: int) -> int | None:
    """Returns how many bytes the message at `at` has; None where too few have come to know it.

    Raises:
        SourceFormatError: no message starts like this, or none that long is taken.
    """
    head = data[at : at + 2 + _MOST_LENGTH_BYTES]
    if head[:2] == _USUAL and len(head) > _USUAL_HEAD:
        return _USUAL_HEAD + (head[2] << 8 | head[3])
    if head and head[0] != SEQUENCE:
        raise SourceFormatError("the directory answers with something that is not LDAP: check port")
    if len(head) < 2:  # noqa: PLR2004 - a tag and a length
        return None
    count = head[1] & SHORT if head[1] > SHORT else 0
    if len(head) < 2 + count and count <= _MOST_LENGTH_BYTES:
        return None
    size = 2 + count + (int.from_bytes(head[2 : 2 + count], "big") if count else head[1])
    if head[1] == SHORT + 1 or count > _MOST_LENGTH_BYTES or size > LARGEST_MESSAGE:
        raise SourceFormatError(
            f"the directory sent an answer of more than {LARGEST_MESSAGE >> 20} MiB: ask for less"
        )
    return size


def opened(message: bytes, at: int, tag: int) -> tuple[int, int]:
    """Returns where the content of the element at `at` starts and ends."""
    length = message[at + 1]
    if message[at] != tag:
        raise BrokenError
    at += 2
    if length > SHORT:
        length, at = long_length(message, at, length)
    if at + length > len(message):
        raise BrokenError
    return at, at + length


def long_length(message: bytes, at: int, first: int) -> tuple[int, int]:
    """Returns a length of several bytes, and where the content starts; it is never indefinite."""
    count = first & SHORT
    if not 0 < count <= _MOST_LENGTH_BYTES:
        raise BrokenError
    return int.from_bytes(message[at : at + count], "big"), at + count


def _check_elements(message: bytes, at: int, end: int, depth: int) -> None:
    if depth > _DEEPEST:
        raise BrokenError
    while at < end:
        tag = message[at]
        if tag & _TAG_NUMBER == _TAG_NUMBER:
            raise BrokenError
        at, stop = opened(message, at, tag)
        if stop > end:
            raise BrokenError
        if tag & _CONSTRUCTED:
            _check_elements(message, at, stop, depth + 1)
        at = stop

"""Which of a directory's entries changed, as the server itself tells: DirSync and syncrepl.

DirSync: [MS-ADTS] 3.1.1.3.4.1.3. Content synchronization: RFC 4533, refreshOnly.
"""

from dataclasses import dataclass
from typing import Any

from ldap3 import DEREF_NEVER, SUBTREE, Connection
from ldap3.core.exceptions import LDAPException
from ldap3.protocol.microsoft import dir_sync_control
from pyasn1.codec.ber.decoder import decode
from pyasn1.codec.ber.encoder import encode
from pyasn1.error import PyAsn1Error
from pyasn1.type.namedtype import DefaultedNamedType, NamedType, NamedTypes, OptionalNamedType
from pyasn1.type.univ import Boolean, Enumerated, OctetString, Sequence

from extractors.directory.entries import Search
from extractors.directory.ldap.protocol.result_codes import result_text
from extractors.directory.ldap.protocol.search import SCOPES
from schemas.errors import SourceUnavailableError, raise_as

DIRSYNC = "1.2.840.113556.1.4.841"
SYNC_REQUEST = "1.3.6.1.4.1.4203.1.9.1.1"
_SYNC_DONE = "1.3.6.1.4.1.4203.1.9.1.3"
_REFRESH_ONLY = 1
_MOST_BYTES = 1 << 24
_MOST_ROUNDS = 100_000


class _SyncDone(Sequence):  # type: ignore[misc] # pyasn1 has no types
    componentType = NamedTypes(  # noqa: N815 - pyasn1's name
        OptionalNamedType("cookie", OctetString()),
        DefaultedNamedType("refreshDeletes", Boolean(False)),
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """What a server tells.

    Attributes:
        ids: the changed entries' ids, of those that are still there.
        is_any: whether anything may have changed, what is gone included.
        cookie: from where to ask the next time.
    """

    ids: frozenset[bytes]
    is_any: bool
    cookie: bytes


class _SyncRequest(Sequence):  # type: ignore[misc] # pyasn1 has no types
    componentType = NamedTypes(  # noqa: N815 - pyasn1's name
        NamedType("mode", Enumerated()), OptionalNamedType("cookie", OctetString())
    )


def dirsync(
    connection: Connection,
    root: str,
    attributes: tuple[str, ...],
    cookie: bytes,
    rounds: int = _MOST_ROUNDS,
) -> Changes | None:
    """What changed below the naming context `root`; None where the server does not allow it.

    With the reading account's own rights (OBJECT_SECURITY), so that it needs no others. Fewer
    `rounds` than it takes tell only whether the server allows it.

    Raises:
        SourceUnavailableError: the connection was lost.
    """
    ids: set[bytes] = set()
    for number in range(rounds):
        control = dir_sync_control(
            criticality=True,
            object_security=True,
            ancestors_first=False,
            public_data_only=False,
            incremental_values=False,
            max_length=_MOST_BYTES,
            cookie=cookie,
        )
        result = _asked(connection, root, "(objectClass=*)", SUBTREE, attributes, control)
        told = (result.get("controls") or {}).get(DIRSYNC)
        if result["result"] or told is None:
            return None
        found = _raw_entries(connection)
        ids.update(entry["objectGUID"][0] for entry in found if entry.get("objectGUID"))
        cookie = bytes(told["value"]["cookie"])
        if not told["value"]["more_results"] or number + 1 == rounds < _MOST_ROUNDS:
            # What is gone is told only to those who may see deleted objects: an ordinary account
            # would never learn of it.
            return Changes(frozenset(ids), is_any=True, cookie=cookie)
    return None


def syncrepl(connection: Connection, search: Search, cookie: bytes) -> Changes | None:
    """What changed of what `search` finds; None where the server does not tell.

    Raises:
        SourceUnavailableError: the connection was lost.
    """
    request = _SyncRequest()
    request["mode"] = _REFRESH_ONLY
    if cookie:
        request["cookie"] = cookie
    control = (SYNC_REQUEST, True, encode(request))
    scope = SCOPES[search.scope]
    result = _asked(connection, search.base, search.filter, scope, ("entryUUID",), control)
    told = (result.get("controls") or {}).get(_SYNC_DONE)
    # A server that has nothing to tell may leave the cookie out, or as it is.
    now = (_cookie_of(told["value"]) or cookie) if told else None
    if result["result"] or not now:
        return None
    found = _raw_entries(connection)
    ids = frozenset(entry["entryUUID"][0] for entry in found if entry.get("entryUUID"))
    return Changes(ids, bool(found) or now != cookie, now)


def _cookie_of(value: bytes) -> bytes | None:
    try:
        done, _ = decode(value, asn1Spec=_SyncDone())
    except PyAsn1Error:
        return None
    return bytes(done["cookie"]) if done["cookie"].hasValue() else None


def _raw_entries(connection: Connection) -> list[dict[str, list[bytes]]]:
    return [
        one["raw_attributes"]
        for one in connection.response or []
        if one["type"] == "searchResEntry"
    ]


def _asked(
    connection: Connection,
    base: str,
    text: str,
    scope: str,
    attributes: tuple[str, ...],
    control: Any,  # noqa: ANN401 - as ldap3 takes it
) -> dict[str, Any]:
    def search() -> dict[str, Any]:
        connection.search(
            base,
            text,
            scope,
            dereference_aliases=DEREF_NEVER,
            attributes=list(attributes),
            controls=[control],
        )
        return dict(connection.result)

    def unavailable(error: LDAPException) -> SourceUnavailableError:
        code = (connection.result or {}).get("result")
        reason = result_text(int(code)) if code else type(error).__name__
        return SourceUnavailableError(
            f"{base}: changes could not be asked for: {reason}: run again"
        )

    return raise_as(search, {LDAPException: unavailable})

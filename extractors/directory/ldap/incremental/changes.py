"""The changed entries of a directory, as the server itself reports them: DirSync and syncrepl.

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


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes that a server reports.

    Attributes:
        ids: the changed entries' ids, of those that are still there.
        cookie: from where to ask the next time.
    """

    ids: frozenset[bytes]
    cookie: bytes


def dirsync(
    connection: Connection,
    root: str,
    attributes: tuple[str, ...],
    cookie: bytes,
    rounds: int = _MOST_ROUNDS,
) -> Changes | None:
    """Returns what changed below the naming context `root`; None where it is not allowed.

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
        result = _search(connection, root, "(objectClass=*)", SUBTREE, attributes, control)
        reported = (result.get("controls") or {}).get(DIRSYNC)
        if result["result"] or reported is None:
            return None
        entries = _raw_entries(connection)
        ids.update(entry["objectguid"][0] for entry in entries if entry.get("objectguid"))
        cookie = bytes(reported["value"]["cookie"])
        if not reported["value"]["more_results"] or number + 1 == rounds < _MOST_ROUNDS:
            return Changes(frozenset(ids), cookie)
    return None


def syncrepl(
    connection: Connection, search: Search, attribute: str, cookie: bytes
) -> Changes | None:
    """Returns what changed of what `search` finds; None where the server does not report it.

    `attribute` identifies an entry.

    Raises:
        SourceUnavailableError: the connection was lost.
    """
    request = _SyncRequest()
    request["mode"] = _REFRESH_ONLY
    if cookie:
        request["cookie"] = cookie
    control = (SYNC_REQUEST, True, encode(request))
    scope = SCOPES[search.scope]
    result = _search(connection, search.base, search.filter, scope, (attribute,), control)
    reported = (result.get("controls") or {}).get(_SYNC_DONE)
    # A server that has nothing to report may leave the cookie out, or as it is.
    now = (_cookie_of(reported["value"]) or cookie) if reported else None
    if result["result"] or not now:
        return None
    changed = [entry.get(attribute.lower()) for entry in _raw_entries(connection)]
    # An entry that changed and shows no id is not known.
    if not all(changed):
        return None
    return Changes(frozenset(values[0] for values in changed if values), now)


class _SyncRequest(Sequence):  # type: ignore[misc] # pyasn1 has no types
    componentType = NamedTypes(  # noqa: N815 - pyasn1's name
        NamedType("mode", Enumerated()), OptionalNamedType("cookie", OctetString())
    )


class _SyncDone(Sequence):  # type: ignore[misc] # pyasn1 has no types
    componentType = NamedTypes(  # noqa: N815 - pyasn1's name
        OptionalNamedType("cookie", OctetString()),
        DefaultedNamedType("refreshDeletes", Boolean(False)),
    )


def _cookie_of(value: bytes) -> bytes | None:
    try:
        done, _ = decode(value, asn1Spec=_SyncDone())
    except PyAsn1Error:
        return None
    return bytes(done["cookie"]) if done["cookie"].hasValue() else None


def _raw_entries(connection: Connection) -> list[dict[str, list[bytes]]]:
    """Returns the attributes of each entry of the answer, under names in lower case."""
    return [
        {name.lower(): values for name, values in answer["raw_attributes"].items()}
        for answer in connection.response or []
        if answer["type"] == "searchResEntry"
    ]


def _search(
    connection: Connection,
    base: str,
    text: str,
    scope: str,
    attributes: tuple[str, ...],
    control: Any,  # noqa: ANN401 - as ldap3 takes it
) -> dict[str, Any]:
    def work() -> dict[str, Any]:
        connection.search(
            base,
            text,
            scope,
            dereference_aliases=DEREF_NEVER,
            attributes=[name.lower() for name in attributes],
            controls=[control],
        )
        return dict(connection.result)

    def unavailable(error: LDAPException) -> SourceUnavailableError:
        code = (connection.result or {}).get("result")
        reason = result_text(int(code)) if code else type(error).__name__
        return SourceUnavailableError(
            f"{base}: changes could not be asked for: {reason}: run again"
        )

    return raise_as(work, {LDAPException: unavailable})

"""How far a directory's own count of its changes has got, and what asks for those since."""

from dataclasses import dataclass

from ldap3 import BASE, Connection

from extractors.attribute_text import plain_text
from extractors.directory_values import guid_text, whole_number
from extractors.dn import is_below, normal_dn
from extractors.domain_tree import root_dse
from extractors.ldap_pages import PagedSearch, read_pages
from extractors.ldap_schema import operational_attributes

_CONSTRUCTED_OR_OWN = 0x4 | 0x1  # systemFlags: made when read, or not replicated ([MS-ADTS] 2.2.10)


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a copy of a directory stands.

    Attributes:
        server: the copy, by an id that changes when it is restored from a backup.
        count: its count of changes: a USN, or the time of the oldest newest change it knows of.
        counter: the attribute that carries it in each entry.
        key: the attribute that identifies an entry for ever.
        volatile: attributes, in lower case, that change without being counted.
    """

    server: str
    count: str
    counter: str
    key: str
    volatile: frozenset[str]


def domain_mark(connection: Connection, attributes: tuple[str, ...]) -> Mark | None:
    """Where a controller stands: its highest USN under its invocationId; None where it hides that.

    What it got from other controllers counts, too: each numbers all changes anew.
    """
    settings, schema, count = (
        root_dse(connection, name)
        for name in ("dsServiceName", "schemaNamingContext", "highestCommittedUSN")
    )
    if settings is None or schema is None or count is None:
        return None
    found = _one(connection, settings, "invocationId")
    server = guid_text(found[0]) if found else None
    if server is None:
        return None
    names = "".join(f"(lDAPDisplayName={name})" for name in attributes)
    asked = ("lDAPDisplayName", "systemFlags", "linkID")
    search = PagedSearch(schema, f"(|{names})", "level", asked)
    volatile = {
        plain_text(one["lDAPDisplayName"][0]).lower()
        for page in read_pages(connection, search)
        for _, one in page
        if _is_volatile(one)
    }
    return Mark(server, count, "uSNChanged", "objectGUID", frozenset(volatile))


def _is_volatile(attribute: dict[str, list[bytes]]) -> bool:
    flags = whole_number(attribute.get("systemFlags", [b"0"])[0]) or 0
    link = whole_number(attribute.get("linkID", [b"0"])[0]) or 0
    return bool(flags & _CONSTRUCTED_OR_OWN) or link % 2 == 1  # an odd link is the way back


def tree_mark(connection: Connection, base: str, attributes: tuple[str, ...]) -> Mark | None:
    """Where a copy of OpenLDAP's stands: the oldest of its newest changes; None where it is hidden.

    One that came from another provider later is no older than that provider's newest known here.
    """
    values = _one(connection, _suffix_of(connection, base), "contextCSN")
    own = operational_attributes(connection)
    if not values or own is None:
        return None
    oldest = min(plain_text(value) for value in values)
    providers = ",".join(sorted(plain_text(value).split("#")[2] for value in values))
    volatile = {name.lower() for name in attributes} & own
    time = f"{oldest[:14]}Z"
    return Mark(f"{base} {providers}", time, "modifyTimestamp", "entryUUID", frozenset(volatile))


def _suffix_of(connection: Connection, base: str) -> str:
    connection.search("", "(objectClass=*)", BASE, attributes=["namingContexts"])
    found = [one for one in connection.response or [] if one["type"] == "searchResEntry"]
    names = found[0]["raw_attributes"].get("namingContexts", []) if found else []
    texts = [plain_text(name) for name in names]
    return next((one for one in texts if is_below(normal_dn(base), normal_dn(one))), base)


def _one(connection: Connection, dn: str, attribute: str) -> list[bytes]:
    """The values of one attribute of one entry; none where there are none to be seen."""
    if not connection.search(dn, "(objectClass=*)", BASE, attributes=[attribute]):
        return []
    found = [one for one in connection.response if one["type"] == "searchResEntry"]
    return list(found[0]["raw_attributes"].get(attribute, [])) if found else []

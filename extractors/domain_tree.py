"""The domains of an Active Directory forest: a read of one must not be taken for a read of all."""

from ldap3 import BASE, Connection

from extractors.attribute_text import plain_text
from extractors.dn import is_below, normal_dn
from extractors.ldap_pages import PagedSearch, read_pages
from schemas.errors import SourceIncompleteError


def root_dse(connection: Connection, attribute: str) -> str | None:
    """What the server says of itself: the first value of `attribute`, null where it does not."""
    return next(iter(root_dse_values(connection, attribute)), None)


def root_dse_values(connection: Connection, attribute: str) -> list[str]:
    """What the server says of itself: every value of `attribute`."""
    if not connection.search("", "(objectClass=*)", BASE, attributes=[attribute]):
        return []
    found = [one for one in connection.response if one["type"] == "searchResEntry"]
    values = found[0]["raw_attributes"].get(attribute, []) if found else []
    return [plain_text(value) for value in values]


def check_one_domain(connection: Connection, base: str) -> None:
    """Nothing: below `base` lies no other domain, whose entries this server would not give.

    A server only hints at them by referrals, as it does at parts that hold no accounts.

    Raises:
        SourceIncompleteError: one does.
    """
    configuration = root_dse(connection, "configurationNamingContext")
    own = root_dse(connection, "defaultNamingContext")
    if configuration is None or own is None:
        return
    search = PagedSearch(
        f"CN=Partitions,{configuration}",
        "(&(objectClass=crossRef)(nETBIOSName=*))",  # those of domains
        "level",
        ("nCName",),
    )
    names = [
        plain_text(value)
        for page in read_pages(connection, search)
        for _, attributes in page
        for value in attributes.get("nCName", ())
    ]
    here, below = normal_dn(own), normal_dn(base)
    others = sorted(
        name for name in names if normal_dn(name) != here and is_below(normal_dn(name), below)
    )
    if others:
        raise SourceIncompleteError(
            f"{base}: the domain {others[0]} lies below it, and this server does not hold that: "
            "give each domain a source of its own, with users.base and groups.base inside it"
        )

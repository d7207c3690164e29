"""The domains of an Active Directory forest: a read of one must not be taken for a read of all."""

from collections.abc import Iterator

from ldap3 import BASE, Connection

from extractors.directory.dn import is_below, normal_dn
from extractors.directory.ldap.protocol.search import PagedSearch, read_pages
from extractors.directory.values import plain_text
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.source_file.directory_source import ActiveDirectorySource, LdapSource

_OF_ACTIVE_DIRECTORY = ("1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1851")
"""What Active Directory, and its lightweight form, say that they are ([MS-ADTS] 3.1.1.3.4.3)."""


def controllers_of(connection: Connection) -> list[str]:
    """Finds the names of the hosts that hold the connection's domain, in alphabetical order.

    Raises:
        SourceIncompleteError: the reading account sees none.
    """
    configuration = root_dse(connection, "configurationNamingContext")
    domain = normal_dn(root_dse(connection, "defaultNamingContext") or "")
    sites = f"CN=Sites,{configuration}"
    holders = {
        normal_dn(dn).partition(",")[2]
        for dn, attributes in _all(connection, sites, "(objectClass=nTDSDSA)", "hasMasterNCs")
        if any(normal_dn(plain_text(name)) == domain for name in attributes.get("hasMasterNCs", ()))
    }
    names = [
        plain_text(attributes["dNSHostName"][0])
        for dn, attributes in _all(connection, sites, "(objectClass=server)", "dNSHostName")
        if normal_dn(dn) in holders and attributes.get("dNSHostName")
    ]
    if not names:
        raise SourceIncompleteError(
            "lastLogon needs every controller of the domain, and the reading account sees none: "
            "say lastLogonTimestamp",
            key="source.last_login_from",
        )
    return sorted(names)


def _all(
    connection: Connection, base: str, text: str, attribute: str
) -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    for page in read_pages(connection, PagedSearch(base, text, attributes=(attribute,))):
        yield from page


def root_dse(connection: Connection, attribute: str) -> str | None:
    """Returns the first value of `attribute` of the server's root; None where it has none."""
    return next(iter(root_dse_values(connection, attribute)), None)


def root_dse_values(connection: Connection, attribute: str) -> list[str]:
    """Returns every value of `attribute` of the server's root (rootDSE: RFC 4512, 5.1)."""
    if not connection.search("", "(objectClass=*)", BASE, attributes=[attribute]):
        return []
    entries = [answer for answer in connection.response if answer["type"] == "searchResEntry"]
    values = entries[0]["raw_attributes"].get(attribute, []) if entries else []
    return [plain_text(value) for value in values]


def check_kind(connection: Connection, source: LdapSource | ActiveDirectorySource) -> None:
    """Raises where the server is of the other kind than the source file says.

    A server that says nothing of what it is is taken at the file's word. An Active Directory has no
    entryUUID, which a source of kind ldap goes by unless it says otherwise.

    Raises:
        ConfigError: it is.
    """
    capabilities = root_dse_values(connection, "supportedCapabilities")
    is_domain = any(of_ad in capabilities for of_ad in _OF_ACTIVE_DIRECTORY)
    if isinstance(source, LdapSource) and is_domain and source.id == "entryUUID":
        raise ConfigError(
            "the server is an Active Directory: say active_directory", key="source.kind"
        )
    is_other = not capabilities and root_dse_values(connection, "supportedExtension")
    if isinstance(source, ActiveDirectorySource) and is_other:
        raise ConfigError("the server is no Active Directory: say ldap", key="source.kind")


def check_one_domain(connection: Connection, base: str) -> None:
    """Raises where another domain lies below `base`: this server would not give its entries.

    A server only hints at them by referrals, as it does at parts that hold no accounts.

    Raises:
        SourceIncompleteError: there is one.
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

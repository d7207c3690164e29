"""The domains of an Active Directory forest: a read of one must not be taken for a read of all."""

from itertools import chain

from ldap3 import Connection

from extractors.directory.dn import is_below, normal_dn
from extractors.directory.entries import Entries, to_entries
from extractors.directory.ldap.protocol.search import PagedSearch, read_pages, read_values
from extractors.directory.values import plain_text
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource

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
    settings = _all(connection, sites, "(objectClass=nTDSDSA)", "hasMasterNCs")
    held = zip(settings.dns, settings.values("hasMasterNCs"), strict=True)
    holders = {
        normal_dn(dn).partition(",")[2]
        for dn, contexts in held
        if any(normal_dn(plain_text(context)) == domain for context in contexts)
    }
    servers = _all(connection, sites, "(objectClass=server)", "dNSHostName")
    names = [
        plain_text(name)
        for dn, name in zip(servers.dns, servers.first("dNSHostName"), strict=True)
        if name is not None and normal_dn(dn) in holders
    ]
    if not names:
        raise SourceIncompleteError(
            "lastLogon needs every controller of the domain, and the reading account sees none: "
            "say lastLogonTimestamp",
            key="source.last_login_from",
        )
    return sorted(names)


def _all(connection: Connection, base: str, text: str, attribute: str) -> Entries:
    search = PagedSearch(base, text, attributes=(attribute,))
    return to_entries(chain.from_iterable(read_pages(connection, search)))


def root_dse(connection: Connection, attribute: str) -> str | None:
    """Returns the first value of `attribute` of the server's root; None where it has none."""
    return next(iter(root_dse_values(connection, attribute)), None)


def root_dse_values(connection: Connection, attribute: str) -> list[str]:
    """Returns every value of `attribute` of the server's root (rootDSE: RFC 4512, 5.1).

    Raises:
        SourceUnavailableError: the connection was lost.
    """
    return [plain_text(value) for value in read_values(connection, "", attribute)]


def is_active_directory(connection: Connection) -> bool:
    """Whether the server says that it is an Active Directory.

    Raises:
        SourceUnavailableError: the connection was lost.
    """
    capabilities = root_dse_values(connection, "supportedCapabilities")
    return any(of_ad in capabilities for of_ad in _OF_ACTIVE_DIRECTORY)


def check_kind(connection: Connection, source: LdapSource | ActiveDirectorySource) -> None:
    """Raises where the server is of the other kind than the source file says.

    A server that says nothing of what it is is taken at the file's word. An Active Directory has no
    entryUUID, which a source of kind ldap goes by unless it says otherwise.

    Raises:
        ConfigError: it is.
    """
    is_domain = is_active_directory(connection)
    if isinstance(source, LdapSource) and is_domain and source.id == "entryUUID":
        raise ConfigError(
            "the server is an Active Directory: say active_directory", key="source.kind"
        )
    tells = root_dse_values(connection, "supportedCapabilities")
    is_other = not tells and root_dse_values(connection, "supportedExtension")
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
    domains = to_entries(chain.from_iterable(read_pages(connection, search)))
    names = [plain_text(value) for values in domains.values("nCName") for value in values]
    here, below = normal_dn(own), normal_dn(base)
    others = sorted(
        name for name in names if normal_dn(name) != here and is_below(normal_dn(name), below)
    )
    if others:
        raise SourceIncompleteError(
            f"{base}: the domain {others[0]} lies below it, and this server does not hold that: "
            "give each domain a source of its own, with users.base and groups.base inside it"
        )

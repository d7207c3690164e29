"""When a domain's accounts last logged in: each controller has a `lastLogon` of its own."""

from collections.abc import Iterator

from ldap3 import Connection

from extractors.attribute_text import plain_text
from extractors.directory_entries import Entries, Find, Search
from extractors.directory_values import is_absurd_filetime, whole_number
from extractors.dn import normal_dn
from extractors.domain_tree import root_dse
from extractors.ldap_pages import PagedSearch, read_pages
from schemas.errors import SourceIncompleteError

Logons = dict[bytes, bytes]
"""By objectGUID: the newest FILETIME, as the directory writes it."""


def controllers_of(connection: Connection) -> list[str]:
    """The names of the hosts that hold the connection's domain, in order of the alphabet.

    Raises:
        SourceIncompleteError: none is to be seen.
    """
    configuration = root_dse(connection, "configurationNamingContext")
    domain = normal_dn(root_dse(connection, "defaultNamingContext") or "")
    sites = f"CN=Sites,{configuration}"
    holders = {
        normal_dn(dn).partition(",")[2]
        for dn, attributes in _all(connection, sites, "(objectClass=nTDSDSA)", "hasMasterNCs")
        if any(normal_dn(plain_text(one)) == domain for one in attributes.get("hasMasterNCs", ()))
    }
    names = [
        plain_text(attributes["dNSHostName"][0])
        for dn, attributes in _all(connection, sites, "(objectClass=server)", "dNSHostName")
        if normal_dn(dn) in holders and attributes.get("dNSHostName")
    ]
    if not names:
        raise SourceIncompleteError(
            "source.last_login_from: lastLogon needs every controller of the domain, and the "
            "reading account sees none: say lastLogonTimestamp"
        )
    return sorted(names)


def _all(
    connection: Connection, base: str, text: str, attribute: str
) -> Iterator[tuple[str, dict[str, list[bytes]]]]:
    for page in read_pages(connection, PagedSearch(base, text, attributes=(attribute,))):
        yield from page


def add_logons(logons: Logons, find: Find, users: Search) -> None:
    """Adds what one controller knows of the accounts that `users` is the search for."""
    found = find(Search(users.base, users.filter, users.scope, ("objectGUID", "lastLogon")))
    for guid, value in zip(found.first("objectGUID"), found.first("lastLogon"), strict=True):
        if guid is None or value is None or is_absurd_filetime(value):
            continue
        if (whole_number(value) or 0) > (whole_number(logons.get(guid, b"0")) or 0):
            logons[guid] = value


def with_logons(accounts: Entries, logons: Logons) -> Entries:
    """The accounts with the newest logon of all controllers as their `lastLogonTimestamp`."""
    newest = [None if guid is None else logons.get(guid) for guid in accounts.first("objectGUID")]
    return Entries(accounts.dns, {**accounts.columns, "lastlogontimestamp": list(newest)})

"""Attributes that change without the entry's being modified: computed, or kept by one server."""

from ldap3 import Connection

from extractors.attribute_text import plain_text
from extractors.directory_values import whole_number
from extractors.domain_tree import root_dse
from extractors.ldap_pages import PagedSearch, read_pages
from extractors.ldap_schema import operational_attributes

_CONSTRUCTED_OR_OWN = 0x4 | 0x1  # systemFlags: made when read, or not replicated ([MS-ADTS] 2.2.10)

KNOWN = frozenset(
    {
        "authtimestamp",
        "lastlogon",
        "memberof",
        "msds-user-account-control-computed",
        "nsaccountlock",
        "pwdaccountlockedtime",
        "pwdlastsuccess",
    }
)
"""Those that are so in one kind of directory or another, should the schema not say it."""


def untold_in_domain(connection: Connection, attributes: tuple[str, ...]) -> frozenset[str]:
    """Which of `attributes` a controller computes, keeps to itself, or follows a link back for.

    In lower case; by the schema, as far as it can be seen.
    """
    schema = root_dse(connection, "schemaNamingContext")
    if schema is None or not attributes:
        return KNOWN
    names = "".join(f"(lDAPDisplayName={name})" for name in attributes)
    asked = ("lDAPDisplayName", "systemFlags", "linkID")
    search = PagedSearch(schema, f"(|{names})", "level", asked, referrals="ignore")
    return KNOWN | {
        plain_text(one["lDAPDisplayName"][0]).lower()
        for page in read_pages(connection, search)
        for _, one in page
        if _is_untold(one)
    }


def _is_untold(attribute: dict[str, list[bytes]]) -> bool:
    flags = whole_number(attribute.get("systemFlags", [b"0"])[0]) or 0
    link = whole_number(attribute.get("linkID", [b"0"])[0]) or 0
    return bool(flags & _CONSTRUCTED_OR_OWN) or link % 2 == 1  # an odd link is the way back


def untold_in_tree(connection: Connection) -> frozenset[str]:
    """Which attributes the server keeps by itself, by its schema; in lower case."""
    return KNOWN | (operational_attributes(connection) or frozenset())

"""A search read page by page over one connection, whole or an error: each page's result is checked.

The cookie that asks for the next page is known to one connection of one server only (RFC 2696).
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from ldap3 import (
    BASE,
    DEREF_ALWAYS,
    DEREF_BASE,
    DEREF_NEVER,
    DEREF_SEARCH,
    LEVEL,
    SUBTREE,
    Connection,
)
from ldap3.core.exceptions import LDAPException, LDAPResponseTimeoutError

from extractors.directory.ldap.protocol.ranges import has_ranges, with_whole_ranges
from extractors.directory.ldap.protocol.raw_entries import RawEntry
from extractors.directory.ldap.protocol.result_codes import BUSY, result_text
from extractors.directory.ldap.protocol.strategy import RawEntryStrategy, use_raw_entries
from schemas.errors import SourceIncompleteError, SourceUnavailableError, raise_as

_T = TypeVar("_T")
PAGED = "1.2.840.113556.1.4.319"
SCOPES = {"subtree": SUBTREE, "level": LEVEL, "base": BASE}
_ALIASES = {
    "never": DEREF_NEVER,
    "search": DEREF_SEARCH,
    "find": DEREF_BASE,
    "always": DEREF_ALWAYS,
}
_SIZES = (1000, 500, 100, 20)
SMALLEST_PAGE = _SIZES[-1]
"""Entries a page at least, where the source file states no number."""
_REFERRAL, _LIMITS = 10, frozenset({4, 11})


@dataclass(frozen=True, slots=True)
class PagedSearch:
    """A search, and how it is read.

    Attributes:
        base: the DN to start from.
        filter: which entries, as in RFC 4515.
        scope: how deep.
        attributes: which attributes; `*` for the ordinary ones, `+` for the operational.
        page_size: entries a page; None for the most that the server allows, up to 1,000.
        referrals: whether entries that lie on another server make the read an error.
        controls: further controls of the request, as ldap3 takes them.
        timeout_s: the longest that the whole search may take; None for no limit.
        dereference: which aliases the server follows (RFC 4511, 4.5.1.3).
    """

    base: str
    filter: str = "(objectClass=*)"
    scope: Literal["subtree", "level", "base"] = "subtree"
    attributes: tuple[str, ...] = ("*",)
    page_size: int | None = None
    referrals: Literal["refuse", "ignore"] = "refuse"
    controls: tuple[Any, ...] = ()
    timeout_s: float | None = None
    dereference: Literal["never", "search", "find", "always"] = "never"


@dataclass(frozen=True, slots=True)
class _Page:
    entries: list[RawEntry]
    referrals_count: int
    code: int
    server_text: str
    cookie: bytes | None


def read_pages(connection: Connection, search: PagedSearch) -> Iterator[list[RawEntry]]:
    """Yields the entries, a page at a time, in the server's order; ranges are read to their end.

    The connection is bound already, and is not to be used for another paged search meanwhile.

    Raises:
        SourceUnavailableError: the server is busy, does not answer in time, or the connection was
            lost.
        SourceIncompleteError: a page's result is anything but success, a cookie was lost or led
            round in a circle, a referral was not followed, or a range did not continue.
        SourceFormatError: an answer that is no LDAP.
    """
    strategy = _strategy_of(connection)
    if search.timeout_s is not None:
        strategy.inbox.deadline = time.monotonic() + search.timeout_s
    try:
        yield from _pages(connection, search)
    finally:
        strategy.inbox.deadline = None


def _strategy_of(connection: Connection) -> RawEntryStrategy:
    strategy = connection.strategy
    return strategy if isinstance(strategy, RawEntryStrategy) else use_raw_entries(connection)


def _pages(connection: Connection, search: PagedSearch) -> Iterator[list[RawEntry]]:
    link, read_count = connection.socket, 0
    seen: set[tuple[bytes, str | None]] = set()
    page, size = _first_page(connection, search)
    while True:
        where = f"{search.base}: after {read_count:,} entries: "
        _check_page(page, search, where)
        read_count += len(page.entries)
        if page.cookie is None and (read_count > len(page.entries) or len(page.entries) == size):
            raise SourceIncompleteError(
                f"{where}the server sent no cookie for the next page, nor said that this is the "
                "last: see the server's support for paging, or set another page_size"
            )
        yield _with_ranges(connection, page.entries)
        if not page.cookie:
            return
        mark = (page.cookie, page.entries[0][0] if page.entries else None)
        if mark in seen:
            raise SourceIncompleteError(f"{where}the server sent the same page twice: run again")
        seen.add(mark)
        if connection.socket is not link:
            raise SourceIncompleteError(
                f"{where}the connection is not the one that the pages were asked for on: run again"
            )
        page = _request_page(connection, search, size, page.cookie, search.base)


def _first_page(connection: Connection, search: PagedSearch) -> tuple[_Page, int]:
    """Reads the first page; returns it and its size: if not stated, the largest not refused."""
    sizes = _SIZES if search.page_size is None else (search.page_size,)
    for size in sizes:
        page = _request_page(connection, search, size, None, search.base)
        if page.code not in _LIMITS or page.entries:
            break
    return page, size


def read_values(
    connection: Connection, dn: str, attribute: str, filter_text: str = "(objectClass=*)"
) -> list[bytes]:
    """Returns the values of an attribute of one entry; none where it cannot be read.

    Raises:
        SourceUnavailableError: the server does not answer, or the connection was lost.
    """
    name = attribute.lower()
    _strategy_of(connection)

    def search_entry() -> list[dict[str, list[bytes]]]:
        connection.search(dn, filter_text, BASE, DEREF_NEVER, attributes=[name])
        answers = connection.response or []
        return [one["raw_attributes"] for one in answers if one["type"] == "searchResEntry"]

    entries = _asked(connection, search_entry, dn or "its root")
    return [
        bytes(value)
        for entry in entries
        for written, values in entry.items()
        if written.lower() == name
        for value in values
    ]


def _request_page(
    connection: Connection, search: PagedSearch, size: int, cookie: bytes | None, what: str
) -> _Page:
    def search_page() -> _Page:
        connection.search(
            search.base,
            search.filter,
            SCOPES[search.scope],
            dereference_aliases=_ALIASES[search.dereference],
            attributes=[name.lower() for name in search.attributes],  # ldapjs knows no others
            controls=list(search.controls) or None,
            paged_size=size,
            paged_criticality=cookie is not None,
            paged_cookie=cookie,
        )
        return _to_page(connection)

    return _asked(connection, search_page, what)


def _asked(connection: Connection, ask: Callable[[], _T], what: str) -> _T:
    """Returns what `ask` returns; `what` it asks for is for messages.

    Raises:
        SourceUnavailableError: the server does not answer in time, or the connection was lost.
    """
    return raise_as(
        ask,
        {
            LDAPResponseTimeoutError: lambda _: SourceUnavailableError(
                f"{what}: the server did not answer in time: try again, or raise search_timeout"
            ),
            LDAPException: lambda error: SourceUnavailableError(
                f"{what}: {_lost(connection, error)}: run again"
            ),
        },
    )


def _lost(connection: Connection, error: LDAPException) -> str:
    """Returns why there is no answer; of ldap3 only the kind of error: its text can quote names."""
    notice = connection.strategy.notice
    if notice is not None:
        reason = result_text(int(notice.get("result", 80)), notice.get("message") or "")
        return f"the server ended the connection: {reason}"
    return f"the connection was lost ({type(error).__name__})"


def _to_page(connection: Connection) -> _Page:
    answers, result = connection.response or [], connection.result
    connection.response = None
    entries = [
        (answer["dn"], answer["raw_attributes"])
        for answer in answers
        if answer["type"] == "searchResEntry"
    ]
    control = (result.get("controls") or {}).get(PAGED)
    return _Page(
        entries=entries,
        referrals_count=sum(answer["type"] == "searchResRef" for answer in answers),
        code=int(result["result"]),
        server_text=result.get("message") or "",
        cookie=control["value"]["cookie"] if control else None,
    )


def _check_page(page: _Page, search: PagedSearch, where: str) -> None:
    if page.code in BUSY:
        raise SourceUnavailableError(f"{where}{result_text(page.code, page.server_text)}")
    if page.code == _REFERRAL or (page.referrals_count and search.referrals == "refuse"):
        raise SourceIncompleteError(
            f"{where}a referral was not followed: {result_text(_REFERRAL)}, "
            "or leave its part of the tree out"
        )
    if page.code:
        raise SourceIncompleteError(f"{where}{result_text(page.code, page.server_text)}")


def _with_ranges(connection: Connection, entries: list[RawEntry]) -> list[RawEntry]:
    if not has_ranges(entries):
        return entries

    def ask(dn: str, attribute: str) -> list[RawEntry]:
        search = PagedSearch(dn, scope="base", attributes=(attribute,), page_size=1)
        what = f"the rest of an entry, {attribute}"
        page = _request_page(connection, search, 1, None, what)
        _check_page(page, search, f"{what}: ")
        return page.entries

    return with_whole_ranges(entries, ask)

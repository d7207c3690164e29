"""Ours beside `ldap_peers`: the same words on the command line, the same output."""

import sys
import time
from itertools import chain
from urllib.parse import urlsplit

import ldap3
import polars as pl

from benchmarks.directories.ldap_peers import FILTER, PAGE, digest
from extractors.directory.entries import to_entries
from extractors.directory.ldap.protocol.search import PagedSearch, read_pages
from extractors.directory.values import to_texts


def main() -> None:
    """Reads once and says what it took."""
    url, base, user, password, separator, *names = sys.argv[1:]
    began, used = time.perf_counter(), time.process_time()
    place = urlsplit(url)
    server = ldap3.Server(place.hostname, port=place.port, get_info=ldap3.NONE)
    connection = ldap3.Connection(server, user, password, auto_bind=True, read_only=True)
    search = PagedSearch(base, FILTER, attributes=tuple(names), page_size=PAGE)
    entries = to_entries(chain.from_iterable(read_pages(connection, search)))
    columns = {name: to_texts(entries, name, separator) for name in names}
    frame = pl.DataFrame(
        {"dn": entries.dns, **columns}, schema=dict.fromkeys(["dn", *names], pl.String())
    )
    print(
        time.perf_counter() - began,
        time.process_time() - used,
        digest(frame),
    )


if __name__ == "__main__":
    main()

"""Ours beside `benchmarks.ldap_peers`: the same words on the command line, the same output."""

import sys
import time
from urllib.parse import urlsplit

import ldap3
import polars as pl

from benchmarks.ldap_peers import FILTER, PAGE, digest
from extractors.ldap_frames import UNDECODABLE, to_frame
from extractors.ldap_pages import PagedSearch, read_pages


def main() -> None:
    """Reads once and says what it took."""
    url, base, user, password, separator, *names = sys.argv[1:]
    began, used = time.perf_counter(), time.process_time()
    place = urlsplit(url)
    server = ldap3.Server(place.hostname, port=place.port, get_info=ldap3.NONE)
    connection = ldap3.Connection(server, user, password, auto_bind=True, read_only=True)
    search = PagedSearch(base, FILTER, attributes=tuple(names), page_size=PAGE)
    frame = pl.concat(
        to_frame(entries, search.attributes, separator)
        for entries in read_pages(connection, search)
    )
    print(
        time.perf_counter() - began,
        time.process_time() - used,
        digest(frame.drop(UNDECODABLE)),
    )


if __name__ == "__main__":
    main()

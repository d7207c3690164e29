"""Peers of `ldap_to_frame`, as one would write them: they import nothing of ours.

`ldap_peers.py ldap3|python-ldap URL BASE USER PASSWORD SEPARATOR ATTRIBUTES…` prints the seconds
that the read into a frame took, the CPU seconds, and a digest of the frame.
"""

import hashlib
import sys
import time
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import polars as pl

PAGE = 1000
FILTER = "(objectClass=inetOrgPerson)"
Found = tuple[str, dict[str, list[bytes]]]


def by_ldap3(url: str, base: str, login: tuple[str, str], names: list[str]) -> Iterator[Found]:
    """The entries by ldap3's own paged search, set to do as little as it can be."""
    import ldap3  # noqa: PLC0415 - each peer has an environment of its own

    place = urlsplit(url)
    server = ldap3.Server(place.hostname, port=place.port, get_info=ldap3.NONE)
    connection = ldap3.Connection(
        server, *login, auto_bind=True, return_empty_attributes=False, check_names=False
    )
    for one in connection.extend.standard.paged_search(
        base, FILTER, attributes=names, paged_size=PAGE, generator=True
    ):
        yield one["dn"], one["raw_attributes"]


def by_python_ldap(
    url: str, base: str, login: tuple[str, str], names: list[str]
) -> Iterator[Found]:
    """The entries by python-ldap, page by page."""
    import ldap  # noqa: PLC0415 - as above
    from ldap.controls import SimplePagedResultsControl  # noqa: PLC0415 - as above

    connection = ldap.initialize(url)
    connection.simple_bind_s(*login)
    control = SimplePagedResultsControl(criticality=True, size=PAGE, cookie="")
    while True:
        number = connection.search_ext(
            base, ldap.SCOPE_SUBTREE, FILTER, names, serverctrls=[control]
        )
        _, found, _, controls = connection.result3(number)
        yield from found
        control.cookie = controls[0].cookie
        if not control.cookie:
            return


def to_frame(found: Iterable[Found], names: list[str], separator: str) -> pl.DataFrame:
    """The entries as columns of text."""
    columns: dict[str, list[str | None]] = {"dn": [], **{name: [] for name in names}}
    for dn, attributes in found:
        columns["dn"].append(dn)
        for name in names:
            values = attributes.get(name)
            text = separator.join(sorted(v.decode() for v in values)) if values else None
            columns[name].append(text)
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))


def digest(frame: pl.DataFrame) -> str:
    """The same for the same rows, whatever their order."""
    return hashlib.sha256(frame.sort("dn").write_csv().encode()).hexdigest()[:16]


def main() -> None:
    """Reads once and says what it took."""
    peer, url, base, user, password, separator, *names = sys.argv[1:]
    read = {"ldap3": by_ldap3, "python-ldap": by_python_ldap}[peer]
    began, used = time.perf_counter(), time.process_time()
    frame = to_frame(read(url, base, (user, password), names), names, separator)
    print(time.perf_counter() - began, time.process_time() - used, digest(frame))


if __name__ == "__main__":
    main()

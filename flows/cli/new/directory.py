"""A source file for a directory: of which kind it is, and where its people and groups lie."""

from typing import Literal
from urllib.parse import unquote, urlsplit

from extractors.look import look_at_directory
from flows.cli.new.written import Login, Wanted, Written, doubt_lines, flow, not_seen, to_login
from schemas.errors import ConfigError, IngestError, raise_as
from schemas.look import DirectoryAddress, Places
from schemas.source_file.secrets import Secret

_MOST_PLACES = 6


def of_directory(wanted: Wanted, scheme: str) -> Written:
    """Returns what reads the directory; a guess where it cannot be looked at.

    Raises:
        ConfigError: the URL names no host.
    """
    login = to_login(wanted, "PASSWORD")
    protocol: Literal["ldap", "ldaps"] = "ldaps" if scheme == "ldaps" else "ldap"
    address = _address(login, protocol)
    try:
        seen = look_at_directory(address, wanted.workspace, login.resolve)
    except IngestError as problem:
        doubts = [not_seen(problem, login)]
        base = address.base_dn or "dc=example,dc=org"
        name = address.username or f"cn=reader,{base}"
        lines = _server_lines("ldap", address, login, base, name)
        return Written([*lines, *doubt_lines(doubts)], doubts)
    kind = "active_directory" if seen.is_domain else "ldap"
    lines = _server_lines(kind, address, login, seen.base_dn, address.username)
    for block, places in (("users", seen.people), ("groups", seen.groups)):
        lines += _base_lines(block, places, seen.base_dn)
    doubts = [] if seen.groups.counts else ["no group is seen: nobody holds anything"]
    return Written([*lines, *doubt_lines(doubts)], doubts)


def _address(login: Login, protocol: Literal["ldap", "ldaps"]) -> DirectoryAddress:
    def taken_apart() -> tuple[str | None, int | None, str]:
        url = urlsplit(login.url)
        return url.hostname, url.port, unquote(url.path.strip("/"))

    host, port, base = raise_as(
        taken_apart, {ValueError: lambda _: ConfigError("--from is no URL: ldaps://host")}
    )
    if not host:
        raise ConfigError("--from names no host: write it as ldaps://host/dc=example,dc=org")
    password = Secret(env=login.variable) if login.username else None
    return DirectoryAddress(host, port, protocol, login.username, password, base or None)


def _server_lines(
    kind: str, address: DirectoryAddress, login: Login, base: str, username: str | None
) -> list[str]:
    lines = ["source:", f"  kind: {kind}", f"  host: {flow(address.host)}"]
    if address.port is not None:
        lines.append(f"  port: {address.port}")
    lines.append(f"  protocol: {address.protocol}")
    if username is None:
        lines.append("  authentication: anonymous    # it lets everybody read; name who logs in")
    else:
        lines += [f"  username: {flow(username)}", f"  password: {flow({'env': login.variable})}"]
    return [*lines, f"  base_dn: {flow(base)}"]


def _base_lines(block: str, places: Places, base: str) -> list[str]:
    """Returns the block `users` or `groups`, where all lie below one entry; and how many are where.

    An entry that is made later below the same one is read as well.
    """
    if not places.counts:
        return []
    is_deeper = places.base != base
    lines = [f"  {block}: {{base: {flow(places.base)}}}"] if is_deeper else []
    listed = places.counts.most_common(_MOST_PLACES)
    lines += [f"  # {block}: {count} in {place}" for place, count in listed]
    if len(places.counts) > len(listed):
        lines.append(f"  # {block}: and in {len(places.counts) - len(listed)} other places")
    return lines

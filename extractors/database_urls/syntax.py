"""The spellings that JDBC URLs share: hosts with ports, `?a=b&c=d`, `;a=b;c={d}`."""

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from extractors.database_urls.options import secret_error
from extractors.database_urls.value import KEY
from schemas.errors import ConfigError

_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<name>[^\s:/@\[\](),;?#]+))(?::(?P<port>\d+))?"
)
_SEMICOLONS = re.compile(r"\s*([^=;{}]*?)\s*(?:=\s*(\{(?:[^}]|\}\})*\}|[^;]*))?\s*(?:;|$)")
_HIGHEST_PORT = 65535

Host = tuple[str, int | None]


def split_authority(rest: str) -> tuple[str, str, str]:
    """`//authority/path?query` in its three parts, each empty where it is not there.

    Raises:
        ConfigError: there is an `@` where only a password would have put it.
    """
    address, _, query = rest.partition("?")
    if not address.startswith("//"):
        return "", address, query
    authority, _, path = address[2:].partition("/")
    if "@" in path:  # a password with a slash in it, most likely
        raise secret_error()
    return authority, unquote(path), query


def split_user(authority: str) -> tuple[str | None, str]:
    """The user before `@`, and the rest.

    Raises:
        ConfigError: a password stands beside the user.
    """
    user, at, rest = authority.rpartition("@")
    if not at:
        return None, authority
    if ":" in user or "/" in user:
        raise secret_error()
    return unquote(user) or None, rest


def split_hosts(authority: str) -> list[Host]:
    """Hosts and ports: `a:1,b,[::1]:2`.

    Raises:
        ConfigError: one is not well-formed.
    """
    return [_host(part.strip()) for part in authority.split(",")] if authority else []


def _host(text: str) -> Host:
    if "@" in text:
        raise secret_error()
    match = _HOST.fullmatch(text)
    port = int(match["port"]) if match and match["port"] else None
    if not match or (port is not None and not 1 <= port <= _HIGHEST_PORT):
        raise ConfigError(f"{KEY}: a host is not written as host or host:port")
    return match["v6"] or match["name"], port


def query_pairs(query: str) -> Iterator[tuple[str, str]]:
    """The options of `a=b&c=d`, percent-decoded; a name alone has an empty value."""
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part:
            yield unquote_plus(name), unquote_plus(value)


def semicolon_pairs(text: str) -> Iterator[tuple[str, str]]:
    """The options of `a=b;c={d;e}`: braces keep a value together, `}}` in them is one brace.

    Raises:
        ConfigError: a brace is not closed.
    """
    at = 0
    while at < len(text):
        match = _SEMICOLONS.match(text, at)
        if not match or match.end() == at:
            raise ConfigError(f"{KEY}: the options are not written as name=value;name=value")
        at = match.end()
        name, value = match[1], (match[2] or "").strip()
        if value.startswith("{"):
            if not value.endswith("}"):
                raise ConfigError(f"{KEY}: a brace is not closed: write name={{value}}")
            value = value[1:-1].replace("}}", "}")
        if name or value:
            yield name, value

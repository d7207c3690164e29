"""The spellings that JDBC URLs share: hosts with ports, `?a=b&c=d`, `;a=b;c={d}`."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, unquote_plus

from extractors.sql.urls.address import KEY, error_at
from schemas.errors import ConfigError, raise_as
from schemas.source_file.columns import check_zone

# The options of a JDBC URL: each is translated, known to be harmless, or named in an error.

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_SECRET = re.compile(
    r".*(password|passwd|passphrase|secret)(?!characterencoding|callback).*|.*pwd|.*token|pass"
    r"|passcode|(hex|text|cipher)?key|private_key(_base64)?"
)
_JAVA_STORE = re.compile(r".*(truststore|keystore|trustcertificate|clientcertificatekey).*")


class Options:
    """The options that have not been translated yet. Names match in any case."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Takes `(name, value)` pairs as the URL has them.

        Raises:
            ConfigError: a password or another secret, no name, or one name with two values.
        """
        self._left: dict[str, tuple[str, str]] = {}
        for name, value in pairs:
            refuse_secret(name)
            if not _NAME.fullmatch(name):
                raise ConfigError("an option has no proper name: write name=value", key=KEY)
            known = self._left.setdefault(name.lower(), (name, value))
            if known[1] != value:
                raise ConfigError(f"the option {name} has two values: leave one out", key=KEY)

    def text(self, *names: str) -> str | None:
        """Takes the options of these names, and returns the first value; None where empty."""
        values = [self._left.pop(name.lower(), ("", ""))[1] for name in names]
        return next((value for value in values if value), None)

    def flag(self, name: str, *, bare: bool | None = None) -> bool | None:
        """Takes an option that is true or false; `bare` is what the name alone means."""
        if name.lower() not in self._left:
            return None
        value = self._left.pop(name.lower())[1].lower()
        if value == "" and bare is not None:
            return bare
        if value not in _TRUE | _FALSE:
            raise ConfigError(f"the option {name} is either true or false", key=KEY)
        return value in _TRUE

    def choice(self, name: str, meanings: Mapping[str, str]) -> str | None:
        """Takes an option that has a few values, and returns what its value means to us."""
        value = self.text(name)
        if value is None:
            return None
        if value.lower() not in meanings:
            raise ConfigError(f"the option {name} is none of {', '.join(meanings)}", key=KEY)
        return meanings[value.lower()]

    def seconds(self, name: str, unit_s: float = 1) -> int | None:
        """Takes a time limit, in whole seconds rounded up; None where it is not limited."""
        value = self.text(name)
        if value is None:
            return None
        if not re.fullmatch(r"-1|\d{1,10}", value):
            raise ConfigError(f"the option {name} is a whole number", key=KEY)
        return math.ceil(int(value) * unit_s) if int(value) > 0 else None

    def zone(self, *names: str) -> str | None:
        """Takes the zone of timestamps that carry none. LOCAL and SERVER say none."""
        value = self.text(*names)
        if value is None or value.upper() in {"LOCAL", "SERVER", "AUTO", "DISABLE"}:
            return None
        offset = re.fullmatch(r"(?:GMT|UTC)?([+-])0?(\d{1,2})(?::?00)?", value)
        # The database of zones counts them from Greenwich's side: UTC+2 is Etc/GMT-2.
        if offset and int(offset[2]) == 0:
            return "UTC"
        if offset:
            value = f"Etc/GMT{'-' if offset[1] == '+' else '+'}{int(offset[2])}"
        problem = ConfigError(
            f"the option {names[0]} is no time zone, such as Europe/Paris", key=KEY
        )
        return raise_as(lambda: check_zone(value), {ValueError: lambda _: problem})

    def ignore(self, harmless: Mapping[str, str]) -> None:
        """Takes what means nothing for reading: reason → names, `*` at the end for any further."""
        for names in harmless.values():
            for name in names.lower().split():
                if name.endswith("*"):
                    for left in [left for left in self._left if left.startswith(name[:-1])]:
                        del self._left[left]
                self._left.pop(name, None)

    def finish(
        self, certificates: str = "write certificates as PEM files under source.tls"
    ) -> None:
        """Ends the translation; `certificates` is what to do instead of naming a Java store.

        Raises:
            ConfigError: options are left, each of which it names.
        """
        left = sorted(name for name, _ in self._left.values())
        if not left:
            return
        stores = any(_JAVA_STORE.fullmatch(name.lower()) for name in left)
        instead = certificates if stores else "take it out, or read with driver: jdbc and its jars"
        raise ConfigError(f"no translation for the option {', '.join(left)}: {instead}", key=KEY)


def refuse_secret(name: str, key: str = KEY) -> None:
    """Refuses an option whose name says that it is a password, a token or a key."""
    if _SECRET.fullmatch(name.lower()):
        raise secret_error(key)


def secret_error(key: str = KEY) -> ConfigError:
    """Makes the one line for a secret in what stands at `key`; it quotes nothing of that."""
    return error_at(
        key,
        f"{key} holds a password or another secret: take it out, and write `username: NAME` and "
        "`password: {env: NAME}` beside it",
    )


_HOST = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.%]+)\]|(?P<name>[^\s:/@\[\](),;?#]+))(?::(?P<port>\d+))?"
)
_SEMICOLONS = re.compile(r"\s*([^=;{}]*?)\s*(?:=\s*(\{(?:[^}]|\}\})*\}|[^;]*))?\s*(?:;|$)")
_HIGHEST_PORT = 65535

Host = tuple[str, int | None]


def split_authority(rest: str) -> tuple[str, str, str]:
    """Splits `//authority/path?query` in three, each empty where it is not there.

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
    """Splits the user before `@` from the rest.

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
    """Reads hosts and ports: `a:1,b,[::1]:2`.

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
        raise ConfigError("a host is not written as host or host:port", key=KEY)
    return match["v6"] or match["name"], port


def query_pairs(query: str) -> Iterator[tuple[str, str]]:
    """Reads the options of `a=b&c=d`, percent-decoded; a name alone has an empty value."""
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if part:
            yield unquote_plus(name), unquote_plus(value)


def semicolon_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Reads the options of `a=b;c={d;e}`: braces keep a value together, `}}` in them is one.

    Raises:
        ConfigError: a brace is not closed.
    """
    at = 0
    while at < len(text):
        match = _SEMICOLONS.match(text, at)
        if not match or match.end() == at:
            raise ConfigError("the options are not written as name=value;name=value", key=KEY)
        at = match.end()
        name, value = match[1], (match[2] or "").strip()
        if value.startswith("{"):
            if not value.endswith("}"):
                raise ConfigError("a brace is not closed: write name={value}", key=KEY)
            value = value[1:-1].replace("}}", "}")
        if name or value:
            yield name, value

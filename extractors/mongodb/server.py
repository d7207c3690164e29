"""A MongoDB server that is logged in to, asked by command; its refusals in one line of ours."""

import contextlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from extractors.optional_parts import install_extra, loaded
from extractors.sql.urls.syntax import refuse_secret, secret_error
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
    raise_as,
)
from schemas.network.loopback import is_loopback
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import Resolve

_SHAPE = re.compile(r"mongodb(\+srv)?://(?:(?P<user>[^@/]*)@)?(?P<hosts>[^/?@]+)(?P<rest>[/?].*)?")
_UNVERIFIED = re.compile(r"(?i)[?&](tlsinsecure|tlsallowinvalid\w*|ssl_cert_reqs)=")
_REFUSED_LOGIN = "the login is refused: check username, password and authSource"
_REFUSALS: dict[int, tuple[type[IngestError], str]] = {
    11: (ConfigError, _REFUSED_LOGIN),
    13: (
        SourceFormatError,
        "not allowed: grant viewUser and viewRole on every database, listDatabases on the cluster",
    ),
    18: (ConfigError, _REFUSED_LOGIN),
    50: (SourceIncompleteError, "took longer than statement_timeout"),
    262: (SourceIncompleteError, "took longer than statement_timeout"),
}
"""By the server's code (MongoDB manual, "Error Codes")."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers.

    Attributes:
        name: how messages call it: its hosts, never who logs in.
        client: the driver's.
        errors: the driver's, by name.
        timeout_ms: for each command.
    """

    name: str
    client: Any
    errors: Any
    timeout_ms: int

    def command(
        self,
        command: str,
        value: Any,  # noqa: ANN401 - whatever the command takes
        database: str = "admin",
        **more: object,
    ) -> dict[str, Any]:
        """Returns the server's answer to a command that reads.

        Raises:
            ConfigError: the login is refused.
            SourceUnavailableError: no server.
            SourceIncompleteError: the connection was lost, or it took too long.
            SourceFormatError: the server refuses it.
        """
        commands = self.client[database]
        return raise_as(
            lambda: dict(commands.command(command, value, maxTimeMS=self.timeout_ms, **more)),
            {self.errors.PyMongoError: lambda error: self._to_source_error(error, command)},
        )

    def _to_source_error(self, error: Any, command: str) -> IngestError:  # noqa: ANN401
        """Makes the driver's error one of ours: its code, and none of its text."""
        match error:
            case self.errors.ServerSelectionTimeoutError():
                return SourceUnavailableError(
                    f"{self.name}: no MongoDB server answers: check the url, the network and tls"
                )
            case self.errors.OperationFailure():
                kind, reason = _REFUSALS.get(error.code, (SourceFormatError, "refused"))
                return kind(f"{self.name}: {command}: {reason} (code {error.code})")
            case self.errors.ConnectionFailure():
                lost = f"{self.name}: {command}: the connection was lost: run again"
                return SourceIncompleteError(lost)
        return SourceUnavailableError(
            f"{self.name}: {command}: failed in the driver ({type(error).__name__}): check the url"
        )


@contextmanager
def open_server(source: DatabaseOptions, workspace: Path, resolve: Resolve) -> Iterator[Server]:
    """Opens the server of the source's url; it is reached at the first command.

    Raises:
        ConfigError: the url is none, holds a password or trusts any certificate, or pymongo is not
            installed.
    """
    url = _checked_url(source)
    pymongo = loaded(_pymongo, "mongodb", install_extra("mongodb"), key="source.discover")
    options = _options(source, url, workspace, resolve)

    def connect() -> Any:  # noqa: ANN401 - a client
        with warnings.catch_warnings():
            # Of an option that it does not know, which might secure the connection, it only warns.
            warnings.simplefilter("error", UserWarning)
            return pymongo.MongoClient(url, **options)

    # A wrong url or certificate; the driver's text may quote the url.
    wrong = (pymongo.errors.ConfigurationError, ValueError, OSError, UserWarning)
    client = raise_as(connect, dict.fromkeys(wrong, _not_taken))
    shaped = _SHAPE.fullmatch(url)
    with contextlib.closing(client):
        yield Server(
            shaped["hosts"] if shaped else "MongoDB",
            client,
            pymongo.errors,
            round(source.statement_timeout.total_seconds() * 1000),
        )


def _not_taken(_: Exception) -> ConfigError:
    return ConfigError(
        "the driver takes it for no url of MongoDB, or finds no certificate: check its options, "
        "and tls",
        key="source.url",
    )


def _checked_url(source: DatabaseOptions) -> str:
    url = (source.url or "").strip().removeprefix("jdbc:")
    shaped = _SHAPE.fullmatch(url)
    if shaped is None:
        raise ConfigError("write mongodb://host:27017, or mongodb+srv://host", key="source.url")
    if ":" in (shaped["user"] or ""):
        raise secret_error()
    for name in re.findall(r"[?&;=,](\w+)(?=[=:])", unquote(shaped["rest"] or "")):
        refuse_secret(name)  # an option, or one of authMechanismProperties
    if _UNVERIFIED.search(url):
        raise ConfigError(
            "trusts any certificate: take that out, and name the authority under tls: {ca_file: …}",
            key="source.url",
        )
    return url


def _options(
    source: DatabaseOptions, url: str, workspace: Path, resolve: Resolve
) -> dict[str, Any]:
    connect_ms = round(source.connect_timeout.total_seconds() * 1000)
    options: dict[str, Any] = {
        "appname": "lumos-ingest",
        "serverSelectionTimeoutMS": connect_ms,
        "connectTimeoutMS": connect_ms,
        "socketTimeoutMS": round(source.statement_timeout.total_seconds() * 1000) + connect_ms,
        "retryReads": True,
        **_tls(source, url, workspace),
    }
    if source.username:
        options["username"] = source.username
    if source.password:
        options["password"] = resolve(source.password).get_secret_value()
    return options


def _tls(source: DatabaseOptions, url: str, workspace: Path) -> dict[str, Any]:
    """Returns the client's TLS options; a server elsewhere is verified unless the file says no."""
    tls = source.tls
    is_in_url = re.search(r"(?i)[?&](tls|ssl)=", url) is not None
    if tls is None:
        return {} if is_in_url or url.startswith("mongodb+srv") or _is_here(url) else {"tls": True}
    if tls.mode == "none":
        return {"tls": False}
    options: dict[str, Any] = {"tls": True}
    if tls.mode == "unverified":
        options["tlsAllowInvalidCertificates"] = True
    if tls.ca_file:
        options["tlsCAFile"] = str(workspace / tls.ca_file)
    if tls.key and tls.key != tls.certificate:
        raise ConfigError(
            "pymongo takes certificate and key in one file: name it as certificate",
            key="source.tls.key",
        )
    if tls.certificate:
        options["tlsCertificateKeyFile"] = str(workspace / tls.certificate)
    return options


def _is_here(url: str) -> bool:
    shaped = _SHAPE.fullmatch(url)
    hosts = shaped["hosts"].split(",") if shaped else []
    return all(is_loopback(re.sub(r":\d+$", "", host)) for host in hosts)


def _pymongo() -> Any:  # noqa: ANN401 - a module
    import pymongo

    return pymongo

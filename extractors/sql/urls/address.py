"""A database's address as read from a URL: everything but who logs in with which password."""

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import URL

from schemas.errors import ConfigError

KEY = "source.url"
"""The key of the source file that every message about a URL names."""


def error_at(key: str, line: str) -> ConfigError:
    """Makes an error whose `line` begins with the key that it is about, but not as `key: …`."""
    error = ConfigError(line)
    error.key = key
    return error


_LOGIN_TIMEOUT = {
    "postgresql": "connect_timeout",
    "mysql": "connect_timeout",
    "mariadb": "connect_timeout",
    "mssql": "timeout",
    "oracle": "tcp_connect_timeout",
    "snowflake": "login_timeout",
    "databricks": "_socket_timeout",
    "db2": "ConnectTimeout",
}


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """Where a database is and how its URL wants it to be talked to.

    Attributes:
        url: a SQLAlchemy URL without a password; its username where the URL names one.
        connect_args: the driver's own arguments, for `create_engine(…, connect_args=…)`.
        session: statements for each new connection, before the first query.
        timezone: the zone of timestamps that carry none (IANA), where the URL states one.
        query_timeout_s: the longest time for one query, in seconds, where the URL states one.
        place: host and database, for messages.
    """

    url: URL
    place: str
    connect_args: dict[str, Any] = field(default_factory=dict)
    session: tuple[str, ...] = ()
    timezone: str | None = None
    query_timeout_s: int | None = None

    @property
    def dialect(self) -> str:
        """The database: postgresql, mysql, mariadb, mssql, oracle, snowflake, sqlite and so on."""
        return self.url.get_backend_name()

    def with_login_timeout(self, seconds: int) -> "DatabaseUrl":
        """Adds a limit on logging in, unless the URL states its own."""
        argument = _LOGIN_TIMEOUT.get(self.dialect)
        if argument is None or argument in self.connect_args or argument in self.url.query:
            return self
        return replace(self, connect_args={**self.connect_args, argument: seconds})

    def login_url(self, username: str | None, password: str | None) -> URL:
        """Returns the URL to connect with: for the driver, never for a log, as it has the password.

        Raises:
            ConfigError: the URL names another user than the source file does.
        """
        if username and self.url.username not in (None, username):
            raise error_at(
                KEY, f"{KEY} names another user than source.username: leave one of the two out"
            )
        return self.url.set(username=username or self.url.username, password=password)

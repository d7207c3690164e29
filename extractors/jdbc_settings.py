"""What a JDBC connection needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class JdbcSettings:
    """What to connect to, with which driver, and how long to wait.

    Attributes:
        url: the JDBC URL, without a password.
        jars: the driver's jars.
        username: who logs in; None where the URL or the driver says.
        password: None where none is needed.
        properties: further connection properties, by the driver's names.
        login_timeout_s: for connecting, in seconds.
        query_timeout_s: for each query, in seconds.
        fetch_rows: rows a round trip.
        memory_mib: the Java heap.
        zone: the zone (IANA) of timestamps that carry none, which are then told in UTC; None leaves
            them as they are written.
        java: the program, or its path.
        environment: the process's whole environment beside a plain PATH: where a ticket is, say.
    """

    url: str
    jars: tuple[Path, ...]
    username: str | None = None
    password: SecretStr | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    login_timeout_s: int = 15
    query_timeout_s: int = 1800
    fetch_rows: int = 10_000
    memory_mib: int = 256
    zone: str | None = None
    java: str = "java"
    environment: Mapping[str, str] = field(default_factory=dict)

"""What a JDBC connection needs, and the command that starts Java with the driver's jars."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from schemas.errors import ConfigError

_PROGRAM = Path(__file__).parent / "jdbc" / "JdbcReader.java"
_FLAGS = (
    # Java's own zone would otherwise colour what the old classes for times say.
    "-Duser.timezone=UTC",
    "-Dfile.encoding=UTF-8",
    "-Djava.awt.headless=true",
    "-XX:+UseSerialGC",
)


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


def java_command(settings: JdbcSettings) -> list[str]:
    """The program and its arguments, none of which is secret or about the database.

    Raises:
        ConfigError: no Java, no jars, or a jar that is not there.
    """
    java = shutil.which(settings.java)
    if java is None:
        raise ConfigError("driver: jdbc needs Java 11 or later, and there is no program java")
    if not settings.jars:
        raise ConfigError("source.jars: driver: jdbc needs the jars of the database's driver")
    for jar in settings.jars:
        if not jar.is_file() or os.pathsep in str(jar):
            raise ConfigError(f"source.jars: {jar} is no file that can be read")
    jars = os.pathsep.join(str(jar.absolute()) for jar in settings.jars)
    return [java, f"-Xmx{settings.memory_mib}m", *_FLAGS, "-cp", jars, str(_PROGRAM)]

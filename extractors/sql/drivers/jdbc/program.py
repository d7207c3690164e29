"""The Java program that reads over JDBC: compiled once a process, and how it is started."""

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pydantic import SecretStr

from schemas.errors import ConfigError


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


ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
"""All that Java gets of the environment: secrets of ours may be in the rest."""

_SOURCE = Path(__file__).parent / "JdbcReader.java"
_COMPILER = ("-XX:TieredStopAtLevel=1", "-m", "jdk.compiler/com.sun.tools.javac.Main")
_LONGEST_COMPILATION_S = 120
_FLAGS = (
    # Java's own zone would otherwise colour what its old classes for times say.
    "-Duser.timezone=UTC",
    "-Dfile.encoding=UTF-8",
    "-Djava.awt.headless=true",
    # Derby's would else write a log into the folder that it is started in.
    "-Dderby.stream.error.file=/dev/null",
    "-XX:+UseSerialGC",
)


def java_command(settings: JdbcSettings) -> list[str]:
    """Returns the program and its arguments, none of which is secret or about the database.

    Raises:
        ConfigError: no Java, no jars, or a jar that is not there.
    """
    java = shutil.which(settings.java)
    if java is None:
        raise ConfigError(
            "jdbc needs Java 11 or later, and there is no program java: install a JDK", key="driver"
        )
    if not settings.jars:
        raise ConfigError(
            "driver: jdbc needs the jars of the database's driver: name them", key="source.jars"
        )
    for jar in settings.jars:
        if not jar.is_file() or os.pathsep in str(jar):
            raise ConfigError(
                f"{jar} is no file that can be read: check the path", key="source.jars"
            )
    jars = os.pathsep.join(str(path.absolute()) for path in (_compiled(java), *settings.jars))
    return [java, f"-Xmx{settings.memory_mib}m", *_FLAGS, "-cp", jars, "JdbcReader"]


@cache
def _compiled(java: str) -> Path:
    """Compiles the program, which is shipped as source to be reviewed, and returns its folder."""
    folder = tempfile.mkdtemp(prefix="lumos-ingest-jdbc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [java, *_COMPILER, "-encoding", "UTF-8", "-d", folder, str(_SOURCE)]
    output = b""
    try:
        compiled = subprocess.run(  # noqa: S603 - our own program, and no shell
            command,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LONGEST_COMPILATION_S,
            check=False,
        )
        if compiled.returncode == 0:
            return Path(folder)
        output = compiled.stdout + compiled.stderr
    except (OSError, subprocess.TimeoutExpired):
        pass
    if b"jdk.compiler" in output:
        raise ConfigError(
            "jdbc needs a Java with a compiler in it: install a JDK from 11 on", key="driver"
        )
    raise ConfigError(
        "jdbc needs Java 11 or later: this java could not start the reader", key="driver"
    )

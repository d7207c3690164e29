"""SQL Server's ODBC driver: Microsoft's from its wheel, else an installed one, else FreeTDS."""

import platform
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from extractors.optional_parts import install_extra, loaded
from extractors.sql.urls.address import KEY, DatabaseUrl
from schemas.errors import ConfigError

_FAMILIES = {
    "debian": "debian_ubuntu",
    "ubuntu": "debian_ubuntu",
    "rhel": "rhel",
    "fedora": "rhel",
    "centos": "rhel",
    "suse": "suse",
    "opensuse": "suse",
    "alpine": "alpine",
}
_MICROSOFTS = ("ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server")
_FREETDS = "FreeTDS"


def mssql_driver() -> str:
    """Finds the driver: a file's path or an installed driver's name.

    Raises:
        ConfigError: there is none; the message has the command that installs one.
    """
    shipped = shipped_driver()
    if shipped is not None:
        return str(shipped)
    pyodbc = loaded(_pyodbc, "mssql+pyodbc", key=KEY)
    installed = set(pyodbc.drivers())
    for name in (*_MICROSOFTS, _FREETDS):
        if name in installed:
            return name
    raise ConfigError(f"no ODBC driver for SQL Server is installed: {install_extra('mssql')}")


def _pyodbc() -> Any:  # noqa: ANN401 - a module
    import pyodbc

    return pyodbc


def shipped_driver() -> Path | None:
    """Finds the file for this machine in the wheel `mssql-python-odbc`; None without the wheel."""
    package = find_spec("mssql_python_odbc")
    if package is None or package.origin is None:
        return None
    libs = Path(package.origin).parent / "libs" / "linux"
    machine = {"aarch64": "arm64", "amd64": "x86_64"}.get(platform.machine(), platform.machine())
    families = [_FAMILIES[name] for name in _system() if name in _FAMILIES]
    for family in dict.fromkeys([*families, "debian_ubuntu"]):
        libraries = sorted((libs / family / machine / "lib").glob("libmsodbcsql-*.so*"))
        if libraries:
            return libraries[-1]
    return None


def with_odbc_driver(
    database: DatabaseUrl, find_driver: Callable[[], str] = mssql_driver
) -> DatabaseUrl:
    """Adds the ODBC driver that reads the address, where it needs one and names none.

    Raises:
        ConfigError: there is none, or only FreeTDS, which cannot check a certificate, where the
            certificate is to be checked.
    """
    url = database.url
    names = {name.lower() for name in url.query}
    if url.drivername != "mssql+pyodbc" or names & {"driver", "dsn", "odbc_connect"}:
        return database
    driver = find_driver()
    if driver == _FREETDS:
        return _for_freetds(database)
    return replace(database, url=url.update_query_dict({"driver": driver}))


def _for_freetds(database: DatabaseUrl) -> DatabaseUrl:
    """Writes the address for FreeTDS, which takes no authority to check certificates by."""
    query = dict(database.url.query)
    encrypts = str(query.pop("Encrypt", "yes")).lower()
    trusts = str(query.pop("TrustServerCertificate", "no")).lower()
    if encrypts != "no" and (trusts != "yes" or encrypts == "strict"):
        raise ConfigError(
            "FreeTDS does not check the server's certificate: Microsoft's driver does, "
            f"{install_extra('mssql')}; or write trustServerCertificate=true",
            key=KEY,
        )
    query |= {"driver": _FREETDS, "TDS_Version": "7.4"}
    query["Encryption"] = "off" if encrypts == "no" else "require"
    if database.url.port:
        query["port"] = str(database.url.port)
    return replace(database, url=database.url.set(query=query))


def _system() -> list[str]:
    """Returns what kind of Linux this is, the nearest name first."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return []
    return [release.get("ID", ""), *release.get("ID_LIKE", "").split()]

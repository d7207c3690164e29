"""Parts that not every source needs: drivers, ODBC, Kerberos, SFTP.

They are imported where a source asks for one. Where one is missing, or a library of the system that
it is built on, the error says what to install.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from schemas.errors import ConfigError, raise_as

T = TypeVar("T")

_LIBRARY = re.compile(r"\b(lib[\w+-]+)[\w.+-]*\.(?:so|dylib)\b[.\d]*")
"""A shared library that the loader does not find, as glibc, musl and macOS name it."""
_SYSTEM_PACKAGES = {
    "libodbc": "unixODBC (Debian, Ubuntu: unixodbc; Red Hat: unixODBC)",
    "libodbcinst": "unixODBC (Debian, Ubuntu: unixodbc; Red Hat: unixODBC)",
    "libgssapi_krb5": "Kerberos (Debian, Ubuntu: libgssapi-krb5-2; Red Hat: krb5-libs)",
    "libkrb5": "Kerberos (Debian, Ubuntu: libkrb5-3; Red Hat: krb5-libs)",
    "libltdl": "libtool's loader (Debian, Ubuntu: libltdl7; Red Hat: libtool-ltdl)",
}


def install_extra(extra: str) -> str:
    """The command that installs an extra of this project, and where to type it."""
    return f"pip install '.[{extra}]' in the checkout of lumos-ingest"


def loaded(
    load: Callable[[], T], part: str, install: str | None = None, *, key: str | None = None
) -> T:
    """What `load`, which imports an optional part, returns.

    Args:
        load: imports it.
        part: what is asked for, such as `odbc`, for the message.
        install: the command that installs its Python package; None for pip and its name.
        key: the key of the source file that asks for it.

    Raises:
        ConfigError: it is not installed, or cannot be loaded; the message says what to install.
    """

    def missing(error: ModuleNotFoundError) -> ConfigError:
        if error.name is None:  # a package's own words for another that it needs
            command = install or f"pip install the package that has the driver of {part}"
            return ConfigError(f"{part} needs a package that is not installed: {command}", key=key)
        command = install or f"pip install {error.name}"
        reason = f"{part} needs the package {error.name}, which is not installed: {command}"
        return ConfigError(reason, key=key)

    def broken(error: Exception) -> ConfigError:
        return ConfigError(_not_loaded(part, install or "install it again", str(error)), key=key)

    kinds = {ModuleNotFoundError: missing, ImportError: broken, OSError: broken}
    return raise_as(load, kinds)


def _not_loaded(part: str, install: str, reason: str) -> str:
    library = _LIBRARY.search(reason)
    if library is None:
        lines = reason.strip().splitlines() or ["no reason is given"]
        return f"{part} needs a package that cannot be loaded ({lines[0]}): {install}"
    package = _SYSTEM_PACKAGES.get(library.group(1), "the system's package that has it")
    return f"{part} needs the system's {library.group()}, which is missing: install {package}"

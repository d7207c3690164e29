"""Parts that not every source needs: drivers, ODBC, Kerberos, SFTP.

They are imported where a source asks for one. Where one is missing, or a library of the system that
it is built on, the error says what to install.
"""

import re
from collections.abc import Callable
from typing import TypeVar

from schemas.errors import ConfigError

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


def loaded(load: Callable[[], T], part: str, install: str | None = None) -> T:
    """What `load`, which imports an optional part, returns.

    Args:
        load: imports it.
        part: what asks for it, such as `source.driver: odbc`, for the message.
        install: the command that installs its Python package; None for pip and its name.

    Raises:
        ConfigError: it is not installed, or cannot be loaded; the message says what to install.
    """
    problem = ""
    try:
        return load()
    except ModuleNotFoundError as error:
        install = install or f"pip install {error.name}"
        problem = f"{part} needs the package {error.name}, which is not installed: {install}"
    except (ImportError, OSError) as error:
        problem = _not_loaded(part, install or "install it again", str(error))
    raise ConfigError(problem)


def _not_loaded(part: str, install: str, reason: str) -> str:
    library = _LIBRARY.search(reason)
    if library is None:
        lines = reason.strip().splitlines() or ["no reason is given"]
        return f"{part} needs a package that cannot be loaded ({lines[0]}): {install}"
    package = _SYSTEM_PACKAGES.get(library.group(1), "the system's package that has it")
    return f"{part} needs the system's {library.group()}, which is missing: install {package}"

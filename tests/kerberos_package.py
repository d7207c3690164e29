"""The extra `kerberos`, for the tests that log in with a ticket.

It is built from its source, which needs Kerberos's headers and a compiler: so it is no part of the
usual environment, but lies in a folder of its own, `.venv-kerberos/`;
`python -m tests.kerberos_package` makes it beforehand.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_PINNED = ("gssapi==1.12.0", "decorator==5.3.1")


@pytest.fixture(scope="session")
def kerberos_folder() -> Path:
    """The folder to put on Python's path; without it, or `kinit`, its tests cannot run."""
    problem = None if shutil.which("kinit") else "missing: kinit (Debian: krb5-user)"
    try:
        made = folder()
    except (subprocess.CalledProcessError, OSError) as error:
        problem = f"the package gssapi cannot be built ({type(error).__name__})"
    if problem and os.environ.get("CI"):
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)
    return made


def folder() -> Path:
    """Where the package is; it is built where it is not there yet."""
    made = Path(__file__).parent.parent / ".venv-kerberos"
    stamp = made / "-".join(_PINNED).replace("==", "-")
    if not stamp.exists():
        shutil.rmtree(made, ignore_errors=True)
        install = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        # The compiler is not asked for fast code: that takes it more than twice as long.
        compiler = {**os.environ, "CFLAGS": "-O0 -g0"}
        command = [*install, "--no-deps", "--target", made, *_PINNED]
        subprocess.run(command, check=True, env=compiler)
        stamp.touch()
    return made


if __name__ == "__main__":
    folder()

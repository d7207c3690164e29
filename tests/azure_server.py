"""An emulator of Azure Blob Storage (Azurite) on loopback, while tests last, as a pytest plugin."""

import base64
import email.utils
import hashlib
import hmac
import itertools
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from obstore.store import AzureStore

_LONGEST_START_S = 90
_VERSION = "2023-11-03"
_NUMBERS = itertools.count()


@dataclass(frozen=True)
class AzureAccount:
    """A storage account.

    Attributes:
        name: its name.
        key: its key.
        endpoint: its address.
    """

    name: str
    key: str
    endpoint: str

    def container(self, name: str) -> AzureStore:
        """A container, whether it is there or not."""
        return AzureStore(
            name,
            account_name=self.name,
            account_key=self.key,
            endpoint=self.endpoint,
            client_options={"allow_http": True},
        )

    def make(self, name: str) -> None:
        """Makes a container."""
        date = email.utils.formatdate(usegmt=True)
        lines = [
            *("PUT", *[""] * 11, f"x-ms-date:{date}", f"x-ms-version:{_VERSION}"),
            f"/{self.name}/{self.name}/{name}",
            "restype:container",
        ]
        signature = hmac.new(base64.b64decode(self.key), "\n".join(lines).encode(), hashlib.sha256)
        told = base64.b64encode(signature.digest()).decode()
        headers = {
            "x-ms-date": date,
            "x-ms-version": _VERSION,
            "Authorization": f"SharedKey {self.name}:{told}",
        }
        url = f"{self.endpoint}/{name}?restype=container"
        httpx.put(url, headers=headers).raise_for_status()


@pytest.fixture(scope="session")
def azure_account(
    emulators_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AzureAccount]:
    """An account of a server that keeps everything in memory."""
    from tests.npm_packages import node, npm_packages

    assert emulators_python
    lock = Path(__file__).parent / "node_services" / "azurite" / "package-lock.json"
    program = npm_packages(lock) / "node_modules/azurite/dist/src/blob/main.js"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    run_as = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    options = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    server = subprocess.Popen(
        [*run_as, node(), program, "--blobHost", "127.0.0.1", "--blobPort", str(port), *options],
        cwd=tmp_path_factory.mktemp("azurite"),
        env={**os.environ, "AZURITE_ACCOUNTS": f"hrstorage:{key}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_up(port, server)
        yield AzureAccount("hrstorage", key, f"http://127.0.0.1:{port}/hrstorage")
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def new_container(azure_account: AzureAccount) -> Callable[[], AzureStore]:
    """Makes an empty container."""

    def made() -> AzureStore:
        name = f"container-{next(_NUMBERS)}"
        azure_account.make(name)
        return azure_account.container(name)

    return made


def _wait_until_up(port: int, server: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + _LONGEST_START_S
    while server.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Azurite did not start: {server.poll()}")

"""Servers for benchmarks, each a process of its own on loopback, there for a block."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def served(words: Sequence[str], port: int, python: str = sys.executable) -> Iterator[str]:
    """The URL at which `python -m WORDS` answers; it is ended with the block.

    Raises:
        OSError: it does not start.
    """
    server = subprocess.Popen(
        [python, "-m", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.05)
            else:
                break
        else:
            raise OSError(f"{words[0]} did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def build_sandbox(python: str = sys.executable) -> Iterator[str]:
    """The URL of an empty sandbox, of the build whose Python that is; its jobs end at once."""
    port = free_port()
    words = ["lumos_ingest", "sandbox", "--port", str(port), "--job-seconds", "0"]
    with served(words, port, python) as url:
        yield url

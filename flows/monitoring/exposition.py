"""Where metrics are read: a file for the node exporter, or a port of this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, start_http_server

from flows.monitoring.metrics import LedgerMetrics
from flows.run.context import RunContext
from schemas.errors import ConfigError, raise_as

SETTING = "LUMOS_INGEST_METRICS_FILE"
LOOPBACK = "127.0.0.1"

_READABLE = 0o644
"""The node exporter is another user; there is nobody's data in it."""


def to_registry(context: RunContext) -> CollectorRegistry:
    """The registry of one workspace's metrics."""
    registry = CollectorRegistry()
    registry.register(LedgerMetrics(context))
    return registry


def write_metrics(path: Path, context: RunContext) -> None:
    """Writes the metrics into the file at once: whoever reads it, reads a whole one.

    Raises:
        ConfigError: the file is not called as the node exporter wants it, or cannot be written.
    """
    if path.suffix != ".prom":
        raise ConfigError(f"{SETTING}: {path}: the node exporter reads files called *.prom alone")
    text = generate_latest(to_registry(context))
    raise_as(
        lambda: _replace(path, text),
        {
            OSError: lambda error: ConfigError(
                f"{SETTING}: {path}: cannot be written: {error.strerror}"
            )
        },
    )


def _replace(path: Path, text: bytes) -> None:
    # In the same folder, for a rename to be one step; and of another ending, to be no metrics yet.
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(text)
        part.chmod(_READABLE)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def served_metrics(port: int, context: RunContext) -> Iterator[int]:
    """The block in which the metrics are served on loopback; the port, a free one for 0.

    Raises:
        ConfigError: the port is taken, or may not be listened on.
    """
    server, thread = raise_as(
        lambda: start_http_server(port, LOOPBACK, to_registry(context)),
        {
            OSError: lambda error: ConfigError(
                f"--metrics {port}: cannot listen on {LOOPBACK}:{port}: {error.strerror}"
            )
        },
    )
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

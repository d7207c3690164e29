"""The two ways to ask a connector: over HTTP on this machine, or by its command, a page a process.

A connector writes what it reads to its stderr and its log: neither is kept. Its input goes in by
stdin or a body: an argument is there for everybody to see.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx

from extractors.processes.start import running
from extractors.zones.https import failure
from schemas.errors import (
    ConfigError,
    SourceFormatError,
    SourceUnavailableError,
)
from schemas.source_file.kinds.connector_source import ConnectorSource

_MOST_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class About:
    """What a connector says of itself.

    Attributes:
        capabilities: what it can do, by Lumos's names.
        credential_ids: where it takes several credentials, the ids of the one combination that it
            allows; empty where it takes one, or there is a choice.
    """

    capabilities: frozenset[str]
    credential_ids: tuple[str, ...]


class Way(Protocol):
    """A connector that can be asked."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def about(self) -> About:
        """Returns what it says of itself."""
        ...

    def ask(self, capability: str, body: bytes) -> Any:  # noqa: ANN401 - JSON holds anything
        """Returns what it answers, decoded; an error of its own is an answer, too."""
        ...


@contextmanager
def opened_way(source: ConnectorSource, workspace: Path) -> Iterator[Way]:
    """The connector; nothing is asked yet."""
    timeout_s = source.timeout.total_seconds()
    if source.url is not None:
        # What is on this machine is not asked through a proxy.
        with httpx.Client(
            timeout=httpx.Timeout(timeout_s, connect=10), trust_env=False, follow_redirects=False
        ) as client:
            yield HttpWay(source.url.rstrip("/"), client)
        return
    with tempfile.TemporaryDirectory(prefix="connector-") as folder:
        yield CommandWay(source.command or (), workspace, Path(folder), timeout_s)


@dataclass(frozen=True, slots=True)
class HttpWay:
    """A connector that its `dev http-server` serves."""

    name: str
    client: httpx.Client

    def about(self) -> About:
        """Returns what its OpenAPI document says.

        Raises:
            SourceUnavailableError: nothing answers there.
            SourceFormatError: it is no connector.
        """
        answer = self._sent("GET", "/openapi.json")
        document = _decoded(answer.content, self.name)
        told = document.get("info") if isinstance(document, dict) else None
        capabilities = told.get("x-capabilities") if isinstance(told, dict) else None
        if not answer.is_success or not isinstance(told, dict) or capabilities is None:
            raise SourceFormatError(f"{self.name}: /openapi.json is not that of a connector")
        allowed = told.get("x-allowed-credentials")
        is_one = isinstance(allowed, list) and len(allowed) == 1
        ids = _texts(allowed[0]) if is_one and isinstance(allowed, list) else ()
        return About(frozenset(_texts(capabilities)), ids if told.get("x-multi-credential") else ())

    def ask(self, capability: str, body: bytes) -> Any:  # noqa: ANN401 - JSON holds anything
        """Returns what it answers to a POST.

        Raises:
            SourceUnavailableError: nothing answers, or not in time.
            SourceFormatError: the answer is no JSON, or has another status than 200.
        """
        answer = self._sent("POST", f"/{capability}", body)
        if answer.status_code != httpx.codes.OK:
            raise SourceFormatError(
                f"{self.name}: {capability}: {answer.status_code} {answer.reason_phrase}".rstrip()
            )
        return _decoded(answer.content, f"{self.name}: {capability}")

    def _sent(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        problem = ""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            return self.client.request(method, f"{self.name}{path}", content=body, headers=headers)
        except (httpx.TransportError, httpx.DecodingError) as error:
            problem = failure(error)
        raise SourceUnavailableError(f"{self.name}: {problem}: is the connector running?")


@dataclass(frozen=True, slots=True)
class CommandWay:
    """A connector that is started for each request.

    Attributes:
        command: the program and its arguments.
        workspace: where it is started.
        folder: what it may write into; gone afterwards.
        timeout_s: seconds for each request.
    """

    command: tuple[str, ...]
    workspace: Path
    folder: Path
    timeout_s: float

    @property
    def name(self) -> str:
        """Its program; an argument may be anything."""
        return Path(self.command[0]).name

    def about(self) -> About:
        """Returns what its command `info` prints.

        Raises:
            ConfigError: there is no such program.
            SourceUnavailableError: it fails, or takes too long.
            SourceFormatError: it prints something else.
        """
        document = self._run("info")
        told = document.get("response", document) if isinstance(document, dict) else None
        capabilities = told.get("capabilities") if isinstance(told, dict) else None
        if not isinstance(told, dict) or capabilities is None:
            raise SourceFormatError(f"{self.name}: info prints no capabilities")
        schemas = told.get("credentials_schema")
        schemas = [one for one in schemas if isinstance(one, dict)] if schemas else []
        ids = _texts([one.get("id") for one in schemas]) if len(schemas) == 1 else ()
        return About(frozenset(_texts(capabilities)), ids)

    def ask(self, capability: str, body: bytes) -> Any:  # noqa: ANN401 - JSON holds anything
        """Returns what it prints, having read its input from stdin.

        Raises:
            ConfigError, SourceUnavailableError, SourceFormatError: as `about`.
        """
        return self._run(capability, "--json-file", "/dev/stdin", body=body)

    def _run(self, *words: str, body: bytes = b"") -> Any:  # noqa: ANN401 - JSON holds anything
        problem, printed, exit_code, unstarted = "", b"", 0, None
        try:
            with running(
                [*self.command, *words],
                cwd=self.workspace,
                env=self._environment(),
                stdin=subprocess.PIPE,
            ) as child:
                printed, _ = child.communicate(body, self.timeout_s)
            exit_code = child.returncode
        except subprocess.TimeoutExpired:
            problem = f"gave no answer within {self.timeout_s:.0f} s"
        except BrokenPipeError:
            problem = "did not read its input"
        except OSError as error:
            unstarted = error.strerror
        if unstarted:
            raise ConfigError(f"{self.name} cannot be run: {unstarted}", key="source.command")
        if exit_code and not problem:
            problem = f"ended with exit code {exit_code}"
        if problem:
            raise SourceUnavailableError(f"{self.name}: {words[0]}: {problem}")
        lines = printed.strip().splitlines()
        return _decoded(lines[-1] if lines else b"", f"{self.name}: {words[0]}")

    def _environment(self) -> dict[str, str]:
        """This process's own but for what is ours, with nothing that it would tell elsewhere."""
        theirs = {
            name: value for name, value in os.environ.items() if not name.startswith("LUMOS_")
        }
        return {
            **theirs,
            "DD_DOGSTATSD_DISABLE": "true",
            "LUMOS_LOG_DIRECTORY": str(self.folder),
            "LUMOS_LOG_REQUEST_SETTINGS": "false",
            "TMPDIR": str(self.folder),
        }


def _decoded(content: bytes, name: str) -> Any:  # noqa: ANN401 - JSON holds anything
    if len(content) > _MOST_BYTES:
        raise SourceFormatError(f"{name}: more than {_MOST_BYTES >> 20} MB: set page_size")
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        pass
    raise SourceFormatError(f"{name}: the answer is no JSON")


def _texts(values: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON holds anything
    return tuple(one for one in values if isinstance(one, str)) if isinstance(values, list) else ()

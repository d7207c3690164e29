"""Settings from the environment, and else from `.env` in the workspace."""

import io
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream
from pydantic import SecretStr

from schemas.errors import ConfigError, raise_as
from schemas.settings import Settings
from schemas.source_file.quantities import to_duration

API_URL = "https://api.lumos.com"
STATE_FOLDER = ".lumos-ingest"
RETENTION = "90d"
LONGEST_RETENTION = timedelta(days=36525)
"""A hundred years."""

_SQLITE_FILE = re.compile(r"(sqlite(?:\+pysqlite)?:///)(?!:memory:|file:)([^?]+)(.*)", re.DOTALL)
_BUCKETS = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss"})
"""The schemes under which obstore opens an object store; its `memory` would forget everything."""


def read_settings(workspace: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `workspace`, every path in them absolute. Nothing is made.

    Raises:
        ConfigError: the workspace is no folder or may not be read, or a setting cannot be meant.
    """
    root = _root(workspace)
    variables = environment_of(root, os.environ if environ is None else environ)
    state = _place(variables.get("LUMOS_INGEST_STATE") or STATE_FOLDER, root, "LUMOS_INGEST_STATE")
    notify = (variables.get("LUMOS_INGEST_NOTIFY") or "").strip()
    token = (variables.get("LUMOS_API_TOKEN") or "").strip()
    return Settings(
        api_url=(variables.get("LUMOS_API_URL") or API_URL).strip().rstrip("/"),
        api_token=SecretStr(token) if token else None,
        state=state,
        ledger=_ledger(
            variables.get("LUMOS_INGEST_LEDGER") or f"sqlite:///{state / 'ledger.db'}", root
        ),
        archive=_archive(variables.get("LUMOS_INGEST_ARCHIVE") or str(state / "archive"), root),
        retention=_retention(variables.get("LUMOS_INGEST_RETENTION") or RETENTION),
        workspace=root,
        notify=SecretStr(notify) if notify else None,
    )


def environment_of(workspace: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables of `environ`, and those of the workspace's `.env` that it lacks.

    Raises:
        ConfigError: `.env` cannot be read, or a line of it is no variable.
    """
    return {**_dot_env(workspace / ".env"), **environ}


def _root(workspace: Path) -> Path:
    def problem(reason: str) -> ConfigError:
        return ConfigError(f"{workspace}: {reason}; name the workspace with --workspace")

    root = raise_as(
        lambda: workspace.resolve() if workspace.is_dir() else None,
        {OSError: lambda error: problem(error.strerror or "cannot be read")},
    )
    if root is None:
        raise problem("no such folder")
    return root


def _dot_env(path: Path) -> dict[str, str]:
    text = raise_as(
        lambda: path.read_text("utf-8-sig") if path.is_file() else "",
        {
            OSError: lambda _: ConfigError(f"{path}: cannot be read"),
            UnicodeDecodeError: lambda _: ConfigError(f"{path}: is not text in UTF-8"),
        },
    )
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            # Never the line itself: a secret without its name stands there.
            reason = "a quote is not closed" if _opens_quote(binding) else "is no NAME=value"
            raise ConfigError(f"{path}:{_line_of(binding)}: {reason}")
    variables = dotenv_values(stream=io.StringIO(text))
    return {key: value for key, value in variables.items() if value is not None}


def _line_of(binding: Binding) -> int:
    """Where it stands: blank lines before it are part of it."""
    whole = binding.original.string
    return binding.original.line + whole[: len(whole) - len(whole.lstrip())].count("\n")


def _opens_quote(binding: Binding) -> bool:
    _, is_given, value = binding.original.string.partition("=")
    value = value.strip()
    return bool(is_given) and value[:1] in {"'", '"'} and value.count(value[0]) == 1


def _place(text: str, root: Path, setting: str) -> Path:
    """The path that is meant: `~` is a home, and what is relative lies in the workspace."""
    return raise_as(
        lambda: root / Path(text).expanduser(),
        {RuntimeError: lambda _: ConfigError(f"{setting}: {text}: there is no such home folder")},
    )


def _ledger(url: str, root: Path) -> str:
    written = _SQLITE_FILE.fullmatch(url)
    if written is None:
        return url
    return f"{written[1]}{_place(written[2], root, 'LUMOS_INGEST_LEDGER')}{written[3]}"


def _archive(location: str, root: Path) -> str:
    scheme, parted, path = location.partition("://")
    if parted and scheme != "file":
        if scheme not in _BUCKETS:
            raise ConfigError(
                "LUMOS_INGEST_ARCHIVE: name a folder, or an object store by a URL that begins with "
                "s3://, gs://, az:// or abfss://"
            )
        return location
    return str(_place(path if parted else location, root, "LUMOS_INGEST_ARCHIVE"))


def _retention(text: str) -> timedelta:
    retention = raise_as(
        lambda: to_duration(text),
        {ValueError: lambda error: ConfigError(f"LUMOS_INGEST_RETENTION: {error}")},
    )
    if retention > LONGEST_RETENTION:
        raise ConfigError("LUMOS_INGEST_RETENTION: at most a hundred years (36525d)")
    return retention

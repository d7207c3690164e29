"""Settings from the environment, and else from `.env` in the workspace."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from schemas.errors import ConfigError
from schemas.quantities import to_duration
from schemas.settings import Settings

API_URL = "https://api.lumos.com"
STATE_FOLDER = ".lumos-ingest"
RETENTION = "90d"


def read_settings(workspace: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of `workspace`; makes its state folder, 0700.

    Raises:
        ConfigError: the workspace is no folder, or a setting cannot be meant.
    """
    if not workspace.is_dir():
        raise ConfigError(f"{workspace}: no such folder; name the workspace with --workspace")
    root = workspace.resolve()
    said = {**_dot_env(root), **(os.environ if environ is None else environ)}
    state = root / (said.get("LUMOS_INGEST_STATE") or STATE_FOLDER)
    token = (said.get("LUMOS_API_TOKEN") or "").strip()
    retention = None
    try:
        retention = to_duration(said.get("LUMOS_INGEST_RETENTION") or RETENTION)
    except ValueError as error:
        reason = str(error)
    if retention is None:
        raise ConfigError(f"LUMOS_INGEST_RETENTION: {reason}")
    return Settings(
        api_url=(said.get("LUMOS_API_URL") or API_URL).strip().rstrip("/"),
        api_token=SecretStr(token) if token else None,
        state=state,
        ledger=said.get("LUMOS_INGEST_LEDGER") or f"sqlite:///{state / 'ledger.db'}",
        archive=said.get("LUMOS_INGEST_ARCHIVE") or str(state / "archive"),
        retention=retention,
        workspace=root,
    )


def _dot_env(workspace: Path) -> dict[str, str]:
    path = workspace / ".env"
    if not path.is_file():
        return {}
    try:
        return {key: value for key, value in dotenv_values(path).items() if value is not None}
    except OSError:
        reason = "cannot be read"
    except UnicodeDecodeError:
        reason = "is not text in UTF-8"
    raise ConfigError(f"{path}: {reason}")

"""Fetches the secrets that a source file names: environment, file, Prefect block, command."""

import os
import subprocess
from pathlib import Path

from pydantic import SecretStr

from flows.run.settings import environment_of
from schemas.errors import ConfigError
from schemas.source_file.secrets import Resolve, Secret

_COMMAND_S = 60


def to_resolver(workspace: Path) -> Resolve:
    """What fetches the secrets of the source files of `workspace`; paths are relative to it."""

    def resolve(secret: Secret) -> SecretStr:
        if secret.env is not None:
            return _from_environment(secret.env, workspace)
        if secret.file is not None:
            return _from_file(workspace / Path(secret.file).expanduser(), secret.file)
        if secret.prefect is not None:
            return _from_prefect(secret.prefect)
        return _from_command(secret.command or (), workspace)

    return resolve


def _from_environment(name: str, workspace: Path) -> SecretStr:
    value = environment_of(workspace, os.environ).get(name)
    if not value:
        raise ConfigError(
            f"{name} is not set: put it into the environment, or into .env in the workspace"
        )
    return SecretStr(value)


def _from_file(path: Path, name: str) -> SecretStr:
    text, reason = "", "is empty"
    try:
        text = path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = "is not text in UTF-8"
    if not text:
        raise ConfigError(f"the secret in {name} {reason}")
    return SecretStr(text)


def _from_prefect(block: str) -> SecretStr:
    from prefect.blocks.system import Secret as PrefectSecret
    from prefect.utilities.asyncutils import run_coro_as_sync

    value, reason = None, "holds no text"
    try:
        found = run_coro_as_sync(PrefectSecret.aload(block))
        value = found.get() if found is not None else None
    except ValueError:
        reason = "does not exist in Prefect"
    except Exception as error:  # noqa: BLE001 - Prefect's client raises whatever httpx does
        reason = f"could not be fetched from Prefect ({type(error).__name__})"
    if not isinstance(value, str) or not value:
        raise ConfigError(f"the secret block {block} {reason}")
    return SecretStr(value)


def _from_command(words: tuple[str, ...], workspace: Path) -> SecretStr:
    """What the command prints; what it says on stderr may quote anything, and is not told."""
    text, reason = "", "printed nothing"
    try:
        ran = subprocess.run(  # noqa: S603 - the workspace's own command, without a shell
            words, cwd=workspace, capture_output=True, timeout=_COMMAND_S, check=False
        )
        text = ran.stdout.decode().strip()
        reason = f"ended with exit code {ran.returncode}" if ran.returncode else reason
    except OSError as error:
        reason, text = f"cannot be run: {error.strerror}", ""
    except subprocess.TimeoutExpired:
        reason = f"did not end within {_COMMAND_S} s"
    except UnicodeDecodeError:
        reason = "printed no text in UTF-8"
    if not text or "exit code" in reason:
        raise ConfigError(f"the command {words[0]} for a secret {reason}")
    return SecretStr(text)

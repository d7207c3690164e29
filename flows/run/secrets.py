"""Fetches the secrets that a source file names: environment, file, Prefect block, command."""

import os
import subprocess
from pathlib import Path

from pydantic import SecretStr

from extractors.processes.start import running
from flows.run.settings import environment_of
from schemas.errors import ConfigError, raise_as
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
    text = raise_as(
        lambda: path.read_text("utf-8").removesuffix("\n").removesuffix("\r"),
        {
            OSError: lambda error: ConfigError(
                f"the secret in {name} cannot be read: {error.strerror}"
            ),
            UnicodeDecodeError: lambda _: ConfigError(f"the secret in {name} is not text in UTF-8"),
        },
    )
    if not text:
        raise ConfigError(f"the secret in {name} is empty")
    return SecretStr(text)


def _from_prefect(block: str) -> SecretStr:
    from prefect.blocks.system import Secret as PrefectSecret
    from prefect.utilities.asyncutils import run_coro_as_sync

    def load() -> object:
        secret = run_coro_as_sync(PrefectSecret.aload(block))
        return secret.get() if secret is not None else None

    value = raise_as(
        load,
        {
            ValueError: lambda _: ConfigError(
                f"the secret block {block} does not exist in Prefect"
            ),
            # Prefect's client raises whatever httpx does.
            Exception: lambda error: ConfigError(
                f"the secret block {block} could not be fetched from Prefect "
                f"({type(error).__name__})"
            ),
        },
    )
    if not isinstance(value, str) or not value:
        raise ConfigError(f"the secret block {block} holds no text")
    return SecretStr(value)


def _from_command(command: tuple[str, ...], workspace: Path) -> SecretStr:
    """What the command prints; its stderr may quote anything, and is shown nowhere.

    It ends with the run, even where that is killed.
    """

    def problem(reason: str) -> ConfigError:
        return ConfigError(f"the command {command[0]} for a secret {reason}")

    def run() -> tuple[int, str]:
        with running(command, cwd=workspace) as process:
            printed, _ = process.communicate(timeout=_COMMAND_S)
        return process.returncode, printed.decode().strip()

    exit_code, text = raise_as(
        run,
        {
            OSError: lambda error: problem(f"cannot be run: {error.strerror}"),
            subprocess.TimeoutExpired: lambda _: problem(f"did not end within {_COMMAND_S} s"),
            UnicodeDecodeError: lambda _: problem("printed no text in UTF-8"),
        },
    )
    if exit_code:
        raise problem(f"ended with exit code {exit_code}")
    if not text:
        raise problem("printed nothing")
    return SecretStr(text)

"""What a reader of one's own gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from schemas.errors import ConfigError, raise_as
from schemas.raw import ReaderState
from schemas.source_file.secrets import Resolve, Secret, no_secrets

_NO_OPTIONS: Mapping[str, Any] = {}


def to_fetcher(
    resolve: Resolve, options: Mapping[str, Any] = _NO_OPTIONS
) -> Callable[[object], SecretStr]:
    """Returns what fetches a secret by its place in a source file, `{"env": "HR_TOKEN"}`.

    An error names the option of `options` that the place stands in.
    """

    def fetch(place: object) -> SecretStr:
        problem = None
        option = next((f".{name}" for name, value in options.items() if value is place), "")
        key = f"source.options{option}"
        try:
            secret = place if isinstance(place, Secret) else Secret.model_validate(place)
        except ValidationError:
            problem = "a secret's place is written {env: NAME}, {file: PATH}, {prefect: BLOCK} or"
        if problem:
            raise ConfigError(f"{problem} {{command: [...]}}", key=key)
        return raise_as(
            lambda: resolve(secret), {ConfigError: lambda error: _keyed_error(error, key)}
        )

    return fetch


def _keyed_error(error: ConfigError, key: str) -> ConfigError:
    return error if error.key else ConfigError(str(error), key=key)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a reader of one's own is to read, and what it may go by.

    Attributes:
        options: as the source file has them; every value is the text that stands there.
        workspace: the workspace's folder: what paths in options are relative to.
        now: the moment of the read, UTC.
        resolve: fetches the secret of which an option names the place:
            `request.resolve(request.options["token"]).get_secret_value()`. It raises ConfigError
            where it is not there.
        state: what the read that was accepted last left for this one; None where it left nothing.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    workspace: Path = Path()
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    resolve: Callable[[object], SecretStr] = to_fetcher(no_secrets)  # noqa: RUF009 - it is frozen
    state: ReaderState | None = None

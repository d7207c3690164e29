"""Where a secret lies; a source file names the place and never holds the secret itself."""

from collections.abc import Callable
from typing import Any, NoReturn

from pydantic import Field, SecretStr, model_validator

from schemas.errors import ConfigError
from schemas.source_file.columns import Strict


class Secret(Strict):
    """A secret's place: `{env: NAME}`, `{file: PATH}`, `{prefect: BLOCK}` or `{command: [...]}`."""

    env: str | None = Field(
        None, min_length=1, description="A variable of the environment, or of `.env`."
    )
    file: str | None = Field(
        None, min_length=1, description="A file that holds it, without its last line break."
    )
    prefect: str | None = Field(None, min_length=1, description="A Secret block of Prefect's.")
    command: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="A program and its arguments that prints it: a cloud's short-lived token.",
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_the_secret_itself(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if not isinstance(written, dict | Secret):
            raise ValueError(  # noqa: TRY004 - pydantic makes one line of a ValueError only
                "a secret is not written into a source file: name its place, {env: NAME}"
            )
        return written

    @model_validator(mode="after")
    def _check_one_place(self) -> "Secret":
        if (
            sum(place is not None for place in (self.env, self.file, self.prefect, self.command))
            != 1
        ):
            raise ValueError("name one place: env, file, prefect or command")
        return self


Resolve = Callable[[Secret], SecretStr]
"""Fetches a secret from its place; raises ConfigError where it is not there."""


def no_secrets(_secret: Secret) -> NoReturn:
    """The `Resolve` of a reader that needs none."""
    raise ConfigError("a secret is needed here, and none can be fetched")

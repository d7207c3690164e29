"""A source of kind `connector`: a connector built with Lumos's SDK, asked as Lumos asks it."""

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from schemas.network.loopback import is_loopback
from schemas.source_file.columns import Strict
from schemas.source_file.kinds.scim_source import check_service_url
from schemas.source_file.quantities import Duration

_PLACES = frozenset({"env", "file", "prefect", "command"})
_PLAIN = re.compile(
    r"(?:.*[_.])?(?:id|user|username|name|email|host|url|scopes?|region|tenant|algorithm|type"
    r"|identifier|consumer_key)",
    re.IGNORECASE,
)
"""What may stand in `auth` as it is, by the name of its key; the rest is a secret's place."""
_SECRET = re.compile(
    r"(?:.*[_\W])?(?:password|passwd|passphrase|secret|token|api_?key|private_?key|credentials?)",
    re.IGNORECASE,
)


def is_place(value: JsonValue) -> bool:
    """Whether a value in `auth` or `settings` is a secret's place, `{env: NAME}`."""
    return isinstance(value, dict) and len(value) == 1 and set(value) <= _PLACES


def _check_loopback(written: str) -> str:
    check_service_url(written)
    if not is_loopback(urlsplit(written).hostname or ""):
        raise ValueError(
            "a connector has no login of its own, so that it is asked on this machine alone: write "
            "http://127.0.0.1:8765"
        )
    return written


LoopbackUrl = Annotated[str, AfterValidator(_check_loopback)]
"""The URL of a server on this machine."""


class ConnectorSource(Strict):
    """A connector built with Lumos's SDK: served on this machine, or started call by call."""

    kind: Literal["connector"]
    url: LoopbackUrl | None = Field(
        None,
        description="Where `CONNECTOR dev http-server --port PORT` serves it, on this machine.",
    )
    command: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="A program and its arguments instead: started for each page, with stdin.",
    )
    auth: dict[str, JsonValue] | tuple[dict[str, JsonValue], ...] = Field(
        default_factory=dict,
        description="The credential, as the SDK has it: `{token: {token: {env: NAME}}}`, `{basic: "
        "{username: …, password: {env: NAME}}}`; with `id`, or as a list, for a connector of "
        "several.",
    )
    settings: dict[str, JsonValue] = Field(
        default_factory=dict, description="The connector's own settings; a secret as its place."
    )
    page_size: int = Field(1000, ge=1, description="Rows that are asked for at once.")
    custom_attributes: Literal["all"] | tuple[str, ...] = Field(
        "all", description="The accounts' custom attributes that are asked for; `[]` for none."
    )
    timeout: Duration = Field(
        timedelta(minutes=5),
        description="For each answer: a connector waits for rate limits itself.",
    )

    @field_validator("command", mode="before")
    @classmethod
    def _split_command(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return tuple(shlex.split(written)) if isinstance(written, str) else written

    @field_validator("auth")
    @classmethod
    def _check_auth(cls, auth: Any) -> Any:  # noqa: ANN401 - as the field has it
        credentials = [auth] if isinstance(auth, dict) else list(auth)
        if any(map(is_place, credentials)):
            raise ValueError("name the kind of credential: {token: {env: NAME}}")
        for name, value in _leaves(credentials):
            if not _PLAIN.fullmatch(name) and not is_place(value):
                raise ValueError(
                    f"{name}: a secret is not written into a source file: name its place, "
                    "{env: NAME}"
                )
        return auth

    @field_validator("settings")
    @classmethod
    def _check_settings(cls, settings: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name, value in _leaves(settings):
            if _SECRET.fullmatch(name) and not is_place(value):
                raise ValueError(
                    f"{name}: a secret is not written into a source file: name its place, "
                    "{env: NAME}"
                )
        return settings

    @field_validator("timeout")
    @classmethod
    def _check_timeout(cls, limit: timedelta) -> timedelta:
        if limit < timedelta(seconds=10):
            raise ValueError("is at least 10s: a connector may wait for a rate limit in a call")
        return limit

    @model_validator(mode="after")
    def _check_one_way(self) -> "ConnectorSource":
        if (self.url is None) == (self.command is None):
            raise ValueError("name a url or a command, one of the two")
        return self


def _leaves(value: JsonValue, name: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Yields every value that has none inside, and every secret's place, with its key."""
    if isinstance(value, dict) and not is_place(value):
        for key, inside in value.items():
            yield from _leaves(inside, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    else:
        yield name, value

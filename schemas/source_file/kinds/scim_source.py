"""A source of kind `scim`: the users and groups of a SCIM 2.0 service (RFC 7643, 7644, 9865)."""

from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from schemas.network.loopback import is_loopback
from schemas.source_file.columns import Strict
from schemas.source_file.quantities import Duration
from schemas.source_file.secrets import Secret
from schemas.statuses import STATUS_OF


def check_service_url(written: str) -> str:
    """The URL, if credentials may be sent there.

    Raises:
        ValueError: no http or https, no host, a user, a password or a query in it, or plain HTTP to
            another machine.
    """
    try:
        url = urlsplit(written)
        host, has_port = url.hostname, url.port is None or url.port > 0
    except ValueError:
        raise ValueError("is no URL: write it as https://idp.example/scim/v2") from None
    if url.scheme not in {"http", "https"} or not host or not has_port:
        raise ValueError("is no URL: write it as https://idp.example/scim/v2")
    if url.username is not None or url.password is not None:
        raise ValueError(
            "a user or a password is not written into a URL: say token, basic or oauth"
        )
    if url.query or url.fragment or "?" in written or "#" in written:
        raise ValueError("has a query: end it with the host or a path")
    if url.scheme == "http" and not is_loopback(host):
        raise ValueError("is plain http to another machine, where all would travel in clear: https")
    return written


ServiceUrl = Annotated[str, AfterValidator(check_service_url)]
"""An https URL, or an http one of this machine."""


class ScimBasic(Strict):
    """A name and a password (HTTP Basic)."""

    username: str = Field(min_length=1, description="Who logs in.")
    password: Secret = Field(description="The password's place.")


class ScimOAuth(Strict):
    """OAuth 2.0 client credentials (RFC 6749, 4.4): a token is fetched, and again when it ends."""

    token_url: ServiceUrl = Field(description="Where tokens are made.")
    client_id: str = Field(min_length=1, description="Who asks for one.")
    client_secret: Secret = Field(description="The client secret's place.")
    scope: str | None = Field(None, min_length=1, description="What the token is for.")


class ScimSource(Strict):
    """Users and groups of a SCIM 2.0 service."""

    kind: Literal["scim"]
    url: ServiceUrl = Field(description="The service's base: what comes before /Users.")
    token: Secret | None = Field(None, description="A bearer token's place.")
    basic: ScimBasic | None = Field(None, description="A name and a password instead.")
    oauth: ScimOAuth | None = Field(None, description="OAuth client credentials instead.")
    page_size: int | None = Field(
        None,
        ge=1,
        description="Resources a page; as many as the service says it answers, else 500, if not "
        "given.",
    )
    pages_at_once: int = Field(
        4, ge=1, le=32, description="Pages by index that are asked for side by side, at most."
    )
    pagination: Literal["auto", "index", "cursor"] = Field(
        "auto", description="auto: by cursor where the service's configuration offers it."
    )
    active_absent: str = Field(
        "refuse",
        description="What a user without `active` is: refuse makes its row a reject; or a status.",
    )
    groups: bool = Field(True, description="Whether groups are read, as entitlements.")
    nested_groups: Literal["effective", "direct"] = Field(
        "effective", description="Whether members of a group in a group hold the outer one, too."
    )
    separator: str = Field("; ", min_length=1, description="Between the values of one attribute.")
    ca_file: str | None = Field(None, min_length=1, description="Authorities that are trusted.")
    timeout: Duration = Field(timedelta(minutes=1), description="For each answer.")

    @field_validator("active_absent")
    @classmethod
    def _check_status(cls, written: str) -> str:
        if written == "refuse":
            return written
        status = STATUS_OF.get(written.upper())
        if status is None:
            raise ValueError(f"write refuse, or a status: {', '.join(STATUS_OF)}")
        return status

    @field_validator("timeout")
    @classmethod
    def _check_timeout(cls, limit: timedelta) -> timedelta:
        if limit < timedelta(seconds=1):
            raise ValueError("is at least 1s")
        return limit

    @model_validator(mode="after")
    def _check_one_login(self) -> "ScimSource":
        if sum(login is not None for login in (self.token, self.basic, self.oauth)) > 1:
            raise ValueError("name one of token, basic and oauth")
        return self

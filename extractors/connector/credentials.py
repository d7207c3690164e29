"""The credential that a connector is given, with every secret fetched from its place."""

from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from extractors.connector.ways import About
from schemas.source_file.kinds.connector_source import ConnectorSource, is_place
from schemas.source_file.secrets import Resolve, Secret

_ALONE = {"token": "token", "oauth": "access_token"}
"""Kinds of credential that are one secret: the key that it has inside."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What goes with every request.

    Attributes:
        body: `auth` or `credentials`, and `settings`, as the SDK has them.
        secrets: the secrets in it, for cutting them out of whatever is told.
    """

    body: dict[str, Any]
    secrets: tuple[str, ...]


def to_credentials(source: ConnectorSource, about: About, resolve: Resolve) -> Credentials:
    """Returns what the source file names, with the secrets as they are now.

    Where the connector takes several credentials and allows one, that one's id needs not be said.

    Raises:
        ConfigError: a secret is not in its place.
    """
    secrets: list[str] = []

    def filled(value: JsonValue) -> Any:  # noqa: ANN401 - JSON holds anything
        if is_place(value):
            secret = resolve(Secret.model_validate(value)).get_secret_value()
            secrets.append(secret)
            return secret
        if isinstance(value, dict):
            return {key: filled(inside) for key, inside in value.items()}
        return [filled(item) for item in value] if isinstance(value, list) else value

    listed = [source.auth] if isinstance(source.auth, dict) else list(source.auth)
    given = [_credential(filled(one)) for one in listed if one]
    body: dict[str, Any] = {"settings": filled(source.settings)} if source.settings else {}
    is_several = not isinstance(source.auth, dict) or any("id" in one for one in given)
    if given and not is_several and len(about.credential_ids) == 1:
        given, is_several = [{"id": about.credential_ids[0], **given[0]}], True
    if given:
        body |= {"credentials": given} if is_several else {"auth": given[0]}
    return Credentials(body, tuple(secret for secret in secrets if secret))


def _credential(written: dict[str, Any]) -> dict[str, Any]:
    """Returns a credential with `token: SECRET` written out as `token: {token: SECRET}`."""
    return {
        kind: {_ALONE[kind]: value} if kind in _ALONE and isinstance(value, str) else value
        for kind, value in written.items()
    }

"""The object store of a bucket's URL, logged in as the source file says."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, assert_never, cast
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from extractors.zone_bucket import BucketZone
from schemas.errors import ConfigError
from schemas.loopback import is_loopback
from schemas.secrets import Resolve, Secret
from schemas.zone_logins import AzureZone, GcsZone, S3Zone
from schemas.zone_urls import ZoneUrl

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import (
        AzureConfig,
        AzureCredential,
        ClientConfig,
        GCSConfig,
        RetryConfig,
        S3Config,
        S3Credential,
    )

_RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(minutes=1)}


def open_bucket(
    url: ZoneUrl,
    login: S3Zone | GcsZone | AzureZone,
    workspace: Path,
    resolve: Resolve,
    timeout: timedelta = timedelta(seconds=60),
) -> BucketZone:
    """The bucket of the URL; nothing is sent yet. An answer's next piece may take `timeout`.

    Raises:
        ConfigError: a secret or a CA file is not in its place, or is no such thing.
    """
    client: ClientConfig = {
        "connect_timeout": min(timeout, timedelta(seconds=10)),
        "read_timeout": timeout,
        # Of a whole download, however large; one that hangs is ended by the read timeout.
        "timeout": timedelta(hours=6),
    }
    try:
        match login:
            case S3Zone():
                store: ObjectStore = _s3_store(url.host, login, workspace, resolve, client)
            case GcsZone():
                store = _gcs_store(url.host, login, resolve, client)
            case AzureZone():
                store = _azure_store(url.host, login, resolve, client)
            case _:
                assert_never(login)
        return BucketZone(store, url.base)
    except (BaseError, ValueError):
        problem = f"{url.base}: the keys under {url.kind}: are not in the form they should have"
    raise ConfigError(problem)


def _s3_store(
    bucket: str, login: S3Zone, workspace: Path, resolve: Resolve, client: "ClientConfig"
) -> S3Store:
    if login.ca_file:
        client["root_certificate"] = _certificates(workspace, login.ca_file)
    if login.endpoint:
        host = urlsplit(login.endpoint).hostname or ""
        client["allow_http"] = login.allow_http or is_loopback(host)
    config = _given(region=login.region, endpoint=login.endpoint)
    return S3Store(
        bucket,
        config=cast("S3Config", config),
        client_options=client,
        retry_config=_RETRIES,
        credential_provider=_s3_credentials(login, resolve),
    )


def _s3_credentials(login: S3Zone, resolve: Resolve) -> "Callable[[], S3Credential] | None":
    """The keys by themselves: as settings they would be mixed with those of the environment."""
    secret = _value(login.secret_access_key, resolve)
    if login.access_key_id is None or secret is None:
        return None
    credential: S3Credential = {
        "access_key_id": login.access_key_id,
        "secret_access_key": secret,
        "token": _value(login.session_token, resolve),
        "expires_at": None,
    }
    return lambda: credential


def _gcs_store(bucket: str, login: GcsZone, resolve: Resolve, client: "ClientConfig") -> GCSStore:
    config = _given(
        service_account_key=_value(login.service_account, resolve), base_url=login.endpoint
    )
    return GCSStore(
        bucket,
        config=cast("GCSConfig", config),
        client_options=client,
        retry_config=_RETRIES,
    )


def _azure_store(
    container: str, login: AzureZone, resolve: Resolve, client: "ClientConfig"
) -> AzureStore:
    key, sas = _value(login.account_key, resolve), _value(login.sas, resolve)
    config = _given(account_name=login.account_name, endpoint=login.endpoint)
    # Only to look at the key: handed over by a function, it is not, and one that is none is late.
    AzureStore(container, config=cast("AzureConfig", config | _given(account_key=key, sas_key=sas)))
    return AzureStore(
        container,
        config=cast("AzureConfig", config),
        client_options=client,
        retry_config=_RETRIES,
        credential_provider=_azure_credentials(key, sas),
    )


def _azure_credentials(key: str | None, sas: str | None) -> "Callable[[], AzureCredential] | None":
    """The key or the signature by itself, as in `_s3_credentials`."""
    if key is not None:
        return lambda: {"access_key": key, "expires_at": None}
    if sas is not None:
        return lambda: {"sas_token": sas, "expires_at": None}
    return None


def _given(**options: str | None) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


def _value(secret: Secret | None, resolve: Resolve) -> str | None:
    return None if secret is None else resolve(secret).get_secret_value()


def _certificates(workspace: Path, ca_file: str) -> bytes:
    problem = None
    try:
        return (workspace / ca_file).read_bytes()
    except OSError as error:
        problem = error.strerror
    raise ConfigError(f"s3.ca_file: {ca_file} cannot be read: {problem}")

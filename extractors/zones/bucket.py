"""A bucket that exports are dropped into: S3, Google Cloud Storage or Azure, through obstore."""

import glob
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, assert_never, cast
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from extractors.zones.patterns import fits, fixed_folder, is_flat
from extractors.zones.private_file import open_private
from schemas.errors import (
    ConfigError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
    raise_as,
)
from schemas.export_file import ExportFile
from schemas.loopback import is_loopback
from schemas.source_file.secrets import Resolve, Secret
from schemas.source_file.zones.logins import AzureZone, GcsZone, S3Zone
from schemas.source_file.zones.urls import ZoneUrl

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import (
        AzureConfig,
        AzureCredential,
        ClientConfig,
        GCSConfig,
        RetryConfig,
        S3Config,
        S3Credential,
    )

_Result = TypeVar("_Result")
_BLOCK = 8 << 20
_MOST_READ = 16 << 20
_RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(minutes=1)}
_REFUSED = "it refuses: the credentials are wrong, or may not do this"
_REASONS = (
    ("169.254.169.254", "no key is given, and this machine is lent none"),
    ("nosuchbucket", "there is no such bucket"),
    ("401 unauthorized", _REFUSED),
    ("403 forbidden", _REFUSED),
    ("dns error", "the host's name is not known"),
    ("connection refused", "the connection is refused"),
    ("certificate", "the server's certificate is not trusted: name its CA in ca_file"),
    ("timed out", "no answer in time"),
    ("timeout", "no answer in time"),
)
"""Words of the store's error text, which is never shown: an address in it can hold a key."""


@dataclass(frozen=True, slots=True)
class BucketZone:
    """Objects by their key; `base` is the bucket's URL."""

    store: ObjectStore
    base: str

    def matches(self, pattern: str) -> list[ExportFile]:
        """Returns the object of that key; else the objects that fit.

        Raises:
            SourceUnavailableError: the bucket cannot be reached, or refuses.
            SourceFormatError: the bucket lists a key from outside of the folder.
        """
        if not glob.has_magic(pattern):
            file = self.look_at(pattern)
            return [file] if file else []
        return self._attempt(lambda: self._listed(fixed_folder(pattern), pattern), pattern)

    def _listed(self, folder: str, pattern: str) -> list[ExportFile]:
        prefix = f"{folder}/" if folder else None
        if is_flat(pattern):
            chunks = iter([obstore.list_with_delimiter(self.store, prefix)["objects"]])
        else:
            chunks = iter(obstore.list(self.store, prefix))
        files = []
        for meta in chain.from_iterable(chunks):
            if prefix and not meta["path"].startswith(prefix):
                raise SourceFormatError(
                    f"{self.base}/{folder}: the store lists a key from outside of it: it is no "
                    "store to trust"
                )
            if fits(meta["path"], pattern):
                files.append(self._to_file(meta))
        return files

    def look_at(self, key: str) -> ExportFile | None:
        """Returns the object as it stands now; None where none is there.

        Raises:
            SourceUnavailableError: the bucket cannot be reached, or refuses.
        """
        meta = self._attempt(lambda: _head(self.store, key), key)
        return None if meta is None else self._to_file(meta)

    def _to_file(self, meta: "ObjectMeta") -> ExportFile:
        key = meta["path"]
        modified_ns = int(meta["last_modified"].timestamp() * 1_000_000) * 1_000
        identity = f"{meta['e_tag'] or ''} {meta['version'] or ''}"
        return ExportFile(key, f"{self.base}/{key}", meta["size"], modified_ns, identity)

    def fetch(self, file: ExportFile, folder: Path) -> Path:
        """Makes a private copy of the whole object, of the version that was found.

        Raises:
            SourceUnavailableError: the bucket cannot be reached, or refuses.
            SourceIncompleteError: it was replaced meanwhile, or is not of the size listed.
        """
        target = folder / f"fetched{Path(file.key).suffix}"
        e_tag = file.identity.partition(" ")[0] or None
        written = self._attempt(lambda: self._download(file, e_tag, target), file.key)
        if written != file.size_bytes:
            raise SourceIncompleteError(
                f"{file.name}: {written:,} bytes came and {file.size_bytes:,} were listed: "
                "it changed while it was read, or was cut off"
            )
        return target

    def _download(self, file: ExportFile, e_tag: str | None, target: Path) -> int:
        written = 0
        response = obstore.get(self.store, file.key, options={"if_match": e_tag} if e_tag else {})
        with open_private(target) as out:
            for block in response.stream(min_chunk_size=_BLOCK):
                written += len(block)
                if written > file.size_bytes:
                    break
                out.write(block)
        return written

    def read(self, key: str) -> bytes | None:
        """Returns the content of a small object; None where none is there, or it is not small.

        Raises:
            SourceUnavailableError: the bucket cannot be reached, or refuses.
        """
        file = self.look_at(key)
        if file is None or file.size_bytes > _MOST_READ:
            return None
        return self._attempt(lambda: obstore.get(self.store, key).bytes().to_bytes(), key)

    def move(self, file: ExportFile, folder: str) -> None:
        """Copies the object into the folder, then deletes it; never over another object.

        Raises:
            SourceUnavailableError: an object of that name is there, or the bucket refuses.
        """
        target = f"{folder}/{Path(file.key).name}"
        there = self.look_at(target)
        if there is not None and not _is_copy(there, file):
            raise SourceUnavailableError(
                f"{file.name}: cannot be moved to {folder}: an object of that name is there"
            )
        if there is None:
            self._attempt(lambda: obstore.copy(self.store, file.key, target), file.key)
            there = self.look_at(target)
        if there is None or there.size_bytes != file.size_bytes or self.look_at(file.key) != file:
            raise SourceUnavailableError(
                f"{file.name}: was replaced while it was moved to {folder}: it was left in place"
            )
        self._attempt(lambda: obstore.delete(self.store, file.key), file.key)

    def close(self) -> None:
        """Does nothing: there is no connection."""

    def _attempt(self, work: Callable[[], _Result], key: str) -> _Result:
        """Returns what `work` returns; the store's text can hold an address with a key in it."""
        name = f"{self.base}/{key}"

        def absent(error: Exception) -> SourceUnavailableError:
            reason = _reason(error, "there is no such file, or no such bucket")
            return SourceUnavailableError(f"{name}: {reason}")

        def refused(_: Exception) -> SourceUnavailableError:
            return SourceUnavailableError(f"{name}: {_REFUSED}")

        def changed(_: Exception) -> SourceIncompleteError:
            return SourceIncompleteError(f"{name}: changed while it was read: run again")

        def unavailable(error: Exception) -> SourceUnavailableError:
            reason = _reason(error, "it cannot be reached, or refuses the request")
            return SourceUnavailableError(f"{name}: {reason}")

        return raise_as(
            work,
            {
                FileNotFoundError: absent,
                PermissionDeniedError: refused,
                UnauthenticatedError: refused,
                PreconditionError: changed,
                BaseError: unavailable,
                ValueError: unavailable,
            },
        )


def open_bucket(
    url: ZoneUrl,
    login: S3Zone | GcsZone | AzureZone,
    workspace: Path,
    resolve: Resolve,
    timeout: timedelta = timedelta(seconds=60),
) -> BucketZone:
    """Returns the bucket of the URL, logged in as the source file says; nothing is sent yet.

    An answer's next piece may take `timeout`.

    Raises:
        ConfigError: a secret or a CA file is not in its place, or is no such thing.
    """
    client: ClientConfig = {
        "connect_timeout": min(timeout, timedelta(seconds=10)),
        "read_timeout": timeout,
        # Of a whole download, however large; one that hangs is ended by the read timeout.
        "timeout": timedelta(hours=6),
    }

    def to_store() -> ObjectStore:
        match login:
            case S3Zone():
                return _s3_store(url.host, login, workspace, resolve, client)
            case GcsZone():
                return _gcs_store(url.host, login, resolve, client)
            case AzureZone():
                return _azure_store(url.host, login, resolve, client)
            case _:
                assert_never(login)

    def malformed(_: Exception) -> ConfigError:
        return ConfigError(
            f"{url.base}: the keys under {url.kind}: are not in the form they should have"
        )

    store = raise_as(to_store, dict.fromkeys((BaseError, ValueError), malformed))
    return BucketZone(store, url.base)


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


def _s3_credentials(login: S3Zone, resolve: Resolve) -> Callable[[], "S3Credential"] | None:
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


def _azure_credentials(key: str | None, sas: str | None) -> Callable[[], "AzureCredential"] | None:
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
    return raise_as(
        (workspace / ca_file).read_bytes,
        {
            OSError: lambda error: ConfigError(
                f"{ca_file} cannot be read: {error.strerror}", key="s3.ca_file"
            )
        },
    )


def _head(store: ObjectStore, key: str) -> "ObjectMeta | None":
    try:
        return obstore.head(store, key)
    except FileNotFoundError:
        return None


def _is_copy(there: ExportFile, file: ExportFile) -> bool:
    """Whether it is what a move that was cut off before its end has left."""
    tags = [copy.identity.partition(" ")[0] for copy in (there, file)]
    return there.size_bytes == file.size_bytes and tags[0] == tags[1] != ""


def _reason(error: Exception, otherwise: str) -> str:
    text = str(error).lower()
    return next((reason for word, reason in _REASONS if word in text), otherwise)

"""A bucket that exports are dropped into: S3, Google Cloud Storage or Azure, through obstore."""

import glob
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, assert_never, cast
from urllib.parse import urlsplit

import httpx
import obstore
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store

from extractors.zones.azure_list import AzureList, Beginning, NotListedError
from extractors.zones.patterns import fits, fixed_folder, fixed_prefix, is_flat
from extractors.zones.private_file import open_private
from schemas.errors import (
    ConfigError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
    raise_as,
)
from schemas.export_file import ExportFile
from schemas.network.loopback import is_loopback
from schemas.source_file.secrets import Resolve, Secret
from schemas.source_file.zones.logins import AzureZone, GcsZone, S3Zone
from schemas.source_file.zones.urls import ZoneUrl

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
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
_NO_BUCKET = "there is no such bucket"
_REASONS = (
    ("169.254.169.254", "no key is given, and this machine is lent none"),
    ("nosuchbucket", _NO_BUCKET),
    ("containernotfound", _NO_BUCKET),
    ("expiredtoken", "the session token has expired: have a new one lent"),
    ("not valid in the specified time frame", "the signature has expired, or is not valid yet"),
    ("redirect without location", "the bucket is in another region: write its region"),
    ("permanentredirect", "the bucket is in another region: write its region"),
    ("authorizationheadermalformed", "the bucket is in another region: write its region"),
    ("requesttimetooskewed", "the clock of this machine is wrong"),
    ("invalidaccesskeyid", "it does not know the access key"),
    ("signaturedoesnotmatch", "the secret is not that of the access key"),
    ("slowdown", "it is asked too often: run again later"),
    (
        "encountered object with invalid",
        "a key there has an empty part, or a dot (a//b, a/./b), and hides the others: rename it",
    ),
    ("401 unauthorized", _REFUSED),
    ("403 forbidden", _REFUSED),
    ("dns error", "the host's name is not known"),
    ("connection refused", "the connection is refused"),
    ("certificate", "the server's certificate is not trusted: name its CA in ca_file"),
    ("timed out", "no answer in time"),
    ("timeout", "no answer in time"),
)
"""Words of the store's error text, which is never shown: an address in it can hold a key."""

_UNSAID = re.compile(r"https?://\S+|\w+_timeout: \S+|path: \S+|(?:path|location) \S+")
"""What quotes the request, and a client's settings: their words are no reasons."""

_LONG_ENOUGH = 3
"""Characters that the name in a pattern begins with, for a listing to begin there."""


@dataclass(frozen=True, slots=True)
class BucketZone:
    """Objects by their key.

    Attributes:
        store: where they are.
        base: the bucket's URL.
        beginning_with: lists by the beginning of a key, where `store` does not.
    """

    store: ObjectStore
    base: str
    beginning_with: Beginning | None = None

    def matches(self, pattern: str) -> list[ExportFile]:
        """Returns the object of that key; else the objects that fit.

        Raises:
            SourceUnavailableError: the bucket cannot be reached, or refuses.
            SourceFormatError: the bucket lists a key from outside of the folder.
        """
        if not glob.has_magic(pattern):
            file = self.look_at(pattern)
            if file is None:
                self._check_bucket(pattern)
            return [file] if file else []
        listed = self._attempt(lambda: self._listed(pattern), pattern)
        # A folder that a console makes is an empty object, whose key ends in a slash.
        return [file for file in listed if file.size_bytes or self.look_at(file.key)]

    def _check_bucket(self, key: str) -> None:
        """Raises where the bucket is not there, which a look at an object does not tell."""
        try:
            next(iter(obstore.list(self.store, key)), None)
        except (BaseError, FileNotFoundError) as error:
            is_there = _reason(error, "") != _NO_BUCKET
        else:
            is_there = True
        if not is_there:
            raise SourceUnavailableError(f"{self.base}/{key}: {_NO_BUCKET}")

    def _listed(self, pattern: str) -> list[ExportFile]:
        folder = fixed_folder(pattern)
        prefix = f"{folder}/" if folder else ""
        files = []
        for meta in self._metas(pattern, prefix):
            key = meta["path"]
            if key == folder and not meta["size"]:
                continue
            if not key.startswith(prefix):
                raise SourceFormatError(
                    f"{self.base}/{folder}: the store lists a key from outside of it: it is no "
                    "store to trust"
                )
            if fits(key, pattern):
                files.append(self._to_file(meta))
        return files

    def _metas(self, pattern: str, prefix: str) -> "Iterator[ObjectMeta]":
        """Yields what is listed, as little as the store allows; keys are listed in their order."""
        begin = fixed_prefix(pattern)
        is_long = len(begin) - len(prefix) >= _LONG_ENOUGH
        if is_long and self.beginning_with is not None:
            with suppress(NotListedError):
                yield from list(self.beginning_with(begin))
                return
        if is_long and isinstance(self.store, S3Store | GCSStore):
            below = f"{begin[:-1]}{chr(ord(begin[-1]) - 1)}\uffff"
            for meta in chain.from_iterable(obstore.list(self.store, prefix or None, offset=below)):
                if meta["path"] > begin and not meta["path"].startswith(begin):
                    return
                yield meta
        elif is_flat(pattern):
            yield from obstore.list_with_delimiter(self.store, prefix or None)["objects"]
        else:
            yield from chain.from_iterable(obstore.list(self.store, prefix or None))

    def look_at(self, key: str) -> ExportFile | None:
        """Returns the object as it stands now; None where none is there.

        Raises:
            SourceUnavailableError: the bucket cannot be reached, or refuses.
        """
        meta = self._attempt(lambda: self._head(key), key)
        return None if meta is None else self._to_file(meta)

    def _head(self, key: str) -> "ObjectMeta | None":
        """Returns what the store says of an object; a refused look has no reason, a list has."""
        try:
            return obstore.head(self.store, key)
        except FileNotFoundError:
            return None
        except BaseError as error:
            if _reason(error, _REFUSED) == _REFUSED:
                next(iter(obstore.list(self.store, key)), None)
            raise

    def _to_file(self, meta: "ObjectMeta") -> ExportFile:
        """Returns the file, the same from a listing and from a look at it.

        A listing has no version, some have parts of a second, and Azure's no quotes around ETags.
        """
        key = meta["path"]
        modified_ns = int(meta["last_modified"].timestamp()) * 10**9
        identity = (meta["e_tag"] or "").removeprefix("W/").strip('"')
        return ExportFile(key, f"{self.base}/{key}", meta["size"], modified_ns, identity)

    def fetch(self, file: ExportFile, folder: Path) -> Path:
        """Makes a private copy of the whole object, of the version that was found.

        Raises:
            SourceUnavailableError: the bucket cannot be reached, or refuses.
            SourceIncompleteError: it was replaced meanwhile, or is not of the size listed.
        """
        target = folder / f"fetched{Path(file.key).suffix}"
        written = self._attempt(lambda: self._download(file, target), file.key)
        if written != file.size_bytes:
            raise SourceIncompleteError(
                f"{file.name}: {written:,} bytes came and {file.size_bytes:,} were listed: "
                "it changed while it was read, or was cut off"
            )
        return target

    def _download(self, file: ExportFile, target: Path) -> int:
        written = 0
        response = obstore.get(self.store, file.key, options=_only(file))
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
        if there is not None and not self._is_copy(there, file):
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

    def _is_copy(self, there: ExportFile, file: ExportFile) -> bool:
        """Whether it is what a move that was cut off before its end has left.

        Where a copy has an ETag of its own (Azure; parts on S3), the bytes say it.
        """
        if there.size_bytes != file.size_bytes:
            return False
        if there.identity == file.identity != "":
            return True
        first, second = (
            self._attempt(partial(self._hash_of, one), one.key) for one in (there, file)
        )
        return first == second

    def _hash_of(self, file: ExportFile) -> bytes:
        digest = hashlib.sha256()
        response = obstore.get(self.store, file.key, options=_only(file))
        for block in response.stream(min_chunk_size=_BLOCK):
            digest.update(block)
        return digest.digest()

    def close(self) -> None:
        """Does nothing: there is no connection."""

    def _attempt(self, work: Callable[[], _Result], key: str) -> _Result:
        """Returns what `work` returns; the store's text can hold an address with a key in it."""
        name = f"{self.base}/{key}"

        def absent(error: Exception) -> SourceUnavailableError:
            reason = _reason(error, "there is no such file, or no such bucket")
            return SourceUnavailableError(f"{name}: {reason}")

        def refused(error: Exception) -> SourceUnavailableError:
            return SourceUnavailableError(f"{name}: {_reason(error, _REFUSED)}")

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
    beginning_with: Beginning | None = None
    listing = None
    if isinstance(login, AzureZone):
        listing = _azure_list(url.host, login, resolve, timeout)
    if listing is not None:
        beginning_with = listing.beginning_with
    return BucketZone(store, url.base, beginning_with)


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
    _allow_loopback(login.endpoint, client)
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
    _allow_loopback(login.endpoint, client)
    # Only to look at the key: handed over by a function, it is not, and one that is none is late.
    AzureStore(container, config=cast("AzureConfig", config | _given(account_key=key, sas_key=sas)))
    return AzureStore(
        container,
        config=cast("AzureConfig", config),
        client_options=client,
        retry_config=_RETRIES,
        credential_provider=_azure_credentials(key, sas),
    )


def _azure_list(
    container: str, login: AzureZone, resolve: Resolve, timeout: timedelta
) -> AzureList | None:
    """Returns what lists by the beginning of a name; None for a machine's own identity."""
    key, sas = _value(login.account_key, resolve), _value(login.sas, resolve)
    if key is None and sas is None:
        return None
    host = login.endpoint or f"https://{login.account_name}.blob.core.windows.net"
    if host.startswith("http:") and not is_loopback(urlsplit(host).hostname or ""):
        return None
    limit = httpx.Timeout(timeout.total_seconds(), connect=10)
    return AzureList(f"{host.rstrip('/')}/{container}", login.account_name, key, sas, limit)


def _allow_loopback(endpoint: str | None, client: "ClientConfig") -> None:
    """Lets an emulator on this machine be asked without TLS."""
    if endpoint and is_loopback(urlsplit(endpoint).hostname or ""):
        client["allow_http"] = True


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


def _only(file: ExportFile) -> "GetOptions":
    """The option that gets this very object, not one that took its place."""
    return {"if_match": f'"{file.identity}"'} if file.identity else {}


def _reason(error: Exception, otherwise: str) -> str:
    text = _UNSAID.sub("", str(error)).lower()
    return next((reason for word, reason in _REASONS if word in text), otherwise)

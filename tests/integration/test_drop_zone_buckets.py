"""Exports in buckets: S3 against an emulator (moto); of the others what shows without a server."""

import gzip
import json
import logging
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import obstore
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from obstore.store import AzureStore, S3Store
from pydantic import SecretStr

from extractors.delimited.file import read_csv_file
from extractors.exports.archiving import archive_exports
from extractors.exports.find import find_export
from extractors.read import read_source
from extractors.zones.bucket import BucketZone, open_bucket
from extractors.zones.zones import DropZones
from schemas.errors import (
    ConfigError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.raw import Raw
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.source_file.secrets import Secret
from schemas.source_file.zones.logins import AzureZone, GcsZone, S3Zone
from schemas.source_file.zones.urls import to_zone_url

if TYPE_CHECKING:
    from tests.https_server import HttpsServer

pytest_plugins = ["tests.https_server", "tests.s3_server"]

_CANARY = "canary5f1csecret"


def _resolve(_secret: Secret) -> SecretStr:
    return SecretStr(_CANARY)


def _source(store: S3Store, pattern: str, **options: object) -> CsvSource:
    config = store.config
    login = {
        "access_key_id": "test",
        "secret_access_key": {"env": "S3_KEY"},
        "region": "us-east-1",
        "endpoint": config["endpoint"],
    }
    bucket = f"s3://{config['bucket']}"
    return CsvSource(**({"kind": "csv", "accounts": f"{bucket}/{pattern}", "s3": login} | options))


def _read(source: CsvSource, now: datetime | None = None) -> Raw:
    return read_source(source, Path("/nowhere"), now=now or datetime.now(UTC), resolve=_resolve)


def _keys(store: S3Store) -> list[str]:
    return sorted(one["path"] for one in obstore.list(store).collect())


@pytest.fixture
def bucket(new_bucket: Callable[[], S3Store]) -> S3Store:
    return new_bucket()


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return scratch


def test_a_match_is_fetched_unpacked_and_left_nowhere(bucket: S3Store, scratch: Path) -> None:
    obstore.put(bucket, "hr/out/hr_1.csv.gz", gzip.compress("id;n\n1;Zoë\n".encode("cp1252")))
    obstore.put(bucket, "hr/out/hr_9/hr_2.csv.gz", b"deeper")
    obstore.put(bucket, "hr/out2/hr_3.csv.gz", b"beside")
    obstore.put(bucket, "hr/out/.hr_4.csv.gz", b"hidden")
    raw = _read(_source(bucket, "hr/out/*hr_*.csv.gz"))
    assert raw.accounts.rows["n"].to_list() == ["Zoë"]
    assert raw.accounts.origin == f"s3://{bucket.config['bucket']}/hr/out/hr_1.csv.gz"
    assert datetime.now(UTC) - raw.taken_at < timedelta(minutes=5)
    assert list(scratch.iterdir()) == []


def test_of_several_matches_the_newest_counts_then_the_last_by_name(bucket: S3Store) -> None:
    for name in ("hr_2.csv", "hr_3.csv", "hr_1.csv"):
        obstore.put(bucket, name, f"id\n{name}\n".encode())
    wanted = max(
        obstore.list(bucket).collect(), key=lambda one: (one["last_modified"], one["path"])
    )
    assert _read(_source(bucket, "hr_*.csv")).accounts.rows["id"].to_list() == [wanted["path"]]
    by_name = _read(_source(bucket, "hr_*.csv", newest="name"))
    assert by_name.accounts.rows["id"].to_list() == ["hr_3.csv"]


def test_folders_below_are_searched_where_the_pattern_says_so(bucket: S3Store) -> None:
    obstore.put(bucket, "hr/2026/01/a.csv", b"id\ndeep\n")
    obstore.put(bucket, "other/2026/01/a.csv", b"id\nother\n")
    for pattern in ("hr/**/a.csv", "hr/*/*/a.csv", "h?/2026/[0-9]*/a.csv"):
        assert _read(_source(bucket, pattern)).accounts.rows["id"].to_list() == ["deep"]


def test_four_tables_come_from_one_bucket_or_from_where_each_lies(
    bucket: S3Store, tmp_path: Path
) -> None:
    base = f"s3://{bucket.config['bucket']}"
    obstore.put(bucket, "a.csv", b"id\n1\n")
    obstore.put(bucket, "e.csv", b"id\nA\n")
    (tmp_path / "g.csv").write_text("who,what\n1,A\n", "utf-8")
    source = _source(
        bucket, "a.csv", entitlements=f"{base}/e.csv", associations=str(tmp_path / "g.csv")
    )
    raw = _read(source)
    assert raw.entitlements
    assert raw.associations
    assert [one.name for one in raw.files] == [
        f"{base}/a.csv", f"{base}/e.csv", str(tmp_path / "g.csv"),
    ]  # fmt: skip


def test_many_pages_of_a_listing_are_all_looked_through(bucket: S3Store) -> None:
    for number in range(1_003):
        obstore.put(bucket, f"log/{number:04}.txt", b"x")
    obstore.put(bucket, "log/z.csv", b"id\nlast\n")
    assert _read(_source(bucket, "log/*.csv")).accounts.rows["id"].to_list() == ["last"]


@pytest.mark.parametrize("change", ["rewritten", "gone"])
def test_an_export_that_changes_since_it_was_found_is_never_taken(
    change: str, bucket: S3Store, tmp_path: Path
) -> None:
    obstore.put(bucket, "hr.csv", b"id\n1\n")
    source = _source(bucket, "hr.csv")
    with DropZones(source, tmp_path, _resolve) as zones:
        export = find_export("accounts", source.accounts, zones)
        if change == "rewritten":
            obstore.put(bucket, "hr.csv", b"id\n2\n")
        else:
            obstore.delete(bucket, "hr.csv")
        with pytest.raises((SourceIncompleteError, SourceUnavailableError)) as caught:
            read_csv_file(export, source)
    assert "hr.csv: changed while" in str(caught.value) or change == "gone"


def test_what_is_fetched_is_private_and_the_version_that_was_found(
    bucket: S3Store, tmp_path: Path
) -> None:
    obstore.put(bucket, "hr.csv", b"id\n1\n")
    source = _source(bucket, "hr.csv")
    with DropZones(source, tmp_path, _resolve) as zones:
        export = find_export("accounts", source.accounts, zones)
        fetched = export.zone.fetch(export.file, tmp_path)
        assert fetched.stat().st_mode & 0o777 == 0o600
        obstore.put(bucket, "hr.csv", b"id\n2\n")
        fetched.unlink()
        with pytest.raises(SourceIncompleteError, match="changed while it was read"):
            export.zone.fetch(export.file, tmp_path)


def test_a_marker_and_a_manifest_hold_in_a_bucket_too(bucket: S3Store) -> None:
    obstore.put(bucket, "hr_1.csv", b"id\n1\n")
    complete = {"marker": "{path}.done", "manifest": "{path}.rows"}
    source = _source(bucket, "hr_*", complete=complete)
    with pytest.raises(SourceIncompleteError, match=r"its marker s3://.*done is not there"):
        _read(source)
    obstore.put(bucket, "hr_1.csv.done", b"")
    with pytest.raises(SourceIncompleteError, match=r"its manifest s3://.* cannot be read"):
        _read(source)
    obstore.put(bucket, "hr_1.csv.rows", b"2")
    with pytest.raises(SourceIncompleteError, match=r"1 rows were read and the manifest .* 2"):
        _read(source)
    obstore.put(bucket, "hr_1.csv.rows", b"1")
    assert _read(source).proof[0].endswith("marker found; manifest says 1")


def test_an_old_export_is_refused_by_its_time_in_the_bucket(bucket: S3Store) -> None:
    obstore.put(bucket, "hr.csv", b"id\n1\n")
    later = datetime.now(UTC) + timedelta(hours=50)
    with pytest.raises(SourceIncompleteError, match="is 2d 2h old and max_age is 1d 12h"):
        _read(_source(bucket, "hr.csv"), later)


@pytest.mark.parametrize("name", ["hr.csv", "hr_*.csv", "no/**/hr.csv"])
def test_a_missing_export_is_unavailable_and_named(name: str, bucket: S3Store) -> None:
    with pytest.raises(SourceUnavailableError) as caught:
        _read(_source(bucket, name))
    assert f"s3://{bucket.config['bucket']}/{name}" in str(caught.value)


def test_a_bucket_that_is_not_there_is_one_line(s3_endpoint: str) -> None:
    store = S3Store("no-such-bucket", endpoint=s3_endpoint)
    for name in ("hr_*.csv", "hr.csv"):
        with pytest.raises(SourceUnavailableError, match=r"there is no such bucket$"):
            _read(_source(store, name))


def test_an_accepted_export_is_moved_with_its_marker(bucket: S3Store) -> None:
    base = f"s3://{bucket.config['bucket']}"
    obstore.put(bucket, "out/hr_1.csv", b"id\n1\n")
    obstore.put(bucket, "out/hr_1.csv.done", b"")
    source = _source(
        bucket,
        "out/**/hr_*",
        complete={"marker": "{path}.done"},
        archive_to=f"{base}/out/accepted",
    )
    raw = _read(source)
    assert archive_exports(source, raw.files, Path("/nowhere"), _resolve) == ()
    assert _keys(bucket) == ["out/accepted/hr_1.csv", "out/accepted/hr_1.csv.done"]
    assert archive_exports(source, raw.files, Path("/nowhere"), _resolve) == ()
    with pytest.raises(SourceUnavailableError, match="no file matches"):
        _read(source)
    obstore.put(bucket, "out/hr_1.csv", b"id\n2\n")
    obstore.put(bucket, "out/hr_1.csv.done", b"")
    [problem] = archive_exports(source, _read(source).files, Path("/nowhere"), _resolve)
    assert "an object of that name is there" in problem
    assert bytes(obstore.get(bucket, "out/accepted/hr_1.csv").bytes()) == b"id\n1\n"


def test_a_move_that_was_cut_off_after_the_copy_is_ended_by_the_next(bucket: S3Store) -> None:
    obstore.put(bucket, "hr.csv", b"id\n1\n")
    source = _source(bucket, "hr.csv", archive_to=f"s3://{bucket.config['bucket']}/accepted")
    raw = _read(source)
    obstore.copy(bucket, "hr.csv", "accepted/hr.csv")
    assert archive_exports(source, raw.files, Path("/nowhere"), _resolve) == ()
    assert _keys(bucket) == ["accepted/hr.csv"]


def test_a_newer_export_than_the_one_accepted_is_not_moved(bucket: S3Store) -> None:
    obstore.put(bucket, "hr.csv", b"id\n1\n")
    source = _source(bucket, "hr.csv", archive_to=f"s3://{bucket.config['bucket']}/accepted")
    raw = _read(source)
    obstore.put(bucket, "hr.csv", b"id\n2\n")
    assert archive_exports(source, raw.files, Path("/nowhere"), _resolve) == ()
    assert _keys(bucket) == ["hr.csv"]


def test_a_key_that_is_refused_is_one_line_without_the_key(
    bucket: S3Store, s3_endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    obstore.put(bucket, "hr.csv", b"id\n1\n")
    httpx.post(f"{s3_endpoint}/moto-api/reset-auth", content=b"0").raise_for_status()
    try:
        for name in ("hr.csv", "hr*.csv", "**/hr.csv"):
            with caplog.at_level(logging.DEBUG), pytest.raises(SourceUnavailableError) as caught:
                _read(_source(bucket, name))
            assert str(caught.value).endswith(": it does not know the access key")
            assert _CANARY not in str(caught.value) + caplog.text
            assert caught.value.__cause__ is caught.value.__context__ is None
    finally:
        httpx.post(f"{s3_endpoint}/moto-api/reset-auth", content=b"1000000").raise_for_status()


class _LyingStore(BaseHTTPRequestHandler):
    """A store that lists a key from outside of what it was asked for."""

    def do_GET(self) -> None:
        body = (
            b'<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>'
            b"<Contents><Key>elsewhere/hr_1.csv</Key><Size>5</Size><ETag>x</ETag>"
            b"<LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents></ListBucketResult>"
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None: ...


class _RefusingStore(BaseHTTPRequestHandler):
    """A store that answers each request with the refusal that the key begins with."""

    def do_GET(self) -> None:
        code = next(code for code in _REFUSALS if code in self.path)
        body = f"<Error><Code>{code}</Code><Message>{_CANARY}</Message></Error>".encode()
        self.send_response(_REFUSALS[code][0])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the library's name

    def log_message(self, *_args: object) -> None: ...


_REFUSALS = {
    "ExpiredToken": (400, "the session token has expired: have a new one lent"),
    "AuthorizationHeaderMalformed": (400, "the bucket is in another region: write its region"),
    "PermanentRedirect": (301, "the bucket is in another region: write its region"),
    "RequestTimeTooSkewed": (403, "the clock of this machine is wrong"),
    "InvalidAccessKeyId": (403, "it does not know the access key"),
    "SignatureDoesNotMatch": (403, "the secret is not that of the access key"),
    "AccessDenied": (403, "it refuses: the credentials are wrong, or may not do this"),
    "MethodNotAllowed": (405, "it cannot be reached, or refuses the request"),
}


@pytest.mark.parametrize("code", _REFUSALS)
def test_each_refusal_is_told_in_its_own_words(code: str) -> None:
    """Also of a file whose name has words of other reasons in it."""
    with _serving(_RefusingStore) as endpoint:
        store = S3Store("bucket", endpoint=endpoint)
        for name in (f"{code}/timeout.csv", f"{code}/timeout_*.csv"):
            with pytest.raises(SourceUnavailableError) as caught:
                _read(_source(store, name))
            assert str(caught.value) == f"s3://bucket/{name}: {_REFUSALS[code][1]}"


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("pattern", ["out/hr_*.csv", "out/**/hr_*.csv"])
def test_a_listing_from_outside_of_the_zone_is_refused(pattern: str) -> None:
    with _serving(_LyingStore) as endpoint:
        store = S3Store("bucket", endpoint=endpoint)
        with pytest.raises(SourceFormatError, match="lists a key from outside of it"):
            _read(_source(store, pattern))


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("https://no-such-host.invalid", "the host's name is not known"),
        ("https://127.0.0.1:{port}", "the connection is refused"),
    ],
)
@pytest.mark.parametrize("kind", ["s3", "gcs", "azure"])
def test_a_store_out_of_reach_is_one_line_without_the_key(
    kind: str, endpoint: str, reason: str
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = endpoint.format(port=closed.getsockname()[1])
        source = {
            "s3": CsvSource(
                kind="csv",
                accounts="s3://bucket/hr_*.csv",
                s3={
                    "access_key_id": "AKIATEST",
                    "secret_access_key": {"env": "K"},
                    "endpoint": address,
                },
            ),
            "gcs": CsvSource(
                kind="csv",
                accounts="gs://bucket/hr_*.csv",
                gcs={"service_account": {"file": "key.json"}, "endpoint": address},
            ),
            "azure": CsvSource(
                kind="csv",
                accounts="az://container/hr_*.csv",
                azure={"account_name": "acc", "account_key": {"env": "K"}, "endpoint": address},
            ),
        }[kind]
        secret = _service_account(address) if kind == "gcs" else "Y2FuYXJ5"
        with pytest.raises(SourceUnavailableError) as caught:
            read_source(source, Path(), now=datetime.now(UTC), resolve=lambda _: SecretStr(secret))
    assert str(caught.value) == f"{source.accounts}: {reason}"


def _service_account(address: str) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "hr@example.iam.gserviceaccount.com",
            "private_key_id": "1",
            "private_key": pem,
            "gcs_base_url": address,
            "disable_oauth": True,
        }
    )


def test_a_store_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = to_zone_url("s3://bucket/hr.csv")
        login = S3Zone(
            access_key_id="test",
            secret_access_key=Secret(env="K"),
            endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}",
        )
        assert url
        zone = open_bucket(url, login, tmp_path, _resolve, timeout=timedelta(seconds=0.2))
        with pytest.raises(SourceUnavailableError, match="no answer in time"):
            zone.look_at("hr.csv")


@pytest.mark.parametrize(
    ("written", "login"),
    [
        ("gs://bucket/hr.csv", GcsZone(service_account=Secret(env="K"))),
        ("az://container/hr.csv", AzureZone(account_name="acc", account_key=Secret(env="K"))),
        ("az://container/hr.csv", AzureZone(account_name="acc", sas=Secret(env="K"))),
    ],
)
def test_a_secret_that_is_no_such_key_is_one_line_without_it(
    written: str, login: GcsZone | AzureZone, tmp_path: Path
) -> None:
    url = to_zone_url(written)
    assert url
    with pytest.raises(ConfigError, match=rf"the keys under {url.kind}: are not in the form") as at:
        open_bucket(url, login, tmp_path, lambda _: SecretStr(f"{_CANARY}!!"))
    assert _CANARY not in str(at.value)
    assert at.value.__cause__ is at.value.__context__ is None


def _zone(written: str, login: S3Zone | GcsZone | AzureZone, value: str = "") -> BucketZone:
    url = to_zone_url(written)
    assert url
    return open_bucket(url, login, Path(), lambda secret: SecretStr(value or f"of {secret.env}"))


def test_the_credentials_are_handed_to_the_store_as_they_are() -> None:
    sas = _zone(
        "az://con/a.csv", AzureZone(account_name="acc", sas=Secret(env="K")), "sv=1&sig=abc"
    )
    assert isinstance(sas.store, AzureStore)
    assert (sas.store.config["account_name"], sas.store.config["container_name"]) == ("acc", "con")
    assert sas.store.credential_provider
    assert sas.store.credential_provider() == {"sas_token": "sv=1&sig=abc", "expires_at": None}
    key = _zone(
        "az://con/a.csv", AzureZone(account_name="acc", account_key=Secret(env="K")), "a2V5"
    )
    assert isinstance(key.store, AzureStore)
    assert key.store.credential_provider
    assert key.store.credential_provider() == {"access_key": "a2V5", "expires_at": None}
    account = _service_account("https://127.0.0.1:1")
    google = _zone("gs://buck/a.csv", GcsZone(service_account=Secret(file="k")), account)
    assert google.store.config == {"bucket": "buck", "service_account_key": account}
    login = S3Zone(
        access_key_id="AK",
        secret_access_key=Secret(env="K"),
        session_token=Secret(env="T"),
        region="eu-west-3",
    )
    amazon = _zone("s3://buck/a.csv", login)
    assert isinstance(amazon.store, S3Store)
    assert amazon.store.config == {"bucket": "buck", "region": "eu-west-3"}
    assert amazon.store.credential_provider
    assert amazon.store.credential_provider() == {
        "access_key_id": "AK", "secret_access_key": "of K", "token": "of T", "expires_at": None,
    }  # fmt: skip
    for zone in (sas, key, google, amazon):
        assert not {"sv=1", "a2V5", "PRIVATE", "of K"} & set(re.split(r"[^\w=]", repr(zone)))


def test_a_ca_file_that_cannot_be_read_is_a_wrong_source_file(tmp_path: Path) -> None:
    login = S3Zone(ca_file="no-such.pem")
    url = to_zone_url("s3://bucket/hr.csv")
    assert url
    with pytest.raises(ConfigError, match=r"^s3\.ca_file: no-such\.pem cannot be read"):
        open_bucket(url, login, tmp_path, _resolve)


def test_a_store_of_ones_own_is_trusted_by_its_ca_alone(https_server: "HttpsServer") -> None:
    https_server.put("/bucket/hr.csv", b"id\n1\n")
    login = {
        "access_key_id": "test",
        "secret_access_key": {"env": "K"},
        "endpoint": https_server.url,
    }
    source = CsvSource(kind="csv", accounts="s3://bucket/hr.csv", s3=login, max_age=None)
    with pytest.raises(SourceUnavailableError, match="certificate is not trusted: name its CA"):
        _read(source)
    assert https_server.seen == []
    login["ca_file"] = str(https_server.ca_file)
    source = CsvSource(kind="csv", accounts="s3://bucket/hr.csv", s3=login, max_age=None)
    assert _read(source).accounts.read_count == 1


@pytest.mark.parametrize("names_keys", [True, False])
def test_the_environments_keys_are_used_whole_or_not_at_all(
    names_keys: bool, https_server: "HttpsServer", monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.setenv(f"AWS_{name}", f"env-{name}")
    https_server.put("/bucket/hr.csv", b"id\n1\n")
    login: dict[str, object] = {
        "endpoint": https_server.url,
        "ca_file": str(https_server.ca_file),
    }
    if names_keys:
        login |= {"access_key_id": "file-key", "secret_access_key": {"env": "K"}}
    _read(CsvSource(kind="csv", accounts="s3://bucket/hr.csv", s3=login, max_age=None))
    headers = [
        {name.lower(): value for name, value in one.headers.items()} for one in https_server.seen
    ]
    key, token = ("file-key", None) if names_keys else ("env-ACCESS_KEY_ID", "env-SESSION_TOKEN")
    assert all(f"Credential={key}/" in one["authorization"] for one in headers)
    assert {one.get("x-amz-security-token") for one in headers} == {token}

"""An export on a web server: verified, whole, and its secrets told to nobody."""

import base64
import gzip
import logging
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr, ValidationError

from extractors.delimited.file import read_csv_file
from extractors.exports.find import find_export
from extractors.read import probe_source, read_source
from extractors.zones.https import WebZone, open_web_zone
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
from schemas.source_file.zones.logins import HttpsZone
from schemas.source_file.zones.urls import to_zone_url

if TYPE_CHECKING:
    from tests.https_server import HttpsServer

pytest_plugins = ["tests.https_server"]

_NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
_CANARY = "canary-5f1c-secret"


def _resolve(_secret: Secret) -> SecretStr:
    return SecretStr(_CANARY)


def _source(server: "HttpsServer", path: str = "/hr.csv", **options: object) -> CsvSource:
    login = {"ca_file": str(server.ca_file)} | options.pop("login", {})
    defaults = {"kind": "csv", "accounts": f"{server.url}{path}", "https": login}
    return CsvSource(**(defaults | options))


def _read(source: CsvSource) -> Raw:
    return read_source(source, Path("/nowhere"), now=_NOW, resolve=_resolve)


def test_an_export_is_fetched_whole_and_as_old_as_the_server_says(
    https_server: "HttpsServer",
) -> None:
    https_server.put("/out/hr.csv", "id;n\n1;Zoë\n".encode())
    raw = _read(_source(https_server, "/out/hr.csv?format=csv&year=2026"))
    assert raw.accounts.rows["n"].to_list() == ["Zoë"]
    assert raw.accounts.origin == f"{https_server.url}/out/hr.csv"
    assert raw.taken_at == _NOW - timedelta(hours=1)
    assert {one.path for one in https_server.seen} == {"/out/hr.csv?format=csv&year=2026"}


@pytest.mark.parametrize("coding", [None, "gzip"])
def test_a_compressed_export_is_unpacked_however_it_is_announced(
    coding: str | None, https_server: "HttpsServer"
) -> None:
    https_server.put("/hr.csv.gz", gzip.compress(b"id\n1\n"), Content_Encoding=coding)
    assert _read(_source(https_server, "/hr.csv.gz")).accounts.read_count == 1


@pytest.mark.parametrize(
    ("login", "sent"),
    [
        ({"token": {"env": "T"}}, f"Bearer {_CANARY}"),
        (
            {"username": "hr", "password": {"env": "P"}},
            "Basic " + base64.b64encode(f"hr:{_CANARY}".encode()).decode(),
        ),
    ],
)
def test_a_token_or_a_password_is_sent_and_told_to_nobody(
    login: dict[str, object],
    sent: str,
    https_server: "HttpsServer",
    caplog: pytest.LogCaptureFixture,
) -> None:
    https_server.put("/hr.csv", b"id\n1\n")
    https_server.put("/refused.csv", b"", status=403)
    with caplog.at_level(logging.DEBUG):
        _read(_source(https_server, login=login))
        with pytest.raises(SourceUnavailableError, match="403: it refuses") as caught:
            _read(_source(https_server, "/refused.csv", login=login))
    assert {one.headers["Authorization"] for one in https_server.seen} == {sent}
    for secret in (_CANARY, sent.split()[1]):
        assert secret not in str(caught.value) + caplog.text
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_server_whose_certificate_is_not_trusted_is_told_nothing(
    https_server: "HttpsServer",
) -> None:
    https_server.put("/hr.csv", b"id\n1\n")
    source = CsvSource(
        kind="csv", accounts=f"{https_server.url}/hr.csv", https={"token": {"env": "T"}}
    )
    with pytest.raises(SourceUnavailableError, match="certificate is not trusted") as caught:
        _read(source)
    assert "ca_file" in str(caught.value)
    assert https_server.seen == []


def test_a_certificate_of_another_host_is_not_trusted(https_server: "HttpsServer") -> None:
    https_server.put("/hr.csv", b"id\n1\n")
    url = https_server.url.replace("127.0.0.1", "localhost")
    source = CsvSource(
        kind="csv", accounts=f"{url}/hr.csv", https={"ca_file": str(https_server.ca_file)}
    )
    with pytest.raises(SourceUnavailableError, match="certificate is not trusted"):
        _read(source)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (401, "401: it refuses the credentials"),
        (302, "302: a redirect is not followed: write the address it leads to"),
        (404, "no such file: check the path"),
        (410, "no such file: check the path"),
        (429, "429 Too Many Requests"),
        (503, "503 Service Unavailable"),
    ],
)
def test_what_is_no_file_is_one_line(
    status: int, message: str, https_server: "HttpsServer"
) -> None:
    location = f"{https_server.url}/signed?sig={_CANARY}" if status == 302 else None
    https_server.put("/hr.csv", b"id\n1\n", status=status, Location=location)
    with pytest.raises(SourceUnavailableError) as caught:
        _read(_source(https_server))
    assert str(caught.value).startswith(f"{https_server.url}/hr.csv: {message}")
    assert _CANARY not in str(caught.value)
    assert len(https_server.seen) == 1


def test_an_export_of_unknown_age_is_taken_only_where_none_is_asked(
    https_server: "HttpsServer",
) -> None:
    https_server.put("/hr.csv", b"id\n1\n", Last_Modified=None)
    with pytest.raises(SourceIncompleteError, match="does not say when it was written"):
        _read(_source(https_server))
    https_server.put("/hr.csv", b"id\n1\n", Last_Modified="yesterday")
    raw = _read(_source(https_server, max_age=None))
    assert raw.taken_at == _NOW


def test_an_export_cut_off_on_the_way_is_incomplete(https_server: "HttpsServer") -> None:
    https_server.put("/hr.csv", b"id\n1\n", Content_Length="9")
    with pytest.raises(SourceIncompleteError, match="the connection was cut half-way"):
        _read(_source(https_server))


def test_an_export_without_a_length_is_not_taken_for_whole(https_server: "HttpsServer") -> None:
    https_server.put("/hr.csv", b"id\n1\n", Content_Length=None)
    with pytest.raises(SourceIncompleteError, match="does not say how long it is"):
        _read(_source(https_server))


def test_an_export_that_goes_on_and_on_is_given_up(
    https_server: "HttpsServer", tmp_path: Path
) -> None:
    https_server.put("/hr.csv", b"id\n" + b"1\n" * 2_000_000)
    source = _source(https_server)
    with DropZones(source, tmp_path, _resolve) as zones:
        zone, key = zones.place(source.accounts, "accounts")
        assert isinstance(zone, WebZone)
        found = zone.look_at(key)
        assert found
        with pytest.raises(SourceFormatError, match="larger than 1,000,000 bytes"):
            replace(zone, most_bytes=1_000_000).fetch(found, tmp_path)
    assert (tmp_path / "fetched.csv").stat().st_size <= 3_000_000


def test_an_export_sent_in_chunks_is_whole_when_its_last_chunk_came(
    https_server: "HttpsServer",
) -> None:
    def chunks(handler: BaseHTTPRequestHandler, end: bytes) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(b"3\r\nid\n\r\n2\r\n1\n\r\n" + end)

    https_server.answers["/hr.csv"] = lambda handler: chunks(handler, b"0\r\n\r\n")
    raw = _read(_source(https_server, max_age=None))
    assert raw.accounts.read_count == 1
    assert raw.proof == (f"{https_server.url}/hr.csv: 1 rows, unchanged while read",)
    https_server.answers["/hr.csv"] = lambda handler: chunks(handler, b"")
    with pytest.raises(SourceIncompleteError, match="the connection was cut half-way"):
        _read(_source(https_server, max_age=None))


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_export_that_changes_meanwhile_is_incomplete(
    when: str, https_server: "HttpsServer", tmp_path: Path
) -> None:
    https_server.put("/hr.csv", b"id\n1\n")
    source = _source(https_server)
    with DropZones(source, tmp_path, _resolve) as zones:
        export = find_export("accounts", source.accounts, zones)
        if when == "before":
            https_server.put("/hr.csv", b"id\n2\n")
        else:
            before = https_server.answers["/hr.csv"]

            def once(handler: BaseHTTPRequestHandler) -> None:
                before(handler)
                https_server.put("/hr.csv", b"id\n2\n")

            https_server.answers["/hr.csv"] = once
        with pytest.raises(SourceIncompleteError, match="changed while it was read"):
            read_csv_file(export, source)


def test_what_is_fetched_is_private_and_the_file_that_was_found(
    https_server: "HttpsServer", tmp_path: Path
) -> None:
    https_server.put("/hr.csv", b"id\n1\n")
    source = _source(https_server)
    with DropZones(source, tmp_path, _resolve) as zones:
        export = find_export("accounts", source.accounts, zones)
        fetched = export.zone.fetch(export.file, tmp_path)
        assert fetched.stat().st_mode & 0o777 == 0o600
        https_server.put("/hr.csv", b"id\n2\n")
        fetched.unlink()
        with pytest.raises(SourceIncompleteError, match="changed while it was read"):
            export.zone.fetch(export.file, tmp_path)


def test_a_marker_and_a_manifest_hold_on_a_web_server_too(https_server: "HttpsServer") -> None:
    https_server.put("/hr.csv", b"id\n1\n")
    complete = {"marker": "{path}.done", "manifest": "{path}.rows"}
    source = _source(https_server, complete=complete)
    with pytest.raises(SourceIncompleteError, match=r"its marker https://.*done is not there"):
        _read(source)
    https_server.put("/hr.csv.done", b"")
    with pytest.raises(SourceIncompleteError, match=r"its manifest https://.* cannot be read"):
        _read(source)
    https_server.put("/hr.csv.rows", b"1")
    assert _read(source).proof[0].endswith("marker found; manifest says 1")


def test_a_probe_tells_what_the_file_looks_like(https_server: "HttpsServer") -> None:
    https_server.put("/hr.csv", b"id;n\n1;a\n")
    [probe] = probe_source(_source(https_server), Path(), now=_NOW, resolve=_resolve)
    assert (probe.origin, probe.columns) == (f"{https_server.url}/hr.csv", ("id", "n"))


@pytest.mark.parametrize(
    ("host", "message"),
    [("no-such-host.invalid", "the host's name is not known"), ("127.0.0.1", "cannot connect: ")],
)
def test_a_server_out_of_reach_is_one_line(host: str, message: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"https://{host}:{closed.getsockname()[1]}/hr.csv"
        with pytest.raises(SourceUnavailableError) as caught:
            _read(CsvSource(kind="csv", accounts=url))
    assert str(caught.value).startswith(f"{url}: {message}")


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = to_zone_url(f"http://127.0.0.1:{silent.getsockname()[1]}/hr.csv")
        assert url
        zone = open_web_zone(url, HttpsZone(), tmp_path, _resolve, timeout_s=0.2)
        with pytest.raises(SourceUnavailableError, match="no answer in time"):
            zone.look_at("hr.csv")
        zone.close()


def test_a_secret_that_no_header_can_carry_is_not_shown(https_server: "HttpsServer") -> None:
    source = _source(https_server, login={"token": {"env": "T"}})
    for secret in (f"{_CANARY}\n", f"é{_CANARY}"):
        with pytest.raises(ConfigError, match=r"https\.token: ") as caught:
            read_source(source, Path(), now=_NOW, resolve=lambda _, it=secret: SecretStr(it))
        assert _CANARY not in str(caught.value)


def test_an_address_without_tls_is_taken_on_loopback_or_where_it_is_stated() -> None:
    for url in ("http://127.0.0.1:8000/a.csv", "http://localhost/a.csv", "http://[::1]/a.csv"):
        CsvSource(kind="csv", accounts=url)
    with pytest.raises(ValidationError, match="is not encrypted: write https"):
        CsvSource(kind="csv", accounts="http://intranet.example/a.csv")
    allowed = {"allow_http": True}
    CsvSource(kind="csv", accounts="http://intranet.example/a.csv", https=allowed)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_none_is_a_wrong_source_file(
    content: str | None, https_server: "HttpsServer", tmp_path: Path
) -> None:
    if content:
        (tmp_path / "ca").write_text(content, "utf-8")
    source = _source(https_server, login={"ca_file": str(tmp_path / "ca")})
    with pytest.raises(ConfigError, match=r"^https\.ca_file: "):
        _read(source)

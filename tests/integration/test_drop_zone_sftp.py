"""Exports on an SFTP server: a real sshd, its key checked, and what goes wrong on the way."""

import asyncio
import gzip
import logging
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh
import pytest
from pydantic import SecretStr

from extractors.delimited.file import read_csv_file
from extractors.exports.archiving import archive_exports
from extractors.exports.find import find_export
from extractors.read import probe_source, read_source
from extractors.zones.sftp import open_sftp_server
from extractors.zones.ssh import EventLoop
from extractors.zones.zones import DropZones
from schemas.errors import ConfigError, SourceIncompleteError, SourceUnavailableError
from schemas.raw import Raw
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.source_file.secrets import Secret
from schemas.source_file.zones.urls import to_zone_url

if TYPE_CHECKING:
    from tests.sftp_server import SftpServer

pytest_plugins = ["tests.sftp_server"]

_NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
_CANARY = "canary-5f1c-secret"


def _drop(path: Path, content: str | bytes = "id\n1\n", hours: float = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    written_s = (_NOW - timedelta(hours=hours)).timestamp()
    os.utime(path, (written_s, written_s))
    return path


def _source(server: "SftpServer", pattern: Path | str, **options: object) -> CsvSource:
    login = {"private_key": {"file": str(server.private_key)}, "host_key": server.host_key}
    defaults = {"kind": "csv", "accounts": f"{server.url}{pattern}", "sftp": login}
    return CsvSource(**(defaults | options))


def _resolve(secret: Secret) -> SecretStr:
    return SecretStr(Path(secret.file).read_text("utf-8") if secret.file else _CANARY)


def _read(source: CsvSource, workspace: Path = Path("/nowhere")) -> Raw:
    return read_source(source, workspace, now=_NOW, resolve=_resolve)


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return scratch


def test_the_newest_match_is_fetched_unpacked_and_left_nowhere(
    sftp_server: "SftpServer", tmp_path: Path, scratch: Path
) -> None:
    _drop(tmp_path / "out/hr_1.csv.gz", gzip.compress(b"id\nold\n"), hours=9)
    newest = _drop(tmp_path / "out/hr_2.csv.gz", gzip.compress("id;n\n1;Zoë\n".encode("cp1252")))
    _drop(tmp_path / "out/.hr_3.csv.gz", b"a partial upload", hours=0)
    _drop(tmp_path / "out/hr_x/hr_4.csv.gz", b"deeper", hours=0)
    raw = _read(_source(sftp_server, tmp_path / "out/*hr_*.csv.gz"))
    assert raw.accounts.rows["n"].to_list() == ["Zoë"]
    assert raw.accounts.origin == f"{sftp_server.url}{newest}"
    assert raw.taken_at == _NOW - timedelta(hours=1)
    assert raw.proof[0].startswith(f"{sftp_server.url}{newest}: 1 rows, ")
    assert list(scratch.iterdir()) == []


def test_folders_below_are_searched_where_the_pattern_says_so(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "out/2026/01/hr.csv", "id\ndeep\n")
    _drop(tmp_path / "out/hr.csv", "id\nflat\n", hours=3)
    raw = _read(_source(sftp_server, tmp_path / "out/**/hr.csv"))
    assert raw.accounts.rows["id"].to_list() == ["deep"]


def test_of_thousands_of_matches_one_is_looked_at_closely(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    for number in range(3_000):
        _drop(tmp_path / f"hr_{number}.csv", "", hours=2)
    _drop(tmp_path / "hr_new.csv", "id\n7\n", hours=1)
    raw = read_source(
        _source(sftp_server, tmp_path / "hr_*.csv"), tmp_path, now=_NOW, resolve=_resolve
    )
    assert raw.accounts.rows["id"].to_list() == ["7"]


def test_newest_by_name_passes_over_the_time(sftp_server: "SftpServer", tmp_path: Path) -> None:
    _drop(tmp_path / "hr_1.csv", "id\nfirst\n", hours=1)
    _drop(tmp_path / "hr_2.csv", "id\nsecond\n", hours=5)
    raw = _read(_source(sftp_server, tmp_path / "hr_*.csv", newest="name"))
    assert raw.accounts.rows["id"].to_list() == ["second"]


def test_a_whole_file_of_many_blocks_arrives_as_it_was_sent(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    lines = [f"{number:07},{'x' * (number % 90)}" for number in range(150_000)]
    _drop(tmp_path / "hr.csv", "\n".join(["id,n", *lines]) + "\n")
    rows = _read(_source(sftp_server, tmp_path / "hr.csv")).accounts.rows
    assert [f"{one},{note}" for one, note in rows.select("id", "n").iter_rows()] == lines


def test_what_is_fetched_is_readable_by_its_owner_alone(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "hr.csv")
    (tmp_path / "private").mkdir()
    before = os.umask(0)
    try:
        source = _source(sftp_server, tmp_path / "hr.csv")
        with DropZones(source, tmp_path, _resolve) as zones:
            export = find_export("accounts", source.accounts, zones)
            fetched = export.zone.fetch(export.file, tmp_path / "private")
    finally:
        os.umask(before)
    assert fetched.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", ["rewritten", "replaced", "touched", "gone"])
def test_an_export_that_changes_since_it_was_found_is_never_taken(
    change: str, sftp_server: "SftpServer", tmp_path: Path
) -> None:
    path = _drop(tmp_path / "hr.csv", "id\n1\n2\n")
    source = _source(sftp_server, path)
    with DropZones(source, tmp_path, _resolve) as zones:
        export = find_export("accounts", source.accounts, zones)
        if change == "rewritten":
            _drop(path, "id\n1\n")
        elif change == "replaced":
            _drop(tmp_path / "new", "id\n1\n3\n", hours=0.5).replace(path)
        elif change == "touched":
            path.touch()
        else:
            path.unlink()
        with pytest.raises((SourceIncompleteError, SourceUnavailableError)) as caught:
            read_csv_file(export, source)
    assert str(caught.value).startswith(f"{sftp_server.url}{path}: ")


def test_marker_manifest_and_rest_hold_on_the_server_too(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    path = _drop(tmp_path / "hr_1.csv")
    complete = {"marker": "{path}.done", "manifest": "{path}.rows", "stable_for": "60s"}
    source = _source(sftp_server, tmp_path / "hr_*", complete=complete)
    with pytest.raises(SourceIncompleteError, match=r"its marker sftp://.*done is not there"):
        _read(source)
    _drop(tmp_path / "hr_1.csv.done", "", hours=2)
    with pytest.raises(SourceIncompleteError, match="older than the export"):
        _read(source)
    _drop(tmp_path / "hr_1.csv.done", "", hours=0)
    with pytest.raises(SourceIncompleteError, match=r"its manifest sftp://.* cannot be read"):
        _read(source)
    _drop(tmp_path / "hr_1.csv.rows", "2", hours=0)
    with pytest.raises(SourceIncompleteError, match=r"1 rows were read and the manifest .* 2"):
        _read(source)
    _drop(tmp_path / "hr_1.csv.rows", '{"hr_1.csv": 1}', hours=0)
    proof = _read(source).proof[0]
    assert proof.endswith("marker found; at rest for 1m; manifest says 1")
    assert path.exists()


def test_an_export_still_being_written_is_waited_for(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    path, pauses = _drop(tmp_path / "hr.csv", hours=0), list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            _drop(path, "id\n1\n2\n", hours=-20 / 3600)

    source = _source(sftp_server, path, complete={"stable_for": "30s"})
    raw = read_source(source, tmp_path, now=_NOW, sleep=sleep, resolve=_resolve)
    assert (raw.accounts.read_count, pauses) == (2, [30.0, 20.0])


def test_an_old_export_is_refused_by_its_time_on_the_server(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "hr.csv", hours=50)
    with pytest.raises(SourceIncompleteError, match="is 2d 2h old and max_age is 1d 12h"):
        _read(_source(sftp_server, tmp_path / "hr.csv"))


@pytest.mark.parametrize("name", ["hr.csv", "hr_*.csv", "no/where/hr.csv", "no/where/hr_*.csv"])
def test_a_missing_export_is_unavailable_and_named(
    name: str, sftp_server: "SftpServer", tmp_path: Path
) -> None:
    with pytest.raises(SourceUnavailableError) as caught:
        _read(_source(sftp_server, tmp_path / name))
    assert f"{sftp_server.url}{tmp_path / name}" in str(caught.value)


def test_a_link_within_its_folder_is_followed_and_one_out_of_it_is_not(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "secret.csv")
    _drop(tmp_path / "zone/out/hr_0101.csv", "id\n7\n")
    (tmp_path / "zone/out/latest.csv").symlink_to("hr_0101.csv")
    raw = _read(_source(sftp_server, tmp_path / "zone/out/latest.csv"))
    assert raw.accounts.rows["id"].to_list() == ["7"]
    (tmp_path / "zone/out/evil.csv").symlink_to("../../secret.csv")
    (tmp_path / "zone/out/far").symlink_to(tmp_path)
    for name in ("evil.csv", "e*.csv"):
        with pytest.raises(ConfigError, match="leads out of its folder by a link"):
            _read(_source(sftp_server, tmp_path / "zone/out" / name))
    with pytest.raises(ConfigError, match="leads out of its folder by a link"):
        _read(_source(sftp_server, tmp_path / "zone/ou*/far/secret.csv"))
    with pytest.raises(SourceUnavailableError, match="no file matches"):
        _read(_source(sftp_server, tmp_path / "zone/out/*/secret.csv"))


def test_a_directory_is_no_export(sftp_server: "SftpServer", tmp_path: Path) -> None:
    (tmp_path / "hr").mkdir()
    with pytest.raises(ConfigError, match=r"hr is no file: name a file, or a pattern"):
        _read(_source(sftp_server, tmp_path / "hr"))


@pytest.mark.parametrize("known_by", ["host_key", "fingerprint", "known_hosts"])
def test_the_server_is_known_by_its_key_its_fingerprint_or_a_file(
    known_by: str, sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "hr.csv")
    known = {
        "host_key": {"host_key": sftp_server.host_key},
        "fingerprint": {"host_key": sftp_server.fingerprint},
        "known_hosts": {"known_hosts": str(sftp_server.known_hosts)},
    }[known_by]
    login = {"private_key": {"file": str(sftp_server.private_key)}, **known}
    assert _read(_source(sftp_server, tmp_path / "hr.csv", sftp=login)).accounts.read_count == 1


@pytest.mark.parametrize("known_by", ["host_key", "fingerprint", "known_hosts", "nobody"])
def test_a_server_with_another_key_is_told_nothing(
    known_by: str, sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "hr.csv")
    other = asyncssh.generate_private_key("ssh-ed25519")
    public = other.export_public_key().decode().strip()
    host = f"[127.0.0.1]:{sftp_server.port}" if known_by == "known_hosts" else "example.com"
    (tmp_path / "hosts").write_text(f"{host} {public}\n", "utf-8")
    known = {
        "host_key": {"host_key": public},
        "fingerprint": {"host_key": other.get_fingerprint("sha256")},
        "known_hosts": {"known_hosts": "hosts"},
        "nobody": {"known_hosts": "hosts"},
    }[known_by]
    login = {"private_key": {"file": str(sftp_server.private_key)}, **known}
    with pytest.raises(ConfigError) as caught:
        _read(_source(sftp_server, tmp_path / "hr.csv", sftp=login), tmp_path)
    said = "is not known" if known_by == "nobody" else "is not the one in sftp."
    assert said in str(caught.value)
    assert sftp_server.fingerprint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_key_that_the_server_does_not_let_in_is_one_line(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519").export_private_key()
    (tmp_path / "key").write_bytes(key)
    login = {
        "private_key": {"file": str(tmp_path / "key")},
        "host_key": sftp_server.host_key,
    }
    with pytest.raises(SourceUnavailableError, match=r"hr\.csv: the server refuses the login"):
        _read(_source(sftp_server, tmp_path / "hr.csv", sftp=login))


def test_a_locked_private_key_needs_its_passphrase(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "hr.csv")
    key = asyncssh.import_private_key(sftp_server.private_key.read_bytes())
    for name, passphrase in (("right", _CANARY), ("wrong", "another")):
        (tmp_path / name).write_bytes(key.export_private_key("pkcs8-pem", passphrase))
    (tmp_path / "none").write_text(_CANARY, "utf-8")

    def read(name: str, **more: object) -> Raw:
        place = {"private_key": {"file": str(tmp_path / name)}, "host_key": sftp_server.host_key}
        return _read(_source(sftp_server, tmp_path / "hr.csv", sftp=place | more))

    assert read("right", passphrase={"env": "P"}).accounts.read_count == 1
    for name, more in (("wrong", {"passphrase": {"env": "P"}}), ("right", {}), ("none", {})):
        with pytest.raises(ConfigError, match=r"^sftp\.private_key: ") as caught:
            read(name, **more)
        assert _CANARY not in str(caught.value)


def test_a_probe_fetches_and_tells_what_the_file_looks_like(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "hr.csv", "id;n\n1;a\n")
    [probe] = probe_source(
        _source(sftp_server, tmp_path / "hr.csv"), tmp_path, now=_NOW, resolve=_resolve
    )
    assert (probe.origin, probe.columns) == (f"{sftp_server.url}{tmp_path}/hr.csv", ("id", "n"))


def test_an_accepted_export_is_moved_with_its_marker(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    path = _drop(tmp_path / "out/hr_1.csv")
    _drop(tmp_path / "out/hr_1.csv.done", "", hours=0)
    source = _source(
        sftp_server,
        tmp_path / "out/**/hr_*",
        complete={"marker": "{path}.done"},
        archive_to=f"{sftp_server.url}{tmp_path}/out/accepted/2026",
    )
    raw = _read(source)
    assert archive_exports(source, raw.files, tmp_path, _resolve) == ()
    assert sorted(one.name for one in (tmp_path / "out").rglob("*.*")) == [
        "hr_1.csv",
        "hr_1.csv.done",
    ]
    assert (tmp_path / "out/accepted/2026/hr_1.csv").read_text("utf-8") == "id\n1\n"
    assert archive_exports(source, raw.files, tmp_path, _resolve) == ()
    with pytest.raises(SourceUnavailableError, match="no file matches"):
        _read(source)
    _drop(path, "id\n2\n")
    _drop(tmp_path / "out/hr_1.csv.done", "", hours=0)
    raw = _read(source)
    assert raw.accounts.rows["id"].to_list() == ["2"]
    [problem] = archive_exports(source, raw.files, tmp_path, _resolve)
    assert "cannot be moved" in problem
    assert "a file of that name is there" in problem
    assert path.read_text("utf-8") == "id\n2\n"
    assert (tmp_path / "out/accepted/2026/hr_1.csv").read_text("utf-8") == "id\n1\n"


def test_a_newer_export_than_the_one_accepted_is_not_moved(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    path = _drop(tmp_path / "hr.csv")
    source = _source(sftp_server, path, archive_to=f"{sftp_server.url}{tmp_path}/accepted")
    raw = _read(source)
    _drop(path, "id\n2\n", hours=0)
    assert archive_exports(source, raw.files, tmp_path, _resolve) == ()
    assert path.exists()


class _PasswordServer(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("hr", _CANARY)


class _RefusingFiles(asyncssh.SFTPServer):
    def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        raise asyncssh.SFTPPermissionDenied(_CANARY)

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        raise asyncssh.SFTPPermissionDenied(_CANARY)


@contextmanager
def _password_server(
    files: type[asyncssh.SFTPServer] = asyncssh.SFTPServer,
) -> Iterator[tuple[int, str]]:
    """A server of asyncssh's own, which takes a password: sshd takes those of real users only."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = EventLoop()
    server = loop.run(
        asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_PasswordServer,
            server_host_keys=[key],
            sftp_factory=files,
        ),
        30,
    )
    try:
        yield server.get_port(), key.export_public_key().decode().strip()
    finally:

        async def end() -> None:
            server.close()
            await server.wait_closed()
            await asyncio.sleep(0.05)

        loop.run(end(), 30)
        loop.close()


def test_a_password_logs_in_and_is_told_to_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _drop(tmp_path / "hr.csv")
    with _password_server() as (port, key), caplog.at_level(logging.DEBUG):
        login = {"username": "hr", "password": {"env": "HR"}, "host_key": key}
        source = CsvSource(
            kind="csv", accounts=f"sftp://127.0.0.1:{port}{tmp_path}/hr.csv", sftp=login
        )
        assert _read(source).accounts.read_count == 1
        with pytest.raises(SourceUnavailableError, match="the server refuses the login") as caught:
            read_source(source, tmp_path, now=_NOW, resolve=lambda _: SecretStr("wrong" + _CANARY))
    assert _CANARY not in str(caught.value) + caplog.text + repr(source)
    assert caught.value.__cause__ is None


def test_an_unreadable_export_is_one_line_and_not_the_servers(tmp_path: Path) -> None:
    _drop(tmp_path / "hr.csv")
    with _password_server(_RefusingFiles) as (port, key):
        login = {"username": "hr", "password": {"env": "HR"}, "host_key": key}
        for name in ("hr.csv", "*.csv"):
            url = f"sftp://127.0.0.1:{port}{tmp_path}/{name}"
            with pytest.raises(SourceUnavailableError) as caught:
                _read(CsvSource(kind="csv", accounts=url, sftp=login))
            assert str(caught.value) == f"{url}: the server gives no permission"


@pytest.mark.parametrize(
    ("host", "message"),
    [("no-such-host.invalid", "the host's name is not known"), ("127.0.0.1", "cannot connect: ")],
)
def test_a_server_out_of_reach_is_one_line(
    host: str, message: str, sftp_server: "SftpServer"
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        login = {"username": "hr", "password": {"env": "HR"}, "host_key": sftp_server.host_key}
        url = f"sftp://{host}:{closed.getsockname()[1]}/out/hr.csv"
        with pytest.raises(SourceUnavailableError) as caught:
            _read(CsvSource(kind="csv", accounts=url, sftp=login))
    assert str(caught.value).startswith(f"{url}: {message}")


def test_a_server_that_says_nothing_is_given_up(sftp_server: "SftpServer", tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = to_zone_url(f"sftp://hr@127.0.0.1:{silent.getsockname()[1]}/out/hr.csv")
        source = _source(sftp_server, "/out/hr.csv")
        assert url
        assert source.sftp
        server = open_sftp_server(url, source.sftp, tmp_path, _resolve, timeout_s=0.3)
        try:
            with pytest.raises(SourceUnavailableError, match=r"no answer in time|was ended"):
                server.look_at("/out/hr.csv")
        finally:
            server.close()


def test_a_read_leaves_no_thread_and_no_connection(
    sftp_server: "SftpServer", tmp_path: Path
) -> None:
    _drop(tmp_path / "hr.csv")
    before = set(threading.enumerate())
    _read(_source(sftp_server, tmp_path / "hr.csv"))
    assert set(threading.enumerate()) <= before

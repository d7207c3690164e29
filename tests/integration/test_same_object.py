"""One notion of the same object, store by store: a listing, a look, a read and a move agree."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh
import httpx
import obstore
import pytest
from obstore.store import AzureStore, GCSStore, S3Store
from pydantic import SecretStr

from extractors.activity import Span, probe_activity, read_activity
from extractors.delimited.file import read_csv_file
from extractors.exports.archiving import archive_exports
from extractors.exports.find import find_export
from extractors.read import read_source
from extractors.zones.ssh import EventLoop
from extractors.zones.zones import DropZones
from schemas.errors import SourceIncompleteError, SourceUnavailableError
from schemas.source_file.kinds.csv_source import ActivitySource, CsvSource
from schemas.source_file.secrets import Secret

if TYPE_CHECKING:
    from tests.azure_server import AzureAccount
    from tests.gcs_server import Gcs
    from tests.https_server import HttpsServer
    from tests.sftp_server import SftpServer

pytest_plugins = [
    "tests.azure_server",
    "tests.gcs_server",
    "tests.https_server",
    "tests.s3_server",
    "tests.sftp_server",
    "tests.snowflake_emulator",
]


def _resolve(secret: Secret) -> SecretStr:
    return SecretStr(Path(secret.file).read_text("utf-8") if secret.file else "secret")


@dataclass
class Store:
    """Where exports lie.

    Attributes:
        base: the URL, or the path, of its folder.
        login: the keys of a source that get there.
        put: puts a file into the folder.
        names: the files that it holds, by name.
    """

    base: str
    login: dict[str, Any]
    put: Callable[[str, bytes], object]
    names: Callable[[], list[str]]


def _of_bucket(store: S3Store, folder: str = "drop") -> Store:
    config = store.config
    login = {
        "access_key_id": "test",
        "secret_access_key": {"env": "K"},
        "region": "us-east-1",
        "endpoint": config["endpoint"],
    }
    return Store(
        f"s3://{config['bucket']}/{folder}",
        {"s3": login},
        lambda name, content: obstore.put(store, f"{folder}/{name}", content),
        lambda: sorted(one["path"].rpartition("/")[2] for one in obstore.list(store).collect()),
    )


@pytest.fixture
def versioned(new_bucket: Callable[[], S3Store]) -> S3Store:
    """A bucket that keeps versions: a look at an object tells one, a listing does not."""
    store = new_bucket()
    httpx.put(
        f"{store.config['endpoint']}/{store.config['bucket']}?versioning",
        content=(
            '<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            "<Status>Enabled</Status></VersioningConfiguration>"
        ),
    ).raise_for_status()
    return store


def _of_folder(folder: Path, base: str, login: dict[str, Any]) -> Store:
    folder.mkdir(parents=True, exist_ok=True)
    return Store(
        base,
        login,
        lambda name, content: (folder / name).write_bytes(content),
        lambda: sorted(path.name for path in folder.rglob("*") if path.is_file()),
    )


class _AnyPassword(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return False


def _without_time(attrs: asyncssh.SFTPAttrs) -> asyncssh.SFTPAttrs:
    attrs.atime = attrs.mtime = None
    return attrs


def _files_in(folder: Path, *, is_dated: bool) -> type[asyncssh.SFTPServer]:
    """The files of a folder; a server need not tell their times."""

    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
            super().__init__(channel, chroot=str(folder).encode())

        def _shown(self, attrs: object) -> asyncssh.SFTPAttrs:
            if not isinstance(attrs, asyncssh.SFTPAttrs):
                attrs = asyncssh.SFTPAttrs.from_local(attrs)
            return attrs if is_dated else _without_time(attrs)

        def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
            return self._shown(super().stat(path))

        def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
            return self._shown(super().lstat(path))

        async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
            async for name in super().scandir(path):
                name.attrs = self._shown(name.attrs)
                yield name

    return Files


@contextmanager
def _ssh(folder: Path, *, is_dated: bool = True) -> Iterator[Store]:
    """The folder `drop` of a server, below the home of whoever logs in."""
    key, loop = asyncssh.generate_private_key("ssh-ed25519"), EventLoop()
    server = loop.run(
        asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_AnyPassword,
            server_host_keys=[key],
            sftp_factory=_files_in(folder, is_dated=is_dated),
        ),
        30,
    )
    login = {
        "username": "hr",
        "password": {"env": "P"},
        "host_key": key.export_public_key().decode().strip(),
    }
    base = f"sftp://127.0.0.1:{server.get_port()}/~/drop"
    try:
        yield _of_folder(folder / "drop", base, {"sftp": login})
    finally:

        async def end() -> None:
            server.close()
            await server.wait_closed()
            await asyncio.sleep(0.05)

        loop.run(end(), 30)
        loop.close()


def _of_azure(account: "AzureAccount", store: AzureStore, folder: Path) -> Store:
    key = folder / "azure.key"
    key.write_text(account.key, "utf-8")
    login = {
        "account_name": account.name,
        "account_key": {"file": str(key)},
        "endpoint": account.endpoint,
    }
    return _of_objects(store, f"az://{store.config['container_name']}", {"azure": login})


def _of_gcs(gcs: "Gcs", store: GCSStore, folder: Path) -> Store:
    key = folder / "gcs.json"
    key.write_text(gcs.service_account, "utf-8")
    login = {"service_account": {"file": str(key)}, "endpoint": gcs.url}
    return _of_objects(store, f"gs://{store.config['bucket']}", {"gcs": login})


def _of_objects(store: AzureStore | GCSStore, base: str, login: dict[str, Any]) -> Store:
    return Store(
        f"{base}/drop",
        login,
        lambda name, content: obstore.put(store, f"drop/{name}", content, use_multipart=False),
        lambda: sorted(one["path"].rpartition("/")[2] for one in obstore.list(store).collect()),
    )


@pytest.fixture(
    params=[
        "local", "versioned S3", "Azure", "GCS", "SFTP", "SFTP below ~", "SFTP without times",
    ]
)  # fmt: skip
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "local":
        yield _of_folder(tmp_path / "drop", "drop", {})
    elif request.param == "versioned S3":
        yield _of_bucket(request.getfixturevalue("versioned"))
    elif request.param == "Azure":
        made = request.getfixturevalue("new_container")()
        yield _of_azure(request.getfixturevalue("azure_account"), made, tmp_path)
    elif request.param == "GCS":
        made = request.getfixturevalue("new_gcs_bucket")()
        yield _of_gcs(request.getfixturevalue("gcs"), made, tmp_path)
    elif request.param == "SFTP":
        server: SftpServer = request.getfixturevalue("sftp_server")
        login = {"private_key": {"file": str(server.private_key)}, "host_key": server.host_key}
        folder = tmp_path / "drop"
        yield _of_folder(folder, f"{server.url}{folder}", {"sftp": login})
    else:
        with _ssh(tmp_path, is_dated="without" not in request.param) as made:
            yield made


def _logs(store: Store, pattern: str = "log-*.csv", **more: object) -> ActivitySource:
    return ActivitySource(
        kind="csv", activity=f"{store.base}/{pattern}", max_age=None, **store.login, **more
    )


def _read(source: ActivitySource, folder: Path, since: datetime | None = None) -> list[str]:
    now = datetime.now(UTC) + timedelta(minutes=1)
    tables = read_activity(
        source, folder, Span(since), now=now, sleep=lambda _: None, resolve=_resolve
    )
    return [who for table in tables for who in table.rows["who"].to_list()]


def test_a_listing_a_look_a_read_and_a_move_mean_the_same_object(
    store: Store, tmp_path: Path
) -> None:
    store.put("hr-2026-01-02.csv", b"who,at\nann,1\n")
    source = CsvSource(
        kind="csv", accounts=f"{store.base}/hr-*.csv", max_age=None, **store.login,
        archive_to=f"{store.base}/accepted",
    )  # fmt: skip
    with DropZones(source, tmp_path, _resolve) as zones:
        zone, key = zones.place(source.accounts, "accounts")
        [listed] = zone.matches(key)
        assert listed == zone.look_at(listed.key)
    raw = read_source(source, tmp_path, now=datetime.now(UTC), resolve=_resolve)
    assert raw.files == (listed,)
    assert archive_exports(source, raw.files, tmp_path, _resolve) == ()
    with pytest.raises(SourceUnavailableError, match="no file matches"):
        read_source(source, tmp_path, now=datetime.now(UTC), resolve=_resolve)
    assert store.names() == ["hr-2026-01-02.csv"]


def test_activity_by_a_pattern_is_read_from_every_store(store: Store, tmp_path: Path) -> None:
    store.put("log-1.csv", b"who,at\nann,1\n")
    store.put("log-2.csv", b"who,at\nben,2\n")
    store.put("other.csv", b"who,at\ncleo,3\n")
    assert _read(_logs(store), tmp_path) == ["ann", "ben"]
    [probe] = probe_activity(_logs(store), tmp_path, now=datetime.now(UTC), resolve=_resolve)
    assert probe.columns == ("who", "at")


def test_an_object_that_is_replaced_while_it_is_read_is_never_taken(
    store: Store, tmp_path: Path
) -> None:
    store.put("hr.csv", b"who\nann\n")
    source = CsvSource(kind="csv", accounts=f"{store.base}/hr.csv", max_age=None, **store.login)
    with DropZones(source, tmp_path, _resolve) as zones:
        export = find_export("accounts", source.accounts, zones)
        store.put("hr.csv", b"who\nbenjamin\n")
        with pytest.raises(
            SourceIncompleteError, match=r"hr.csv: (changed while|8 bytes|\d+ bytes)"
        ):
            read_csv_file(export, source)


def test_the_export_of_a_past_day_is_read_from_every_store(store: Store, tmp_path: Path) -> None:
    store.put("hr-2026-01-02.csv", b"who\nold\n")
    store.put("hr-2026-01-03.csv", b"who\nnew\n")
    source = CsvSource(kind="csv", accounts=f"{store.base}/hr-*.csv", max_age=None, **store.login)
    now = datetime.now(UTC) + timedelta(minutes=1)
    for day, who in ((date(2026, 1, 2), "old"), (None, "new")):
        raw = read_source(source, tmp_path, now=now, resolve=_resolve, as_of=day)
        assert raw.accounts.rows["who"].to_list() == [who]


def test_activity_is_read_again_on_every_later_run(store: Store, tmp_path: Path) -> None:
    store.put("log-1.csv", b"who,at\nann,1\n")
    since = datetime.now(UTC) - timedelta(hours=1)
    assert _read(_logs(store), tmp_path, since) == ["ann"]


def test_a_log_that_was_rotated_a_moment_ago_is_empty_and_no_failure(
    store: Store, tmp_path: Path
) -> None:
    store.put("log-1.csv", b"who,at\nann,1\n")
    store.put("log-2.csv", b"")
    assert _read(_logs(store), tmp_path) == ["ann"]


def test_activity_of_one_address_is_read(https_server: "HttpsServer", tmp_path: Path) -> None:
    https_server.put("/log.csv", b"who,at\nann,1\n")
    source = ActivitySource(
        kind="csv",
        activity=f"{https_server.url}/log.csv",
        max_age=None,
        https={"ca_file": str(https_server.ca_file)},
    )
    assert _read(source, tmp_path) == ["ann"]


def test_without_times_the_newest_is_told_by_the_dates_in_names(tmp_path: Path) -> None:
    with _ssh(tmp_path, is_dated=False) as server:
        server.put("hr-2026-01-02-b.csv", b"who\nold\n")
        server.put("hr-2026-01-03-a.csv", b"who\nnew\n")
        source = CsvSource(
            kind="csv", accounts=f"{server.base}/hr-*.csv", max_age=None, **server.login
        )
        with DropZones(source, tmp_path, _resolve) as zones:
            export = find_export("accounts", source.accounts, zones)
            assert export.name.endswith("hr-2026-01-03-a.csv")
            assert not export.file.is_dated
            server.put("hr-latest.csv", b"who\nx\n")
            with pytest.raises(SourceUnavailableError, match="have a date in every name, or say"):
                find_export("accounts", source.accounts, zones)


def test_a_folder_that_a_console_makes_is_no_file(versioned: S3Store, tmp_path: Path) -> None:
    bucket = versioned.config["bucket"]
    address = f"{versioned.config['endpoint']}/{bucket}"
    for key in ("drop/", "drop/log-9/"):
        httpx.put(f"{address}/{key}").raise_for_status()
    drop = _of_bucket(versioned)
    drop.put("log-1.csv", b"who,at\nann,1\n")
    for pattern in ("log-*", "*", "**/log-*"):
        assert _read(_logs(drop, pattern), tmp_path) == ["ann"]


def test_a_key_with_an_empty_part_is_told(versioned: S3Store, tmp_path: Path) -> None:
    address = f"{versioned.config['endpoint']}/{versioned.config['bucket']}"
    httpx.put(f"{address}/drop//log-1.csv", content=b"x").raise_for_status()
    with pytest.raises(SourceUnavailableError, match="a key there has an empty part"):
        _read(_logs(_of_bucket(versioned), "*.csv"), tmp_path)


def test_a_listing_begins_where_the_names_of_a_pattern_do(
    versioned: S3Store, tmp_path: Path
) -> None:
    drop = _of_bucket(versioned)
    for number in range(2_100):
        obstore.put(versioned, f"drop/log-2025-{number:04}.csv", b"x")
    for name in ("log-2026-1.csv", "log-2026-2.csv", "log-2027-1.csv"):
        drop.put(name, f"who,at\n{name},1\n".encode())
    source = _logs(drop, "log-2026-*.csv")
    with DropZones(source, tmp_path, _resolve) as zones:
        zone, key = zones.place(source.activity, "activity")
        prefix = key.rpartition("/")[0] + "/"
        listed = [meta["path"] for meta in zone._metas(key, prefix)]
    assert listed == ["drop/log-2026-1.csv", "drop/log-2026-2.csv"]
    assert _read(source, tmp_path) == ["log-2026-1.csv", "log-2026-2.csv"]


@pytest.mark.parametrize("kind", ["S3", "GCS"])
def test_three_keys_of_a_hundred_thousand_are_listed_by_a_hundredth_of_the_requests(
    kind: str, gcs: "Gcs", new_gcs_bucket: Callable[[], GCSStore], tmp_path: Path
) -> None:
    store = new_gcs_bucket()
    bucket = store.config["bucket"]
    for number in range(100_000):
        day = date(2024, 1, 1) + timedelta(days=number // 130)
        gcs.put(bucket, f"drop/log-{day}-{number:06}.csv", b"x")
    for hour in ("1", "2", "3"):
        gcs.put(bucket, f"drop/log-2026-12-01-{hour}.csv", f"who,at\n{hour},1\n".encode())
    drop = _of_gcs(gcs, store, tmp_path)
    if kind == "S3":
        drop = _of_bucket(S3Store(bucket, endpoint=gcs.url))
    gcs.asked.clear()
    assert _read(_logs(drop, "log-2026-12-01-*.csv"), tmp_path) == ["1", "2", "3"]
    tonight = sum("list-type=2" in path for _, path in gcs.asked)
    gcs.asked.clear()
    source = _logs(drop, "*-2026-12-01-*.csv")
    with DropZones(source, tmp_path, _resolve) as zones:
        zone, key = zones.place(source.activity, "activity")
        assert len(zone.matches(key)) == 3
    whole = sum("list-type=2" in path for _, path in gcs.asked)
    assert whole > 100
    assert tonight * 10 <= whole


def test_azure_lists_by_the_beginning_of_a_name(
    azure_account: "AzureAccount", new_container: Callable[[], AzureStore], tmp_path: Path
) -> None:
    store = new_container()
    drop = _of_azure(azure_account, store, tmp_path)
    for name in ("log-2025-9.csv", "log-2026-1.csv", "log-2026-2 &.csv", "log-2027-1.csv"):
        drop.put(name, f"who,at\n{name},1\n".encode())
    source = _logs(drop, "log-2026-*.csv")
    with DropZones(source, tmp_path, _resolve) as zones:
        zone, key = zones.place(source.activity, "activity")
        listed = [meta["path"] for meta in zone._metas(key, "drop/")]
        assert listed == ["drop/log-2026-1.csv", "drop/log-2026-2 &.csv"]
        [first, second] = zone.matches(key)
        assert (first, second) == (zone.look_at(first.key), zone.look_at(second.key))
        store_less = _of_azure(azure_account, azure_account.container("no-such-box"), tmp_path)
    with pytest.raises(SourceUnavailableError, match="there is no such bucket"):
        _read(_logs(store_less, "log-2026-*.csv"), tmp_path)


def test_a_move_whose_copy_has_an_etag_of_its_own_is_ended_by_the_next(
    versioned: S3Store, tmp_path: Path
) -> None:
    drop = _of_bucket(versioned)
    source = CsvSource(
        kind="csv", accounts=f"{drop.base}/hr.csv", archive_to=f"{drop.base}/done", **drop.login
    )
    content = b"who\n" + b"x\n" * 4_000_000
    drop.put("hr.csv", content)  # in parts, so that its ETag is none of the bytes
    raw = read_source(source, tmp_path, now=datetime.now(UTC), resolve=_resolve)
    obstore.put(versioned, "drop/done/hr.csv", content, use_multipart=False)
    assert archive_exports(source, raw.files, tmp_path, _resolve) == ()
    assert [one["path"] for one in obstore.list(versioned).collect()] == ["drop/done/hr.csv"]


@pytest.mark.parametrize("pattern", ["log.csv", "log-*.csv", "*.csv"])
def test_a_bucket_that_is_not_there_is_told(
    pattern: str, versioned: S3Store, tmp_path: Path
) -> None:
    store = S3Store("no-such-bucket", endpoint=versioned.config["endpoint"])
    with pytest.raises(SourceUnavailableError, match="there is no such bucket"):
        _read(_logs(_of_bucket(store), pattern), tmp_path)


def test_nothing_at_all_is_an_error_still(store: Store, tmp_path: Path) -> None:
    store.put("log-1.csv", b"")
    with pytest.raises(SourceIncompleteError, match="is empty"):
        _read(_logs(store), tmp_path)

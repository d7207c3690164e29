import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from loaders.archive.archive import Archive, open_archive
from schemas.errors import ConfigError, StateError
from schemas.snapshot import Snapshot, empty_snapshot
from schemas.tables import ACCOUNTS, ENTITLEMENTS, GRANTS, RESOURCES

RUN = "20261123T020000Z-0a1b2c"
SEEN = datetime(2026, 11, 1, 8, 30, 0, 1, tzinfo=UTC)


def snapshot() -> Snapshot:
    """Two accounts with a custom attribute, two entitlements, three of four held."""
    one = ["00012", "a@x.example", None, "Ä", "", "ACTIVE", "user", SEEN, None, "CC|1"]
    two = ["b;\n", None, "B", "B", None, "SUSPENDED", "service", None, SEEN, None]
    return Snapshot(
        pl.DataFrame([one, two], schema={**ACCOUNTS, "Cost Center": pl.String()}, orient="row"),
        pl.DataFrame(
            [["Role", "r", "", "R", None, None], ["Role", "r", "p", "R", "d", "true"]],
            schema=ENTITLEMENTS,
            orient="row",
        ),
        pl.DataFrame([["Project", "p", "P", None]], schema=RESOURCES, orient="row"),
        pl.DataFrame([[0, 0], [0, 1], [1, 1]], schema=GRANTS, orient="row"),
    )


def assert_same(found: Snapshot, expected: Snapshot) -> None:
    for table in ("accounts", "entitlements", "resources", "grants"):
        assert_frame_equal(getattr(found, table), getattr(expected, table))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture(params=["folder", "file URL", "object store"])
def archive(request: pytest.FixtureRequest, root: Path) -> Archive:
    location = {"folder": str(root), "file URL": f"file://{root}", "object store": "memory:///"}
    return open_archive(location[request.param])


@pytest.mark.parametrize("kept", [snapshot(), empty_snapshot()], ids=["full", "empty"])
def test_a_snapshot_is_read_as_it_was_saved(archive: Archive, kept: Snapshot) -> None:
    archive.save_snapshot("hr", RUN, kept)
    assert_same(archive.saved_snapshot("hr", RUN), kept)


def test_the_attributes_keep_their_order(archive: Archive) -> None:
    archive.save_snapshot("hr", RUN, snapshot())
    assert archive.saved_snapshot("hr", RUN).attribute_labels == ["Cost Center"]


def test_another_frame_of_a_run_is_kept_beside_it(archive: Archive) -> None:
    rejects = pl.DataFrame({"row": [1], "value": ["x"]})
    archive.save_frame("hr", RUN, "rejects", rejects)
    assert_frame_equal(archive.saved_frame("hr", RUN, "rejects"), rejects)


def test_saving_again_replaces(archive: Archive) -> None:
    archive.save_frame("hr", RUN, "rejects", pl.DataFrame({"row": [1]}))
    archive.save_frame("hr", RUN, "rejects", pl.DataFrame({"row": [2]}))
    assert archive.saved_frame("hr", RUN, "rejects")["row"].to_list() == [2]


def test_what_is_missing_is_named(archive: Archive) -> None:
    with pytest.raises(StateError, match=rf"cannot read .*hr/{RUN}/accounts\.parquet") as caught:
        archive.saved_snapshot("hr", RUN)
    assert caught.value.__context__ is None


def test_old_runs_are_forgotten_but_for_those_that_count(archive: Archive) -> None:
    runs = ["20260101T000000Z-aaaaaa", "20260201T000000Z-bbbbbb", "20260301T000000Z-cccccc"]
    for source in ("hr", "hr2"):
        for run_id in [*runs, "by-hand", "20269999T000000Z-dddddd"]:
            archive.save_frame(source, run_id, "rejects", pl.DataFrame({"row": [1]}))
    archive.forget("hr", {runs[0]}, datetime(2026, 3, 1, tzinfo=UTC))
    left = [runs[0], runs[2], "20269999T000000Z-dddddd", "by-hand"]
    assert archive.place.folders("hr") == left
    assert len(archive.place.folders("hr2")) == 5


def test_nothing_is_forgotten_where_nothing_is_kept(archive: Archive) -> None:
    archive.forget("hr", (), datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "/etc", "..\\x", ".hidden", "a\n", "é", "a b"]
)
def test_a_name_cannot_lead_out_of_the_archive(archive: Archive, name: str) -> None:
    frame = pl.DataFrame({"row": [1]})
    for source, run_id, table in ((name, RUN, "t"), ("hr", name, "t"), ("hr", RUN, name)):
        with pytest.raises(ConfigError, match="cannot name a folder"):
            archive.save_frame(source, run_id, table, frame)
        with pytest.raises(ConfigError, match="cannot name a folder"):
            archive.saved_frame(source, run_id, table)
    with pytest.raises(ConfigError, match="cannot name a folder"):
        archive.forget(name, (), SEEN)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o377])
def test_the_archive_is_for_its_owner_alone(root: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        open_archive(str(root)).save_snapshot("hr", RUN, snapshot())
    finally:
        os.umask(before)
    found = {path.stat().st_mode & 0o777 for path in (root, *root.rglob("*")) if path.is_dir()}
    assert found == {0o700}
    files = [path for path in root.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert len(files) == 8


def test_the_checksum_can_be_checked_by_anyone(root: Path) -> None:
    open_archive(str(root)).save_snapshot("hr", RUN, snapshot())
    folder = root / "hr" / RUN
    subprocess.run(
        ["sha256sum", "-c", "held.parquet.sha256"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("table", ["accounts", "entitlements", "resources", "held"])
@pytest.mark.parametrize("place", [0.0, 0.02, 0.5, 0.999])
def test_a_flipped_bit_is_never_read_as_another_snapshot(
    root: Path, table: str, place: float
) -> None:
    archive = open_archive(str(root))
    archive.save_snapshot("hr", RUN, snapshot())
    path = root / "hr" / RUN / f"{table}.parquet"
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 4
    path.write_bytes(content)
    with pytest.raises(StateError, match=rf"{table}\.parquet is damaged"):
        archive.saved_snapshot("hr", RUN)


@pytest.mark.parametrize("checksum", [b"", b"\xff\xfe", b"00  accounts.parquet\n"])
def test_a_damaged_checksum_is_damage(root: Path, checksum: bytes) -> None:
    archive = open_archive(str(root))
    archive.save_snapshot("hr", RUN, snapshot())
    (root / "hr" / RUN / "accounts.parquet.sha256").write_bytes(checksum)
    with pytest.raises(StateError, match="damaged") as caught:
        archive.saved_snapshot("hr", RUN)
    assert caught.value.__context__ is None


def test_a_damaged_object_is_told_as_such() -> None:
    archive = open_archive("memory:///")
    archive.save_frame("hr", RUN, "a", pl.DataFrame({"row": [1]}))
    archive.save_frame("hr", RUN, "b", pl.DataFrame({"row": [2]}))
    import obstore

    store = archive.place.store  # type: ignore[attr-defined]
    obstore.copy(store, f"hr/{RUN}/a.parquet", f"hr/{RUN}/b.parquet")
    with pytest.raises(StateError, match=r"b\.parquet damaged"):
        archive.saved_frame("hr", RUN, "b")


@pytest.mark.parametrize(
    ("table", "frame"),
    [
        ("accounts", snapshot().entitlements),
        ("accounts", snapshot().accounts.with_columns(extra=1)),
        ("entitlements", snapshot().entitlements.with_columns(extra=pl.lit("x"))),
        ("held", snapshot().grants.cast(pl.Int64)),
    ],
)
def test_a_table_of_another_shape_is_no_snapshot(
    archive: Archive, table: str, frame: pl.DataFrame
) -> None:
    archive.save_snapshot("hr", RUN, snapshot())
    archive.save_frame("hr", RUN, table, frame)
    with pytest.raises(StateError, match=f"{table}.parquet is damaged: it has other columns"):
        archive.saved_snapshot("hr", RUN)


@pytest.mark.parametrize("pair", [[2, 0], [0, 2]])
def test_associations_of_rows_that_are_not_there_are_no_snapshot(
    archive: Archive, pair: list[int]
) -> None:
    archive.save_snapshot("hr", RUN, snapshot())
    archive.save_frame("hr", RUN, "held", pl.DataFrame([pair], schema=GRANTS, orient="row"))
    with pytest.raises(StateError, match="names rows that are not there"):
        archive.saved_snapshot("hr", RUN)


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(root: Path) -> None:
    code = f"""
import resource
import polars as pl
from loaders.archive.archive import open_archive
from schemas.errors import StateError
archive = open_archive({str(root)!r})
archive.save_frame("hr", {RUN!r}, "rejects", pl.DataFrame({{"row": [1]}}))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    archive.save_frame("hr", {RUN!r}, "rejects", pl.DataFrame({{"row": range(100_000)}}))
except StateError as error:
    print(error, error.__context__)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path = root / "hr" / RUN / "rejects.parquet"
    assert done.stdout == f"the archive cannot write {path}: File too large None\n"
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, f"{path.name}.sha256"]
    kept = open_archive(str(root)).saved_frame("hr", RUN, "rejects")
    assert kept["row"].to_list() == [1]


def test_an_archive_that_is_a_file_is_one_line(root: Path) -> None:
    root.write_text("")
    with pytest.raises(StateError, match=r"cannot write .*: (File exists|Not a directory)"):
        open_archive(str(root)).save_snapshot("hr", RUN, snapshot())


def test_opening_an_archive_makes_nothing(root: Path) -> None:
    open_archive(str(root))
    assert not root.exists()


def test_the_object_store_is_imported_only_where_one_is_used(root: Path) -> None:
    code = (
        "import sys; from loaders.archive.archive import open_archive;"
        f"open_archive({str(root)!r}); print('obstore' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("location", ["ftp://key:secretword@x/y", "s3://", "nosuch://x"])
def test_a_url_of_no_object_store_is_refused_unquoted(location: str) -> None:
    with pytest.raises(ConfigError, match="LUMOS_INGEST_ARCHIVE") as caught:
        open_archive(location)
    assert "secretword" not in str(caught.value)
    assert caught.value.__context__ is None

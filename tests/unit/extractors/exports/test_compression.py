"""Compressed exports: unpacked whole, privately, and not without measure."""

import gzip
import os
import stat
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from extractors.exports.compression import unpack
from extractors.read import read_source
from schemas.errors import SourceFormatError, SourceIncompleteError
from schemas.raw import Raw
from schemas.source_file.kinds.csv_source import CsvSource

_TEXT = b"id,note\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(1000))


def _read(folder: Path, name: str) -> Raw:
    return read_source(
        CsvSource(kind="csv", accounts=name, max_age=None), folder, now=datetime.now(UTC)
    )


def _zip(path: Path, members: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path.read_bytes()


def _packed(folder: Path, suffix: str) -> bytes:
    if suffix == "gz":
        return gzip.compress(_TEXT)
    if suffix == "zst":
        return zstandard.compress(_TEXT)
    return _zip(folder / "made", {"folder/": b"", "folder/a.csv": _TEXT})


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files: it must be empty again at the end of every test."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return scratch


@pytest.mark.parametrize("suffix", ["gz", "zip", "zst", "GZ"])
def test_a_compressed_export_is_read_and_leaves_nothing_behind(
    suffix: str, tmp_path: Path, scratch: Path
) -> None:
    (tmp_path / f"a.csv.{suffix}").write_bytes(_packed(tmp_path, suffix.lower()))
    raw = _read(tmp_path, f"a.csv.{suffix}")
    assert raw.accounts.rows["note"].to_list() == [str(n * n) for n in range(1000)]
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("suffix", ["gz", "zip", "zst"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_archive_is_incomplete_wherever_it_was_cut(
    suffix: str, share: float, tmp_path: Path, scratch: Path
) -> None:
    packed = _packed(tmp_path, suffix)
    (tmp_path / f"a.{suffix}").write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(SourceIncompleteError, match="the archive is cut off or damaged"):
        _read(tmp_path, f"a.{suffix}")
    assert list(scratch.iterdir()) == []


def test_a_wrong_checksum_is_incomplete(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(_TEXT))
    packed[-8] ^= 1
    (tmp_path / "a.gz").write_bytes(packed)
    with pytest.raises(SourceIncompleteError, match="cut off or damaged"):
        _read(tmp_path, "a.gz")


def test_several_frames_after_one_another_are_all_read(tmp_path: Path) -> None:
    head, tail = _TEXT[:3000], _TEXT[3000:]
    (tmp_path / "a.zst").write_bytes(zstandard.compress(head) + zstandard.compress(tail))
    (tmp_path / "a.gz").write_bytes(gzip.compress(head) + gzip.compress(tail))
    assert _read(tmp_path, "a.zst").accounts.read_count == 1000
    assert _read(tmp_path, "a.gz").accounts.read_count == 1000


@pytest.mark.parametrize("members", [{}, {"a.csv": b"id\n1\n", "b.csv": b"id\n2\n"}])
def test_a_zip_holds_exactly_one_file(members: dict[str, bytes], tmp_path: Path) -> None:
    _zip(tmp_path / "a.zip", members)
    with pytest.raises(SourceFormatError, match=rf"a\.zip: holds {len(members)} files"):
        _read(tmp_path, "a.zip")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    packed = bytearray(_zip(tmp_path / "a.zip", {"a.csv": b"id\n1\n"}))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(packed)
    with pytest.raises(SourceFormatError, match="is encrypted"):
        _read(tmp_path, "a.zip")


@pytest.mark.parametrize("suffix", ["gz", "zip", "zst"])
def test_a_file_that_only_calls_itself_compressed_is_refused(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{suffix}").write_bytes(_TEXT)
    with pytest.raises(SourceFormatError, match="not what its name says"):
        _read(tmp_path, f"a.{suffix}")
    (tmp_path / f"a.{suffix}").write_bytes(b"")
    with pytest.raises(SourceIncompleteError, match="is empty"):
        _read(tmp_path, f"a.{suffix}")


def test_a_compressed_file_that_does_not_say_so_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(gzip.compress(_TEXT))
    with pytest.raises(SourceFormatError, match=r"is compressed: name it \.gz"):
        _read(tmp_path, "a.csv")


@pytest.mark.parametrize("suffix", ["gz", "zip", "zst"])
def test_an_archive_that_grows_out_of_all_proportion_is_refused(
    suffix: str, tmp_path: Path
) -> None:
    zeros = bytes(50_000_000)
    path = tmp_path / f"a.{suffix}"
    if suffix == "zip":
        _zip(path, {"a.csv": zeros})
    else:
        path.write_bytes(gzip.compress(zeros) if suffix == "gz" else zstandard.compress(zeros))
    target = tmp_path / "out"
    with pytest.raises(SourceFormatError, match="more than 200 times its size"):
        unpack(path, path.name, target, unquestioned_bytes=1_000_000)
    assert target.stat().st_size <= 11_000_000


def test_what_is_unpacked_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(_TEXT))
    before = os.umask(0)
    try:
        unpack(tmp_path / "a.gz", "a.gz", tmp_path / "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600
    assert (tmp_path / "out").read_bytes() == _TEXT


def test_a_refused_file_leaves_nothing_behind(tmp_path: Path, scratch: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress('id,é\n1,"2\n'.encode("utf-16")))
    with pytest.raises(SourceFormatError, match="never closes"):
        _read(tmp_path, "a.gz")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("suffix", ["gz", "zip", "zst"])
def test_no_archive_grows_beyond_the_ceiling_whatever_its_own_size(
    suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(_packed(tmp_path, suffix))
    with pytest.raises(SourceFormatError, match="unpacks to more than 5,000 bytes"):
        unpack(path, path.name, tmp_path / "out", most_bytes=5_000)
    assert (tmp_path / "out").stat().st_size <= 5_000
    unpack(path, path.name, tmp_path / "whole", most_bytes=len(_TEXT))
    assert (tmp_path / "whole").read_bytes() == _TEXT


@pytest.mark.parametrize("member", ["../a.csv", "x/../../a.csv", "/etc/a.csv", "..\\a.csv"])
def test_a_zip_with_a_path_that_climbs_out_is_refused(member: str, tmp_path: Path) -> None:
    _zip(tmp_path / "a.zip", {member: b"id\n1\n"})
    with pytest.raises(SourceFormatError, match=r"a\.zip: the file in it has a path that leads"):
        _read(tmp_path, "a.zip")


def test_a_zip_with_a_link_in_it_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("a.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(SourceFormatError, match="is a link, no file"):
        _read(tmp_path, "a.zip")

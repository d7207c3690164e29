"""Unpacks a compressed export into a private file, whole or not at all."""

import gzip
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import zstandard

from extractors.zones.private_file import open_private
from schemas.errors import SourceFormatError, SourceIncompleteError, raise_as

_BLOCK = 1 << 20
_ZSTD_BLOCK = 1 << 12
_GIB = 1 << 30
_MAX_RATIO = 200
_MOST = 64 * _GIB
_ENCRYPTED = 1
_COMPRESSIONS = frozenset(
    {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
)
_DAMAGE: tuple[type[Exception], ...] = (
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zstandard.ZstdError,
)


def is_archive(path: Path) -> bool:
    """Whether the file's name says that it is compressed."""
    return path.suffix.lower() in {".gz", ".zip", ".zst"}


def unpack(
    path: Path,
    name: str,
    target: Path,
    unquestioned_bytes: int = _GIB,
    most_bytes: int = _MOST,
) -> None:
    """Writes the archive's one file to `target`, readable by its owner alone.

    Raises:
        SourceIncompleteError: the archive is cut off or damaged.
        SourceFormatError: not such an archive, not exactly one plain file in it, encrypted, grown
            out of all proportion beyond `unquestioned_bytes`, or beyond `most_bytes`.
    """
    most = min(most_bytes, max(unquestioned_bytes, path.stat().st_size * _MAX_RATIO))
    with open_private(target) as out:
        written = raise_as(
            lambda: _write_blocks(_blocks(path, name), out, most),
            dict.fromkeys(_DAMAGE, lambda _: _damaged(name)),
        )
    if written > most == most_bytes:
        raise SourceFormatError(
            f"{name}: unpacks to more than {most_bytes:,} bytes: deliver it uncompressed"
        )
    if written > most:
        raise SourceFormatError(
            f"{name}: unpacks to more than {_MAX_RATIO} times its size: deliver it uncompressed"
        )


def _write_blocks(blocks: Iterator[bytes], out: IO[bytes], most: int) -> int:
    """Returns how many bytes there are, up to the block that leads past `most`; writes no more."""
    written = 0
    for block in blocks:
        written += len(block)
        if written > most:
            break
        out.write(block)
    return written


def _damaged(name: str) -> SourceIncompleteError:
    return SourceIncompleteError(
        f"{name}: the archive is cut off or damaged: have it delivered again"
    )


def _blocks(path: Path, name: str) -> Iterator[bytes]:
    match path.suffix.lower():
        case ".gz":
            return _gzip_blocks(path, name)
        case ".zip":
            return _zip_blocks(path, name)
        case _:
            return _zstd_blocks(path, name)


def _check_magic(path: Path, name: str, magic: bytes) -> None:
    with path.open("rb") as file:
        start = file.read(len(magic))
    if not start:
        raise SourceIncompleteError(f"{name}: is empty: see why the export wrote nothing")
    if start != magic[: len(start)]:
        raise SourceFormatError(f"{name}: is not what its name says: no {path.suffix} archive")


def _gzip_blocks(path: Path, name: str) -> Iterator[bytes]:
    _check_magic(path, name, b"\x1f\x8b")
    with gzip.open(path) as file:
        while block := file.read(_BLOCK):
            yield block


def _zip_blocks(path: Path, name: str) -> Iterator[bytes]:
    _check_magic(path, name, b"PK")
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) != 1:
            raise SourceFormatError(f"{name}: holds {len(members)} files: put exactly one into it")
        _check_member(members[0], name)
        with archive.open(members[0]) as file:
            while block := file.read(_BLOCK):
                yield block


def _check_member(member: zipfile.ZipInfo, name: str) -> None:
    """Refuses what no export is; nothing is ever written under a member's own name."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise SourceFormatError(f"{name}: the file in it has a path that leads out of it")
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in {0, stat.S_IFREG}:
        raise SourceFormatError(f"{name}: what is in it is a link, no file: put the file into it")
    if member.flag_bits & _ENCRYPTED:
        raise SourceFormatError(f"{name}: is encrypted: deliver it without a password")
    if member.compress_type not in _COMPRESSIONS:
        raise SourceFormatError(f"{name}: uses a rare compression: deliver it as plain zip")


def _zstd_blocks(path: Path, name: str) -> Iterator[bytes]:
    """Frame by frame: the library's own reader takes a cut frame for the end of the file."""
    _check_magic(path, name, b"\x28\xb5\x2f\xfd")
    decoder, is_open = zstandard.ZstdDecompressor().decompressobj(), False
    with path.open("rb") as file:
        while block := file.read(_ZSTD_BLOCK):
            while block:
                yield decoder.decompress(block)
                block, is_open = (decoder.unused_data, False) if decoder.eof else (b"", True)
                if decoder.eof:
                    decoder = zstandard.ZstdDecompressor().decompressobj()
    if is_open:
        raise EOFError

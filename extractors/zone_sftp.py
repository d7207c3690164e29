"""An SFTP server that exports are dropped on, through asyncssh."""

import glob
import posixpath
import stat
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from extractors.archives import open_private
from extractors.sftp_connection import SftpConnection
from extractors.sftp_login import to_host_keys
from extractors.zone_patterns import fits, fixed_folder
from schemas.drop_zones import SftpZone
from schemas.errors import ConfigError, SourceIncompleteError, SourceUnavailableError
from schemas.export_file import ExportFile
from schemas.secrets import Resolve
from schemas.zone_urls import ZoneUrl

_MOST_READ = 16 << 20
_DOWNLOAD_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class SftpServer:
    """Files by their path: from the server's root, or from the user's own folder."""

    connection: SftpConnection

    def matches(self, pattern: str) -> list[ExportFile]:
        """The file of that path; else the files that fit, none of them by a link out of the folder.

        Raises:
            ConfigError: the host key is not the one agreed on; a link leads out; a directory.
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        if not glob.has_magic(pattern):
            found = self.look_at(pattern)
            return [found] if found else []

        async def look(sftp: asyncssh.SFTPClient) -> list[ExportFile]:
            root = fixed_folder(pattern) or ("/" if pattern.startswith("/") else ".")
            names = [str(one.filename) for one in await _globbed(sftp, pattern)]
            keys = sorted({name for name in names if fits(name, pattern)})
            files = [await self._look(sftp, key, root) for key in keys if await sftp.isfile(key)]
            return [found for found in files if found]

        return self.connection.run(look, self._name(pattern))

    def look_at(self, key: str) -> ExportFile | None:
        """The file as it stands now; None where none is there.

        Raises:
            ConfigError: the host key is not the one agreed on; a link leads out; a directory.
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        folder = posixpath.dirname(key) or "."
        return self.connection.run(lambda sftp: self._look(sftp, key, folder), self._name(key))

    def fetch(self, file: ExportFile, folder: Path) -> Path:
        """A private copy of the whole file, the one that was found.

        Raises:
            SourceUnavailableError: the server cannot be reached, or refuses.
            SourceIncompleteError: it was written to meanwhile.
        """
        target = folder / f"fetched{Path(file.key).suffix}"
        open_private(target).close()
        self.connection.run(lambda sftp: sftp.get(file.identity, target), file.name, _DOWNLOAD_S)
        written = target.stat().st_size
        if written != file.size_bytes:
            raise SourceIncompleteError(
                f"{file.name}: {written:,} bytes came and {file.size_bytes:,} were listed: "
                "it changed while it was read, or was cut off"
            )
        return target

    def read(self, key: str) -> bytes | None:
        """What a small file holds; None where none is there, or it is not small.

        Raises:
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        found = self.look_at(key)
        if found is None or found.size_bytes > _MOST_READ:
            return None

        async def content(sftp: asyncssh.SFTPClient) -> bytes:
            async with sftp.open(found.identity, "rb") as file:
                read = await file.read(_MOST_READ)
                return read.encode() if isinstance(read, str) else read

        return self.connection.run(content, found.name)

    def move(self, file: ExportFile, folder: str) -> None:
        """Renames the file into the folder; never over another file.

        Raises:
            SourceUnavailableError: a file of that name is there, or the server refuses.
        """
        target = posixpath.join(folder, posixpath.basename(file.key))

        async def rename(sftp: asyncssh.SFTPClient) -> bool:
            await sftp.makedirs(folder, exist_ok=True)
            if await sftp.lexists(target):
                return False
            # The protocol's own rename, which fails where the target is there.
            await sftp.rename(file.key, target)
            return True

        if not self.connection.run(rename, file.name):
            raise SourceUnavailableError(
                f"{file.name}: cannot be moved to {folder}: a file of that name is there"
            )

    def close(self) -> None:
        """Ends the connection, where there is one."""
        self.connection.close()

    def _name(self, key: str) -> str:
        return f"{self.connection.url.base}{key if key.startswith('/') else f'/~/{key}'}"

    async def _look(self, sftp: asyncssh.SFTPClient, key: str, root: str) -> ExportFile | None:
        """The file; a link is followed only to a file in or below `root`."""
        name = self._name(key)
        try:
            found = await sftp.stat(key)
            real, real_root = await sftp.realpath(key), await sftp.realpath(root)
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        if not str(real).startswith(f"{str(real_root).rstrip('/')}/"):
            raise ConfigError(f"{name} leads out of its folder by a link: write where it leads")
        if not stat.S_ISREG(found.permissions or stat.S_IFREG):
            raise ConfigError(f"{name} is no file: name a file, or a pattern such as {name}/*.csv")
        modified_ns = (found.mtime or 0) * 10**9 + (found.mtime_ns or 0)
        return ExportFile(key, name, found.size or 0, modified_ns, str(real))


def open_sftp_server(
    url: ZoneUrl, login: SftpZone, workspace: Path, resolve: Resolve, timeout_s: float = 60
) -> SftpServer:
    """The server of the URL; nothing is sent yet.

    Raises:
        ConfigError: the host key or the file of host keys cannot be read.
    """
    host_keys = to_host_keys(login, workspace)
    return SftpServer(SftpConnection(url, login, host_keys, resolve, timeout_s))


async def _globbed(sftp: asyncssh.SFTPClient, pattern: str) -> list[asyncssh.SFTPName]:
    try:
        return list(await sftp.glob_sftpname(pattern))
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        return []

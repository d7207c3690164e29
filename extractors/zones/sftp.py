"""An SFTP server that exports are dropped on, through asyncssh."""

import glob
import posixpath
import stat
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from extractors.zones.patterns import fits, fixed_folder
from extractors.zones.private_file import open_private
from extractors.zones.ssh import SftpConnection, to_host_keys
from schemas.errors import ConfigError, SourceIncompleteError, SourceUnavailableError
from schemas.export_file import ExportFile
from schemas.source_file.secrets import Resolve
from schemas.source_file.zone_logins import SftpZone
from schemas.source_file.zone_urls import ZoneUrl

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

        return self.connection.run(lambda sftp: self._listed(sftp, pattern), self._name(pattern))

    async def _listed(self, sftp: asyncssh.SFTPClient, pattern: str) -> list[ExportFile]:
        root = fixed_folder(pattern) or ("/" if pattern.startswith("/") else ".")
        listed = {str(one.filename): one.attrs for one in await _globbed(sftp, pattern, root)}
        files, checked = [], set[str]()
        for key in sorted(key for key in listed if fits(key, pattern)):
            attrs, folder = listed[key], posixpath.dirname(key)
            if folder not in checked:
                await self._check_inside(sftp, folder, root)
                checked.add(folder)
            if stat.S_ISLNK(attrs.permissions or 0):
                attrs = await sftp.stat(key)
            if stat.S_ISREG(attrs.permissions or stat.S_IFREG):
                files.append(self._described(key, attrs, key))
        return files

    def look_at(self, key: str) -> ExportFile | None:
        """The file as it stands now; None where none is there.

        Raises:
            ConfigError: the host key is not the one agreed on; a link leads out; a directory.
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        return self.connection.run(lambda sftp: self._look(sftp, key), self._name(key))

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

    async def _look(self, sftp: asyncssh.SFTPClient, key: str) -> ExportFile | None:
        """The file; a link is followed only to a file in or below the folder that it lies in."""
        try:
            attrs = await sftp.stat(key)
            real = await self._check_inside(sftp, key, posixpath.dirname(key) or ".")
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        if not stat.S_ISREG(attrs.permissions or stat.S_IFREG):
            name = self._name(key)
            raise ConfigError(f"{name} is no file: name a file, or a pattern such as {name}/*.csv")
        return self._described(key, attrs, real)

    async def _check_inside(self, sftp: asyncssh.SFTPClient, key: str, root: str) -> str:
        """Where the path really leads.

        Raises:
            ConfigError: out of `root`, by a link.
        """
        real, real_root = str(await sftp.realpath(key)), str(await sftp.realpath(root))
        if real != real_root and not real.startswith(f"{real_root.rstrip('/')}/"):
            raise ConfigError(
                f"{self._name(key)} leads out of its folder by a link: write where it leads"
            )
        return real

    def _described(self, key: str, attrs: asyncssh.SFTPAttrs, identity: str) -> ExportFile:
        modified_ns = (attrs.mtime or 0) * 10**9 + (attrs.mtime_ns or 0)
        return ExportFile(key, self._name(key), attrs.size or 0, modified_ns, identity)


def open_sftp_server(
    url: ZoneUrl, login: SftpZone, workspace: Path, resolve: Resolve, timeout_s: float = 60
) -> SftpServer:
    """The server of the URL; nothing is sent yet.

    Raises:
        ConfigError: the host key or the file of host keys cannot be read.
    """
    host_keys = to_host_keys(login, workspace)
    return SftpServer(SftpConnection(url, login, host_keys, resolve, timeout_s))


async def _globbed(sftp: asyncssh.SFTPClient, pattern: str, root: str) -> list[asyncssh.SFTPName]:
    try:
        return list(await sftp.glob_sftpname(pattern))
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        if await sftp.exists(root):
            await sftp.listdir(root)  # which says so where it is not allowed; a pattern does not
        return []

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
from schemas.source_file.zones.logins import SftpZone
from schemas.source_file.zones.urls import ZoneUrl

_MOST_READ = 16 << 20
_UNKNOWN = -1
_DOWNLOAD_S = 6 * 3600


@dataclass(frozen=True, slots=True)
class SftpServer:
    """Files by their path: from the server's root, or from the user's own folder."""

    connection: SftpConnection

    def matches(self, pattern: str) -> list[ExportFile]:
        """Returns the file of that path; else the files that fit, none by a link out of the folder.

        Raises:
            ConfigError: the host key is not the one agreed on; a link leads out; a directory.
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        if not glob.has_magic(pattern):
            file = self.look_at(pattern)
            return [file] if file else []
        return self.connection.run(lambda sftp: self._listed(sftp, pattern), self._name(pattern))

    async def _listed(self, sftp: asyncssh.SFTPClient, pattern: str) -> list[ExportFile]:
        root = fixed_folder(pattern) or ("/" if pattern.startswith("/") else ".")
        names = await _globbed(sftp, pattern, root)
        listed = {str(name.filename): name.attrs for name in names}
        files, real_folders = [], dict[str, str]()
        for key in sorted(key for key in listed if fits(key, pattern)):
            attrs, folder = listed[key], posixpath.dirname(key)
            if folder not in real_folders:
                real_folders[folder] = await self._check_inside(sftp, folder or ".", root)
            real = posixpath.join(real_folders[folder], posixpath.basename(key))
            if stat.S_ISLNK(attrs.permissions or 0):
                attrs, real = await sftp.stat(key), str(await sftp.realpath(key))
            if stat.S_ISREG(attrs.permissions or stat.S_IFREG):
                files.append(self._to_file(key, attrs, real))
        return files

    def look_at(self, key: str) -> ExportFile | None:
        """Returns the file as it stands now; None where none is there.

        Raises:
            ConfigError: the host key is not the one agreed on; a link leads out; a directory.
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        return self.connection.run(lambda sftp: self._look(sftp, key), self._name(key))

    def fetch(self, file: ExportFile, folder: Path) -> Path:
        """Makes a private copy of the whole file, the one that was found.

        Raises:
            SourceUnavailableError: the server cannot be reached, or refuses.
            SourceIncompleteError: it was written to meanwhile.
        """
        target = folder / f"fetched{Path(file.key).suffix}"
        open_private(target).close()
        self.connection.run(lambda sftp: sftp.get(file.identity, target), file.name, _DOWNLOAD_S)
        written = target.stat().st_size
        if file.size_bytes not in {written, _UNKNOWN}:
            raise SourceIncompleteError(
                f"{file.name}: {written:,} bytes came and {file.size_bytes:,} were listed: "
                "it changed while it was read, or was cut off"
            )
        return target

    def read(self, key: str) -> bytes | None:
        """Returns the content of a small file; None where none is there, or it is not small.

        Raises:
            SourceUnavailableError: the server cannot be reached, or refuses.
        """
        file = self.look_at(key)
        if file is None or file.size_bytes > _MOST_READ:
            return None

        async def read(sftp: asyncssh.SFTPClient) -> bytes:
            async with sftp.open(file.identity, "rb") as opened:
                content = await opened.read(_MOST_READ)
                return content.encode() if isinstance(content, str) else content

        return self.connection.run(read, file.name)

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
        """Returns the file; a link is followed only to a file in or below the link's own folder."""
        try:
            attrs = await sftp.stat(key)
            real = await self._check_inside(sftp, key, posixpath.dirname(key) or ".")
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            return None
        if not stat.S_ISREG(attrs.permissions or stat.S_IFREG):
            name = self._name(key)
            raise ConfigError(f"{name} is no file: name a file, or a pattern such as {name}/*.csv")
        return self._to_file(key, attrs, real)

    async def _check_inside(self, sftp: asyncssh.SFTPClient, key: str, root: str) -> str:
        """Returns where the path leads once its links are followed.

        Raises:
            ConfigError: out of `root`, by a link.
        """
        real, real_root = str(await sftp.realpath(key)), str(await sftp.realpath(root))
        if real != real_root and not real.startswith(f"{real_root.rstrip('/')}/"):
            raise ConfigError(
                f"{self._name(key)} leads out of its folder by a link: write where it leads"
            )
        return real

    def _to_file(self, key: str, attrs: asyncssh.SFTPAttrs, identity: str) -> ExportFile:
        """Returns the file; a server need tell neither its time nor its size."""
        modified_ns = _UNKNOWN
        if attrs.mtime:
            modified_ns = attrs.mtime * 10**9 + (attrs.mtime_ns or 0)
        size_bytes = _UNKNOWN if attrs.size is None else attrs.size
        return ExportFile(key, self._name(key), size_bytes, modified_ns, identity)


def open_sftp_server(
    url: ZoneUrl, login: SftpZone, workspace: Path, resolve: Resolve, timeout_s: float = 60
) -> SftpServer:
    """Returns the server of the URL; nothing is sent yet.

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

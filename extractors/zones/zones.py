"""The zones that a source's exports lie in: the workspace, buckets, SFTP and web servers.

A library is imported where its kind of zone is opened: a local path loads none.
"""

import glob
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

from extractors.optional_parts import install_extra, loaded
from extractors.zones.local import LocalZone
from extractors.zones.zone import Zone
from schemas.errors import ConfigError, raise_as
from schemas.export_file import ExportFile
from schemas.paths import path_inside
from schemas.source_file.secrets import Resolve, no_secrets
from schemas.source_file.zones.exports import Dropped
from schemas.source_file.zones.logins import AzureZone, GcsZone, HttpsZone, S3Zone, SftpZone
from schemas.source_file.zones.urls import ZoneUrl, to_zone_url


class DropZones:
    """Opens each zone when the first of its paths is asked for, and closes them all at the end."""

    def __init__(self, options: Dropped, workspace: Path, resolve: Resolve = no_secrets) -> None:
        self.options = options
        self._workspace = workspace
        self._resolve = resolve
        self._local = LocalZone(workspace)
        self._opened: dict[str, Zone] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for zone in self._opened.values():
            zone.close()
        self._opened.clear()

    def place(self, written: str, key: str) -> tuple[Zone, str]:
        """Returns the zone that a path or URL leads to, and the path in it.

        `key` is the key of the source file that it stands under, for errors.

        Raises:
            ConfigError: it leads out of the workspace; no zone has such a URL, or the source file
                does not say how to get into it.
        """
        url = raise_as(
            lambda: self._reachable(written),
            {ValueError: lambda error: ConfigError(str(error), key=key)},
        )
        if url is None:
            return self._local, path_inside(written, key)
        if url.base not in self._opened:
            self._opened[url.base] = self._open(url)
        return self._opened[url.base], _key(url)

    def _reachable(self, written: str) -> ZoneUrl | None:
        url = to_zone_url(written)
        if url is not None:
            self.options.check_reachable(url)
        return url

    def is_archived(self, zone: Zone, file: ExportFile) -> bool:
        """Whether the file lies where exports are moved to."""
        if self.options.archive_to is None:
            return False
        archive, folder = self.place(self.options.archive_to, "archive_to")
        inside = os.path.join(self._workspace, folder, "")  # noqa: PTH118 - with a slash at its end
        return zone is archive and str(self._workspace / file.key).startswith(inside)

    def archived(self, key: str) -> list[ExportFile]:
        """Returns the files moved out of the zone that the last part of `key` means."""
        if self.options.archive_to is None:
            return []
        archive, folder = self.place(self.options.archive_to, "archive_to")
        return archive.matches(f"{folder}/{key.rpartition('/')[2]}")

    def _open(self, url: ZoneUrl) -> Zone:
        options = self.options
        match url.kind:
            case "s3":
                return self._bucket(url, options.s3 or S3Zone())
            case "gcs":
                return self._bucket(url, options.gcs or GcsZone())
            case "azure" if options.azure is not None:
                return self._bucket(url, options.azure)
            case "sftp" if options.sftp is not None:
                return self._sftp_server(url, options.sftp)
            case "https":
                return self._web_zone(url, options.https or HttpsZone())
            case "azure" | "sftp":
                raise ConfigError("is missing: say how to log in", key=url.kind)
            case _:
                assert_never(url.kind)

    def _bucket(self, url: ZoneUrl, login: S3Zone | GcsZone | AzureZone) -> Zone:
        from extractors.zones.bucket import open_bucket

        return open_bucket(url, login, self._workspace, self._resolve)

    def _sftp_server(self, url: ZoneUrl, login: SftpZone) -> Zone:
        open_sftp_server = loaded(_opener_of_sftp, "an sftp:// URL", install_extra("sftp"))
        return open_sftp_server(url, login, self._workspace, self._resolve)

    def _web_zone(self, url: ZoneUrl, login: HttpsZone) -> Zone:
        from extractors.zones.https import open_web_zone

        return open_web_zone(url, login, self._workspace, self._resolve)


def is_pattern(written: str) -> bool:
    """Whether it may mean several files."""
    return glob.has_magic(written) and not written.startswith(("http://", "https://"))


def shown(written: str) -> str:
    """Returns the path or URL for messages: of a web address without what stands after `?`."""
    return written.partition("?")[0] if written.startswith(("http://", "https://")) else written


def _key(url: ZoneUrl) -> str:
    """Returns the path in the zone: of an SFTP server from its root, else as it is written."""
    if url.kind != "sftp":
        return url.path
    return url.path.removeprefix("~/") if url.path.startswith("~/") else f"/{url.path}"


def _opener_of_sftp() -> Callable[[ZoneUrl, SftpZone, Path, Resolve], Zone]:
    from extractors.zones.sftp import open_sftp_server  # loads asyncssh

    return open_sftp_server

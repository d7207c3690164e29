"""The URL of an export in a drop zone beyond the workspace, taken apart and judged."""

import re
from dataclasses import dataclass
from typing import Literal

from schemas.network.loopback import is_loopback

ZoneKind = Literal["s3", "gcs", "azure", "sftp", "https"]

ZONE_KINDS: tuple[ZoneKind, ...] = ("s3", "gcs", "azure", "sftp", "https")

_KINDS: dict[str, ZoneKind] = {
    "s3": "s3",
    "gs": "gcs",
    "az": "azure",
    "sftp": "sftp",
    "https": "https",
    "http": "https",
}
_SIGNED = re.compile(
    r"[?&](sig|[\w-]*signature|[\w-]*token|[\w-]*key|password|secret)=", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class ZoneUrl:
    """An export's URL.

    Attributes:
        kind: the kind of zone; the block of the source file that describes it has this name.
        scheme: as written: `http` and `https` are one kind.
        user: who logs in; None where the URL names nobody.
        host: the bucket, the container or the server.
        port: None for the usual one.
        path: what stands after the host, without its first slash.
    """

    kind: ZoneKind
    scheme: str
    user: str | None
    host: str
    port: int | None
    path: str

    @property
    def base(self) -> str:
        """The URL up to the path, as written."""
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{user}{self.host}{port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the server is this machine."""
        return is_loopback(self.host)


def to_zone_url(written: str) -> ZoneUrl | None:
    """The URL taken apart; None for a path.

    Raises:
        ValueError: no such kind of zone, no host or path, a secret in it, or a way out by `..`.
    """
    scheme, is_url, rest = written.partition("://")
    if not is_url:
        return None
    kind = _KINDS.get(scheme)
    if kind is None:
        raise ValueError(f"{scheme}:// is no drop zone: write s3, gs, az, sftp or https")
    authority, _, path = rest.partition("/")
    user, _, server = authority.rpartition("@")
    if ":" in user:
        raise ValueError(f"a password is not written into a URL: name its place under {kind}:")
    if user and kind != "sftp":
        raise ValueError(f"a user is not written into such a URL: name it under {kind}:")
    if ".." in path.split("/"):
        raise ValueError("a path with .. in it could lead anywhere: write where it leads")
    if kind == "https":
        _check_web_path(path)
    host, port = _host_and_port(server)
    if not host or not path.strip("/"):
        raise ValueError(f"write {scheme}://, the host or bucket, and the path of the export")
    return ZoneUrl(kind, scheme, user or None, host, port, path)


def _check_web_path(path: str) -> None:
    if "*" in path:
        raise ValueError("a web server lists no files: write one address, without *")
    if _SIGNED.search(path):
        raise ValueError(
            "a signature or key is not written into a URL: use token: or username: under https:, "
            "or the bucket's own URL"
        )


def _host_and_port(server: str) -> tuple[str, int | None]:
    parts = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/@\[\]]*)(?::([0-9]{1,5}))?", server)
    if not parts:
        raise ValueError("the host is not written as a host, or host:port")
    return parts[1], int(parts[2]) if parts[2] else None


def check_export_path(written: str) -> str:
    """The path, pattern or URL as it is written.

    Raises:
        ValueError: a URL that no drop zone has.
    """
    to_zone_url(written)
    return written

"""What a source file says of exports in drop zones, and that it says all that is needed."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic import model_validator as check_model

from schemas.source_file.columns import Strict, check_zone
from schemas.source_file.zones.logins import AzureZone, GcsZone, HttpsZone, S3Zone, SftpZone
from schemas.source_file.zones.urls import ZONE_KINDS, ZoneUrl, check_export_path, to_zone_url


class Dropped(Strict):
    """What is said of exports in drop zones, whatever kind of source reads them."""

    newest: Literal["time", "name"] = Field(
        "time",
        description="Which match of a pattern counts: the last written, or the last by name.",
    )
    timezone: str = Field(
        "UTC", description="The zone whose days count for an export without a date in its name."
    )
    archive_to: str | None = Field(
        None,
        min_length=1,
        description="Where an export goes once its upload is accepted: a folder, or the URL of one "
        "in the same bucket or on the same server.",
    )
    s3: S3Zone | None = Field(None, description="For `s3://` URLs.")
    gcs: GcsZone | None = Field(None, description="For `gs://` URLs.")
    azure: AzureZone | None = Field(None, description="For `az://` URLs.")
    sftp: SftpZone | None = Field(None, description="For `sftp://` URLs.")
    https: HttpsZone | None = Field(None, description="For `https://` URLs.")

    def exports(self) -> dict[str, str]:
        """The path, pattern or URL of each export by the table it holds."""
        return {}

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, name: str) -> str:
        return check_zone(name)

    @field_validator("archive_to")
    @classmethod
    def _check_folder(cls, folder: str | None) -> str | None:
        return None if folder is None else check_export_path(folder)

    @check_model(mode="after")
    def _check_zones(self) -> "Dropped":
        urls = [url for url in map(to_zone_url, self.exports().values()) if url]
        unused = [
            kind
            for kind in ZONE_KINDS
            if getattr(self, kind) is not None and kind not in {url.kind for url in urls}
        ]
        if unused:
            raise ValueError(f"{unused[0]}: none of the exports has such a URL")
        for url in urls:
            self.check_reachable(url)
        if self.archive_to is not None:
            self._check_archive(urls)
        return self

    def check_reachable(self, url: ZoneUrl) -> None:
        """Raises unless the file says all that is needed to get there.

        Raises:
            ValueError: something is missing.
        """
        allows_http = self.https is not None and self.https.allow_http
        if url.scheme == "http" and not (url.is_loopback or allows_http):
            raise ValueError(f"{url.base}: is not encrypted: write https, or https.allow_http")
        if url.kind == "azure" and self.azure is None:
            raise ValueError("an az:// URL needs azure: with the account_name")
        if url.kind == "sftp":
            if self.sftp is None:
                raise ValueError("an sftp:// URL needs sftp: who logs in, and the server's key")
            if (url.user is None) == (self.sftp.username is None):
                raise ValueError("say who logs in: in the URL or as sftp.username, one of the two")

    def _check_archive(self, urls: list[ZoneUrl]) -> None:
        folder = to_zone_url(self.archive_to or "")
        if any(url.kind == "https" for url in urls):
            raise ValueError("archive_to: a web server moves no files: leave it out")
        places = {url.base for url in urls}
        if len(urls) < len(self.exports()):
            places.add("")
        if places != {folder.base if folder else ""}:
            raise ValueError(
                "archive_to: exports are moved in one place only: name a folder in the bucket, on "
                "the server or in the workspace that holds them all"
            )

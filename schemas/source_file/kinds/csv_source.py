"""The kinds of source a file may name, each with the keys of its own."""

import codecs
import re
from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator, model_validator

from schemas.source_file.columns import Strict
from schemas.source_file.quantities import Duration
from schemas.source_file.zones.exports import Dropped
from schemas.source_file.zones.urls import check_export_path

JOINED = "joined"
"""The name of what `join` reads, among the tables."""


class Completeness(Strict):
    """What proves that an export is whole. All that is given must hold."""

    marker: str | None = Field(
        None, description="A file that must stand beside the export; `{path}` is the export's path."
    )
    stable_for: Duration | None = Field(
        None, description="The export must not have changed for this long; it is waited for."
    )
    trailer: str | None = Field(
        None,
        description="The last line, as a pattern whose one group is the number of rows above it.",
    )
    manifest: str | None = Field(
        None,
        description="A file with the number of rows: a number, or JSON with one a file name.",
    )

    @field_validator("trailer")
    @classmethod
    def _check_pattern(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        groups = None
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            reason = str(error)
        if groups is None:
            raise ValueError(f"not a pattern: {reason}")
        if groups != 1:
            raise ValueError(r"needs one group around the count, such as TRAILER;(\d+)")
        return pattern

    @model_validator(mode="after")
    def _check_something_is_asked(self) -> "Completeness":
        if not any((self.marker, self.stable_for, self.trailer, self.manifest)):
            raise ValueError("say what proves it: marker, stable_for, trailer or manifest")
        return self


class CsvOptions(Dropped):
    """How a delimited file is read."""

    encoding: str = Field("auto", description="auto, utf-8, utf-16, windows-1252, latin-1, …")
    separator: str = Field(
        "auto", description="auto, `,`, `;`, `|`, tab, or one or more other characters."
    )
    quote: str = Field('"', description="The quoting character, or none.")
    escape: str = Field(
        "none", description="The character that escapes the next one, such as a backslash; or none."
    )
    blank: tuple[str, ...] = Field(
        (), description="Cells that mean nothing, such as `\\N`, as written."
    )
    header: bool = Field(
        True, description="false: no header line; columns are column_1, column_2, …"
    )
    skip_lines: int = Field(0, ge=0, description="Lines before the header.")
    sheet: str = Field(
        "1", min_length=1, description="Of an .xlsx workbook: the sheet, by its name or number."
    )
    max_age: Duration | None = Field(
        timedelta(hours=36), description="An older export is refused; null takes any."
    )
    complete: Completeness | None = None

    @field_validator("separator")
    @classmethod
    def _check_separator(cls, written: str) -> str:
        separator = "\t" if written in {"tab", "\\t"} else written
        if not separator or re.search(r'["\r\n\x00]', separator):
            raise ValueError("write auto, tab, or characters such as , ; | or ||")
        return separator

    @field_validator("escape")
    @classmethod
    def _check_escape(cls, written: str) -> str:
        if written != "none" and (len(written.encode()) != 1 or written in '"\r\n,;\t|'):
            raise ValueError(r"write none, or one character such as \\")
        return written

    @field_validator("quote")
    @classmethod
    def _check_quote(cls, written: str) -> str:
        if written != "none" and len(written.encode()) != 1:
            raise ValueError("write one character, or none")
        return written

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, written: str) -> str:
        known = True
        try:
            known = written == "auto" or codecs.lookup(written)._is_text_encoding
        except LookupError:
            known = False
        if not known:
            raise ValueError(
                "no such encoding; write auto, utf-8, utf-16, windows-1252, latin-1, …"
            )
        return written


class Join(Strict):
    """A second file that has more columns of the accounts: `{file: mails.csv, on: employee_id}`."""

    file: str = Field(
        min_length=1, description="A path, a pattern or a URL; it is written as the accounts are."
    )
    on: str | dict[str, str] = Field(
        description="The column that both have; or the accounts' column: the file's."
    )
    missing: Literal["reject", "blank"] = Field(
        "reject",
        description="What an account without a row there has in its columns: cells that cannot be "
        "read, or blank ones.",
    )

    @field_validator("file")
    @classmethod
    def _check_path(cls, written: str) -> str:
        return check_export_path(written)

    @field_validator("on")
    @classmethod
    def _check_key(cls, on: str | dict[str, str]) -> str | dict[str, str]:
        if not on:
            raise ValueError("name the column that both have")
        return on

    @property
    def keys(self) -> dict[str, str]:
        """The accounts' columns, and the file's."""
        return {self.on: self.on} if isinstance(self.on, str) else self.on


class CsvSource(CsvOptions):
    """Accounts in a delimited file; entitlements, resources, associations in files of their own."""

    kind: Literal["csv"]
    accounts: str = Field(
        min_length=1,
        description="A path, or a pattern, or the URL of either in a drop zone: the newest match "
        "counts.",
    )
    entitlements: str | None = Field(None, min_length=1, description="Likewise.")
    resources: str | None = Field(None, min_length=1, description="Likewise.")
    associations: str | None = Field(None, min_length=1, description="Likewise.")
    parts: Literal["newest", "all"] = Field(
        "newest",
        description="Of several matches, the newest counts; or all of them are one table: those of "
        "the newest day that their names tell.",
    )
    join: Join | None = Field(None, description="A second file with columns of the accounts.")

    @field_validator("accounts", "entitlements", "resources", "associations")
    @classmethod
    def _check_path(cls, written: str | None) -> str | None:
        return None if written is None else check_export_path(written)

    def exports(self) -> dict[str, str]:
        """The path, pattern or URL of each export by the table it holds, accounts first."""
        tables = {
            "accounts": self.accounts,
            "entitlements": self.entitlements,
            "resources": self.resources,
            "associations": self.associations,
            JOINED: None if self.join is None else self.join.file,
        }
        return {table: written for table, written in tables.items() if written is not None}


class ActivitySource(CsvOptions):
    """Activity in delimited files."""

    kind: Literal["csv"]
    activity: str = Field(
        min_length=1,
        description="A path, or a pattern, or the URL of either in a drop zone: every match counts "
        "that may hold records since the watermark.",
    )
    covers: Duration | None = Field(
        None,
        description="For how long a file is written whose name holds a date, from that day on: a "
        "file of other days is then not even opened.",
    )

    wide_rows: Literal["reject", "cut"] = Field(
        "reject",
        description="What a row with more cells than the header has names is: a reject, or cut off "
        "behind the last of them.",
    )

    @field_validator("activity")
    @classmethod
    def _check_path(cls, written: str) -> str:
        return check_export_path(written)

    @model_validator(mode="after")
    def _check_nothing_is_moved(self) -> "ActivitySource":
        if self.archive_to is not None:
            raise ValueError("activity is not archived: what came late is read again (overlap)")
        return self

    def exports(self) -> dict[str, str]:
        """The path, pattern or URL of the export."""
        return {"activity": self.activity}

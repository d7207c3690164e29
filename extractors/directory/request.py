"""How a directory is read: what, through what, and what is said of it."""

from dataclasses import dataclass
from datetime import datetime

from extractors.directory.account_fields import RequestedFields
from extractors.directory.entries import Find
from extractors.directory.last_logon import Logons
from schemas.source_file.directory_source import DirectorySource


@dataclass(frozen=True, slots=True)
class DirectoryRequest:
    """How a directory is read.

    Attributes:
        source: what its entries mean.
        wanted: what the source file wants of the accounts.
        find: how it is searched.
        base_dn: where, unless the source says otherwise.
        origin: the server or file, for messages.
        now: for what has expired, UTC.
        taken_at: when the data were made, UTC.
        logons: when who last logged in, where the source wants it of all controllers.
        proof: what shows that a search found everything.
        part: what was searched where it was not all.
    """

    source: DirectorySource
    wanted: RequestedFields
    find: Find
    base_dn: str
    origin: str
    now: datetime
    taken_at: datetime
    logons: Logons | None = None
    proof: str = "to the end of the search"
    part: str = ""

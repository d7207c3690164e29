"""How a directory is read: which fields, through what, and what its messages and proofs say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from extractors.directory.account_fields import RequestedFields
from extractors.directory.accounts_ad import Logons
from extractors.directory.entries import Find
from schemas.source_file.kinds.directory_source import DirectorySource


@dataclass(frozen=True, slots=True)
class DirectoryRequest:
    """How a directory is read.

    Attributes:
        source: what its entries mean.
        account_fields: the fields and attributes of the accounts that the source file asks for.
        find: how it is searched.
        base_dn: where, unless the source says otherwise.
        origin: the server or file, for messages.
        now: for what has expired, UTC.
        taken_at: when the data were made, UTC.
        logons: the newest logons of all controllers; None where the source does not ask for them.
        proof: what shows that a search found everything.
        known: the attributes of the schema, in lower case; None where there is none to be read.
        last_seen: what the last accepted read saw, as `LastRead` has it.
        part: the part that was searched, for messages; empty where it was all.
    """

    source: DirectorySource
    account_fields: RequestedFields
    find: Find
    base_dn: str
    origin: str
    now: datetime
    taken_at: datetime
    logons: Logons | None = None
    proof: str = "to the end of the search"
    known: frozenset[str] | None = None
    last_seen: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    part: str = ""

"""Reading only what changed since the last accepted run; the upload is a whole snapshot still."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from schemas.source_file.columns import Strict
from schemas.source_file.quantities import Duration

_SHORTEST_OVERLAP = timedelta(minutes=1)


class Delta(Strict):
    """What is read is merged into the last complete read."""

    full_every: Duration = Field(
        timedelta(days=7), description="A complete read that is older is made anew."
    )


class DirectoryDelta(Delta):
    """Reading only what changed since the last accepted run; the upload is a whole snapshot still.

    What is read is merged into the last complete read. A change of server, filter, base or
    attributes, or anything that does not add up, reads everything.
    """

    by: Literal["auto", "dirsync", "usn_changed", "modify_timestamp", "syncrepl"] = Field(
        "auto",
        description="How changes are told; auto takes the first of these that the server allows.",
    )


class SqlDelta(Delta):
    """Reading only the accounts that `list_updated_accounts` names; the upload is a whole snapshot.

    They are merged into the last complete read, by the ids that `list_accounts` has now. Another
    query, url or timezone, or anything that does not add up, reads everything. It needs `timezone`.
    """

    overlap: Duration = Field(
        timedelta(hours=1),
        description="`{since}` is so long before the last accepted read, for rows that came late: "
        "1m or more.",
    )

    @field_validator("overlap")
    @classmethod
    def _check_overlap(cls, overlap: timedelta) -> timedelta:
        if overlap < _SHORTEST_OVERLAP:
            raise ValueError("is at least 1m: rows come late, and {since} is cut to the second")
        return overlap

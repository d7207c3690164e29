"""Two looks at the same entries of a directory: which are new or changed, and whether any moved."""

from extractors.directory_entries import Entries
from extractors.dn import normal_dn

STAMPS = ("uSNChanged", "entryCSN", "modifyTimestamp")
"""Attributes that change with the entry.

uSNChanged is a number of one controller's own; entryCSN is OpenLDAP's, to the microsecond.
"""

_COARSE = "modifyTimestamp"


def has_moved(before: Entries, after: Entries, attribute: str) -> bool:
    """Whether any entry has another DN than it had, or a DN that another one had.

    `attribute` identifies an entry, whatever it is called.
    """
    names = dict(zip(before.first(attribute), map(normal_dn, before.dns), strict=True))
    owners = {dn: one for one, dn in names.items()}
    return any(
        names.get(one, dn) != dn or owners.get(dn, one) != one
        for one, dn in zip(after.first(attribute), map(normal_dn, after.dns), strict=True)
    )


def changed_ids(before: Entries, after: Entries, attribute: str) -> set[bytes]:
    """The ids of entries that are new, or whose stamp is another one; or that have none."""
    stamp = next((name for name in STAMPS if after.has(name)), _COARSE)
    known = dict(zip(before.first(attribute), before.first(stamp), strict=True))
    # Of a stamp in seconds the last second was perhaps not over when it was read.
    doubtful = max(filter(None, known.values()), default=None) if stamp == _COARSE else None
    return {
        one
        for one, now in zip(after.first(attribute), after.first(stamp), strict=True)
        if one is not None and (now is None or now == doubtful or known.get(one) != now)
    }


def new_ids(before: Entries, after: Entries, attribute: str) -> set[bytes]:
    """The ids of entries that were not there."""
    return {one for one in after.first(attribute) if one is not None} - set(before.first(attribute))

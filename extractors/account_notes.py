"""What a person should know about the accounts that were read from a directory."""

from extractors.account_fields import Wanted
from extractors.directory_accounts import is_active_directory
from extractors.directory_entries import Entries
from schemas.directory_sources import DirectorySource


def account_notes(
    entries: Entries, wanted: Wanted, left_out: int, source: DirectorySource
) -> tuple[str, ...]:
    """A line for each: computers left out, attributes nobody has, a choice among values."""
    notes = []
    if left_out:
        notes.append(
            f"computers and trusts that match users.filter, and are left out: {left_out:,}"
        )
    absent = [name for name in wanted.attributes if not entries.has(name)]
    if absent:
        notes.append(
            f"no account has the attribute {', '.join(absent)}: it is misspelt, or the reading "
            "account may not read it"
        )
    if not is_active_directory(source) and "email" in wanted.fields:
        several = sum(len(values) > 1 for values in entries.values("mail"))
        if several:
            notes.append(
                f"accounts with several mail values, of which the first one counts: {several:,}"
            )
    return tuple(notes)

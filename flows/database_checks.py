"""What `check` can say of a database beyond its columns: what could be written, one account."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from schemas.errors import SourceFormatError
from schemas.secrets import Resolve
from schemas.source_file import Source
from schemas.sql_source import SqlSource
from schemas.tables import ROW

_MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class DatabaseLook:
    """What else is asked of a database.

    Attributes:
        privileges: whether to say what its account could write.
        account_id: the account to read by `get_account`; None reads none.
    """

    privileges: bool = False
    account_id: str | None = None


class Notebook(Protocol):
    """Where it is written down: what is in place, and what a person should know."""

    facts: list[str]
    notes: list[str]


def look_closer(
    source: Source, workspace: Path, resolve: Resolve, look: DatabaseLook, notebook: Notebook
) -> None:
    """Writes down what `look` asks of a database; of another kind of source, nothing.

    Raises:
        IngestError: the database does not answer, or has not just one such account.
    """
    from extractors.sql_privileges import writable_by
    from extractors.sql_single import read_account

    database = source.file.source
    if not isinstance(database, SqlSource):
        return
    if database.queries.list_updated_accounts is not None and database.delta is None:
        notebook.notes.append(
            "list_updated_accounts is read where the source says delta; this one says nothing of it"
        )
    if look.privileges:
        _look_at_privileges(writable_by(database, workspace, resolve=resolve), notebook)
    if look.account_id is not None:
        found = read_account(
            database,
            workspace,
            look.account_id,
            resolve=resolve,
            named=source.file.named_columns,
        )
        if found.read_count != 1:
            raise SourceFormatError(
                f"{found.origin}: returned {found.read_count} rows for this id, not one"
            )
        filled = [one.name for one in found.rows if one.name != ROW and not one.has_nulls()]
        notebook.facts.append(f"{found.origin}: the account is there; filled: {', '.join(filled)}")


def _look_at_privileges(writable: tuple[str, ...] | None, notebook: Notebook) -> None:
    if writable is None:
        notebook.notes.append("what the account could write cannot be told of this database")
    elif not writable:
        notebook.facts.append("the account can write nothing")
    else:
        more = len(writable) - _MOST_LISTED
        rest = f"; and {more} more" if more > 0 else ""
        notebook.notes.append(
            f"the account could write: {'; '.join(writable[:_MOST_LISTED])}{rest}: an account that "
            "can only read is enough"
        )

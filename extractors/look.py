"""What a source has, for whoever writes a source file: its tables, its bases, its resources."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from schemas.look import Directory, DirectoryAddress, Resources, TableColumns
from schemas.raw import RawTable
from schemas.source_file.kinds.scim_source import ScimSource
from schemas.source_file.kinds.sql_source import DatabaseOptions
from schemas.source_file.secrets import Resolve


class DatabaseLook(Protocol):
    """A database that is looked at.

    Attributes:
        engine: postgresql, mysql, mariadb, sqlite and so on.
    """

    engine: str

    def tables(self) -> list[TableColumns]:
        """Returns the tables and views that the account sees, without the engine's own."""

    def name_of(self, table: TableColumns) -> str:
        """Returns the table's name as SQL has it."""

    def quoted(self, name: str) -> str:
        """Returns a name as SQL has it, in the engine's quotes where it needs them."""

    def sample(self, table: TableColumns) -> RawTable:
        """Returns the first rows of a table."""


@contextmanager
def opened_database(
    options: DatabaseOptions, workspace: Path, resolve: Resolve
) -> Iterator[DatabaseLook]:
    """Opens a database to see its tables, and rows of one of them.

    Raises:
        ConfigError: the url cannot be meant as it is written, a driver or a secret is missing, or
            the login is refused.
        SourceUnavailableError: no connection.
    """
    from extractors.sql.look import opened_look

    with opened_look(options, workspace, resolve) as look:
        yield look


def look_at_directory(address: DirectoryAddress, workspace: Path, resolve: Resolve) -> Directory:
    """Returns of which kind a directory is, and where its people and groups lie.

    Raises:
        ConfigError, SourceError: it cannot be reached or read.
    """
    from extractors.directory.ldap.look import seen

    return seen(address, workspace, resolve)


def look_at_scim(source: ScimSource, workspace: Path, resolve: Resolve) -> Resources:
    """Returns what a SCIM service has.

    Raises:
        ConfigError, SourceError: it cannot be reached or read.
    """
    from extractors.scim.look import seen

    return seen(source, workspace, resolve)

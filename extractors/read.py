"""The one way into the extractors: a source's rows, whole or an error, by its kind.

A kind's reader is imported where it is called for, so that a CSV source loads no driver.
"""

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import assert_never

from schemas.errors import ConfigError
from schemas.raw import LastRead, Probe, Raw, RawTable, ReaderState
from schemas.source_file.columns import Named
from schemas.source_file.file import AnySource
from schemas.source_file.kinds.connector_source import ConnectorSource
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource, LdifSource
from schemas.source_file.kinds.python_source import PythonSource
from schemas.source_file.kinds.scim_source import ScimSource
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import Resolve, no_secrets

_NO_IDS: Mapping[str, str] = {}
_NOTHING = Named()
_NEVER_READ = LastRead()


def read_source(  # noqa: C901, PLR0911, PLR0913 - a case a kind, and what one or another needs
    source: AnySource,
    workspace: Path,
    *,
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
    resolve: Resolve = no_secrets,
    id_columns: Mapping[str, str] = _NO_IDS,
    named: Named = _NOTHING,
    state: ReaderState | None = None,
    last_read: LastRead = _NEVER_READ,
    as_of: date | None = None,
) -> Raw:
    """Reads everything the source holds, with the proof that it is everything.

    `id_columns` names the column of the id, by table; a line with too few or too many fields is
    then rejected with the id it seems to carry, so that its record is known and kept. `named` is
    what the source file names: of a directory, only these attributes are read; of a database,
    these columns stand in place of Lumos's labels. `state` is what the run that was accepted last
    left for the next one, and `last_read` what it remembers: nothing older is read, and nothing
    that it saw is missing unseen. With `as_of` the exports of that day are read, whatever was read
    before.

    Raises:
        ConfigError: the source cannot be meant as it is written, a secret is not in its place, or
            a database refuses the login; with `as_of`, a source that keeps no exports.
        FunctionError: a reader of a person's own failed.
        SourceUnavailableError: it cannot be reached, opened or logged in to, or never came to rest.
        SourceIncompleteError: it answered, but not with everything.
        SourceFormatError: it answered, but not as agreed.
    """
    if as_of is not None and not isinstance(source, CsvSource):
        raise ConfigError(f"{source.kind} keeps no exports of past days", key="source.kind")
    match source:
        case CsvSource():
            from extractors.delimited.source import read_csv_source

            return read_csv_source(
                source,
                workspace,
                now=now,
                sleep=sleep,
                resolve=resolve,
                id_columns=id_columns,
                last_read=last_read,
                as_of=as_of,
            )
        case LdapSource() | ActiveDirectorySource():
            from extractors.directory.account_fields import to_requested_fields
            from extractors.directory.ldap.source import read_ldap_source

            requested = to_requested_fields(named, id_columns.get("accounts"))
            return read_ldap_source(
                source,
                workspace,
                requested,
                now=now,
                resolve=resolve,
                state=state,
                last_read=last_read,
            )
        case LdifSource():
            from extractors.directory.account_fields import to_requested_fields
            from extractors.directory.ldif.source import read_ldif_source

            requested = to_requested_fields(named, id_columns.get("accounts"))
            return read_ldif_source(
                source,
                workspace,
                requested,
                now=now,
                sleep=sleep,
                resolve=resolve,
                last_read=last_read,
            )
        case SqlSource(discover="mongodb"):
            from extractors.mongodb.source import read_mongodb_source

            return read_mongodb_source(source, workspace, now=now, resolve=resolve)
        case SqlSource():
            from extractors.sql.source import read_sql_source

            return read_sql_source(
                source,
                workspace,
                now=now,
                resolve=resolve,
                named=named,
                id_column=id_columns.get("accounts") or "integration_specific_id",
                state=state,
                last_read=last_read,
            )
        case PythonSource():
            from extractors.python.source import read_python_source

            return read_python_source(
                source,
                workspace,
                now=now,
                resolve=resolve,
                state=state,
                id_column=id_columns.get("accounts") or "integration_specific_id",
            )
        case ScimSource():
            from extractors.scim.source import read_scim_source

            return read_scim_source(
                source,
                workspace,
                now=now,
                resolve=resolve,
                named=named,
                id_column=id_columns.get("accounts") or "",
                sleep=sleep,
            )
        case ConnectorSource():
            from extractors.connector.source import read_connector_source

            return read_connector_source(
                source, workspace, now=now, resolve=resolve, named=named, sleep=sleep
            )
        case _:
            assert_never(source)


def probe_source(  # noqa: C901, PLR0911 - a case a kind
    source: AnySource,
    workspace: Path,
    *,
    now: datetime,
    resolve: Resolve = no_secrets,
    named: Named = _NOTHING,
) -> tuple[Probe, ...]:
    """Looks at each table of the source, in the order of the tables; little is read.

    Raises:
        ConfigError: as `read_source`.
        SourceUnavailableError: as `read_source`.
        SourceIncompleteError: too old, without its marker, empty, or a limit that would cut it.
        SourceFormatError: not as agreed, as far as a first look shows.
    """
    match source:
        case CsvSource():
            from extractors.delimited.source import probe_csv_source

            return probe_csv_source(source, workspace, now=now, resolve=resolve)
        case LdapSource() | ActiveDirectorySource():
            from extractors.directory.account_fields import to_requested_fields
            from extractors.directory.ldap.source import probe_ldap_source

            requested = to_requested_fields(named, None)
            return probe_ldap_source(source, workspace, requested, now=now, resolve=resolve)
        case LdifSource():
            from extractors.directory.account_fields import to_requested_fields
            from extractors.directory.ldif.source import probe_ldif_source

            requested = to_requested_fields(named, None)
            return probe_ldif_source(source, workspace, requested, now=now, resolve=resolve)
        case SqlSource(discover="mongodb"):
            from extractors.mongodb.source import probe_mongodb_source

            return probe_mongodb_source(source, workspace, resolve=resolve)
        case SqlSource():
            from extractors.sql.source import probe_sql_source

            return probe_sql_source(
                source, workspace, now=now, resolve=resolve, named=named.columns
            )
        case PythonSource():
            from extractors.python.source import probe_python_source

            return probe_python_source(source, workspace)
        case ScimSource():
            from extractors.scim.source import probe_scim_source

            return probe_scim_source(source, workspace, resolve=resolve, named=named)
        case ConnectorSource():
            from extractors.connector.source import probe_connector_source

            return probe_connector_source(source, workspace, resolve=resolve, named=named)
        case _:
            assert_never(source)


def read_account(
    source: SqlSource,
    workspace: Path,
    account_id: str,
    *,
    resolve: Resolve = no_secrets,
    named: Named = _NOTHING,
) -> RawTable:
    """Reads one account of a database by `get_account`: one row, or none where there is none.

    Raises:
        ConfigError: the source has no such query, or as `read_source`.
        SourceError: as `read_source`.
    """
    if source.discover == "mongodb":
        raise ConfigError("get_account is missing", key="source.queries")
    from extractors.sql.activity import read_sql_account

    return read_sql_account(source, workspace, account_id, resolve=resolve, named=named.columns)


def read_privileges(
    source: SqlSource, workspace: Path, *, resolve: Resolve = no_secrets
) -> tuple[str, ...] | None:
    """Reads what the account that logs in to a database could write: objects or rights, sorted.

    None where this cannot be told of the database.

    Raises:
        ConfigError, SourceUnavailableError: no connection.
        SourceFormatError: the database does not let its catalog be read.
    """
    if source.discover == "mongodb":
        return None
    from extractors.sql.privileges import read_sql_privileges

    return read_sql_privileges(source, workspace, resolve=resolve)

"""A source file for a database: the tables of an application, or the database's own accounts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from extractors.look import DatabaseLook, opened_database
from flows.cli.new.export import ask_meanings
from flows.cli.new.written import (
    Login,
    Wanted,
    Written,
    doubt_lines,
    doubts_of,
    flow,
    mapping_lines,
    not_seen,
    to_login,
)
from schemas.errors import IngestError
from schemas.look import TableColumns
from schemas.raw import RawTable
from schemas.source_file.kinds.sql_source import DatabaseOptions
from transforms.tables.mapping import names_secret
from transforms.tables.proposal import Proposal, to_proposal
from transforms.tables.table_choice import (
    Link,
    links_of,
    referred_column,
    tables_of_accounts,
)

ENGINES = {"postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql",
           "mariadb": "mysql", "mssql": "mssql", "sqlserver": "mssql", "oracle": "oracle",
           "snowflake": "snowflake", "databricks": "databricks", "mongodb": "mongodb",
           "sqlite": None, "duckdb": None}  # fmt: skip
"""By a URL's scheme: whose own accounts and roles can be read; None for nobody's."""

_CHANGED = re.compile(r"(?:last)?_?(?:updated|changed|modified)(?:_?(?:at|on|date|time))?")


@dataclass(frozen=True, slots=True)
class _Tables:
    """What was seen of an application's tables."""

    accounts: TableColumns
    sample: RawTable
    made: Proposal
    queries: dict[str, str]
    doubts: list[str]
    freshness: str | None


def of_database(wanted: Wanted, engine: str | None) -> Written:
    """Returns what reads the database; a guess where it cannot be looked at.

    Args:
        wanted: the source.
        engine: whose own accounts can be read; None for nobody's.

    Raises:
        IngestError: it cannot be looked at, and has no accounts of its own.
    """
    login = to_login(wanted, "PASSWORD", needs_name=engine is not None)
    lines = ["source:", "  kind: sql", f"  url: {flow(login.url)}"]
    discover = f"  discover: {engine}    # the database's own accounts and roles"
    username = login.username or ("reader" if engine else None)
    if engine == "mongodb":
        lines += _login_lines(login, username)
        return Written([*lines, discover], [])
    try:
        tables = _tables(wanted, login)
    except IngestError as problem:
        if engine is None:
            raise
        doubts = [not_seen(problem, login)]
        lines += [*_login_lines(login, username), f"{discover}; for an application's, queries:"]
        return Written([*lines, *doubt_lines(doubts)], doubts)
    lines += _login_lines(login, login.username)
    if tables is None:
        doubts = ["no table looks like one of accounts: these are the database's own"]
        return Written([*lines, discover, *doubt_lines(doubts)], doubts)
    return _of_tables(wanted, lines, tables)


def _of_tables(wanted: Wanted, lines: list[str], tables: _Tables) -> Written:
    made = tables.made
    if wanted.asks:
        ask_meanings(made)
    if tables.freshness is not None:
        lines.append(f"  # freshness: {flow({'query': tables.freshness, 'max_age': '2d'})}")
    lines.append("  queries:")
    for capability, query in tables.queries.items():
        lines += [f"    {capability}: |", *(f"      {line}" for line in query.splitlines())]
    secrets = sorted(filter(names_secret, tables.accounts.columns))
    if secrets:
        lines.append(f"# Left out, called like secrets: {', '.join(map(flow, secrets))}")
    doubts = [*doubts_of(made), *tables.doubts]
    return Written([*lines, *mapping_lines(made, tables.sample), *doubt_lines(doubts)], doubts)


def _login_lines(login: Login, username: str | None) -> list[str]:
    if username is None:
        return []
    return [f"  username: {flow(username)}", f"  password: {flow({'env': login.variable})}"]


def _tables(wanted: Wanted, login: Login) -> _Tables | None:
    """Returns what reads the application's accounts; None where no table looks like it.

    Raises:
        IngestError: the database cannot be looked at.
    """
    place = {"env": login.variable} if login.secret is not None else None
    options = DatabaseOptions.model_validate(
        {"url": login.url, "username": login.username, "password": place}
    )
    with opened_database(options, wanted.workspace, login.resolve) as look:
        tables = look.tables()
        likely = tables_of_accounts(tables)
        if not likely:
            return None
        accounts = likely[0]
        open_columns = tuple(one for one in accounts.columns if not names_secret(one))
        sample = look.sample(replace(accounts, columns=open_columns))
        return _queries(look, accounts, sample, tables, likely[1:])


def _queries(
    look: DatabaseLook,
    accounts: TableColumns,
    sample: RawTable,
    tables: Sequence[TableColumns],
    others: Sequence[TableColumns],
) -> _Tables:
    made = to_proposal(sample)
    changed = next((one for one in accounts.columns if _CHANGED.fullmatch(one.lower())), None)
    made.attributes = [name for name in made.attributes if name != changed]
    place = look.name_of(accounts)
    names = ", ".join(map(look.quoted, _used(made, sample)))
    queries = {"list_accounts": f"SELECT {names}\nFROM {place}"}
    doubts = [f"{look.name_of(one)} may hold accounts as well" for one in others]
    identity = made.columns.get("integration_specific_id")
    links = links_of(accounts, tables)
    if links and isinstance(identity, str):
        queries |= _link_queries(look, accounts, identity, links[0])
        doubts += [f"{look.name_of(one.table)} may say who holds what as well" for one in links[1:]]
    fresh = changed and f"SELECT max({look.quoted(changed)}) FROM {place}"  # noqa: S608 - quoted
    return _Tables(accounts, sample, made, queries, doubts, fresh)


def _link_queries(
    look: DatabaseLook, accounts: TableColumns, identity: str, link: Link
) -> dict[str, str]:
    """Returns the queries of entitlements and of who holds them."""
    place, quoted = look.name_of(link.table), look.quoted
    catalogue = look.name_of(link.catalogue) if link.catalogue else place
    distinct = "" if link.catalogue else "DISTINCT "
    entitlements = (
        f"SELECT {distinct}'{link.kind}' AS entitlement_type,\n"
        f"  {quoted(link.key)} AS integration_specific_id,\n"
        f"  '' AS integration_specific_resource_id, {quoted(link.label)} AS label\n"
        f"FROM {catalogue}"
    )
    entitlement = quoted(link.entitlement)
    referred = referred_column(accounts, link.account)
    if referred is None or referred == identity:
        associations = (
            f"SELECT {quoted(link.account)} AS account_id,\n"
            f"  {entitlement} AS integration_specific_entitlement_id,\n"
            f"  '' AS integration_specific_resource_id\nFROM {place}"
        )
    else:
        associations = (
            f"SELECT a.{quoted(identity)} AS account_id,\n"
            f"  h.{entitlement} AS integration_specific_entitlement_id,\n"
            f"  '' AS integration_specific_resource_id\n"
            f"FROM {place} h JOIN {look.name_of(accounts)} a\n"
            f"  ON a.{quoted(referred)} = h.{quoted(link.account)}"
        )
    return {"list_entitlements": entitlements, "find_entitlement_associations": associations}


def _used(made: Proposal, sample: RawTable) -> list[str]:
    """Returns the columns that a proposal reads, in the table's order."""
    names: set[object] = set(made.attributes)
    for how in made.columns.values():
        names |= set(how) if isinstance(how, list) else {_column_of(how)}
    for item in made.entitlements:
        columns = item.get("columns")
        names |= set(columns) if isinstance(columns, list) else {item.get("column")}
    return [name for name in sample.rows.columns if name in names]


def _column_of(how: object) -> object:
    return how.get("column") if isinstance(how, dict) else how

"""MongoDB's own users and roles, as its commands usersInfo and rolesInfo tell them.

MongoDB manual, "usersInfo" and "rolesInfo" (read 2026-11). It keeps no status of a user and no sign
of a program, so that there is no column for either.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from extractors.mongodb.server import Server, open_server
from schemas.errors import ConfigError, SourceFormatError, SourceIncompleteError
from schemas.raw import Probe, Raw, RawTable
from schemas.source_file.kinds.sql_source import CAPABILITIES, SqlSource
from schemas.source_file.secrets import Resolve
from schemas.tables import ASSOCIATIONS, ENTITLEMENTS, REJECTS, RESOURCES, ROW

ACCOUNTS = (
    "integration_specific_id", "email", "given_name", "family_name", "username", "database",
    "mechanisms",
)  # fmt: skip
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NO_SNAPSHOT = (
    "MongoDB has no snapshot over its users and roles: what changes between two commands may not "
    "fit together; the links that lead nowhere are rejects"
)

Role = tuple[str, str]
"""A role's database and name."""


def read_mongodb_source(
    source: SqlSource, workspace: Path, *, now: datetime, resolve: Resolve
) -> Raw:
    """Reads every user, every role that was made or is held, and who holds which, also by others.

    Raises:
        ConfigError: the url, the certificates or a secret is not right, there are queries, or the
            login is refused.
        SourceUnavailableError: the server cannot be reached.
        SourceIncompleteError: the connection was lost, a command took too long, or there is no
            user.
        SourceFormatError: the server refuses a command, or answers it in another shape.
    """
    _check_no_queries(source)
    with open_server(source, workspace, resolve) as server:
        users = _listed(server.command("usersInfo", {"forAllDBs": True}), "users")
        databases = _databases(server, users)
        roles = [role for name in databases for role in _roles(server, name)]
        name = server.name
    if not users:
        raise SourceIncompleteError(f"{name}: usersInfo: no user: an empty snapshot is never sent")
    tables = _tables(users, roles, databases)
    counts = "; ".join(f"{table.name}: {table.read_count:,} rows" for table in tables.values())
    return Raw(
        accounts=tables["accounts"],
        entitlements=tables["entitlements"],
        resources=tables["resources"],
        associations=tables["associations"],
        taken_at=now,
        proof=(f"{counts}; usersInfo and rolesInfo of {len(databases)} databases",),
        warnings=(_NO_SNAPSHOT,),
    )


def probe_mongodb_source(
    source: SqlSource, workspace: Path, *, resolve: Resolve
) -> tuple[Probe, ...]:
    """Looks at what is there: the users.

    Raises:
        ConfigError, SourceUnavailableError, SourceIncompleteError, SourceFormatError: as
            `read_mongodb_source`.
    """
    _check_no_queries(source)
    with open_server(source, workspace, resolve) as server:
        users = _listed(server.command("usersInfo", {"forAllDBs": True}), "users")
        summary = f"{len(users):,} users, on {server.name}"
    return (Probe("accounts", "usersInfo", summary, ACCOUNTS),)


def _check_no_queries(source: SqlSource) -> None:
    written = [name for name in CAPABILITIES if getattr(source.queries, name) is not None]
    if written:
        raise ConfigError(
            f"{written[0]}: MongoDB takes no SQL: leave queries out", key="source.queries"
        )


def _databases(server: Server, users: list[dict[str, Any]]) -> list[str]:
    """Lists every database that may have roles; one without data is known by its users alone.

    By default the server would leave out those that the account has no right to, without an error.
    """
    answer = server.command("listDatabases", 1, nameOnly=True, authorizedDatabases=False)
    listed = _listed(answer, "databases")
    named = {str(role["db"]) for user in users for role in user["roles"]}
    names = {str(database["name"]) for database in listed}
    return sorted({"admin", *named, *names} - {"$external"})


def _roles(server: Server, database: str) -> list[dict[str, Any]]:
    return _listed(server.command("rolesInfo", 1, database=database), "roles")


def _listed(answer: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = answer.get(key)
    needed = {"users": {"_id", "user", "db", "roles"}, "roles": {"role", "db"}}.get(key, {"name"})
    if not isinstance(entries, list) or not all(needed <= set(entry) for entry in entries):
        raise SourceFormatError(f"the server's answer has no {key} as its manual describes them")
    return entries


def _tables(
    users: list[dict[str, Any]], roles: list[dict[str, Any]], databases: list[str]
) -> dict[str, RawTable]:
    made = {(str(role["db"]), str(role["role"])): role for role in roles}
    grants = [(str(user["_id"]), role) for user in users for role in sorted(_grants(user, made))]
    known = sorted({*made, *(role for _, role in grants)})
    named = sorted({*databases, *(database for database, _ in known)})
    resources = [("DATABASE", database, database, None) for database in named]
    associations = [(user, f"ROLE_{name}", database) for user, (database, name) in grants]
    entitlements = [_entitlement(role, made) for role in known]
    return {
        "accounts": _table("accounts", ACCOUNTS, [_account(user) for user in users], "usersInfo"),
        "entitlements": _table("entitlements", ENTITLEMENTS, entitlements, "rolesInfo"),
        "resources": _table("resources", RESOURCES, resources, "listDatabases"),
        "associations": _table("associations", ASSOCIATIONS, associations, "usersInfo"),
    }


def _account(user: dict[str, Any]) -> tuple[str | None, ...]:
    name, database = str(user["user"]), str(user["db"])
    return (
        str(user["_id"]),
        name if _EMAIL.fullmatch(name) else None,
        name,
        f"MongoDB {database}",
        name,
        database,
        ", ".join(user.get("mechanisms", [])) or None,
    )


def _grants(user: dict[str, Any], made: dict[Role, dict[str, Any]]) -> set[Role]:
    """Returns the user's roles, and those that these inherit, of which the server tells all."""
    direct = {(str(role["db"]), str(role["role"])) for role in user["roles"]}
    inherited = {
        (str(parent["db"]), str(parent["role"]))
        for role in direct
        for parent in made.get(role, {}).get("inheritedRoles", [])
    }
    return direct | inherited


def _entitlement(role: Role, made: dict[Role, dict[str, Any]]) -> tuple[str | None, ...]:
    database, name = role
    description = "Made here" if role in made else "Built in"
    return ("ROLE", f"ROLE_{name}", database, f"Role - {name}", description, "true")


def _table(
    name: str, columns: Iterable[str], rows: Sequence[tuple[str | None, ...]], origin: str
) -> RawTable:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String()), orient="row")
    numbers = pl.int_range(1, frame.height + 1, dtype=pl.UInt32, eager=True).alias(ROW)
    return RawTable(
        name, frame.with_columns(numbers), pl.DataFrame(schema=REJECTS), frame.height, origin
    )

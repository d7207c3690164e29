"""Makes the database of a sample application: people, service accounts, permissions, grants.

    python examples/sample_application.py --accounts 100000 --file app.db
    python examples/sample_application.py --accounts 100000 --url postgresql://host/database
    python examples/sample_application.py --sql                     # the statements, as text

The same number, seed and night make the same rows. SQLite needs nothing but Python; PostgreSQL
needs psycopg. The tables `accounts`, `service_accounts`, `permissions` and `grants` are made anew.
"""

import argparse
import random
import sqlite3
import sys
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

Row = tuple[str | None, ...]
Tables = dict[str, list[Row]]

SCHEMA = """\
DROP TABLE IF EXISTS grants;
DROP TABLE IF EXISTS permissions;
DROP TABLE IF EXISTS service_accounts;
DROP TABLE IF EXISTS accounts;
CREATE TABLE accounts (
    id VARCHAR(36) PRIMARY KEY,
    email VARCHAR(255) NOT NULL,
    given_name VARCHAR(100) NOT NULL,
    family_name VARCHAR(100) NOT NULL,
    username VARCHAR(100) NOT NULL UNIQUE,
    status VARCHAR(20) NOT NULL
        CHECK (status IN ('ACTIVE', 'PENDING', 'SUSPENDED', 'DEPROVISIONED')),
    department VARCHAR(40) NOT NULL,
    last_login_at TIMESTAMPTZ
);
CREATE TABLE service_accounts (
    id VARCHAR(36) PRIMARY KEY,
    name VARCHAR(100) NOT NULL UNIQUE,
    purpose VARCHAR(100) NOT NULL,
    owner_id VARCHAR(36) NOT NULL REFERENCES accounts (id),
    is_enabled VARCHAR(5) NOT NULL CHECK (is_enabled IN ('true', 'false'))
);
CREATE TABLE permissions (
    id VARCHAR(40) PRIMARY KEY,
    module VARCHAR(40) NOT NULL,
    name VARCHAR(100) NOT NULL,
    description VARCHAR(200) NOT NULL,
    is_requestable VARCHAR(5) NOT NULL CHECK (is_requestable IN ('true', 'false'))
);
CREATE TABLE grants (
    account_id VARCHAR(36) NOT NULL,
    permission_id VARCHAR(40) NOT NULL REFERENCES permissions (id),
    PRIMARY KEY (account_id, permission_id)
);
"""
STATUSES = {"ACTIVE": 86, "SUSPENDED": 6, "DEPROVISIONED": 5, "PENDING": 3}
DEPARTMENTS = {"Operations": 35, "Sales": 25, "Engineering": 20, "Finance": 12, "Legal": 8}
GIVEN = (
    "Ada", "Bo", "Chloé", "Dmitri", "Elif", "Femi", "Grace", "Hugo", "Ines", "Jun", "Kofi", "Léa",
    "Mina", "Noor", "Omar", "Priya",
)  # fmt: skip
FAMILY = (
    "Adeyemi", "Berg", "Costa", "Dupont", "Eriksen", "Fischer", "García", "Haddad", "Ito", "Jansen",
    "Kaya", "Lindqvist", "Moreau", "Novák", "O'Brien", "Petrov", "Quist", "Rossi", "Silva",
    "Tanaka",
)  # fmt: skip
MODULES = ("orders", "invoices", "contracts", "reports")
RIGHTS = {
    "view": "May look at them", "edit": "May change them", "approve": "May approve them",
    "admin": "May do anything with them",
}  # fmt: skip
PURPOSES = ("Nightly export", "Payment gateway", "Monitoring", "Search index", "Mail relay")
_SERVICE_SHARE = 0.12
_FIRST_LOGIN = datetime(2025, 11, 1, 8)  # noqa: DTZ001 - written with a Z


def sample_tables(accounts: int, seed: int = 1, night: int = 1) -> Tables:
    """The rows of every table, by its name, in the order that they can be written.

    Args:
        accounts: of people; service accounts come on top, about one for eight people.
        seed: another one, other people.
        night: 2 is the next day: a few have come, left, or hold something else.
    """
    chance = random.Random(seed)  # noqa: S311 - rows of an example
    people = [_person(chance, number) for number in range(accounts)]
    services = [
        _service(chance, number, people[chance.randrange(accounts)][0])
        for number in range(max(1, round(accounts * _SERVICE_SHARE)))
    ]
    permissions: list[Row] = [
        (f"{module}.{right}", module, f"{right.title()} {module}", said, _text(right != "admin"))
        for module in MODULES
        for right, said in RIGHTS.items()
    ]
    grants = sorted(grant for one in [*people, *services] for grant in _grants(chance, one[0]))
    if night > 1:
        people, grants = _next_day(chance, people, grants)
    return {
        "accounts": people,
        "service_accounts": services,
        "permissions": permissions,
        "grants": grants,
    }


def _person(chance: random.Random, number: int) -> Row:
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    plain = f"{given}.{family}".lower().translate(str.maketrans("éíá'", "eia-"))
    [status] = chance.choices(list(STATUSES), list(STATUSES.values()))
    [department] = chance.choices(list(DEPARTMENTS), list(DEPARTMENTS.values()))
    login = _FIRST_LOGIN + timedelta(minutes=chance.randrange(60 * 24 * 60))
    seen = None if status == "PENDING" else f"{login.isoformat()}Z"
    username = f"{plain}{number}"
    email = f"{username}@example.com"
    return (_id(chance), email, given, family, username, status, department, seen)


def _service(chance: random.Random, number: int, owner: str | None) -> Row:
    purpose = chance.choice(PURPOSES)
    name = f"svc-{purpose.lower().replace(' ', '-')}-{number}"
    return (_id(chance), name, purpose, owner, _text(chance.random() < 0.9))  # noqa: PLR2004 - nine of ten


def _grants(chance: random.Random, account: str | None) -> list[Row]:
    """Most hold two or three permissions, some none; few may approve, fewer still administer."""
    rights = chance.choices(list(RIGHTS), [60, 28, 9, 3], k=chance.choice([0, 1, 2, 2, 3, 3, 4]))
    held = {f"{chance.choice(MODULES)}.{right}" for right in rights}
    return [(account, permission) for permission in held]


def _next_day(
    chance: random.Random, people: list[Row], grants: list[Row]
) -> tuple[list[Row], list[Row]]:
    left = next(one for one in people if one[5] == "ACTIVE")
    people = [(*one[:5], "DEPROVISIONED", *one[6:]) if one is left else one for one in people]
    come = [_person(chance, len(people) + number) for number in range(2)]
    grants = [grant for grant in grants if grant[0] != left[0]]
    grants += [grant for one in come for grant in _grants(chance, one[0])]
    return [*people, *come], sorted(grants)


def _id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _text(holds: bool) -> str:
    return "true" if holds else "false"


def to_sql(tables: Tables) -> Iterator[str]:
    """The statements that make the tables, line by line; every database takes them."""
    yield SCHEMA
    for name, rows in tables.items():
        for row in rows:
            yield f"INSERT INTO {name} VALUES ({', '.join(map(_literal, row))});\n"  # noqa: S608 - ours


def _literal(cell: str | None) -> str:
    return "NULL" if cell is None else "'" + cell.replace("'", "''") + "'"


def write_sqlite(tables: Tables, path: Path) -> None:
    """Makes the tables in a SQLite file."""
    connection = sqlite3.connect(path)
    try:
        connection.executescript(SCHEMA)
        for name, rows in tables.items():
            marks = ", ".join("?" * len(rows[0])) if rows else ""
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608 - ours
        connection.commit()
    finally:
        connection.close()


def write_postgresql(tables: Tables, url: str) -> None:
    """Makes the tables in a PostgreSQL database, in one transaction."""
    import psycopg  # noqa: PLC0415 - SQLite needs none of it

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(SCHEMA.encode())
        for name, rows in tables.items():
            with cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row(row)


def main() -> None:
    """What is typed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--accounts", type=int, default=40, help="how many people (40)")
    parser.add_argument("--seed", type=int, default=1, help="another one, other people")
    parser.add_argument("--night", type=int, default=1, choices=(1, 2), help="2: the next day")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--file", type=Path, help="a SQLite file")
    where.add_argument("--url", help="a PostgreSQL database: postgresql://host/database")
    where.add_argument("--sql", action="store_true", help="the statements, on standard output")
    typed = parser.parse_args()
    if typed.accounts < 1:
        parser.error("--accounts: at least 1")
    tables = sample_tables(typed.accounts, typed.seed, typed.night)
    if typed.file:
        write_sqlite(tables, typed.file)
    elif typed.url:
        write_postgresql(tables, typed.url)
    else:
        sys.stdout.writelines(to_sql(tables))


if __name__ == "__main__":
    main()

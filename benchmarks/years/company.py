"""A company as an access review sees it: accounts, roles, and the snapshot of a night."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import polars as pl

from schemas.snapshot import Snapshot
from schemas.tables import ACCOUNTS, ENTITLEMENTS, GRANTS, RESOURCES

START = datetime(2026, 1, 5, 2, tzinfo=UTC)  # a Monday


@dataclass
class Person:
    """An account."""

    email: str
    given: str
    family: str
    department: int
    status: str = "ACTIVE"
    roles: set[str] = field(default_factory=set)
    back_at: int | None = None
    gone_at: int | None = None


@dataclass
class Company:
    """A source on one night: its accounts by id, and what its entitlements are called."""

    people: dict[str, Person]
    labels: dict[str, str]
    domain: str = "corp.example"
    next_id: int = 0
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def snapshot(self, night: int) -> Snapshot:
        """The canonical tables; whoever can log in did so that night."""
        ids = sorted(self.people)
        people = [self.people[one] for one in ids]
        seen = START + timedelta(days=night)
        accounts = pl.DataFrame(
            {
                "integration_specific_id": ids,
                "email": [one.email or None for one in people],
                "given_name": [one.given or None for one in people],
                "family_name": [one.family or None for one in people],
                "username": ids,
                "user_status": [one.status for one in people],
                "account_type": ["user"] * len(ids),
                "last_login": [seen if one.status == "ACTIVE" else START for one in people],
                "last_activity": [None] * len(ids),
                "Department": [f"D{one.department}" for one in people],
            },
            schema=ACCOUNTS | {"Department": pl.String()},
        )
        roles = sorted(self.labels)
        rows = {role: row for row, role in enumerate(roles)}
        pairs = [
            (number, row)
            for number, one in enumerate(people)
            for row in sorted(rows[role] for role in one.roles if role in rows)
        ]
        catalogue = pl.DataFrame(
            {
                "entitlement_type": ["Role"] * len(roles),
                "integration_specific_id": roles,
                "integration_specific_resource_id": [""] * len(roles),
                "label": [self.labels[role] for role in roles],
                "description": [None] * len(roles),
                "is_assignable": [None] * len(roles),
            },
            schema=ENTITLEMENTS,
        )
        grants = pl.DataFrame(pairs, schema=GRANTS, orient="row")
        return Snapshot(accounts, catalogue, pl.DataFrame(schema=RESOURCES), grants)


def departments(size: int) -> int:
    """How many there are: teams of about 25."""
    return max(2, size // 25)


def usual_roles(department: int, dice: random.Random) -> set[str]:
    """What a member of a department holds."""
    more = {f"x{dice.randrange(12):02}" for _ in range(2)}
    return (
        {"base", f"d{department:03}-read"}
        | more
        | ({f"d{department:03}-write"} if dice.random() < 0.5 else set())
    )


def joins(company: Company, size: int) -> str:
    """A new account; its id."""
    dice, one = company.dice, f"p{company.next_id:06}"
    company.next_id += 1
    given, family = f"G{one}", f"F{one}"
    department = dice.randrange(departments(size))
    email = f"{given}.{family}@{company.domain}".lower()
    company.people[one] = Person(
        email, given, family, department, roles=usual_roles(department, dice)
    )
    return one


def founded(size: int, dice: random.Random) -> Company:
    """A company of that size: one account in eight is closed, a few are administrators."""
    labels = {"base": "Base", "admin": "Admin", "seasonal": "Seasonal"}
    labels |= {f"x{n:02}": f"Application {n}" for n in range(12)}
    for number in range(departments(size)):
        labels |= {f"d{number:03}-{kind}": f"D{number} {kind}" for kind in ("read", "write")}
    company = Company({}, labels, dice=dice)
    for number in range(size):
        one = joins(company, size)
        if number % 8 == 5:
            company.people[one].status = "SUSPENDED"
        if number < max(2, size // 1000):
            company.people[one].roles.add("admin")
    return company


def active(company: Company) -> list[str]:
    """The ids of those that can log in."""
    return [one for one, person in company.people.items() if person.status == "ACTIVE"]


def holders_of(company: Company, role: str) -> list[str]:
    """The ids of those that hold a role."""
    return sorted(one for one, person in company.people.items() if role in person.roles)

"""Do the guards hold lies, and let ordinary years pass? Simulated night by night.

`python -m benchmarks.years.ordinary_years [--sizes 20 60 …] [--years N]` prints both tables as
Markdown and ends with 1 where an ordinary year is held more than once or a lie passes. Snapshots go
through the real `to_plan`, `check_guards` and `window_breaches`, under the default guards.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.years.company import (
    START,
    Company,
    active,
    departments,
    founded,
    holders_of,
    joins,
    usual_roles,
)
from benchmarks.years.lies import DRIFTS, LIES, everyone_closed
from schemas.plan import Breach
from schemas.snapshot import Snapshot
from schemas.source_file.guards import Guards
from schemas.source_file.quantities import to_limit
from transforms.plan.guards import check_guards
from transforms.plan.plan import to_plan
from transforms.plan.window import window_breaches

SIZES = (20, 60, 200, 1000, 5000, 20_000)
NIGHTS = 365
WINDOW = 7

JOINERS, LEAVERS, MOVERS = 0.18, 0.15, 0.12
"""Of the accounts, in a year."""
MARRIAGES, ABSENCES, REHIRES = 0.01, 0.03, 0.01
SEASONAL = 0.08
RENAME_NIGHT, MOVE_NIGHT, ROLE_NIGHT = 200, 120, 260
SEASON, SEASON_NIGHTS = (147, 238), 5  # both Mondays
ANNOUNCED = Guards(max_changed_emails=to_limit("100%"))
"""What the source file says for the one run in which the domain is another."""


def often(expected: float, dice: random.Random) -> int:
    """How often something happens on a night on which it is expected so often."""
    whole = int(expected)
    return whole + (dice.random() < expected - whole)


def leaves(company: Company, one: str, night: int, dice: random.Random) -> None:
    """Half are deleted at once, half are closed and deleted a month later."""
    if dice.random() < 0.5:
        del company.people[one]
    else:
        company.people[one].status = "SUSPENDED"
        company.people[one].gone_at = night + 30


def moves(company: Company, one: str, department: int, dice: random.Random) -> None:
    """Another department, other roles."""
    person = company.people[one]
    person.department = department
    person.roles = usual_roles(department, dice) | (person.roles & {"admin", "training"})


def due(company: Company, night: int) -> None:
    """Who comes back from an absence that night, and who is deleted at last."""
    for one, person in list(company.people.items()):
        if person.back_at == night:
            person.status, person.back_at = "ACTIVE", None
        if person.gone_at is not None and person.gone_at <= night:
            del company.people[one]


def working_day(company: Company, night: int, size: int, dice: random.Random) -> None:
    """Joiners on Mondays; leavers, movers, marriages, absences and re-hires on any working day."""
    day = START + timedelta(days=night)
    if day.weekday() == 0:
        for _ in range(often(size * JOINERS / 52, dice)):
            one = joins(company, size)
            if night > ROLE_NIGHT:
                company.people[one].roles.add("training")
    events: list[tuple[float, Callable[[str], None]]] = [
        (LEAVERS, lambda one: leaves(company, one, night, dice)),
        (MOVERS, lambda one: moves(company, one, dice.randrange(departments(size)), dice)),
        (MARRIAGES, lambda one: marries(company, one)),
        (ABSENCES, lambda one: is_absent(company, one, night)),
    ]
    for rate, happens in events:
        for one in dice.sample(active(company), often(size * rate / 260, dice)):
            if one in company.people:
                happens(one)
    appoints(company, size)
    closed = [one for one, person in company.people.items() if person.gone_at is not None]
    for one in dice.sample(closed, min(len(closed), often(size * REHIRES / 260, dice))):
        company.people[one].status, company.people[one].gone_at = "ACTIVE", None


def appoints(company: Company, size: int) -> None:
    """An administrator where there are too few, one a night."""
    able = active(company)
    if sum("admin" in company.people[one].roles for one in able) < max(2, size // 1000):
        one = next(one for one in able if "admin" not in company.people[one].roles)
        company.people[one].roles = company.people[one].roles | {"admin"}


def marries(company: Company, one: str) -> None:
    """A new name, and a new address of it."""
    person = company.people[one]
    person.family = f"{person.family}-M"
    person.email = f"{person.given}.{person.family}@{company.domain}".lower()


def is_absent(company: Company, one: str, night: int) -> None:
    """Closed for a quarter of a year."""
    company.people[one].status = "SUSPENDED"
    company.people[one].back_at = night + 90 - (START + timedelta(days=night + 90)).weekday()


def special(company: Company, night: int, size: int, dice: random.Random) -> None:
    """What happens once a year."""
    people = company.people
    if night == MOVE_NIGHT:
        team = [one for one, person in people.items() if person.department == 0]
        for one in team[: max(1, len(team) * 2 // 5)]:
            moves(company, one, 1, dice)
    if night == RENAME_NIGHT:
        company.domain = "new.example"
        for person in people.values():
            person.email = f"{person.email.partition('@')[0]}@new.example"
    if night == ROLE_NIGHT:
        company.labels["training"] = "Training"
        for one in active(company):
            people[one].roles.add("training")
    season(company, night, size)


def season(company: Company, night: int, size: int) -> None:
    """Seasonal staff comes within a week, and goes within another."""
    first, last = SEASON
    if 0 <= night - first < SEASON_NIGHTS:
        for number in range(round(size * SEASONAL)):
            if number % SEASON_NIGHTS == night - first:
                company.people[joins(company, size)].roles = {"base", "seasonal"}
    if 0 <= night - last < SEASON_NIGHTS:
        staff = holders_of(company, "seasonal")
        for one in staff[: -(-len(staff) // (SEASON_NIGHTS - (night - last)))]:
            del company.people[one]


@dataclass
class History:
    """The snapshots that were accepted, with their nights; a week and a day of them."""

    nights: list[tuple[int, Snapshot]]

    def judged(self, night: int, snapshot: Snapshot, guards: Guards) -> tuple[Breach, ...]:
        """The breaches of a snapshot."""
        last = self.nights[-1][1]
        plan = to_plan(snapshot, last)
        if plan.is_empty:
            return ()
        earlier = [(at, one) for at, one in self.nights[:-1]]
        old = [n for n, (at, _) in enumerate(earlier) if at <= night - WINDOW]
        earlier = earlier[old[-1] if old else 0 :]
        breaches = check_guards(plan, {}, guards)
        fetches = [lambda one=one: one for _, one in earlier]
        return (*breaches, *window_breaches(plan, snapshot, last, fetches, guards))

    def accept(self, night: int, snapshot: Snapshot) -> None:
        """That snapshot is what the app holds now."""
        self.nights = [*self.nights[-WINDOW - 1 :], (night, snapshot)]


def year(size: int, seed: int) -> tuple[list[tuple[int, tuple[Breach, ...]]], Company, History]:
    """The nights of an ordinary year that are held, and how the company stands at its end."""
    dice = random.Random(seed)
    company = founded(size, dice)
    history = History([(0, company.snapshot(0))])
    held = []
    for night in range(1, NIGHTS):
        if (START + timedelta(days=night)).weekday() >= 5:
            continue
        due(company, night)
        working_day(company, night, size, dice)
        special(company, night, size, dice)
        snapshot = company.snapshot(night)
        guards = ANNOUNCED if night == RENAME_NIGHT else Guards()
        breaches = history.judged(night, snapshot, guards)
        if breaches:
            held.append((night, breaches))
        history.accept(night, snapshot)
    return held, company, history


def told(name: str, company: Company, history: History) -> str:
    """The guards that hold a lie, or an empty text where it passes."""
    company, history = deepcopy(company), History(list(history.nights))
    tell, nights = (LIES[name], 1) if name in LIES else (DRIFTS[name], 6)
    for night in range(NIGHTS, NIGHTS + nights):
        tell(company)
        snapshot = company.snapshot(night)
        breaches = history.judged(night, snapshot, Guards())
        if breaches:
            count = f" (night {night - NIGHTS + 1})" if nights > 1 else ""
            return ", ".join(dict.fromkeys(one.guard for one in breaches)) + count
        history.accept(night, snapshot)
    return ""


def five_active(seed: int) -> str:
    """60 accounts, of which 5 can log in; all 5 are closed."""
    company = founded(60, random.Random(seed))
    for person in list(company.people.values())[5:]:
        person.status = "SUSPENDED"
    history = History([(NIGHTS - 1, company.snapshot(0))])
    everyone_closed(company)
    breaches = history.judged(NIGHTS, company.snapshot(0), Guards())
    return ", ".join(one.guard for one in breaches)


def few_closed(seed: int) -> str:
    """200 accounts, of which 3 are closed; all 3 are open."""
    company = founded(200, random.Random(seed))
    for number, person in enumerate(company.people.values()):
        person.status = "SUSPENDED" if number in {20, 90, 91} else "ACTIVE"
    history = History([(NIGHTS - 1, company.snapshot(0))])
    LIES["status column filled: all ACTIVE"](company)
    breaches = history.judged(NIGHTS, company.snapshot(0), Guards())
    return ", ".join(one.guard for one in breaches)


def report(sizes: tuple[int, ...], years: int) -> Iterator[tuple[str, bool]]:
    """The lines of both tables, and whether each is as it should be."""
    yield "| accounts | years | holds a year, at most | held for |", True
    yield "| ---: | ---: | ---: | --- |", True
    ends = {}
    for size in sizes:
        count = years if size <= 1000 else 1
        ended = [year(size, seed) for seed in range(count)]
        most = max(len(held) for held, _, _ in ended)
        guards = sorted({one.guard for held, _, _ in ended for _, why in held for one in why})
        ends[size] = ended[0][1:]
        yield f"| {size:,} | {count} | {most} | {', '.join(guards)} |", most <= 1
    yield "", True
    yield f"| lie | {' | '.join(f'{size:,}' for size in sizes)} |", True
    yield f"| --- {'| --- ' * len(sizes)}|", True
    for name in (*LIES, *DRIFTS):
        held = [told(name, *ends[size]) for size in sizes]
        yield f"| {name} | {' | '.join(one or 'PASSES' for one in held)} |", all(held)
    closed = five_active(7)
    yield f"| all 5 that can log in of 60 closed | {closed or 'PASSES'} |", bool(closed)
    woken = few_closed(7)
    yield f"| all 3 that are closed of 200 open | {woken or 'PASSES'} |", bool(woken)


def main() -> int:
    """Both tables; 1 where a line is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--years", type=int, default=3, help="of each size; one of the largest")
    options = parser.parse_args()
    began, is_right = time.monotonic(), True
    for line, is_good in report(tuple(options.sizes), options.years):
        print(line)
        is_right = is_right and is_good
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())

"""Lies: exports that are not what the source holds. Each changes a company as an export would."""

from collections.abc import Callable

from benchmarks.years.company import Company, active, holders_of, joins

Lie = Callable[[Company], None]
LIES: dict[str, Lie] = {}
DRIFTS: dict[str, Lie] = {}
"""Told six nights running, each night within its bounds."""


def lie(name: str, kind: dict[str, Lie] = LIES) -> Callable[[Lie], Lie]:
    """Enters a lie under its name."""

    def enter(told: Lie) -> Lie:
        kind[name] = told
        return told

    return enter


@lie("status column filled: all ACTIVE")
def _filled(company: Company) -> None:
    for person in company.people.values():
        person.status = "ACTIVE"


@lie("everyone closed")
def everyone_closed(company: Company) -> None:
    """Nobody can log in."""
    for person in company.people.values():
        person.status = "SUSPENDED"


@lie("cross join: everyone holds everything")
def _crossed(company: Company) -> None:
    for person in company.people.values():
        person.roles = set(company.labels)


@lie("everyone gets Admin")
def _admins(company: Company) -> None:
    for person in company.people.values():
        person.roles = person.roles | {"admin"}


@lie("everyone gets a role of two that nobody watches")
def _quiet(company: Company) -> None:
    company.labels["admin"] = "Keyholder"
    _admins(company)


@lie("no associations at all")
def _bare(company: Company) -> None:
    for person in company.people.values():
        person.roles = set()


@lie("a role emptied")
def _emptied(company: Company) -> None:
    for one in holders_of(company, "d001-read"):
        company.people[one].roles = company.people[one].roles - {"d001-read"}


@lie("a role gone from the catalogue with its holders")
def _gone(company: Company) -> None:
    del company.labels["d001-read"]


@lie("two roles swapped between their holders")
def _swapped(company: Company) -> None:
    swap = {"d000-read": "d001-read", "d001-read": "d000-read"}
    for person in company.people.values():
        person.roles = {swap.get(role, role) for role in person.roles}


@lie("all holders of Admin lose it, others gain it")
def _others(company: Company) -> None:
    holders = holders_of(company, "admin")
    others = [one for one in sorted(company.people) if one not in holders][: len(holders)]
    for one in holders:
        company.people[one].roles = company.people[one].roles - {"admin"}
    for one in others:
        company.people[one].roles = company.people[one].roles | {"admin"}


@lie("as many strangers appended")
def _strangers(company: Company) -> None:
    for _ in range(len(company.people)):
        joins(company, len(company.people))


@lie("the lower half of the file is missing")
def _cut(company: Company) -> None:
    ids = sorted(company.people)
    for one in ids[len(ids) // 2 :]:
        del company.people[one]


@lie("e-mail column shifted by one row")
def _shifted(company: Company) -> None:
    ids = sorted(company.people)
    emails = [company.people[one].email for one in ids]
    for one, email in zip(ids, [*emails[1:], emails[0]], strict=True):
        company.people[one].email = email


@lie("e-mail column shuffled alone")
def _sorted(company: Company) -> None:
    emails = [person.email for person in company.people.values()]
    company.dice.shuffle(emails)
    for person, email in zip(company.people.values(), emails, strict=True):
        person.email = email


@lie("two e-mails exchanged")
def _exchanged(company: Company) -> None:
    one, other = list(company.people.values())[:2]
    one.email, other.email = other.email, one.email


@lie("another domain, not announced")
def _domain(company: Company) -> None:
    for person in company.people.values():
        person.email = f"{person.email.partition('@')[0]}@else.example"


@lie("department column shifted by one row")
def _departments(company: Company) -> None:
    ids = sorted(company.people)
    departments = [company.people[one].department for one in ids]
    for one, department in zip(ids, [*departments[1:], departments[0]], strict=True):
        company.people[one].department = department


@lie("status column shifted by one row")
def _statuses(company: Company) -> None:
    ids = sorted(company.people)
    statuses = [company.people[one].status for one in ids]
    for one, status in zip(ids, [*statuses[1:], statuses[0]], strict=True):
        company.people[one].status = status


@lie("all e-mails blank")
def _no_mail(company: Company) -> None:
    for person in company.people.values():
        person.email = ""


@lie("all family names blank")
def _no_name(company: Company) -> None:
    for person in company.people.values():
        person.family = ""


@lie("ids in upper case")
def _upper(company: Company) -> None:
    company.people = {one.upper(): person for one, person in company.people.items()}


@lie("one id with a blank after it")
def _blank(company: Company) -> None:
    one = next(iter(company.people))
    company.people[f"{one} "] = company.people.pop(one)


@lie("labels shifted by one")
def _labels(company: Company) -> None:
    roles = sorted(company.labels)
    labels = [company.labels[role] for role in roles]
    company.labels = dict(zip(roles, [*labels[1:], labels[0]], strict=True))


@lie("two labels exchanged")
def _two_labels(company: Company) -> None:
    labels = company.labels
    labels["base"], labels["admin"] = labels["admin"], labels["base"]


def _some(share: float, which: list[str]) -> list[str]:
    return sorted(which)[: max(1, int(len(which) * share))]


@lie("9 % removed, six nights running", DRIFTS)
def _removed(company: Company) -> None:
    for one in _some(0.09, list(company.people)):
        del company.people[one]


@lie("9 % closed, six nights running", DRIFTS)
def _closing(company: Company) -> None:
    for one in _some(0.09, active(company)):
        company.people[one].status = "SUSPENDED"


@lie("24 % added, six nights running", DRIFTS)
def _growing(company: Company) -> None:
    for _ in range(max(1, int(len(company.people) * 0.24))):
        joins(company, len(company.people))


@lie("4 % of the e-mails changed, six nights running", DRIFTS)
def _changing(company: Company) -> None:
    good = [one for one, person in company.people.items() if "@bad" not in person.email]
    for one in _some(0.04, good):
        company.people[one].email = f"{one}@bad.example"

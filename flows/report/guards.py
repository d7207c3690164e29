"""The guards of a run: what each counted beside what it allowed, and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.guards import GUARD, is_approvable
from schemas.run import Run, SeenBreach

_TITLES = {
    "min_accounts": "Accounts there must be",
    "max_removed_accounts": "Accounts removed",
    "max_deactivated_accounts": "Accounts that can log in no more",
    "max_removed_associations": "Permissions taken away",
    "max_emptied_entitlements": "Entitlements that nobody holds any more",
    "max_added_accounts": "New accounts",
    "max_activated_accounts": "Accounts that can log in again",
    "max_added_associations": "Permissions given",
    "max_changed_emails": "Accounts with another e-mail or name",
    "max_swapped_emails": "E-mails that were another account's",
    "max_respelled_ids": "Ids that came back spelled otherwise",
    "max_renamed_entitlements": "Entitlements under another name",
    "max_rejected_rows": "Rejected rows",
    "max_blanked_fields": "Values that are gone",
    "per_entitlement.max_removed": "Holders that one entitlement loses",
    "per_entitlement.max_added": "Holders that one entitlement gains",
    "watched.max_added": "Holders that a watched entitlement gains",
    "watched.max_removed": "Holders that a watched entitlement loses",
    "first_into_full_app": "Accounts in an app that nobody here has fed",
    "keep_last_for": "Records that are kept for too long",
}
_LEAST = "min_accounts"
_ROOM = 1.25
"""How far a bar's scale goes beyond what is on it."""


@dataclass(frozen=True, slots=True)
class GuardLine:
    """A guard of a run.

    Attributes:
        key: its key in the source file.
        title: what it counts, in a few words.
        found: how many.
        allowed: how many it lets pass; of `min_accounts`, how many it asks for.
        limit: what the file says.
        base: what a share is of, in words with its count; "" for none.
        is_broken: whether it holds the plan.
        is_approvable: whether a person may let that through.
        found_percent: where the count stands on the bar.
        allowed_percent: where the bound does.
    """

    key: str
    title: str
    found: int
    allowed: int
    limit: str
    base: str
    is_broken: bool
    is_approvable: bool
    found_percent: float
    allowed_percent: float


@dataclass(frozen=True, slots=True)
class GuardsShown:
    """The guards of a run.

    Attributes:
        lines: those of which the plan has something, the broken ones first.
        quiet: those of which it has nothing.
        is_noted: whether the run noted what each counted; one of before noted breaches alone.
    """

    lines: tuple[GuardLine, ...]
    quiet: tuple[GuardLine, ...]
    is_noted: bool


def title_of(key: str) -> str:
    """What a guard counts, in a few words; its key where it is of another version."""
    return _TITLES.get(key, key)


def to_line(seen: SeenBreach) -> str:
    """A breach as a sentence."""
    title = title_of(seen.guard)
    if seen.guard == _LEAST:
        return f"{title}: {seen.count:,}, at least {seen.limit} ({seen.guard})"
    relation = GUARD[seen.guard].relation if seen.guard in GUARD else "of"
    base = f" {relation} {seen.of:,} {seen.table}".rstrip() if seen.of else ""
    return f"{title}: {seen.count:,}{base}; the bound is {seen.limit} ({seen.guard})"


def guards_of(run: Run) -> GuardsShown:
    """The guards of the run, by what it noted."""
    noted = run.plan.get("guards")
    verdict = run.plan.get("verdict")
    breaches = verdict.get("breaches", []) if isinstance(verdict, dict) else []
    judged = noted if isinstance(noted, list) else []
    every = [*judged, *(one for one in breaches if one not in judged)]
    lines = [_line(one) for one in every]
    told = sorted(
        (one for one in lines if one.is_broken or (one.found and one.key != _LEAST)),
        key=lambda one: (not one.is_broken, -one.found / max(one.allowed, 0.5)),
    )
    quiet = tuple(one for one in lines if one not in told)
    return GuardsShown(tuple(told), quiet, isinstance(noted, list))


def _line(judged: Mapping[str, Any]) -> GuardLine:
    key, found, allowed = str(judged["guard"]), int(judged["found"]), int(judged["allowed"])
    of = str(judged.get("of") or judged.get("table") or "")
    largest = max(found, allowed, 1) * _ROOM
    return GuardLine(
        key=key,
        title=title_of(key),
        found=found,
        allowed=allowed,
        limit=str(judged["limit"]),
        base="" if key == _LEAST else f"{int(judged['base']):,} {of}".rstrip(),
        is_broken=found < allowed if key == _LEAST else found > allowed,
        is_approvable=is_approvable(key),
        found_percent=round(100 * found / largest, 2),
        allowed_percent=round(100 * allowed / largest, 2),
    )

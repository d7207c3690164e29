"""Guards: whether a plan is plausible. A breach uploads nothing; a person decides."""

from schemas.plan import Breach, Plan
from schemas.source_file.guards import Guards
from schemas.source_file.quantities import Limit
from transforms.tables.rejects import TableCount

FLOOR = 1
"""What a share allows in the smallest set: one account may always leave, with all it holds."""


def check_guards(plan: Plan, counts: dict[str, TableCount], guards: Guards) -> tuple[Breach, ...]:
    """The guards that the plan breaks, in the source file's order; where none, it may be uploaded.

    Shares of removals are of the last accepted snapshot, of rejects of the rows read, without those
    that a transform dropped, table by table: the many associations of a few accounts must not make
    room for rejected accounts. On a first run nothing can be removed or deactivated. The
    associations of a single account that leaves count with the account.
    """
    least = max(guards.min_accounts, 1)
    too_few = []
    if plan.accounts.after < least:
        count = plan.accounts.after
        too_few.append(
            Breach("min_accounts", str(guards.min_accounts), least, count, count, is_removal=False)
        )
    removed_associations = plan.associations.removed
    if plan.accounts.removed <= FLOOR:
        removed_associations -= plan.removed_of_removed_accounts
    before, grants = plan.accounts.before, plan.associations.before
    limits = (
        ("max_removed_accounts", guards.max_removed_accounts, plan.accounts.removed, before),
        ("max_removed_associations", guards.max_removed_associations, removed_associations, grants),
        ("max_deactivated_accounts", guards.max_deactivated_accounts, plan.deactivated, before),
    )
    breaches = [_breach(*limit) for limit in limits]
    breaches += [
        _breach("max_rejected_rows", guards.max_rejected_rows, count.rejected, count.judged, table)
        for table, count in counts.items()
    ]
    return (*too_few, *(breach for breach in breaches if breach))


def _breach(
    guard: str, limit: Limit, count: int, base: int, table: str | None = None
) -> Breach | None:
    allowed = limit.allowed(base, FLOOR)
    if count <= allowed:
        return None
    is_removal = table is None
    return Breach(guard, str(limit), allowed, count, base, is_removal, table)

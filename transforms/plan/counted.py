"""What a plan has of what the guards bound: counts, what they are shares of, and the first ids."""

from dataclasses import dataclass

import polars as pl

from schemas.plan import Counted
from schemas.snapshot import Snapshot
from schemas.statuses import CAN_LOG_IN
from schemas.tables import ACCOUNTS, ASSOCIATIONS
from transforms.plan.association_changes import AssociationChanges
from transforms.plan.identity import changed_people, swapped_emails
from transforms.plan.matched import Matched, column_at

SHOWN = 10
"""How many ids a person is shown of what a guard counts."""

ALONE = 1
"""As many accounts come or go with all they hold, which does not count a second time."""

COULD = "accounts that could log in"
COULD_NOT = "accounts that could not log in"
PEOPLE = "addresses and names"
_NAMING = ("email", "given_name", "family_name", "username")
_FEW = 3
"""How many accounts may lose a value that names nobody, however few had one."""

_NEARLY_ALL = 0.9

_SEVERAL = 2
"""How many are more than one who comes back: where it is most of those that were closed."""

_ID = "integration_specific_id"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two snapshots and what differs between them.

    Attributes:
        now: the snapshot in question.
        before: the one it is compared with.
        accounts: where their accounts stand.
        differences: the accounts in both that differ: `now`, `before` and `fields`.
        associations: who holds what.
        renamed: the entitlements in both whose label is another: `id`, `label`, `label_before`.
        renamed_resources: the resources likewise.
        lookalikes: `LOOKALIKES`.
    """

    now: Snapshot
    before: Snapshot
    accounts: Matched
    differences: pl.DataFrame
    associations: AssociationChanges
    renamed: pl.DataFrame
    renamed_resources: pl.DataFrame
    lookalikes: pl.DataFrame


def to_counted(compared: Compared) -> tuple[Counted, ...]:
    """Every count but those of single entitlements, which `HOLDER_CHANGES` holds."""
    return (
        *_statuses(compared),
        *_associations(compared),
        *_identity(compared),
        *_labels(compared.renamed, compared.before.entitlements.height, "entitlements"),
        *_labels(compared.renamed_resources, compared.before.resources.height, "resources"),
        *_blanked(compared),
        *_exchanged(compared),
        *_widened(compared),
    )


def _ids(ids: pl.Series) -> tuple[str, ...]:
    return tuple(ids.head(SHOWN).to_list())


def _statuses(compared: Compared) -> tuple[Counted, ...]:
    """Accounts that came, went, and could or can log in."""
    now, before, rows = compared.now.accounts, compared.before.accounts, compared.accounts
    could = before["user_status"].is_in(CAN_LOG_IN)
    could_count = int(could.sum())
    removed = before[_ID].gather(rows.removed)
    removed_that_could = removed.filter(could.gather(rows.removed))
    changed = compared.differences
    could_before = could.gather(changed["before"])
    can_now = now["user_status"].gather(changed["now"]).is_in(CAN_LOG_IN)
    ids = now[_ID].gather(changed["now"])
    closed, opened = ids.filter(could_before & ~can_now), ids.filter(~could_before & can_now)
    added = now[_ID].gather(rows.added)
    still_closed = int((~could).gather(rows.before).sum())
    is_most = opened.len() >= _SEVERAL and opened.len() * 2 > still_closed
    woken = _counted("max_activated_accounts", opened, still_closed, COULD_NOT)
    return (
        _counted("max_removed_accounts", removed, before.height, "accounts"),
        _counted("max_removed_accounts", removed_that_could, could_count, COULD),
        _counted("max_deactivated_accounts", closed, could_count, COULD),
        _counted("max_added_accounts", added, before.height, "accounts"),
        _counted("max_activated_accounts", opened, could_count, COULD),
        *([woken] if is_most else []),
    )


def _associations(compared: Compared) -> tuple[Counted, ...]:
    """Associations that came and went; those of a single account do so with it."""
    changes = compared.associations
    came = changes.of_added_accounts if compared.accounts.added.len() <= ALONE else 0
    went = changes.of_removed_accounts if compared.accounts.removed.len() <= ALONE else 0
    base = changes.counts.before
    return (
        Counted(
            "max_removed_associations", changes.counts.removed - went, base, "associations",
            ids=_pairs(changes.frame, "removed"),
        ),
        Counted(
            "max_added_associations", changes.counts.added - came, base, "associations",
            ids=_pairs(changes.frame, "added"),
        ),
    )  # fmt: skip


def _pairs(frame: pl.DataFrame, change: str) -> tuple[str, ...]:
    rows = frame.filter(pl.col("change") == change).head(SHOWN)
    return _ids(
        rows.select(
            pl.format("{}: {}", "account_id", "integration_specific_entitlement_id")
        ).to_series()
    )


def _identity(compared: Compared) -> tuple[Counted, ...]:
    """People who are others by address or names, or took another's; ids in another spelling."""
    now, before, rows = compared.now.accounts, compared.before.accounts, compared.accounts
    changed = changed_people(now, before, compared.differences)
    has_names = pl.col("given_name").is_not_null() & pl.col("family_name").is_not_null()
    is_told = before.select(pl.col("email").is_not_null() | has_names).to_series()
    base = int(is_told.gather(rows.before).sum())
    swapped = swapped_emails(now, before, rows, changed)
    respelled = compared.lookalikes.filter(alike="id")["removed"]
    return (
        _counted("max_changed_emails", now[_ID].gather(changed["now"]), base, PEOPLE),
        _counted("max_swapped_emails", swapped, base, PEOPLE),
        _counted("max_respelled_ids", respelled, before.height, "accounts"),
    )


def _labels(renamed: pl.DataFrame, base: int, table: str) -> tuple[Counted, ...]:
    """Labels that are others, and those among them that another row had and has no more."""
    had = renamed["label_before"].implode()
    moved = renamed.filter(pl.col("label").is_in(had))
    key = "max_renamed_entitlements"
    return (
        _counted(key, renamed["id"], base, table),
        _counted(key, moved["id"], renamed.height, f"{table} with another label"),
    )


def _blanked(compared: Compared) -> tuple[Counted, ...]:
    """Of accounts that can log in: those that had a value and have none, field by field.

    An account that is closed may be made anonymous; a field that is there no more is told apart.
    """
    now, before = compared.now.accounts, compared.before.accounts
    changed = compared.differences
    can = now["user_status"].is_in(CAN_LOG_IN)
    fields = set(changed["fields"].explode().drop_nulls())
    counted = []
    for name in (*ACCOUNTS, *compared.now.attribute_labels):
        if name not in fields or name not in before.columns:
            continue
        is_blank = now[name].gather(changed["now"]).is_null() & can.gather(changed["now"])
        ids = now[_ID].gather(changed["now"]).filter(is_blank)
        had = column_at(before, name, compared.accounts.before).is_not_null()
        base = int((had & can.gather(compared.accounts.now)).sum())
        floor = ALONE if name in _NAMING else _FEW
        counted.append(
            Counted("max_blanked_fields", ids.len(), base, f"values of {name}", floor, _ids(ids))
        )
    return tuple(counted)


def _exchanged(compared: Compared) -> tuple[Counted, ...]:
    """Accounts whose value is now one that others had and gave for it: attributes, half a name.

    As when a column is shifted by a row, or sorted alone: each value is there as often as before,
    beside somebody else. Where people move from one department to another none are, nor where a
    number grows. Of whoever has both names of another, `changed_people` tells.
    """
    now, before, changed = compared.now, compared.before, compared.differences
    names = {"given_name": "family_name", "family_name": "given_name"}
    shared = {*now.attribute_labels} & {*before.attribute_labels} | names.keys()
    counted = []
    for name in sorted(shared & set(changed["fields"].explode().drop_nulls())):
        is_whole = pl.col("fields").list.contains(names.get(name, ""))
        rows = changed.filter(~is_whole) if name in names else changed
        values = pl.DataFrame(
            {
                "id": now.accounts[_ID].gather(rows["now"]),
                "new": now.accounts[name].gather(rows["now"]),
                "old": before.accounts[name].gather(rows["before"]),
            }
        ).filter(pl.col("new") != pl.col("old"))
        found = values.height - _net(values)
        if not found or _grows(values):
            continue
        ids = values.filter(pl.col("new").is_in(values["old"].implode()))["id"]
        base = column_at(before.accounts, name, compared.accounts.before).count()
        what = f"values of {name}"
        counted.append(Counted("max_exchanged_attributes", found, base, what, ids=_ids(ids)))
    return tuple(counted)


def _net(values: pl.DataFrame) -> int:
    """How many of `new` are more than were there in `old`, value by value."""
    came = values.group_by(value="new").agg(pl.len().cast(pl.Int64).alias("came"))
    went = values.group_by(value="old").agg(pl.len().cast(pl.Int64).alias("went"))
    both = came.join(went, on="value", how="left")
    more = pl.col("came") - pl.col("went").fill_null(0)
    return int(both.select(more.clip(lower_bound=0).sum()).item())


def _grows(values: pl.DataFrame) -> bool:
    """Whether the values are numbers of which nearly all went the same way: a count, an age."""
    new, old = (values[one].cast(pl.Float64, strict=False) for one in ("new", "old"))
    up, down = int((new > old).sum()), int((new < old).sum())
    return max(up, down) >= _NEARLY_ALL * values.height


def _widened(compared: Compared) -> tuple[Counted, ...]:
    """Associations that held within a resource and hold everywhere now: the resource is blank.

    Of the entitlement of which they are the largest share.
    """
    changes = compared.associations.frame
    account, entitlement, resource = ASSOCIATIONS
    was = changes.filter((pl.col("change") == "removed") & (pl.col(resource) != ""))
    now = changes.filter((pl.col("change") == "added") & (pl.col(resource) == ""))
    widened = now.join(was, on=[account, entitlement], how="semi", maintain_order="left")
    if widened.is_empty():
        return ()
    before = compared.before
    catalogue = before.entitlements.select(
        pl.col("integration_specific_id").alias(entitlement), resource
    )
    held = catalogue.select(pl.all().gather(before.grants["entitlement"]))
    base = held.filter(pl.col(resource) != "").group_by(entitlement).len("base")
    found = widened.group_by(entitlement).len("found").join(base, on=entitlement)
    most = found.sort(pl.col("found") / pl.col("base"), "found", entitlement).row(-1, named=True)
    of_most = widened.filter(pl.col(entitlement) == most[entitlement])
    return (
        Counted(
            "max_blanked_fields",
            most["found"],
            most["base"],
            "associations of an entitlement within a resource",
            ALONE,
            _ids(of_most.select(pl.format("{}: {}", account, entitlement)).to_series()),
        ),
    )


def to_unread(rejects: pl.DataFrame, now: Snapshot, before: Snapshot) -> tuple[Counted, ...]:
    """Of accounts that can log in: those whose address or name cannot be read, and could last time.

    Where that is most of a column it is not the column that it was.

    Args:
        rejects: `REJECTS`, of the read that `now` is made of.
        now: the snapshot in question.
        before: the one it is compared with.
    """
    cells = rejects.filter((pl.col("table") == "accounts") & pl.col("is_cell"))
    if cells.is_empty():
        return ()
    can = now.accounts.filter(pl.col("user_status").is_in(CAN_LOG_IN)).select(_ID)
    counted = []
    for name in _NAMING:
        is_of = (pl.col("column") == name).fill_null(value=True)
        of = cells.filter(is_of).select(pl.col("key").alias(_ID)).unique(maintain_order=True)
        had = before.accounts.filter(pl.col(name).is_not_null()).select(_ID).join(can, on=_ID)
        ids = of.join(had, on=_ID, how="semi", maintain_order="left")[_ID]
        what = f"values of {name} that cannot be read"
        counted.append(Counted("max_blanked_fields", ids.len(), had.height, what, ALONE, _ids(ids)))
    return tuple(one for one in counted if one.found)


def _counted(guard: str, ids: pl.Series, base: int, of: str) -> Counted:
    return Counted(guard, ids.len(), base, of, ids=_ids(ids))

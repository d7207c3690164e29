"""What a snapshot changes against the last accepted one: counts to show, frames to keep private."""

from dataclasses import dataclass, field

import polars as pl

from schemas import guards

ACCOUNT_CHANGES = {
    "integration_specific_id": pl.String(),
    "change": pl.String(),
    "fields": pl.List(pl.String()),
    "status_before": pl.String(),
    "status_after": pl.String(),
}
"""`change` is added, changed or removed; `fields` names what differs, empty but for changed."""

ASSOCIATION_CHANGES = {
    "account_id": pl.String(),
    "integration_specific_entitlement_id": pl.String(),
    "integration_specific_resource_id": pl.String(),
    "change": pl.String(),
}

ENTITLEMENT_CHANGES = {
    "integration_specific_id": pl.String(),
    "integration_specific_resource_id": pl.String(),
    "change": pl.String(),
    "fields": pl.List(pl.String()),
}

HOLDER_CHANGES = {
    "integration_specific_id": pl.String(),
    "integration_specific_resource_id": pl.String(),
    "label_before": pl.String(),
    "label": pl.String(),
    "is_new": pl.Boolean(),
    "before": pl.Int64(),
    "gained": pl.Int64(),
    "gained_by_others": pl.Int64(),
    "lost": pl.Int64(),
    "lost_by_others": pl.Int64(),
}
"""One row an entitlement that gained or lost holders, or whose holders have it under another label.

`is_new`: it was not in the catalogue.

`before` holders it had; `gained_by_others` and `lost_by_others`: of the gained and the lost, those
whose account was there before, and is there still.
"""

LOOKALIKES = {"removed": pl.String(), "added": pl.String(), "alike": pl.String()}
"""A removed and an added account that look like one person: `alike` in their id or e-mail."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a plan has of what a guard bounds.

    Attributes:
        guard: the guard's key in the source file.
        found: how many.
        base: what a share is of, a count.
        of: what those are, in words.
        floor: what a share allows at least; 0: what the guard's row says.
        ids: the first of them, for a person at a terminal alone.
    """

    guard: str
    found: int
    base: int
    of: str
    floor: int = 0
    ids: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Changes:
    """One table's changes in numbers; `before` and `after` are its rows then and now."""

    before: int = 0
    after: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen if the snapshot were accepted.

    The frames hold ids: they are shown to the operator who asks for them, never
    logged.

    Attributes:
        is_first: nothing was accepted before, so everything is an add.
        accounts: changes of accounts; an association is not a field of its account.
        entitlements: changes of entitlements, with what their resources are called.
        associations: changes of associations; none of them is ever `changed`.
        deactivated: accounts that could log in and now cannot, by status; removed ones are not
            among them.
        removed_of_removed_accounts: how many of the removed associations went with their account.
        by_status: accounts now, by status.
        status_flips: `ACTIVE → SUSPENDED` and the like: how many.
        changed_fields: a field's name: how many accounts differ in it.
        attributes_added: labels that were not there before.
        attributes_removed: labels that are gone.
        fields_filled: fields of accounts that no account had before, and some have now.
        fields_emptied: fields that some account had before, and none has now: a column that went.
        account_changes: `ACCOUNT_CHANGES`, by id.
        entitlement_changes: `ENTITLEMENT_CHANGES`, in the catalogue's order.
        association_changes: `ASSOCIATION_CHANGES`, in the snapshot's order, removed ones last.
        holder_changes: `HOLDER_CHANGES`.
        lookalikes: `LOOKALIKES`, by the removed account's id.
        counted: what the guards bound, but for what `holder_changes` says.
    """

    is_first: bool
    accounts: Changes
    entitlements: Changes
    associations: Changes
    deactivated: int = 0
    removed_of_removed_accounts: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    status_flips: dict[str, int] = field(default_factory=dict)
    changed_fields: dict[str, int] = field(default_factory=dict)
    attributes_added: tuple[str, ...] = ()
    attributes_removed: tuple[str, ...] = ()
    fields_filled: tuple[str, ...] = ()
    fields_emptied: tuple[str, ...] = ()
    account_changes: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=ACCOUNT_CHANGES)
    )
    entitlement_changes: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=ENTITLEMENT_CHANGES)
    )
    association_changes: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=ASSOCIATION_CHANGES)
    )
    holder_changes: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=HOLDER_CHANGES)
    )
    lookalikes: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LOOKALIKES))
    counted: tuple[Counted, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the snapshot equals the last accepted one."""
        return (
            not self.is_first
            and self.accounts.is_empty
            and self.entitlements.is_empty
            and self.associations.is_empty
            and not self.attributes_added
            and not self.attributes_removed
        )


@dataclass(frozen=True, slots=True)
class Breach:
    """What a plan has of what a guard bounds, and what is allowed: a breach where it is more.

    Attributes:
        guard: the guard's key in the source file.
        limit: what the file says, as written.
        allowed: what that comes to, a count.
        found: what the plan has, a count.
        base: what a share is of, a count.
        table: the table whose rows are counted.
        of: what a share is of, in words, where that is not the table.
        ids: the first of what is counted, for a person at a terminal: never logged or kept.
    """

    guard: str
    limit: str
    allowed: int
    found: int
    base: int
    table: str | None = None
    of: str = ""
    ids: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def is_approvable(self) -> bool:
        """Whether a person may let the plan through."""
        return guards.is_approvable(self.guard)

    @property
    def is_broken(self) -> bool:
        """Whether the plan has more than is allowed, or of what it needs at least, less."""
        if self.guard.startswith("min_"):
            return self.found < self.allowed
        return self.found > self.allowed

    def __str__(self) -> str:
        if self.guard.startswith("min_"):
            return f"{self.guard}: {self.found} of at least {self.allowed}"
        row = guards.GUARD.get(self.guard)
        is_plain = row is not None and row.table in (self.of or self.table, None)
        of = str(self.base) if is_plain else f"{self.base} {self.of or self.table or ''}".rstrip()
        relation = row.relation if row else "of"
        return f"{self.guard}: {self.found} {relation} {of}, allowed {self.allowed} ({self.limit})"

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
    """A guard that a plan breaks.

    Attributes:
        guard: the guard's key in the source file.
        limit: what the file says, as written.
        allowed: what that comes to, a count.
        found: what the plan has, a count.
        base: what a share is of, a count.
        is_removal: whether `--allow-removals` may lift it.
        table: the table whose rows are counted, where the guard's name does not say.
    """

    guard: str
    limit: str
    allowed: int
    found: int
    base: int
    is_removal: bool
    table: str | None = None

    @property
    def is_approvable(self) -> bool:
        """Whether a person may let the plan through."""
        return guards.is_approvable(self.guard)

    def __str__(self) -> str:
        if self.guard.startswith("min_"):
            return f"{self.guard}: {self.found} of at least {self.allowed}"
        of = f"{self.base} {self.table}" if self.table else str(self.base)
        return f"{self.guard}: {self.found} of {of}, allowed {self.allowed} ({self.limit})"

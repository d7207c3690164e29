"""The guards: what each counts, of what a share is, what it allows by default, who may approve."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """A bound on a plan, under its key in the block `guards` of a source file.

    Attributes:
        key: as the file writes it; of a block's part with a dot between.
        table: whose rows are counted.
        counted: what is counted, in words that follow a number.
        base: what a share is of: those it can happen to. Empty where a share has no meaning.
        default: what is allowed unless the file says otherwise, as the file writes it.
        floor: what a share above 0 allows at least, however small the base.
        is_approvable: whether a person may let a plan through that breaks it.
    """

    key: str
    table: str
    counted: str
    base: str
    default: str
    floor: int = 1
    is_approvable: bool = True

    @property
    def relation(self) -> str:
        """How the count stands to the base, in a word: what is new is no part of it."""
        return "beside" if "max_added" in self.key else "of"

    @property
    def words(self) -> str:
        """What the guard bounds, in a sentence or two."""
        sentence = f"{self.counted[0].upper()}{self.counted[1:]}."
        return f"{sentence} A share is of {self.base}." if self.base else sentence


GUARDS = (
    Guard(
        "min_accounts",
        "accounts",
        "accounts now: fewer are never uploaded; an empty snapshot never is, even with 0",
        "",
        "1",
        is_approvable=False,
    ),
    Guard(
        "max_removed_accounts",
        "accounts",
        "accounts that are gone: of all, and of those that could log in",
        "the accounts before, and of those of them that could log in",
        "10%",
    ),
    Guard(
        "max_deactivated_accounts",
        "accounts",
        "accounts that could log in by their status and now cannot",
        "the accounts that could log in",
        "10%",
    ),
    Guard(
        "max_removed_associations",
        "associations",
        "associations that are gone; those of a single account that leaves go with it",
        "the associations before",
        "20%",
    ),
    Guard(
        "max_emptied_entitlements",
        "entitlements",
        "entitlements that had 3 or more holders, of whom some are there and none holds them now; "
        "or 2, both there and replaced by others",
        "the entitlements that had as many holders",
        "0",
    ),
    Guard(
        "max_added_accounts",
        "accounts",
        "accounts that are new",
        "the accounts before",
        "25%",
        floor=3,
    ),
    Guard(
        "max_activated_accounts",
        "accounts",
        "accounts that could not log in by their status and now can",
        "the accounts that could log in; and, where most of them can now, of those that could not",
        "5%",
    ),
    Guard(
        "max_added_associations",
        "associations",
        "associations that are new; those of a single new account come with it",
        "the associations before",
        "25%",
        floor=3,
    ),
    Guard(
        "max_changed_emails",
        "accounts",
        "accounts whose e-mail address is another, or both of whose names are; case apart",
        "the accounts that had an address, or both names",
        "5%",
    ),
    Guard(
        "max_swapped_emails",
        "accounts",
        "accounts whose e-mail address is now one that another account had; without addresses, "
        "whose names are",
        "the accounts that had an address, or both names",
        "0",
    ),
    Guard(
        "max_respelled_ids",
        "accounts",
        "accounts that are gone and new under an id that differs in nothing but case, blanks, "
        "leading zeros or Unicode form",
        "the accounts before",
        "0",
    ),
    Guard(
        "max_renamed_entitlements",
        "entitlements",
        "entitlements whose label is another, or is now one that another had; resources likewise",
        "the entitlements before; of those that moved, the labels that changed",
        "10%",
    ),
    Guard(
        "max_rejected_rows",
        "rows",
        "rejected rows, table by table",
        "the rows read and not dropped",
        "1%",
        is_approvable=False,
    ),
    Guard(
        "max_blanked_fields",
        "accounts",
        "accounts that had a value in a field or attribute and have none now, or an address or "
        "name that cannot be read now, field by field; and associations within a resource that are "
        "everywhere now",
        "the accounts that had a value",
        "20%",
    ),
    Guard(
        "max_exchanged_attributes",
        "accounts",
        "accounts whose value of an attribute, or one of whose names, is now one that others had, "
        "while theirs went to others: each is there as often as before, beside somebody else",
        "the accounts that had a value",
        "20%",
        floor=3,
    ),
    Guard(
        "per_entitlement.max_removed",
        "associations",
        "holders that an entitlement of `from_holders` or more loses, but for accounts gone",
        "its holders",
        "50%",
    ),
    Guard(
        "per_entitlement.max_added",
        "associations",
        "holders that an entitlement gains that was there before, but for new accounts",
        "its holders, or of `from_holders` where it had fewer",
        "50%",
    ),
    Guard(
        "watched.max_added",
        "associations",
        "holders that a watched entitlement gains; all of them where it is given such a label",
        "its holders",
        "1",
    ),
    Guard(
        "watched.max_removed",
        "associations",
        "holders that a watched entitlement loses; all of them where it loses such a label",
        "its holders",
        "1",
    ),
    Guard(
        "first_into_full_app",
        "accounts",
        "accounts that Lumos holds in an app that no accepted run has fed",
        "",
        "hold",
    ),
    Guard(
        "changed_in_lumos",
        "accounts",
        "accounts that Lumos holds otherwise than the last accepted run left them: in another "
        "status, not at all, or new; but for those that Lumos marks as removed itself",
        "",
        "hold",
    ),
)
"""Every guard, in the order in which breaches are told."""

GUARD = {guard.key: guard for guard in GUARDS}


def is_approvable(key: str) -> bool:
    """Whether a person may let a plan through that breaks the guard of that key."""
    return key not in GUARD or GUARD[key].is_approvable

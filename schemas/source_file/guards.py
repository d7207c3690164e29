"""The block `guards` of a source file; `schemas.guards` says what each of them counts."""

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from schemas.guards import GUARD
from schemas.source_file.columns import Strict
from schemas.source_file.quantities import Duration, LimitField, to_limit


def _limit(key: str) -> Any:  # noqa: ANN401 - pydantic takes it for the field's default
    guard = GUARD[key]
    return Field(to_limit(guard.default), description=guard.words)


class PerEntitlement(Strict):
    """Bounds on what one entitlement may lose or gain at once."""

    max_removed: LimitField = _limit("per_entitlement.max_removed")
    max_added: LimitField = _limit("per_entitlement.max_added")
    from_holders: int = Field(
        10,
        ge=1,
        description="Of an entitlement with fewer holders any may be lost, and a share of what is "
        "gained is of this many.",
    )


class Watched(Strict):
    """Entitlements that are watched one by one, whatever they are shares of."""

    label: str = Field(
        min_length=1, description="Their label, in any case; `*` is any text, `?` any letter."
    )
    max_added: LimitField = _limit("watched.max_added")
    max_removed: LimitField = _limit("watched.max_removed")


class Guards(Strict):
    """Bounds on a plan, in either direction; a breach uploads nothing.

    Shares are of those it can happen to, in the last accepted snapshot.
    """

    min_accounts: int = Field(
        int(GUARD["min_accounts"].default), ge=0, description=GUARD["min_accounts"].words
    )
    max_removed_accounts: LimitField = _limit("max_removed_accounts")
    max_deactivated_accounts: LimitField = _limit("max_deactivated_accounts")
    max_removed_associations: LimitField = _limit("max_removed_associations")
    max_emptied_entitlements: LimitField = _limit("max_emptied_entitlements")
    max_added_accounts: LimitField = _limit("max_added_accounts")
    max_activated_accounts: LimitField = _limit("max_activated_accounts")
    max_added_associations: LimitField = _limit("max_added_associations")
    max_changed_emails: LimitField = _limit("max_changed_emails")
    max_swapped_emails: LimitField = _limit("max_swapped_emails")
    max_respelled_ids: LimitField = _limit("max_respelled_ids")
    max_renamed_entitlements: LimitField = _limit("max_renamed_entitlements")
    max_rejected_rows: LimitField = _limit("max_rejected_rows")
    max_blanked_fields: LimitField = _limit("max_blanked_fields")
    max_exchanged_attributes: LimitField = _limit("max_exchanged_attributes")
    per_entitlement: PerEntitlement = Field(
        PerEntitlement(), description="What one entitlement may lose or gain at once."
    )
    watched: tuple[Watched, ...] = Field(
        (Watched(label="*Admin*"),),
        description="Entitlements that are watched one by one; `[]` watches none.",
    )
    window: Duration = Field(
        timedelta(days=7),
        description="Each share also holds, doubled, against the snapshot that was accepted this "
        "long ago; `0s` looks no further than the last one.",
    )
    first_into_full_app: Literal["hold", "allow"] = Field(
        "hold", description="What becomes of a first sync into an app that Lumos already fills."
    )
    changed_in_lumos: Literal["hold", "allow"] = Field(
        "hold",
        description="What becomes of a sync where Lumos holds accounts otherwise than the last "
        "accepted run left them; it is looked at where `upload.verify` is true.",
    )
    approval_lapses: Duration = Field(
        timedelta(days=7), description="How long a person's decision on a held plan is good for."
    )

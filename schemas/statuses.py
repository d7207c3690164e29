"""The statuses an account may have, and what each known word becomes.

Source: Lumos's API contract, `AccountLifecycleStatus` (11 values), and its connector model,
`AccountStatus` (6), read 2026-08. Lumos publishes no table between the two; its Snowflake connector
maps disabled to suspended, deleted to deprovisioned.
"""

UPLOAD_STATUSES = (
    "DISCOVERED",
    "STAGED",
    "ACCESS_CREATED",
    "ACTIVE",
    "ARCHIVED",
    "SUSPENDED",
    "DEPROVISIONED",
    "MANUALLY_REMOVED",
    "ACCESS_REMOVED",
    "NON_CORPORATE_ACCOUNT",
    "WAITING_MANUAL_REMOVAL",
)

STATUS_OF = {status: status for status in UPLOAD_STATUSES} | {
    "INACTIVE": "SUSPENDED",
    "PENDING": "STAGED",
    "DELETED": "DEPROVISIONED",
}

CAN_LOG_IN = ("ACTIVE", "ACCESS_CREATED", "STAGED", "DISCOVERED")
"""Statuses of an account that works or is about to; leaving them is a deactivation."""

GONE = (
    "DEPROVISIONED",
    "ARCHIVED",
    "MANUALLY_REMOVED",
    "ACCESS_REMOVED",
    "NON_CORPORATE_ACCOUNT",
    "WAITING_MANUAL_REMOVAL",
)
"""Statuses Lumos may show for an account that is no longer in the app."""

OF_LUMOS = tuple(status for status in GONE if status != "DEPROVISIONED")
"""Those of them that Lumos gives an account by itself, or a person there does: no upload did."""

MOST_OPEN_FIRST = (
    "ACTIVE",
    "ACCESS_CREATED",
    "STAGED",
    "DISCOVERED",
    "SUSPENDED",
    "WAITING_MANUAL_REMOVAL",
    "NON_CORPORATE_ACCOUNT",
    "ARCHIVED",
    "ACCESS_REMOVED",
    "MANUALLY_REMOVED",
    "DEPROVISIONED",
)
"""The statuses by how far they let in: of two, the later one is the more closed."""

"""The canonical tables of one app at one moment."""

from dataclasses import dataclass

import polars as pl

from schemas.tables import ACCOUNTS, ASSOCIATIONS, ENTITLEMENTS, GRANTS, RESOURCES


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The canonical tables of one app, each in its fixed order.

    Five million associations as text cost gigabytes, as two row numbers 40 MB; `associations_of`
    spells them out.

    Attributes:
        accounts: `ACCOUNTS` and the custom attributes, one row an account, sorted by id.
        entitlements: `ENTITLEMENTS`, one row an entitlement, held or not, sorted by resource id,
            then id.
        resources: `RESOURCES`, one row a resource, sorted by id.
        grants: `GRANTS`: the associations as row numbers in `accounts` and `entitlements`, sorted,
            each pair once.
    """

    accounts: pl.DataFrame
    entitlements: pl.DataFrame
    resources: pl.DataFrame
    grants: pl.DataFrame

    @property
    def attribute_labels(self) -> list[str]:
        """The custom attributes' labels, in their fixed order."""
        return [column for column in self.accounts.columns if column not in ACCOUNTS]


def empty_snapshot() -> Snapshot:
    """A snapshot of nothing: what a first run is compared with."""
    return Snapshot(
        pl.DataFrame(schema=ACCOUNTS),
        pl.DataFrame(schema=ENTITLEMENTS),
        pl.DataFrame(schema=RESOURCES),
        pl.DataFrame(schema=GRANTS),
    )


def associations_of(snapshot: Snapshot) -> pl.DataFrame:
    """The associations as the canonical table of text (`ASSOCIATIONS`), in the snapshot's order."""
    entitlements = snapshot.entitlements
    account, entitlement = snapshot.grants["account"], snapshot.grants["entitlement"]
    columns = ("integration_specific_id", "integration_specific_resource_id")
    keys = (entitlements[column].gather(entitlement) for column in columns)
    ids = snapshot.accounts["integration_specific_id"].gather(account)
    return pl.DataFrame(dict(zip(ASSOCIATIONS, (ids, *keys), strict=True)), schema=ASSOCIATIONS)

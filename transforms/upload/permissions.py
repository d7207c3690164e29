"""Permissions: entitlements as the upload API names them, under ids that never collide.

The upload API has no resource, so an entitlement that has one carries it in its id. The form
depends on the entitlement alone, never on what else is in the snapshot: an id that changed with its
neighbours would look like a new permission.
"""

import polars as pl

PERMISSION_FIELDS = ("unique_identifier", "type", "name")


def to_permission_id(entitlement_id: str, resource_id: str) -> str:
    """The entitlement's own id if it is global, else `resource|entitlement`, escaped.

    What stands after the last bar, and before it, can be read back: `%7C` is a bar, `%25` a `%`.
    """
    plain = _escape(entitlement_id)
    return plain if resource_id == "" else f"{_escape(resource_id)}|{plain}"


def _escape(part: str) -> str:
    return part.replace("%", "%25").replace("|", "%7C")


def to_permissions(entitlements: pl.DataFrame, resources: pl.DataFrame) -> pl.DataFrame:
    """One permission an entitlement, in the same order: `PERMISSION_FIELDS`, text, no nulls.

    `name` is the label, with the resource's label in brackets after it; a resource without a row of
    its own is named by its id.
    """
    resource = "integration_specific_resource_id"
    labels = resources.select(
        pl.col("integration_specific_id").alias(resource), resource_label="label"
    )
    labelled = entitlements.join(labels, on=resource, how="left", maintain_order="left")
    name = pl.format("{} ({})", "label", pl.coalesce("resource_label", resource))
    ids = [
        to_permission_id(entitlement_id, resource_id)
        for entitlement_id, resource_id in entitlements.select(
            "integration_specific_id", resource
        ).iter_rows()
    ]
    return labelled.select(
        pl.Series("unique_identifier", ids, dtype=pl.String),
        pl.col("entitlement_type").alias("type"),
        pl.when(pl.col(resource) == "").then("label").otherwise(name).alias("name"),
    )

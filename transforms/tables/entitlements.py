"""Entitlements and resources from tables of their own."""

import polars as pl

from schemas.contracts import EntitlementsContract, ResourcesContract
from schemas.raw import RawTable
from schemas.source_file.columns import TextColumn
from schemas.source_file.file import SourceFile
from schemas.tables import ENTITLEMENT_KEY, ENTITLEMENTS, RESOURCES
from transforms.tables.columns import to_candidates
from transforms.tables.conform import Conformed, conform
from transforms.tables.expressions import NEVER_ASKED
from transforms.tables.mapping import ColumnUse, use_of

RESOURCE_KEY = ["integration_specific_id"]

UNSAID_TYPE = "Entitlement"
"""The type of entitlements whose source states none."""


def to_entitlements(table: RawTable, file: SourceFile) -> Conformed:
    """The entitlements of a table of their own; a missing label is the id.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    use = use_of(table, file.entitlement_columns, {}, frozenset())
    use = _with_default(use, "entitlement_type", TextColumn(constant=UNSAID_TYPE))
    candidates = to_candidates(table.rows, use, ENTITLEMENTS, NEVER_ASKED).with_columns(
        pl.col("label").fill_null(pl.col("integration_specific_id")),
        pl.col("entitlement_type").fill_null(""),
        pl.col("is_assignable").str.to_lowercase().replace({"1": "true", "0": "false"}),
    )
    contract = EntitlementsContract.to_schema()
    return conform(table, candidates, contract, ENTITLEMENT_KEY, use)


def to_resources(table: RawTable, file: SourceFile) -> Conformed:
    """The resources of a table of their own; a missing label is the id.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    use = use_of(table, file.resource_columns, {}, frozenset())
    use = _with_default(use, "resource_type", TextColumn(constant="Resource"))
    candidates = to_candidates(table.rows, use, RESOURCES, NEVER_ASKED).with_columns(
        pl.col("label").fill_null(pl.col("integration_specific_id")),
        pl.col("resource_type").fill_null(""),
    )
    return conform(table, candidates, ResourcesContract.to_schema(), RESOURCE_KEY, use)


def _with_default(use: ColumnUse, field: str, origin: TextColumn) -> ColumnUse:
    return ColumnUse({field: origin, **use.fields}, use.unused)

"""Associations from a table of their own: as text, then linked to accounts and entitlements."""

import polars as pl

from schemas.contracts import AssociationsContract
from schemas.raw import RawTable
from schemas.source_file.file import SourceFile
from schemas.tables import ASSOCIATIONS, ENTITLEMENT_KEY, ROW
from transforms.associations.link import NO_ACCOUNT, NO_ENTITLEMENT, Linked, link_rejects
from transforms.associations.pairs import pack, row_numbers
from transforms.tables.columns import to_candidates
from transforms.tables.conform import Conformed, conform
from transforms.tables.entitlements import UNSAID_TYPE
from transforms.tables.mapping import use_of


def of_unsaid_type(keys: pl.DataFrame) -> pl.DataFrame:
    """Entitlements of which no more than the key (`ENTITLEMENT_KEY`) is known, each once."""
    return keys.unique().select(
        pl.lit(UNSAID_TYPE).alias("entitlement_type"),
        *ENTITLEMENT_KEY,
        pl.col("integration_specific_id").alias("label"),
        pl.lit(None, dtype=pl.String).alias("description"),
        pl.lit(None, dtype=pl.String).alias("is_assignable"),
    )


def conform_associations(table: RawTable, file: SourceFile) -> Conformed:
    """The associations of `table` as text (`ASSOCIATIONS`); both ends may be missing.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    use = use_of(table, file.association_columns, {}, frozenset())
    candidates = to_candidates(table.rows, use, ASSOCIATIONS)
    contract = AssociationsContract.to_schema()
    return conform(table, candidates, contract, list(ASSOCIATIONS), use)


def named_entitlements(associations: pl.DataFrame) -> pl.DataFrame:
    """The keys of the entitlements that associations name (`ENTITLEMENT_KEY`), row by row."""
    return associations.select(
        pl.col("integration_specific_entitlement_id").alias("integration_specific_id"),
        "integration_specific_resource_id",
    )


def link_associations(
    table: RawTable, associations: Conformed, accounts: pl.Series, entitlements: pl.DataFrame
) -> Linked:
    """The associations by row number; `accounts` are the snapshot's ids, in its order."""
    text = associations.records
    names = named_entitlements(text)
    account = row_numbers(text["account_id"], accounts)
    entitlement = row_numbers(names, entitlements.select(ENTITLEMENT_KEY))
    packed = pack(account, entitlement)
    rejects = [associations.rejects]
    for lost, column, reason in (
        (account.is_null(), "account_id", NO_ACCOUNT),
        (
            account.is_not_null() & entitlement.is_null(),
            "integration_specific_entitlement_id",
            NO_ENTITLEMENT,
        ),
    ):
        owners = pl.DataFrame(
            {
                ROW: table.rows[ROW].gather(associations.accepted_index.filter(lost)),
                "account_id": text["account_id"].filter(lost),
            }
        ).with_columns(pl.lit(table.origin).alias("file"))
        unlinked = names.filter(lost).with_columns(text[column].filter(lost).alias("value"))
        rejects.append(link_rejects(owners, unlinked, column, reason))
    count = associations.count
    rejected = count.rejected + packed.null_count()
    return Linked(
        packed.drop_nulls(),
        pl.concat(rejects),
        table.read_count,
        count.merged,
        rejected,
        table.dropped_count,
    )

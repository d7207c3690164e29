"""Associations from a table of their own: as text, then linked to accounts and entitlements."""

import polars as pl

from schemas.contracts import DAMAGE, AssociationsContract
from schemas.raw import RawTable
from schemas.source_file.columns import TextColumn
from schemas.source_file.file import SourceFile
from schemas.tables import ASSOCIATIONS, ENTITLEMENT_KEY, ROW
from transforms.associations.link import NO_ACCOUNT, NO_ENTITLEMENT, Linked, link_rejects
from transforms.associations.near_misses import with_near_misses
from transforms.associations.pairs import pack, row_numbers
from transforms.tables.columns import to_candidates
from transforms.tables.conform import Conformed, conform
from transforms.tables.entitlements import UNSAID_TYPE
from transforms.tables.expressions import NEVER_ASKED, to_text
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


def of_nothing(table: RawTable, file: SourceFile) -> pl.Series:
    """Whether a row names an account and nothing that it holds, row by row: it is no association.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    use = use_of(table, file.association_columns, {}, frozenset())
    account_id, *held = (use.fields.get(name) for name in ASSOCIATIONS)
    origins = [origin for origin in held if isinstance(origin, TextColumn)]
    is_constant = [origin.constant is not None for origin in origins]
    if not isinstance(account_id, TextColumn) or not origins or any(is_constant):
        return pl.repeat(False, table.rows.height, dtype=pl.Boolean, eager=True)
    nothing = _is_nothing(table.rows, origins[0])
    if not nothing.any():
        return nothing
    for origin in origins[1:]:
        nothing &= _is_nothing(table.rows, origin)
    owner = to_text(table.rows, account_id, NEVER_ASKED, verbatim=True).values.fill_null("")
    return nothing & ~_is_blank(owner) & ~owner.str.contains(DAMAGE)


def _is_nothing(rows: pl.DataFrame, origin: TextColumn) -> pl.Series:
    """Whether nothing is said, row by row; what cannot be told is something."""
    if origin.column is not None:
        return _is_blank(rows[origin.column])
    said = to_text(rows, origin, NEVER_ASKED, verbatim=True)
    nothing = _is_blank(said.values)
    return nothing if said.faults is None else nothing & said.faults.is_null()


def _is_blank(cells: pl.Series) -> pl.Series:
    return (cells.str.strip_chars_start() == "").fill_null(value=True)


def conform_associations(table: RawTable, file: SourceFile) -> Conformed:
    """The associations of `table` as text (`ASSOCIATIONS`); both ends may be missing.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    use = use_of(table, file.association_columns, {}, frozenset())
    candidates = to_candidates(table.rows, use, ASSOCIATIONS, NEVER_ASKED)
    contract = AssociationsContract.to_schema()
    return conform(table, candidates, contract, list(ASSOCIATIONS), use)


def named_entitlements(associations: pl.DataFrame) -> pl.DataFrame:
    """The keys of the entitlements that associations name (`ENTITLEMENT_KEY`), row by row."""
    return associations.select(
        pl.col("integration_specific_entitlement_id").alias("integration_specific_id"),
        "integration_specific_resource_id",
    )


def link_associations(
    table: RawTable,
    associations: Conformed,
    accounts: pl.Series,
    entitlements: pl.DataFrame,
    missing: pl.Series,
) -> Linked:
    """The associations by row number.

    Args:
        table: where they come from.
        associations: as text.
        accounts: the snapshot's ids, in its order.
        entitlements: the snapshot's.
        missing: ids of accounts that were rejected or left out: what they hold is dropped.
    """
    text = associations.records
    names = named_entitlements(text)
    keys = entitlements.select(ENTITLEMENT_KEY)
    account = row_numbers(text["account_id"], accounts)
    entitlement = row_numbers(names, keys)
    packed = pack(account, entitlement)
    is_missing = pl.repeat(False, text.height, dtype=pl.Boolean, eager=True)
    if account.has_nulls() and missing.len():
        is_missing = account.is_null() & text["account_id"].is_in(missing.implode())
    rejects = [associations.rejects]
    for lost, column, reason, known in (
        (account.is_null() & ~is_missing, "account_id", NO_ACCOUNT, accounts),
        (
            account.is_not_null() & entitlement.is_null(),
            "integration_specific_entitlement_id",
            NO_ENTITLEMENT,
            entitlements["integration_specific_id"],
        ),
    ):
        if lost.any():
            at = associations.accepted_index.filter(lost)
            owners = table.places(table.rows[ROW].gather(at))
            owners = owners.with_columns(text["account_id"].filter(lost).alias("account_id"))
            unlinked = names.filter(lost).with_columns(text[column].filter(lost).alias("value"))
            made = link_rejects(owners, unlinked, column, reason)
            rejects.append(with_near_misses(made, unlinked["value"], known))
    count = associations.count
    dropped = int(is_missing.sum())
    return Linked(
        packed.drop_nulls(),
        pl.concat(rejects),
        table.read_count,
        count.merged,
        count.rejected + packed.null_count() - dropped,
        table.dropped_count + dropped,
    )

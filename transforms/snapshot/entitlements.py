"""The entitlements of a snapshot: from their own table, from cells, or named by associations."""

from dataclasses import dataclass

import polars as pl

from schemas.contracts import EntitlementsContract
from schemas.raw import RawTable
from schemas.snapshot import Snapshot
from schemas.source_file.file import SourceFile
from schemas.tables import ENTITLEMENT_KEY, ENTITLEMENTS
from transforms.snapshot.keep_last import CarriedForward, KeptBefore, count_carried, keep_last
from transforms.tables.conform import failures
from transforms.tables.entitlements import to_entitlements
from transforms.tables.rejects import TableCount, no_rejects


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The entitlements, in their fixed order, and what became of the rows of their own table.

    Attributes:
        entitlements: `ENTITLEMENTS`, sorted by resource id, then id.
        rejects: `REJECTS`.
        count: zeros where the source keeps no such table.
        kept: what its rejects keep; None where the source keeps no such table.
        of_two_types: `ENTITLEMENT_KEY` of what is named under several types, and these, `types`.
    """

    entitlements: pl.DataFrame
    rejects: pl.DataFrame
    count: TableCount
    kept: CarriedForward | None
    of_two_types: pl.DataFrame


def to_catalogue(
    table: RawTable | None,
    file: SourceFile,
    last: Snapshot,
    named: list[pl.DataFrame],
    before: KeptBefore,
) -> Catalogue:
    """The entitlements of `table`, and those that are only `named` (`ENTITLEMENTS`) elsewhere.

    What the table says of an entitlement stands. One that is only named must be well-formed, and
    named under one type: of two types with one id nobody can say which is held.

    Raises:
        SourceFormatError: a column that the file names is missing.
    """
    own, count, rejects = pl.DataFrame(schema=ENTITLEMENTS), TableCount(), no_rejects()
    kept = None
    if table is not None:
        conformed = to_entitlements(table, file)
        kept = keep_last(last.entitlements, conformed, table, ENTITLEMENT_KEY, before)
        own = pl.concat([conformed.records, kept.records])
        count, rejects = count_carried(conformed.count, kept), conformed.rejects
    only_named = pl.concat([pl.DataFrame(schema=ENTITLEMENTS), *named]).unique()
    only_named = only_named.join(own, on=ENTITLEMENT_KEY, how="anti")
    broken = failures(only_named, EntitlementsContract.to_schema())["index"]
    sound = only_named.with_row_index("n").filter(~pl.col("n").is_in(broken.implode())).drop("n")
    is_ambiguous = pl.struct(ENTITLEMENT_KEY).is_duplicated()
    types = pl.col("entitlement_type").unique().sort().str.join(", ").alias("types")
    of_two_types = sound.filter(is_ambiguous).group_by(ENTITLEMENT_KEY).agg(types)
    whole = _in_order(pl.concat([own, sound.filter(~is_ambiguous)]))
    return Catalogue(whole, rejects, count, kept, of_two_types.sort(ENTITLEMENT_KEY))


def with_needed(entitlements: pl.DataFrame, last: Snapshot, carried: pl.DataFrame) -> pl.DataFrame:
    """The entitlements, and those of `last` that only `carried` (`GRANTS`) needs."""
    used = last.entitlements.select(pl.all().gather(carried["entitlement"].unique().sort()))
    needed = used.join(entitlements, on=ENTITLEMENT_KEY, how="anti")
    return _in_order(pl.concat([entitlements, needed])) if needed.height else entitlements


def _in_order(entitlements: pl.DataFrame) -> pl.DataFrame:
    return entitlements.sort("integration_specific_resource_id", "integration_specific_id")

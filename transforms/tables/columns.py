"""From a source's columns to candidate rows: named, trimmed, mapped, not yet judged."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import polars as pl

from schemas.raw import Raw, RawTable
from schemas.source_file.columns import StatusColumn, Strict, TextColumn, TimeColumn
from schemas.source_file.file import SourceFile
from schemas.tables import ROW, Reason
from transforms.parallel import two_at_once
from transforms.tables.expressions import REASONS, mapped, to_text, to_time
from transforms.tables.headers import canonical_names, names_in, renamed_columns
from transforms.tables.mapping import ColumnUse
from transforms.tables.rejects import FAILURES, failures_of

VERBATIM = (
    "integration_specific_id",
    "account_id",
    "integration_specific_entitlement_id",
    "integration_specific_resource_id",
)
"""Ids are never touched; an absent one is an empty string, which contracts refuse.
"""

UNSAID_STATUS = StatusColumn(constant="ACTIVE")
"""Only a source without any status column means ACTIVE (help centre 7793495392, of 2024-10-08).
"""


def with_wanted_names(raw: Raw, file: SourceFile) -> Raw:
    """Returns the read with each wanted column under the name that is wanted, whatever its case.

    Raises:
        SourceFormatError: two columns differ by case only, and neither is as it is wanted.
    """

    def where_there(table: RawTable | None, mapping: Strict) -> RawTable | None:
        return None if table is None else table_with_wanted_names(table, mapping)

    return replace(
        raw,
        accounts=accounts_with_wanted_names(raw.accounts, file),
        entitlements=where_there(raw.entitlements, file.entitlement_columns),
        resources=where_there(raw.resources, file.resource_columns),
        associations=where_there(raw.associations, file.association_columns),
    )


def accounts_with_wanted_names(table: RawTable, file: SourceFile) -> RawTable:
    """Returns the accounts' table with each wanted column under the name that is wanted.

    Raises:
        SourceFormatError: two columns differ by case only, and neither is as it is wanted.
    """
    left_out = {rule.column for rule in file.leave_out if rule.column is not None}
    named = {*file.named_columns, *names_in(file.columns), *file.named_by_associations, *left_out}
    return _renamed(table, named, canonical_names(file.columns))


def table_with_wanted_names(table: RawTable, mapping: Strict, also: Iterable[str] = ()) -> RawTable:
    """Returns a table with each column that its mapping wants under the name that is wanted.

    So are those named in `also`.

    Raises:
        SourceFormatError: two columns differ by case only, and neither is as it is wanted.
    """
    return _renamed(table, names_in(mapping) | set(also), canonical_names(mapping))


def _renamed(table: RawTable, named: set[str], canonical: list[str]) -> RawTable:
    present = [column for column in table.rows.columns if column != ROW]
    renamed = renamed_columns(present, named, canonical, table.origin)
    if not renamed:
        return table
    # A column may be wanted under two spellings: it is then there under both.
    gone = set(renamed.values()) - named
    kept = [pl.col(name) for name in table.rows.columns if name not in gone]
    moved = [pl.col(column).alias(wanted) for wanted, column in renamed.items()]
    return replace(table, rows=table.rows.select([*kept, *moved]))


def to_candidates(
    rows: pl.DataFrame, use: ColumnUse, schema: Mapping[str, pl.DataType], now: datetime
) -> pl.DataFrame:
    """`rows` under canonical names, row by row: `schema`'s columns, then attributes by label.

    Text is trimmed and an empty one is null, but for ids. A status or type without a mapping stays
    as it is, for the contract to refuse. Times that cannot be read are null here; `unread_times`
    finds them.
    """
    labels = sorted(set(use.fields) - set(schema))

    def filled(name: str) -> pl.Series:
        return _filled(rows, name, use.fields.get(name), schema.get(name, pl.String()), now)

    return pl.DataFrame(list(two_at_once(filled, (*schema, *labels))))


def _filled(
    rows: pl.DataFrame,
    name: str,
    origin: TextColumn | TimeColumn | None,
    dtype: pl.DataType,
    now: datetime,
) -> pl.Series:
    if origin is None:
        absent = "" if name in VERBATIM else None
        return pl.Series(name, [absent], dtype=dtype).new_from_index(0, rows.height)
    if isinstance(origin, TimeColumn):
        return to_time(rows, origin)[0].alias(name)
    if origin.constant is not None:
        text = mapped(pl.Series([origin.constant]), origin)
        return text.alias(name).new_from_index(0, rows.height)
    is_id = name in VERBATIM
    if not origin.is_plain:
        values = to_text(rows, origin, now, verbatim=is_id).values
        return (values.fill_null("") if is_id else values).alias(name)
    cell = rows[origin.column or ""]
    if is_id:
        return cell.fill_null("").alias(name)
    return mapped(_trimmed(cell), origin).alias(name)


def _trimmed(text: pl.Series) -> pl.Series:
    trimmed = text.str.strip_chars()
    return trimmed.set(trimmed == "", None)


def unread_times(
    rows: pl.DataFrame, use: ColumnUse, candidates: pl.DataFrame
) -> dict[str, pl.Series]:
    """By field of time: a mask of the rows whose cell says a time that cannot be read."""
    unread = {}
    for name, origin in use.fields.items():
        if isinstance(origin, TimeColumn):
            missing = candidates[name].is_null()
            index = missing.arg_true()
            is_unread = to_time(rows.select(pl.col(origin.sources).gather(index)), origin)[1]
            unread[name] = missing.scatter(index.filter(~is_unread), False)
    return unread


def untold_texts(
    table: RawTable, use: ColumnUse, now: datetime, *, but: Collection[str] = ()
) -> pl.DataFrame:
    """The cells (`FAILURES`) of expressions that cannot be told; none of the fields in `but`."""
    found = [pl.DataFrame(schema=FAILURES)]
    for name, origin in use.fields.items():
        if isinstance(origin, TimeColumn) or origin.is_plain or name in but:
            continue
        faults = to_text(table.rows, origin, now, verbatim=name in VERBATIM).faults
        if faults is not None:
            found += [
                failures_of(faults == code, name, Reason(code, says))
                for code, says in REASONS.items()
            ]
    return pl.concat(found)

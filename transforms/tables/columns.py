"""From a source's columns to candidate rows: named, trimmed, mapped, not yet judged."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import polars as pl

from schemas.raw import Raw, RawTable
from schemas.source_file.activity import EVENT_OF, EventTypeColumn
from schemas.source_file.columns import (
    AccountTypeColumn,
    StatusColumn,
    Strict,
    TextColumn,
    TimeColumn,
)
from schemas.source_file.file import SourceFile
from schemas.statuses import STATUS_OF
from schemas.tables import ROW
from transforms.parallel import two_at_once
from transforms.tables.headers import canonical_names, names_in, renamed_columns
from transforms.tables.mapping import ColumnUse
from transforms.tables.times import to_utc

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
    rows: pl.DataFrame, use: ColumnUse, schema: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    """`rows` under canonical names, row by row: `schema`'s columns, then attributes by label.

    Text is trimmed and an empty one is null, but for ids. A status or type without a mapping stays
    as it is, for the contract to refuse. Times that cannot be read are null here; `unread_times`
    finds them.
    """
    labels = sorted(set(use.fields) - set(schema))

    def filled(name: str) -> pl.Series:
        return _filled(rows, name, use.fields.get(name), schema.get(name, pl.String()))

    return pl.DataFrame(list(two_at_once(filled, (*schema, *labels))))


def _filled(
    rows: pl.DataFrame, name: str, origin: TextColumn | TimeColumn | None, dtype: pl.DataType
) -> pl.Series:
    if origin is None:
        absent = "" if name in VERBATIM else None
        return pl.Series(name, [absent], dtype=dtype).new_from_index(0, rows.height)
    if isinstance(origin, TimeColumn):
        return to_utc(_time_text(rows[origin.column], origin), origin).alias(name)
    if origin.constant is not None:
        text = _mapped(pl.Series([origin.constant]), origin)
        return text.alias(name).new_from_index(0, rows.height)
    cell = rows[origin.column or ""]
    if name in VERBATIM:
        return cell.fill_null("").alias(name)
    return _mapped(_trimmed(cell), origin).alias(name)


def _trimmed(text: pl.Series) -> pl.Series:
    trimmed = text.str.strip_chars()
    return trimmed.set(trimmed == "", None)


def _time_text(cell: pl.Series, origin: TimeColumn) -> pl.Series:
    """The text of times; null where it is blank, or a word for no time."""
    text = _trimmed(cell)
    if not origin.never:
        return text
    words = [word.strip().lower() for word in origin.never]
    return text.set(text.str.to_lowercase().is_in(words).fill_null(value=False), None)


def _mapped(text: pl.Series, origin: TextColumn) -> pl.Series:
    match origin:
        case StatusColumn():
            return _by_table(text.fill_null(""), origin.values, STATUS_OF)
        case EventTypeColumn():
            return _by_table(text.fill_null(""), origin.meanings, EVENT_OF)
        case AccountTypeColumn():
            kinds = {"user": "user", "service": "service"}
            return _by_table(text, dict(origin.values), kinds)
        case _:
            return text


def _by_table(text: pl.Series, written: dict[str, str], known: dict[str, str]) -> pl.Series:
    """Each text by the file's own table, else by the known words, else as it is; in any case.

    A word that the file writes in two cases, with two meanings, is meant as it is written.
    """
    words = {word.casefold(): meaning for word, meaning in (known | written).items()}
    table = {
        word: written.get(word, words.get(word.casefold(), word))
        for word in text.unique().drop_nulls().to_list()
    }
    changed = {word: meaning for word, meaning in table.items() if word != meaning}
    return text.replace(changed) if changed else text


def unread_times(
    rows: pl.DataFrame, use: ColumnUse, candidates: pl.DataFrame
) -> dict[str, pl.Series]:
    """By field of time: a mask of the rows whose cell says a time that cannot be read."""
    unread = {}
    for name, origin in use.fields.items():
        if isinstance(origin, TimeColumn):
            is_unread = candidates[name].is_null()
            missing = is_unread.arg_true()
            text = _time_text(rows[origin.column].gather(missing), origin)
            unread[name] = is_unread.scatter(missing.filter(text.is_null()), False)
    return unread

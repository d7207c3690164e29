"""From a source's columns to candidate rows: named, trimmed, mapped, not yet judged."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from schemas.activity import EVENT_OF, EventTypeColumn
from schemas.errors import SourceFormatError
from schemas.raw import RawTable
from schemas.source_columns import (
    AccountTypeColumn,
    StatusColumn,
    Strict,
    TextColumn,
    TimeColumn,
    is_pattern,
)
from schemas.source_file import SourceFile
from schemas.statuses import STATUS_OF
from schemas.tables import ROW
from transforms.threads import two_at_once
from transforms.times import to_utc

VERBATIM = (
    "integration_specific_id",
    "account_id",
    "integration_specific_entitlement_id",
    "integration_specific_resource_id",
)
"""Ids are never touched; an absent one is an empty string, which contracts refuse.
"""

_EMAIL = re.compile(r"[^@\s]@(?!odata\.)[^@\s]+\.")
"""An e-mail address, anywhere in a name; not OData's own columns (`manager@odata.type`)."""

UNSAID_STATUS = StatusColumn(constant="ACTIVE")
"""Only a source without any status column means ACTIVE (help centre 7793495392, of 2024-10-08).
"""


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """Which columns of a raw table fill which fields, and which fill none.

    Attributes:
        fields: the canonical field: where it comes from; only fields that the table can fill.
        unused: the source's columns that no field names.
    """

    fields: dict[str, TextColumn | TimeColumn]
    unused: tuple[str, ...]


def use_of(
    table: RawTable, named: Strict, attributes: dict[str, TextColumn], also_used: frozenset[str]
) -> ColumnUse:
    """How `table`'s columns are used under the mapping `named`.

    A field that the mapping leaves out is read from the column of its own name, where there is one.

    Raises:
        SourceFormatError: a column that the source file names is not in the table, or the first
            line of its file is no header.
    """
    present = [column for column in table.rows.columns if column != ROW]
    _check_header(table, present)
    fields: dict[str, TextColumn | TimeColumn] = {}
    for name, default in _defaults(named).items():
        written = getattr(named, name)
        if written is not None and (name in named.model_fields_set or written.column in present):
            fields[name] = written
        elif written is None and name in present:
            fields[name] = default
        elif written is not None:
            raise _missing(table, name, written.column, present)
    fields.update(attributes)
    for name, origin in fields.items():
        if origin.column is not None and origin.column not in present:
            raise _missing(table, name, origin.column, present)
    used = {origin.column for origin in fields.values()} | also_used
    return ColumnUse(fields, tuple(column for column in present if column not in used))


def _defaults(named: Strict) -> dict[str, TextColumn | TimeColumn]:
    kinds: dict[str, type[TextColumn] | type[TimeColumn]] = {
        "user_status": StatusColumn,
        "account_type": AccountTypeColumn,
        "last_login": TimeColumn,
        "last_activity": TimeColumn,
        "event_type": EventTypeColumn,
        "timestamp": TimeColumn,
    }
    return {name: kinds.get(name, TextColumn)(column=name) for name in type(named).model_fields}


def _missing(
    table: RawTable, field: str, column: str | None, present: list[str]
) -> SourceFormatError:
    close = difflib.get_close_matches(column or "", present, n=1)
    # Not all of them: of a file without a header, these are a person's values.
    hint = f"did you mean {close[0]!r}?" if close else f"it has {len(present)} columns"
    return SourceFormatError(f"{table.origin}: no column {column!r}, wanted for {field}; {hint}")


def _check_header(table: RawTable, present: list[str]) -> None:
    """Refuse names that are a row's values: an e-mail address names no column."""
    if any(_EMAIL.search(column) for column in present):
        raise SourceFormatError(
            f"{table.origin}: the first line is data, not a header: say header: false, and name "
            "its columns column_1, column_2 and so on, or export it with a header"
        )


def accounts_use(accounts: RawTable, file: SourceFile) -> ColumnUse:
    """How the accounts' columns are used; unknown ones become attributes where the file says so.

    Raises:
        SourceFormatError: a named column is missing, one is unknown and the file refuses those, or
            the first line is no header.
    """
    cells = frozenset(one.column for one in file.entitlements)
    use = use_of(accounts, file.columns, file.attributes, cells)
    for one in file.entitlements:
        if one.column not in accounts.rows.columns:
            present = [column for column in accounts.rows.columns if column != ROW]
            raise _missing(accounts, f"entitlements of type {one.type}", one.column, present)
    if use.unused and file.unknown_columns == "refuse":
        names = ", ".join(map(repr, use.unused))
        raise SourceFormatError(
            f"{accounts.origin}: columns the source file does not name: {names}; "
            "name them under columns or attributes, or say unknown_columns: warn"
        )
    if file.makes_attributes:
        extra = {
            name: TextColumn(column=name)
            for name in use.unused
            if name not in use.fields and not is_pattern(name)
        }
        unused = tuple(name for name in use.unused if name not in extra)
        return ColumnUse({**use.fields, **extra}, unused)
    return use


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
        return to_utc(_trimmed(rows[origin.column]), origin).alias(name)
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


def _mapped(text: pl.Series, origin: TextColumn) -> pl.Series:
    match origin:
        case StatusColumn():
            return _by_table(text.fill_null(""), origin.values, STATUS_OF)
        case EventTypeColumn():
            return _by_table(text.fill_null(""), origin.values, EVENT_OF)
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
    return text.replace(table)


def unread_times(
    rows: pl.DataFrame, use: ColumnUse, candidates: pl.DataFrame
) -> dict[str, pl.Series]:
    """By field of time: a mask of the rows whose cell is not blank, yet is no time."""
    unread = {}
    for name, origin in use.fields.items():
        if isinstance(origin, TimeColumn):
            is_unread = candidates[name].is_null()
            missing = is_unread.arg_true()
            is_blank = rows[origin.column].gather(missing).str.strip_chars() == ""
            blank = missing.filter(is_blank.fill_null(value=True))
            unread[name] = is_unread.scatter(blank, False)
    return unread


def cell_of(rows: pl.DataFrame, use: ColumnUse, field: str) -> pl.Series:
    """The source's own text behind `field`, for the private record of a reject."""
    origin = use.fields.get(field)
    if origin is None or origin.column is None:
        return pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)
    return rows[origin.column]

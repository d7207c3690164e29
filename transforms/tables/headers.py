"""Columns under the names that the source file and Lumos give them, whatever their case."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, product

import polars as pl

from schemas.errors import SourceFormatError, raise_as
from schemas.headers import AmbiguousColumnError, column_named
from schemas.raw import Raw, RawTable
from schemas.source_file.columns import Strict
from schemas.source_file.file import SourceFile
from schemas.tables import ROW


def with_wanted_names(raw: Raw, file: SourceFile) -> Raw:
    """Returns the read with each wanted column under the name that is wanted.

    Wanted are the columns that the file names, and the canonical names of the fields that it does
    not fill otherwise. A column that is there as it is wanted stays; else the only one that differs
    by case is taken.

    Raises:
        SourceFormatError: two columns differ by case only, and neither is as it is wanted.
    """
    return replace(
        raw,
        accounts=accounts_with_wanted_names(raw.accounts, file),
        entitlements=_if_there(raw.entitlements, file.entitlement_columns),
        resources=_if_there(raw.resources, file.resource_columns),
        associations=_if_there(raw.associations, file.association_columns),
    )


def accounts_with_wanted_names(table: RawTable, file: SourceFile) -> RawTable:
    """Returns the accounts' table with each wanted column under the name that is wanted.

    Raises:
        SourceFormatError: two columns differ by case only, and neither is as it is wanted.
    """
    named = {*file.named_columns, *names_in(file.columns)}
    return _renamed(table, named, canonical_names(file.columns))


def table_with_wanted_names(table: RawTable, mapping: Strict) -> RawTable:
    """Returns a table with each column that its mapping wants under the name that is wanted.

    Raises:
        SourceFormatError: two columns differ by case only, and neither is as it is wanted.
    """
    return _renamed(table, names_in(mapping), canonical_names(mapping))


def _if_there(table: RawTable | None, mapping: Strict) -> RawTable | None:
    return None if table is None else table_with_wanted_names(table, mapping)


def names_in(mapping: Strict) -> set[str]:
    """Returns the source's columns that a mapping names."""
    origins = (getattr(mapping, name) for name in type(mapping).model_fields)
    columns = (getattr(origin, "column", None) for origin in origins)
    return {column for column in columns if isinstance(column, str)}


def canonical_names(mapping: Strict) -> list[str]:
    """Returns the fields that a mapping leaves to the column of their own name."""
    return [name for name in type(mapping).model_fields if getattr(mapping, name) is None]


def _renamed(table: RawTable, named: Iterable[str], canonical: Iterable[str]) -> RawTable:
    present = [column for column in table.rows.columns if column != ROW]
    named = set(named)
    # What the file names for one thing is not taken for another whose name is alike.
    free = [column for column in present if column not in named]
    moved: dict[str, str] = {}
    for wanted, candidates in chain(product(sorted(named), [present]), product(canonical, [free])):
        column = _found(table, wanted, candidates)
        if column is not None and column != wanted and wanted not in present:
            moved[wanted] = column
    if not moved:
        return table
    kept = [name for name in table.rows.columns if name in named or name not in moved.values()]
    columns = [*map(pl.col, kept), *(pl.col(old).alias(new) for new, old in moved.items())]
    return replace(table, rows=table.rows.select(columns))


def _found(table: RawTable, wanted: str, candidates: list[str]) -> str | None:
    return raise_as(
        lambda: column_named(wanted, candidates),
        {AmbiguousColumnError: lambda error: _ambiguous(table, error)},
    )


def _ambiguous(table: RawTable, error: AmbiguousColumnError) -> SourceFormatError:
    names = " and ".join(map(repr, error.names))
    return SourceFormatError(
        f"{table.origin}: the columns {names} differ by case only: rename one, or name the one "
        "that is meant just as it is written"
    )

"""Transforms of a person's own, between reading and judging: a table's rows in, rows out, counted.

A transform may change, add and drop columns, and drop rows. Each row keeps its number, by which it
is accounted for; so no row can be made, doubled or renamed.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from extractors.python.function import OwnFunction, load_function, name_of
from extractors.python.text import NotTextError, to_text_columns
from flows.run.context import RunContext, Transform
from schemas.errors import ConfigError
from schemas.raw import TABLES, Raw, RawTable
from schemas.source_file.file import Source, located
from schemas.tables import ROW

_log = logging.getLogger(__name__)


def to_transforms(given: Transform | Mapping[str, Transform] | None) -> Mapping[str, Transform]:
    """Returns what a program hands over, by table; one function alone is that of the accounts.

    Raises:
        ConfigError: a name that is no table's.
    """
    if given is None:
        return {}
    by_table = {"accounts": given} if callable(given) else dict(given)
    unknown = [name for name in by_table if name not in TABLES]
    if unknown:
        raise ConfigError(f"transform: no table {unknown[0]!r}; one of {', '.join(TABLES)}")
    return by_table


def load_transforms(source: Source, workspace: Path) -> dict[str, OwnFunction]:
    """Returns the transforms that the source file names, by table.

    Raises:
        ConfigError, FunctionError: one cannot be found or imported; with file, line and key.
    """
    named = source.file.transform.by_table if source.file.transform else {}
    return {
        table: located(source, _loading(name, workspace, _key_of(table, source)))
        for table, name in named.items()
    }


def _loading(name: str, workspace: Path, key: str) -> Callable[[], OwnFunction]:
    return lambda: load_function(name, workspace, key, "a frame")


def _key_of(table: str, source: Source) -> str:
    key = f"transform.{table}"
    return key if ("transform", table) in source.lines else "transform"


def apply_transforms(source: Source, context: RunContext, raw: Raw) -> Raw:
    """Returns `raw` as the transforms leave it: those that the source file names, or a program's.

    Raises:
        ConfigError: both name some, a table is not there, or a function cannot be found.
        FunctionError: one failed, or returned what it may not.
    """
    workspace = context.settings.workspace
    functions = load_transforms(source, workspace)
    if not context.transforms:
        return transformed(source, workspace, raw)
    if functions:
        raise ConfigError(
            f"{source.path}: transform: the file names one, and the program hands over another: "
            "take one of them away"
        )
    for table, function in context.transforms.items():
        functions[table] = OwnFunction(name_of(function), None, workspace, function)
    return _applied(source, raw, functions)


def transformed(source: Source, workspace: Path, raw: Raw) -> Raw:
    """Returns `raw` as the transforms that the source file names leave it.

    Raises:
        ConfigError: a table is not there, or a function cannot be found.
        FunctionError: one failed, or returned what it may not.
    """
    return _applied(source, raw, load_transforms(source, workspace))


def _applied(source: Source, raw: Raw, functions: Mapping[str, OwnFunction]) -> Raw:
    for name, own in functions.items():
        raw = located(source, _applying(source, raw, name, own))
    return raw


def _applying(source: Source, raw: Raw, name: str, own: OwnFunction) -> Callable[[], Raw]:
    return lambda: _apply(source, raw, name, own)


def _apply(source: Source, raw: Raw, name: str, own: OwnFunction) -> Raw:
    table: RawTable | None = getattr(raw, name)
    if table is None:
        raise ConfigError(f"the source has no table of {name}", key=own.key or "transform")
    rows = _returned(table, own)
    dropped = table.rows.height - rows.height
    _log.info("%s: %s: %s: %d rows in, %d out", source.name, name, own.name, *_heights(table, rows))
    note = f"{table.origin}: the transform {own.name} dropped {dropped} of {table.rows.height} rows"
    changed = replace(table, rows=rows, dropped_count=table.dropped_count + dropped)
    tables = {other: getattr(raw, other) for other in TABLES} | {name: changed}
    return Raw(
        **tables,
        taken_at=raw.taken_at,
        proof=raw.proof,
        warnings=(*raw.warnings, note) if dropped else raw.warnings,
        files=raw.files,
        state=raw.state,
    )


def _heights(table: RawTable, rows: pl.DataFrame) -> tuple[int, int]:
    return table.rows.height, rows.height


def _returned(table: RawTable, own: OwnFunction) -> pl.DataFrame:
    """Calls the transform, and returns its rows as raw rows: columns as text, rows by number.

    Raises:
        FunctionError: it failed, or what it returned cannot be accounted for.
    """
    returned = own.call(table.rows)
    if not isinstance(returned, pl.DataFrame):
        raise own.error(f"returned a {type(returned).__name__}, not a polars DataFrame")
    problem = _problem_of(returned, table)
    if problem is None:
        try:
            rows = to_text_columns(returned).with_columns(pl.col(ROW).cast(pl.UInt32))
        except NotTextError as error:
            problem = f"returned a frame whose {error}"
    if problem is not None:
        raise own.error(problem)
    return rows if rows[ROW].is_sorted() else rows.sort(ROW)


def _problem_of(returned: pl.DataFrame, table: RawTable) -> str | None:
    """Returns what keeps the rows from being accounted for; None where nothing does."""
    if ROW not in returned.columns:
        return f"lost the column {ROW!r}, which numbers the rows: keep it as it is"
    numbers = returned[ROW]
    if not numbers.dtype.is_integer() or numbers.has_nulls():
        return f"changed the column {ROW!r}, which numbers the rows: keep it as it is"
    if numbers.n_unique() < numbers.len():
        return f"returned rows more than once, going by {ROW!r}: a transform makes no rows"
    if numbers.is_in(table.rows[ROW].implode()).all():
        return None
    return f"returned rows that it was not given, going by {ROW!r}: a transform makes no rows"

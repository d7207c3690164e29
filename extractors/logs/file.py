"""One file of a log, whatever its form: read some rows at a time, or looked at."""

import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, assert_never

import polars as pl

from extractors.delimited.dialect import quote_of
from extractors.delimited.file import FileEnd, csv_batches, probe_csv_text, unchanged
from extractors.delimited.rows import BLOCK
from extractors.exports.export import Export, private_folder
from extractors.exports.text import TextFile, to_text_file
from extractors.logs.json_blocks import block_rows, to_schema
from extractors.logs.json_records import (
    Read,
    is_line_of_json,
    json_documents,
    json_lines,
    line_blocks,
)
from extractors.logs.lines import LINE, common_log, is_common_log, line_batches, of_widths
from extractors.logs.paths import Record, cell_of, getter, has_path, is_inexact
from schemas.errors import SourceFormatError
from schemas.raw import Probe, RawTable
from schemas.source_file.kinds.csv_source import ActivitySource
from schemas.source_file.logs import FormatName, LogShape
from schemas.tables import REJECTS, ROW, UNREADABLE_LINE

_HEAD = 1 << 20
_BEGINS_JSON = re.compile(rb"[\s\x1e]*(?:\{\s*[\"}]|\[\s*[{\]])")
"""Not a header such as `[User];[Date]`, nor a cell such as `{0f8f…}`."""

_BATCH = 50_000
_LOOKED_AT = 1_000

CSVLOG = (
    "log_time", "user_name", "database_name", "process_id", "connection_from", "session_id",
    "session_line_num", "command_tag", "session_start_time", "virtual_transaction_id",
    "transaction_id", "error_severity", "sql_state_code", "message", "detail", "hint",
    "internal_query", "internal_query_pos", "context", "query", "query_pos", "location",
    "application_name", "backend_type", "leader_pid", "query_id",
)  # fmt: skip
"""The columns of PostgreSQL's csvlog, as its documentation names them (18); older ones have fewer.
"""


def read_log_batches(
    export: Export, source: ActivitySource, shape: LogShape
) -> Generator[RawTable, None, FileEnd]:
    """Yields the file's rows in order, in tables.

    Raises:
        SourceUnavailableError: it vanished or cannot be opened.
        SourceIncompleteError: empty, cut off, or changed while it was read.
        SourceFormatError: it is not of the form that is stated, or reads two ways.
    """
    with private_folder(export) as folder, unchanged(export):
        text = to_text_file(export, source.encoding, quote_of(source), folder)
        form = _form_of(text, shape)
        if form in {"csv", "csvlog"}:
            options, names = _as_csv(source, form)
            return (yield from csv_batches(text, options, folder, names))
        return (yield from _tables(text, form, shape))


def probe_log_file(export: Export, source: ActivitySource, shape: LogShape) -> Probe:
    """Returns what the file looks like from its first lines.

    Raises:
        SourceUnavailableError: it vanished or cannot be opened.
        SourceIncompleteError: empty, or a cut archive.
        SourceFormatError: it is not of the form that is stated.
    """
    with private_folder(export) as folder:
        text = to_text_file(export, source.encoding, quote_of(source), folder)
        form = _form_of(text, shape)
        if form in {"csv", "csvlog"}:
            options, names = _as_csv(source, form)
            return probe_csv_text(text, options, folder, names)
        columns = _columns_at_first_sight(text, form, shape)
    said = f"{export.size_bytes} bytes, {text.encoding}, {form}, {len(columns)} columns"
    return Probe(export.table, export.name, said, columns)


def _as_csv(source: ActivitySource, form: FormatName) -> tuple[ActivitySource, tuple[str, ...]]:
    if form == "csv":
        return source, ()
    return source.model_copy(update={"header": False, "separator": ","}), CSVLOG


def _form_of(text: TextFile, shape: LogShape) -> FormatName:
    """Returns the form that is stated, or that the first line tells."""
    if shape.format.name != "auto":
        return shape.format.name
    with text.path.open("rb") as file:
        head = file.read(_HEAD)
    first = next((line for line in head.splitlines() if line.strip()), b"")
    if is_line_of_json(first, _wanted_in(shape)):
        return "jsonl"
    if _BEGINS_JSON.match(head):
        return "json"
    return "common_log" if is_common_log(first.decode(errors="replace")) else "csv"


def _wanted_in(shape: LogShape) -> Callable[[Record], bool]:
    """Returns what tells whether an object is a record: it has one of the columns."""
    paths = (*shape.columns, *shape.usual)
    return lambda record: any(has_path(record, path) for path in paths)


def _tables(
    text: TextFile, form: FormatName, shape: LogShape
) -> Generator[RawTable, None, FileEnd]:
    match form:
        case "jsonl":
            return (yield from _of_records(text, _line_batches(text, shape), shape))
        case "json":
            return (yield from _of_records(text, _document_batches(text, shape), shape))
        case "common_log" | "widths":
            return (yield from _of_lines(text, form, shape))
        case "auto" | "csv" | "csvlog":
            raise AssertionError(form)
        case _:
            assert_never(form)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some records: a column each path and `ROW`, and what is none by its number."""

    rows: pl.DataFrame
    bad: list[tuple[int, str]]


def _paths_in(shape: LogShape) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*shape.columns, *shape.usual)))


def _line_batches(text: TextFile, shape: LogShape) -> Iterator[_Batch]:
    paths = _paths_in(shape)
    schema = to_schema(paths)
    for block in line_blocks(text.path, text.export.name, BLOCK):
        rows = None
        if schema is not None:
            rows = block_rows(block.content, block.lines, paths, schema)
        if rows is None:
            yield _batch(list(json_lines(block)), paths)
        else:
            number = pl.int_range(block.first, block.first + block.lines, dtype=pl.UInt32)
            yield _Batch(rows.with_columns(number.alias(ROW)), [])


def _document_batches(text: TextFile, shape: LogShape) -> Iterator[_Batch]:
    reads = json_documents(text.path, text.export.name, _wanted_in(shape))
    while batch := list(islice(reads, _BATCH)):
        yield _batch(batch, _paths_in(shape))


def _batch(reads: list[Read], paths: tuple[str, ...]) -> _Batch:
    good = [one for one in reads if one.record is not None]
    columns = [_cells(path, getter(path), good) for path in paths]
    number = pl.Series(ROW, [one.number for one in good], dtype=pl.UInt32)
    bad = [(one.number, one.text) for one in reads if one.record is None]
    return _Batch(pl.DataFrame([*columns, number]), bad)


def _of_records(
    text: TextFile, batches: Iterator[_Batch], shape: LogShape
) -> Generator[RawTable, None, FileEnd]:
    """Yields tables with a column each path; one that is not named, once a record has it.

    Raises:
        SourceFormatError: a path that is needed leads nowhere, in every record.
    """
    found: set[str] = set()
    read_count = 0
    for batch in batches:
        rows = batch.rows
        found |= {column.name for column in rows if column.null_count() < column.len()}
        rows = rows.select(name for name in rows.columns if name in {*found, *shape.columns, ROW})
        read_count += rows.height + len(batch.bad)
        yield _table(text, rows, batch.bad, "no JSON object", 0)
    lost = [path for path in shape.needed if path not in found]
    if lost and read_count:
        raise SourceFormatError(
            f"{text.export.name}: none of {read_count:,} records has {lost[0]!r}: see "
            "activity.columns and activity.where; a path is written as actor.alternateId"
        )
    return FileEnd(read_count, None, text.facts.count)


def _cells(path: str, get: Callable[[Record], Any], reads: list[Read]) -> pl.Series:
    cells = []
    for one in reads:
        value = get(one.record or {})
        if is_inexact(value):
            value = get(one.as_written())
        cells.append(cell_of(value))
    return pl.Series(path, cells, dtype=pl.String)


def _of_lines(
    text: TextFile, form: FormatName, shape: LogShape
) -> Generator[RawTable, None, FileEnd]:
    """Yields tables of lines; a request without a user is nobody's, where the user is wanted."""
    read_count = 0
    for lines in line_batches(text.path, BLOCK):
        read_count += lines.height
        if form == "widths":
            yield _table(text, of_widths(lines, shape.format.widths), [], "", 0)
            continue
        rows, odd = common_log(lines)
        dropped = 0
        if "user" in shape.columns:
            of_somebody = rows.filter(pl.col("user") != "")
            dropped, rows = rows.height - of_somebody.height, of_somebody
        bad = list(zip(odd[ROW].to_list(), odd[LINE].to_list(), strict=True))
        yield _table(text, rows, bad, "not in the Common Log Format", dropped)
    return FileEnd(read_count, None, text.facts.count)


def _table(
    text: TextFile, rows: pl.DataFrame, bad: list[tuple[int, str]], reason: str, dropped: int
) -> RawTable:
    export = text.export
    rejects = pl.DataFrame(
        [
            (export.table, export.name, row, None, None, UNREADABLE_LINE, reason, line, False, None)
            for row, line in bad
        ],
        schema=REJECTS,
        orient="row",
    )
    return RawTable(
        export.table,
        rows,
        rejects,
        rows.height + rejects.height + dropped,
        export.name,
        dropped_count=dropped,
        written_at=export.modified_at if export.file.is_dated else None,
    )


def _columns_at_first_sight(text: TextFile, form: FormatName, shape: LogShape) -> tuple[str, ...]:
    """Returns the columns; of JSON, the paths that the first records have, as far as text goes."""
    if form not in {"json", "jsonl"}:
        table = next(_tables(text, form, shape), None)
        return () if table is None else tuple(name for name in table.rows.columns if name != ROW)
    name = text.export.name
    reads = (
        json_lines(next(line_blocks(text.path, name, _HEAD)))
        if form == "jsonl"
        else json_documents(text.path, name, _wanted_in(shape))
    )
    records = [one.record for one in islice(reads, _LOOKED_AT) if one.record is not None]
    found: dict[str, None] = {}
    for record in records:
        found.update(dict.fromkeys(_paths_of(record, "")))
    for path in shape.columns:
        get = getter(path)
        if path not in shape.needed or any(get(record) is not None for record in records):
            found[path] = None
    return tuple(found)


def _paths_of(value: Record, above: str) -> Iterator[str]:
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _paths_of(inner, f"{above}{key}.")
        else:
            yield f"{above}{key}"

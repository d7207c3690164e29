"""A sheet of an .xlsx workbook as a raw table: text as it is shown, dates in ISO 8601."""

from pathlib import Path
from typing import Any

import polars as pl

from extractors.delimited.dialect import check_names
from extractors.delimited.workbook import Sheet, SheetFacts, to_facts, to_sheets
from extractors.exports.export import Export
from schemas.errors import SourceFormatError, SourceIncompleteError, raise_as
from schemas.raw import RawTable
from schemas.source_file.kinds.csv_source import CsvOptions
from schemas.tables import REJECTS, ROW

_SUFFIXES = (".xlsx", ".xlsm")
_MIDNIGHT = r"^(\d{4}-\d{2}-\d{2})[ T]00:00:00(?:\.0+)?$"


def is_workbook(export: Export) -> bool:
    """Whether the export is named as a workbook."""
    return export.name.partition("?")[0].lower().endswith(_SUFFIXES)


def read_workbook(
    path: Path, export: Export, options: CsvOptions
) -> tuple[RawTable, int, tuple[str, ...]]:
    """Returns the rows of a sheet, its last row's number, and what to say of what is hidden.

    Raises:
        SourceIncompleteError: the sheet is empty.
        SourceFormatError: no workbook, no such sheet, or no usable header.
    """
    if options.complete is not None and options.complete.trailer is not None:
        raise SourceFormatError(f"{export.name}: complete.trailer is for text: leave rows out")
    sheets = to_sheets(path, export.name)
    sheet = _chosen(sheets, options.sheet, export.name)
    facts = to_facts(path, export.name, sheet)
    cells = _values(path, export.name, sheets.index(sheet), facts)
    rows = _under_header(_shown(cells, facts), options, export.name)
    rejects = pl.DataFrame(schema=REJECTS)
    table = RawTable(export.table, rows, rejects, rows.height, export.name)
    return table, facts.cells.last_row, _notes(export.name, sheets, sheet, facts, options)


def _chosen(sheets: list[Sheet], wanted: str, name: str) -> Sheet:
    named = [sheet for sheet in sheets if sheet.name == wanted]
    if named:
        return named[0]
    if wanted.isdigit() and 1 <= int(wanted) <= len(sheets):
        return sheets[int(wanted) - 1]
    there = ", ".join(repr(sheet.name) for sheet in sheets)
    raise SourceFormatError(f"{name}: no sheet {wanted!r}; it has {there}: see sheet:")


def _notes(
    name: str, sheets: list[Sheet], sheet: Sheet, facts: SheetFacts, options: CsvOptions
) -> tuple[str, ...]:
    notes = []
    others = [repr(one.name) for one in sheets if one is not sheet]
    if others and "sheet" not in options.model_fields_set:
        notes.append(f"the sheet {sheet.name!r} is read, not {', '.join(others)}: see sheet:")
    hidden = [repr(one.name) for one in sheets if one.is_hidden and one is not sheet]
    if hidden:
        notes.append(f"hidden sheets, not read: {', '.join(hidden)}")
    if sheet.is_hidden:
        notes.append(f"the sheet {sheet.name!r} is hidden, and is read all the same")
    if facts.hidden_rows:
        notes.append(f"{facts.hidden_rows} hidden rows are read all the same")
    if facts.merged:
        notes.append(f"{facts.merged} areas of merged cells: all but the first cell are blank")
    return tuple(f"{name}: {note}" for note in notes)


def _values(path: Path, name: str, number: int, facts: SheetFacts) -> pl.DataFrame:
    """The cells as text, from the sheet's first row and its first column with a value.

    Raises:
        SourceFormatError: the library does not read the sheet, or not as it was looked at.
    """
    values = facts.values
    if not values.last_row:
        raise SourceIncompleteError(f"{name}: the sheet is empty: see why the export wrote nothing")
    import fastexcel

    def broken(_: Exception) -> SourceFormatError:
        return SourceFormatError(f"{name}: is no whole .xlsx workbook: export it again")

    def read() -> pl.DataFrame:
        book: Any = fastexcel.read_excel(path)
        sheet: Any = book.load_sheet(number, header_row=None, skip_rows=0, dtypes="string")
        return pl.DataFrame(sheet)

    frame = raise_as(read, {fastexcel.FastExcelError: broken, pl.exceptions.PolarsError: broken})
    width = values.last_column - values.first_column + 1
    if (frame.height, frame.width) != (values.last_row, width):
        raise SourceFormatError(
            f"{name}: the sheet reads two ways, as {frame.height} rows of {frame.width} cells and "
            f"as {values.last_row} of {width}: save it anew, or export it as CSV"
        )
    return frame


def _shown(cells: pl.DataFrame, facts: SheetFacts) -> pl.DataFrame:
    """The cells as text as it is shown: no nulls, days without a time of day.

    With those beside and below them that are formulas without a value: a row of these is one.
    """
    bounds, values = facts.cells, facts.values
    none = pl.Series([""], dtype=pl.String).new_from_index(0, bounds.last_row)
    below = none.slice(0, bounds.last_row - values.last_row)
    by_column: dict[int, dict[int, str]] = {}
    for (row, column), shown in facts.texts.items():
        by_column.setdefault(column, {})[row - 1] = shown
    columns: list[pl.Series] = []
    for number in range(bounds.first_column, bounds.last_column + 1):
        text = none
        if values.first_column <= number <= values.last_column:
            cells_of = cells.to_series(number - values.first_column).cast(pl.String).fill_null("")
            shown_as = cells_of.str.replace(_MIDNIGHT, "${1}").rename("")
            text = pl.concat([shown_as, below.rename("")])
        changed = by_column.get(number, {})
        if changed:
            text = text.clone().scatter(list(changed), list(changed.values()))
        columns.append(text.alias(f"column_{len(columns) + 1}"))
    return pl.DataFrame(columns)


def _under_header(cells: pl.DataFrame, options: CsvOptions, name: str) -> pl.DataFrame:
    """The rows below the header, blank ones left out, under its names."""
    numbered = cells.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(ROW))
    is_blank = pl.all_horizontal(pl.exclude(ROW).str.strip_chars() == "")
    rows = numbered.filter(pl.col(ROW) > options.skip_lines, ~is_blank)
    if not rows.height:
        raise SourceIncompleteError(f"{name}: no row after the first {options.skip_lines}")
    if options.header:
        rows = _named(rows, name)
    if not options.blank:
        return rows
    all_cells = pl.exclude(ROW)
    is_nothing = all_cells.is_in(options.blank)
    blank = pl.when(is_nothing).then(pl.lit("")).otherwise(all_cells)
    return rows.with_columns(blank.name.keep())


def _named(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """The rows below the first, under its names; a column that is blank from there on is none."""
    header, below = rows.drop(ROW).row(0), rows.slice(1)
    titles = dict(zip(rows.drop(ROW).columns, header, strict=True))
    used = {
        column: title
        for column, title in titles.items()
        if title.strip() or (below[column].str.strip_chars() != "").any()
    }
    check_names(list(used.values()), f"{name}: the header, row {rows[ROW].to_list()[0]}")
    return below.select(*(pl.col(old).alias(new) for old, new in used.items()), ROW)

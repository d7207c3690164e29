"""One table out of several files: parts below one another, or joined by a key."""

import re
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from schemas.errors import SourceFormatError, SourceIncompleteError
from schemas.export_file import ReadExport
from schemas.headers import AmbiguousColumnError, column_named
from schemas.raw import Part, Probe, RawTable
from schemas.source_file.kinds.csv_source import Join
from schemas.tables import NO_PARTNER, REJECTS, ROW, SEVERAL_PARTNERS

_BETWEEN = "\x1f"
_DIGITS_OF_DATE = re.compile(r"(?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d(?:\d{4,6})?")


def parts_as_one(tables: Sequence[RawTable], line_counts: Sequence[int]) -> RawTable:
    """Returns the parts as one table, in their order; each is known by its name and its lines.

    Raises:
        SourceFormatError: a part has other columns than the first.
    """
    first = tables[0]
    columns, parts, rows, above = first.rows.columns, [], [], 0
    for table, line_count in zip(tables, line_counts, strict=True):
        odd = sorted(set(table.rows.columns) ^ set(columns))
        if odd:
            raise SourceFormatError(
                f"{table.origin}: has other columns than {first.origin}: {odd[0]!r} is in one of "
                "them alone; parts of one table have the same columns"
            )
        parts.append(Part(table.origin, above))
        rows.append(table.rows.select(columns).with_columns(pl.col(ROW) + pl.lit(above, pl.UInt32)))
        above += line_count
    return replace(
        first,
        rows=pl.concat(rows).rechunk(),
        rejects=pl.concat([table.rejects for table in tables]),
        read_count=sum(table.read_count for table in tables),
        origin=f"{first.origin} and {len(tables) - 1} more",
        parts=tuple(parts),
    )


def check_no_part_is_gone(names: Sequence[str], last: Sequence[ReadExport], table: str) -> None:
    """Raises where a part of the last accepted read is not there now: its rows would be removed.

    Parts are told apart by their names without the dates in them.

    Raises:
        SourceIncompleteError: one is gone.
    """
    now = {undated(name) for name in names}
    gone = [export.name for export in last if undated(export.name) not in now]
    if gone:
        raise SourceIncompleteError(
            f"{table}: {len(names)} parts, and the last accepted read had {len(last)}: nothing is "
            f"there in place of {gone[0]}; export it again, or if it has gone for good, sync once "
            "with --as-of and the exports' date"
        )


def undated(name: str) -> str:
    """A name without the dates in it."""
    return _DIGITS_OF_DATE.sub("", name)


def joined(accounts: RawTable, other: RawTable, join: Join) -> tuple[RawTable, tuple[str, ...]]:
    """Returns the accounts with the columns of the other file's rows of their key, and notes.

    A column whose name the accounts have as well is called `joined.NAME`. An account without a row
    there, or with several that differ, has cells that cannot be read; or blank ones where it has
    none and the source file says so.

    Raises:
        SourceFormatError: the key is no column of one of them, or a name is there twice.
    """
    mine, theirs = _keys(accounts, other, join)
    names = _joined_names(accounts, other, theirs)
    partners = other.rows.select(
        pl.concat_str(theirs, separator=_BETWEEN).alias("key"),
        pl.all_horizontal(pl.col(theirs) != "").alias("is_keyed"),
        *(pl.col(name).alias(new) for name, new in names.items()),
    )
    partners = partners.filter("is_keyed").drop("is_keyed").unique(maintain_order=True)
    is_shared = partners["key"].is_duplicated()
    several, single = partners.filter(is_shared)["key"].unique(), partners.filter(~is_shared)
    key = accounts.rows.select(pl.concat_str(mine, separator=_BETWEEN).alias("key"))
    rows = key.join(single, on="key", how="left", maintain_order="left")
    known = key["key"].is_in(single["key"].implode())
    # A line of the other file that cannot be read may be anybody's: nobody is without one then.
    may_be_blank = join.missing == "blank" and not other.rejects.height
    missing = pl.lit("" if may_be_blank else NO_PARTNER)
    is_several = key["key"].is_in(several.implode())
    filled = rows.with_columns(known=known, several=is_several).with_columns(
        pl.when("known")
        .then(pl.col(name))
        .when("several")
        .then(pl.lit(SEVERAL_PARTNERS))
        .otherwise(missing)
        .alias(name)
        for name in names.values()
    )
    notes = []
    unused = partners.join(key, on="key", how="anti").height
    if unused:
        notes.append(f"{other.origin}: {unused} rows are of no account of {accounts.origin}")
    if other.rejects.height:
        notes.append(f"{other.origin}: {other.rejects.height} lines cannot be read")
    whole = accounts.rows.hstack(filled.select(list(names.values())))
    return replace(accounts, rows=whole), tuple(notes)


def joined_probe(accounts: Probe, other: Probe, join: Join) -> Probe:
    """Returns what the accounts look like with the other file's columns.

    Raises:
        SourceFormatError: as `joined`.
    """
    tables = [
        RawTable(
            probe.table,
            pl.DataFrame(schema=dict.fromkeys(probe.columns or (), pl.String()) | {ROW: pl.UInt32}),
            pl.DataFrame(schema=REJECTS),
            0,
            probe.origin,
        )
        for probe in (accounts, other)
    ]
    whole, _ = joined(tables[0], tables[1], join)
    columns = [name for name in whole.rows.columns if name != ROW]
    said = f"{accounts.said}; joined with {other.origin}, {other.said}"
    return replace(accounts, said=said, columns=tuple(columns))


def _keys(accounts: RawTable, other: RawTable, join: Join) -> tuple[list[str], list[str]]:
    mine = [_column(accounts, name) for name in join.keys]
    return mine, [_column(other, name) for name in join.keys.values()]


def _column(table: RawTable, wanted: str) -> str:
    name = None
    try:
        name = column_named(wanted, [one for one in table.rows.columns if one != ROW])
    except AmbiguousColumnError:
        name = None
    if name is None:
        raise SourceFormatError(f"{table.origin}: no column {wanted!r}, wanted for join.on")
    return name


def _joined_names(accounts: RawTable, other: RawTable, keys: list[str]) -> dict[str, str]:
    present = set(accounts.rows.columns)
    columns = [name for name in other.rows.columns if name != ROW and name not in keys]
    names = {name: f"joined.{name}" if name in present else name for name in columns}
    twice = sorted(name for name in names.values() if name in present)
    if twice:
        raise SourceFormatError(f"{other.origin}: {twice[0]!r} is a column already: rename it")
    return names

"""A rejected row is never a removal: every last accepted record that it may have been is kept.

A reject whose key can be read keeps the record of that key. One whose key cannot be read may be any
record that is missing now, so all of those are kept, and the run says so; but a line that stood
there last time too, beside everybody, is nobody's, and keeps on only what it kept then.
"""

from dataclasses import dataclass, replace

import polars as pl

from schemas.raw import RawTable
from schemas.tables import KEPT, ONE_FIELD, ROW
from transforms.tables.conform import NO_RECORD, Conformed
from transforms.tables.rejects import TableCount

UNREADABLE = "unreadable"
"""Why a record is kept that no reject names: some row cannot be read, and may be its own."""

_NO_REASONS = pl.DataFrame(schema={"key": pl.String(), "reason": pl.String()})
_NO_LINES = pl.Series("line", [], dtype=pl.String)
_BETWEEN_WORDS = r"[\s;,|:\"]+"


@dataclass(frozen=True, slots=True)
class CarriedForward:
    """Last accepted records carried forward.

    Attributes:
        records: in any order.
        reasons: `key` and `reason` of each that a reject names.
        lines: the text of the rows that cannot be told from one another, with every number a 0.
    """

    records: pl.DataFrame
    reasons: pl.DataFrame
    lines: pl.Series


@dataclass(frozen=True, slots=True)
class KeptBefore:
    """What the last accepted run kept of one table.

    Attributes:
        keys: of records that it kept for rows that nobody could read.
        lines: those rows, with every number a 0.
    """

    keys: pl.Series
    lines: pl.Series


def kept_before(kept: pl.DataFrame, table: str) -> KeptBefore:
    """What `kept` (`KEPT`), which the last accepted run left, says of a table."""
    of_table = kept.filter(pl.col("table") == table)
    is_unreadable = pl.col("reason") == UNREADABLE
    return KeptBefore(
        of_table.filter(is_unreadable)["key"].drop_nulls(),
        of_table.filter(is_unreadable)["line"].drop_nulls(),
    )


def has_new_line(lines: pl.Series, before: pl.Series) -> bool:
    """Whether some line is not among those before, or not as often."""
    now = lines.value_counts(name="now")
    then = before.alias(lines.name).value_counts(name="then")
    both = now.join(then, on=lines.name, how="left")
    return bool((both["now"] > both["then"].fill_null(0)).any())


def kept_records(
    last: pl.DataFrame, current: pl.DataFrame, named: pl.Series, key: list[str]
) -> pl.DataFrame:
    """The records of `last` that `named` names (as `key_text` writes it), none in `current`."""
    records = last.filter(key_expression(key).is_in(named.drop_nulls().implode()))
    # Both sides cut down first: to look for a few in a million takes fifty times as long.
    return missing_records(records, current.join(records, on=key), key)


def missing_records(last: pl.DataFrame, current: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The records of `last` that are not in `current`."""
    return last.join(current, on=key, how="anti")


def keep_last(
    last: pl.DataFrame, now: Conformed, table: RawTable, key: list[str], before: KeptBefore
) -> CarriedForward:
    """What the rejects of `table` keep of `last`.

    Those the reader found hold guessed keys: right if they name a record of `last` that is missing
    now, else unreadable.
    """
    rejects = now.row_rejects
    if not rejects.height:
        return CarriedForward(last.clear(), _NO_REASONS, _NO_LINES)
    certain = rejects.join(table.rejects, on=["file", "row"], how="anti")
    is_told = ~_has_null(certain["key"], key)
    of_one_field = table.rejects["code"] == ONE_FIELD
    guessed = table.rejects.filter(~of_one_field & table.rejects["key"].ne_missing(NO_RECORD))
    words = _words(table.rejects.filter(of_one_field))
    reasons = pl.concat(
        [one.select("key", reason="code") for one in (certain.filter(is_told), guessed, words)]
    )
    current = now.of_records(key)
    records = kept_records(last, current, reasons["key"], key)
    kept_keys = records.select(key_expression(key)).to_series()
    is_wrong = ~guessed["key"].is_in(kept_keys.implode()).fill_null(value=False)
    lines = pl.concat(
        [_text_of(table, certain.filter(~is_told)), _lines(guessed.filter(is_wrong)["value"])]
    )
    if not lines.len():
        return CarriedForward(records, reasons, lines)
    if has_new_line(lines, before.lines):
        return CarriedForward(missing_records(last, current, key), reasons, lines)
    still = pl.concat([kept_keys, before.keys.alias(kept_keys.name)])
    missing = kept_records(last, current, still, key)
    return CarriedForward(missing, reasons, lines)


def _words(lines: pl.DataFrame) -> pl.DataFrame:
    """Each word of lines with one field as a key that it may be: such a line names no one else."""
    words = pl.col("value").str.replace_all(_BETWEEN_WORDS, " ").str.split(" ")
    return lines.with_columns(key=words).explode("key")


def _text_of(table: RawTable, rejects: pl.DataFrame) -> pl.Series:
    """The text of the rows that these are rejects of, each row once."""
    if not rejects.height:  # most nights, and it spares naming every row's place
        return _NO_LINES
    places = table.places(table.rows[ROW]).with_row_index("at")
    at = places.join(rejects, on=["file", "row"], how="semi")["at"]
    rows = table.rows.select(pl.all().gather(at.sort()))
    return _lines(rows.select(pl.concat_str(pl.exclude(ROW), ignore_nulls=True)).to_series())


def _lines(texts: pl.Series) -> pl.Series:
    return texts.str.replace_all(r"\d+", "0")


def _has_null(keys: pl.Series, key: list[str]) -> pl.Series:
    """Whether each of `keys` cannot be read: it, or a part of it, is null."""
    if len(key) == 1:
        return keys.is_null()
    form = pl.Struct(dict.fromkeys(key, pl.String()))
    parts = keys.set(keys == NO_RECORD, None).str.json_decode(form).struct.unnest()
    is_null = parts.select(pl.any_horizontal(pl.all().is_null())).to_series()
    return is_null & keys.ne_missing(NO_RECORD)


def count_carried(count: TableCount, kept: CarriedForward) -> TableCount:
    """`count`, and how many records were kept."""
    return replace(count, kept=kept.records.height)


def key_expression(key: list[str]) -> pl.Expr:
    """The key as `key_text` writes it, for records known to be well-formed."""
    if len(key) == 1:
        return pl.col(key[0])
    return pl.struct(key).struct.json_encode()


def kept_rows(table: str, kept: CarriedForward, key: list[str]) -> pl.DataFrame:
    """What is kept of a table as `KEPT`, `since` left open."""
    keys = kept.records.select(key_expression(key).alias("key"))
    reasons = kept.reasons.group_by("key").agg(pl.col("reason").min())
    named = keys.join(reasons, on="key", how="left")
    records = named.with_columns(pl.col("reason").fill_null(UNREADABLE))
    lines = kept.lines.to_frame("line").with_columns(reason=pl.lit(UNREADABLE))
    return as_kept(table, pl.concat([records, lines], how="diagonal").sort(["key", "line"]))


def as_kept(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """`key`, `line`, `reason` or some of these as `KEPT` of a table, `since` left open."""
    named = rows.with_columns(table=pl.lit(table))
    whole = pl.concat([pl.DataFrame(schema=KEPT), named], how="diagonal")
    return whole.with_columns(pl.col("is_closed").fill_null(value=False))

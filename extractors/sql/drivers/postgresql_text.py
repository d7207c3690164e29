"""PostgreSQL through ODBC or JDBC: the server itself writes the text, as it does for a COPY.

Their drivers make a date of their own of `infinity`, and an array is each one's own text.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import polars as pl

from extractors.sql.session.session import Fetched
from extractors.sql.session.values import (
    JsonNumber,
    decimal_text,
    json_text,
    utc_text,
    without_zeros,
)
from extractors.sql.statements.lexer import parts_of
from extractors.sql.statements.statement import Statement
from schemas.errors import ConfigError, SourceIncompleteError

_BOOL, _BYTEA, _FLOATS, _NUMERIC = 16, 17, {700, 701}, 1700
_INTS = {20, 21, 23, 26}
_TIMESTAMP, _TIMESTAMPTZ, _JSONS = 1114, 1184, {114, 3802}
_TEXT = 25
_NOT_CAST = {869, 1042}
"""INET and CHAR: a cast adds a mask, and takes blanks; drivers hand both over as they are."""

_TYPES = "t.oid::text, CASE t.typcategory WHEN 'A' THEN t.typelem::text END"
_OF_TYPES = """ RIGHT JOIN (SELECT 1) one ON false
CROSS JOIN LATERAL unnest(ARRAY[{oids}]) WITH ORDINALITY AS u(oid, place)
CROSS JOIN LATERAL (WITH RECURSIVE made(oid, of_oid) AS (
    SELECT d.oid, d.typbasetype FROM pg_catalog.pg_type d WHERE d.oid = u.oid
    UNION ALL
    SELECT d.oid, d.typbasetype FROM made JOIN pg_catalog.pg_type d ON d.oid = made.of_oid)
  SELECT made.oid FROM made WHERE made.of_oid = 0) base
JOIN pg_catalog.pg_type t ON t.oid = base.oid ORDER BY u.place"""
"""The types of columns that no row is read for; a domain is what it is made of."""


def postgresql_settings(zone: str | None) -> str:
    """Returns a query that has PostgreSQL write, in this transaction, what is made canonical here.

    A query and no SET, which Java's driver takes for a statement without rows.
    """
    settings = {
        "TimeZone": zone or "UTC",
        "DateStyle": "ISO, YMD",
        "IntervalStyle": "iso_8601",
        "bytea_output": "hex",
        "extra_float_digits": "1",
        # A policy that hides rows is an error then.
        "row_security": "off",
    }
    changes = (f"set_config('{name}', '{to}', true) AS {name}" for name, to in settings.items())
    return f"SELECT {', '.join(changes)}"


def check_no_question_mark(statement: Statement) -> None:
    """Raises where an operator of PostgreSQL's would be taken for the place of a value.

    Raises:
        ConfigError: the statement has one of its operators that are written with a question mark.
    """
    text = "".join(piece for piece in statement.pieces if isinstance(piece, str))
    if any("?" in part for kind, part in parts_of(text, "postgresql") if kind == "sql"):
        raise ConfigError(
            f"{statement.origin}: through ODBC and JDBC, PostgreSQL's ? is the place of a value: "
            "write jsonb_exists(…), jsonb_exists_any(…) or jsonb_exists_all(…), or read it without "
            "driver"
        )


PUT_ANEW = """
SELECT count(*)::text AS tables FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'
AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
    WHERE d.datname = pg_catalog.current_database())
AND (c.oid IS NULL OR c.relkind IN ('r', 'm', 't') AND c.relfilenode <> 0
    AND c.relfilenode <> pg_catalog.pg_relation_filenode(c.oid))
"""
"""How many of the tables that were read so far are not as they were when the snapshot was taken.

A table that was emptied by TRUNCATE, or made, since then shows no row of what was loaded into it:
no row that there was, and none that there is (PostgreSQL 15 documentation, 13.6 "Caveats"). What
was read stays locked until the end, so that it cannot happen later. The snapshot has the file that
a table was kept in, pg_relation_filenode the one that it is kept in now.
"""


def check_not_put_anew(origin: str, count: str | None) -> None:
    """Raises where tables were emptied or made since the snapshot; `count` is `PUT_ANEW`'s.

    Raises:
        SourceIncompleteError: one was.
    """
    if count != "0":
        raise SourceIncompleteError(
            f"{origin}: a table was emptied (TRUNCATE), made or rewritten while this was read, and "
            "what was loaded into it then is not seen: run again once the load has ended"
        )


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's type: its oid, and that of its elements where it is an array."""

    oid: int
    element: int | None = None


def read_postgresql_text(
    statement: Statement, zone: str | None, read: Callable[[Statement], Fetched]
) -> Fetched:
    """Reads everything the statement returns, canonical.

    Args:
        statement: a query, or a procedure, whose values are as the driver has them.
        zone: that of timestamps which carry none.
        read: everything that a statement returns, as the driver has it.

    Raises:
        SourceIncompleteError, SourceFormatError: as `read`.
    """
    fetched = _read_text(statement, zone, read) if statement.is_query else read(statement)
    put_anew = replace(statement, pieces=(PUT_ANEW,), is_query=True, partition=None)
    check_not_put_anew(statement.origin, read(put_anew).rows.item())
    return fetched


def _read_text(
    statement: Statement, zone: str | None, read: Callable[[Statement], Fetched]
) -> Fetched:
    labels = read(statement.within("*", " LIMIT 0")).labels
    names = [f"c{number}" for number in range(len(labels))]
    kinds = _kinds(statement, names, read)
    texts = [
        name if kind.oid in _NOT_CAST else f"{name}::text"
        for name, kind in zip(names, kinds, strict=True)
    ]
    fetched = read(statement.within(", ".join(texts), _alias(names)))
    # Cast to text, a boolean is canonical already.
    written = [Kind(_TEXT) if kind.oid == _BOOL else kind for kind in kinds]
    return Fetched(canonical(fetched.rows, written, zone), labels, fetched.warnings)


def _kinds(
    statement: Statement, names: list[str], read: Callable[[Statement], Fetched]
) -> list[Kind]:
    oids = ", ".join(f"pg_catalog.pg_typeof({name})::oid" for name in names)
    types = read(statement.within(_TYPES, _alias(names) + _OF_TYPES.format(oids=oids))).rows
    return [Kind(int(oid), element and int(element)) for oid, element in types.rows()]


def _alias(names: list[str]) -> str:
    return f"({', '.join(names)})"


def kinds_of(connection: Any, oids: list[int]) -> list[Kind]:  # noqa: ANN401 - psycopg's
    """Looks up the types of columns, with the elements of arrays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT oid::text, typelem::text FROM pg_catalog.pg_type "
            "WHERE typcategory = 'A' AND oid = ANY(%s::oid[])",
            (oids,),
        )
        elements = {int(oid): int(element) for oid, element in cursor.fetchall()}
    return [Kind(oid, elements.get(oid)) for oid in oids]


def canonical(rows: pl.DataFrame, kinds: list[Kind], zone: str | None) -> pl.DataFrame:
    """Makes each column canonical; `zone` is that of timestamps which carry none."""
    changed = [
        _column(column, kind, zone) for column, kind in zip(rows.get_columns(), kinds, strict=True)
    ]
    return pl.DataFrame(changed)


def _column(text: pl.Series, kind: Kind, zone: str | None) -> pl.Series:
    oid, element = kind.oid, kind.element
    if element is not None:
        # An int2vector or an oidvector counts as an array and is written without braces.
        return _by_value(
            text, lambda cell: _array_text(cell, element, zone) if "{" in cell else cell
        )
    if oid in {_TIMESTAMP, _TIMESTAMPTZ}:
        return _times(text, zone, is_zoned=oid == _TIMESTAMPTZ)
    change = _CHANGES.get(oid)
    return text if change is None else change(text)


def _booleans(text: pl.Series) -> pl.Series:
    return text.replace_strict({"t": "true", "f": "false"}, return_dtype=pl.String)


def _bytes(text: pl.Series) -> pl.Series:
    return text.str.strip_prefix("\\x")


def _floats(text: pl.Series) -> pl.Series:
    has_exponent = text.str.contains("e", literal=True).fill_null(value=False)
    if not has_exponent.any():
        return text
    plain = _by_value(text.filter(has_exponent), lambda cell: decimal_text(Decimal(cell)))
    return text.scatter(has_exponent.arg_true(), plain)


def jsons_text(text: pl.Series) -> pl.Series:
    """Writes JSON documents canonically; one that is none stays as it is."""
    return _by_value(text, _json)


def _times(text: pl.Series, zone: str | None, *, is_zoned: bool) -> pl.Series:
    """Makes times ISO 8601; what no such time can say (infinity, a year BC) stays as it is."""
    if zone in {None, "UTC"}:
        return text.to_frame().select(_in_utc(pl.col(text.name), zone, is_zoned)).to_series()
    shape = "%Y-%m-%d %H:%M:%S%.f"
    if is_zoned:
        short = text.str.replace(r"([+-]\d{2})$", "${1}:00")
        read = short.str.to_datetime(f"{shape}%:z", strict=False, time_unit="us", time_zone="UTC")
    else:
        read = text.str.to_datetime(shape, strict=False, time_unit="us").dt.replace_time_zone(
            zone, ambiguous="earliest", non_existent="null"
        )
    known = utc_text(read)
    return known.zip_with(known.is_not_null(), text)


def _in_utc(text: pl.Expr, zone: str | None, is_zoned: bool) -> pl.Expr:
    """Does so where no clock has to be moved; no patterns, which are ten times as slow."""
    iso = text.str.replace(" ", "T", literal=True)
    if is_zoned:
        usual = text.str.ends_with("+00")
        return pl.when(usual).then(iso.str.strip_suffix("+00") + "Z").otherwise(text)
    usual = text.str.contains(":", literal=True) & ~text.str.ends_with("BC")
    return pl.when(usual).then(iso + ("Z" if zone else "")).otherwise(text)


def _by_value(text: pl.Series, change: Callable[[str], str | None]) -> pl.Series:
    """Changes each distinct value once."""
    distinct = text.drop_nulls().unique()
    changed = [change(cell) for cell in distinct.to_list()]
    if not changed:
        return text
    return text.replace_strict(distinct, pl.Series(changed, dtype=pl.String), default=None)


def _json(text: str) -> str:
    try:
        return json_text(json.loads(text, parse_float=JsonNumber))
    except (ValueError, RecursionError):
        return text


_CHANGES: dict[int, Callable[[pl.Series], pl.Series]] = {
    _BOOL: _booleans,
    _BYTEA: _bytes,
    _NUMERIC: without_zeros,
    **dict.fromkeys(_FLOATS, _floats),
    **dict.fromkeys(_JSONS, jsons_text),
}


def _array_text(text: str, element: int, zone: str | None) -> str:
    """Writes an array as JSON: numbers and booleans as such, the rest as text, all canonical."""
    array = _array(text)
    flat: list[str] = []
    _flatten(array, flat)
    texts = _column(pl.Series(flat, dtype=pl.String), Kind(element), zone).to_list()
    plain = dict(zip(flat, texts, strict=True))
    return _rebuilt(array, plain, element)


def _rebuilt(item: Any, plain: dict[str, str], element: int) -> str:  # noqa: ANN401 - nested lists
    if isinstance(item, list):
        return f"[{','.join(_rebuilt(part, plain, element) for part in item)}]"
    if item is None:
        return "null"
    text = plain[item]
    is_bare = element in _INTS | _FLOATS | {_BOOL, _NUMERIC} | _JSONS
    return (
        text
        if is_bare and re.fullmatch(r"[\d.eE+\-]+|true|false|null|[\[{\"].*", text)
        else json_text(text)
    )


def _flatten(item: Any, into: list[str]) -> None:  # noqa: ANN401 - nested lists
    if isinstance(item, list):
        for part in item:
            _flatten(part, into)
    elif item is not None:
        into.append(item)


_PIECE = re.compile(r'[{}]|"(?:\\.|[^"\\])*"|[^{},"]+', re.DOTALL)


def _array(text: str) -> list[Any]:
    """Parses `{a,"b c",NULL,{…}}` into lists of texts and None."""
    stack: list[list[Any]] = [[]]
    for piece in _PIECE.findall(text[text.index("{") :]):
        if piece == "{":
            stack.append([])
        elif piece == "}":
            done = stack.pop()
            stack[-1].append(done)
        elif piece.startswith('"'):
            stack[-1].append(re.sub(r"\\(.)", r"\1", piece[1:-1], flags=re.DOTALL))
        else:
            stack[-1].append(None if piece.upper() == "NULL" else piece)
    return list(stack[0][0])

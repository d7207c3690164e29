"""PostgreSQL through ODBC or JDBC: the server itself writes the text, as it does for a COPY.

Their drivers make a date of their own of `infinity`, and an array is each one's own text.
"""

from collections.abc import Callable

from extractors.sql_postgresql_values import Kind, canonical
from extractors.sql_session import Fetched, Session
from extractors.sql_statements import Statement

_BOOL, _TEXT = 16, 25
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


def read_postgresql_text(
    session: Session, statement: Statement, read: Callable[[Statement], Fetched]
) -> Fetched:
    """Everything the statement returns, canonical.

    Args:
        session: the login through ODBC or JDBC.
        statement: a query, or a procedure, whose values are as the driver has them.
        read: everything that a statement returns, as the driver has it.

    Raises:
        SourceIncompleteError, SourceFormatError: as `read`.
    """
    if not statement.is_query:
        return read(statement)
    labels = read(statement.within("*", " LIMIT 0")).labels
    names = [f"c{number}" for number in range(len(labels))]
    kinds = _kinds(statement, names, read)
    texts = [
        name if kind.oid in _NOT_CAST else f"{name}::text"
        for name, kind in zip(names, kinds, strict=True)
    ]
    found = read(statement.within(", ".join(texts), _alias(names)))
    # Cast to text, a boolean is canonical already.
    written = [Kind(_TEXT) if kind.oid == _BOOL else kind for kind in kinds]
    return Fetched(canonical(found.rows, written, session.zone), labels, found.warnings)


def _kinds(
    statement: Statement, names: list[str], read: Callable[[Statement], Fetched]
) -> list[Kind]:
    oids = ", ".join(f"pg_catalog.pg_typeof({name})::oid" for name in names)
    types = read(statement.within(_TYPES, _alias(names) + _OF_TYPES.format(oids=oids))).rows
    return [Kind(int(oid), element and int(element)) for oid, element in types.rows()]


def _alias(names: list[str]) -> str:
    return f"({', '.join(names)})"

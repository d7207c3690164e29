"""A capability's query as a statement: read from its place, its placeholders bound, a read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from extractors.sql.statements.lexer import parts_of, without_end
from extractors.sql.statements.read_only import (
    first_word,
    is_procedure,
    is_query,
    why_not_a_read,
)
from schemas.errors import ConfigError, raise_as
from schemas.paths import path_inside
from schemas.source_file.kinds.sql_source import Partition, Query

PLACEHOLDERS = {
    "list_updated_accounts": frozenset({"since"}),
    "get_account": frozenset({"account_id"}),
    "get_last_activity": frozenset({"since", "until"}),
    "list_activity_records": frozenset({"since", "until"}),
}
"""What a capability's query may name in braces; the others are snapshots, and take none."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True, slots=True)
class Bound:
    """A place in a statement where a value is bound."""

    name: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One read.

    Attributes:
        capability: under its Lumos name.
        origin: the capability, and the file it is written in, for messages.
        pieces: SQL and places for values, in order.
        is_query: whether it can stand in another statement as a subquery.
        partition: how it is cut for parallel reads; None reads it in one.
    """

    capability: str
    origin: str
    pieces: tuple[str | Bound, ...]
    is_query: bool
    partition: Partition | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The values it needs, in the order they stand."""
        return tuple(piece.name for piece in self.pieces if isinstance(piece, Bound))

    def rendered(self, style: str) -> str:
        """Writes the SQL in a driver's `paramstyle`, or with `$1` as PostgreSQL's protocol has it.

        A `%` is doubled where the style gives it a meaning, which it does only beside values.
        """
        doubled = style in {"format", "pyformat"} and bool(self.names)
        text, number = [], 0
        for piece in self.pieces:
            if isinstance(piece, Bound):
                number += 1
                text.append(_mark(style, piece.name, number))
            else:
                text.append(piece.replace("%", "%%") if doubled else piece)
        return "".join(text)

    def values(self, style: str, known: Mapping[str, object]) -> dict[str, object] | list[object]:
        """Returns what is handed to the driver beside `rendered(style)`."""
        if style == "named":
            return {name: known[name] for name in self.names}
        return [known[name] for name in self.names]

    def within(self, selected: str, rest: str = "") -> "Statement":
        """Writes `SELECT selected FROM (this) q rest`; of a query alone, read in one."""
        pieces = (f"SELECT {selected} FROM (\n", *self.pieces, f"\n) q{rest}")  # noqa: S608 - ours
        return replace(self, pieces=pieces, partition=None)


def can_be_nested(statement: Statement, engine: str) -> bool:
    """Whether `engine` takes the statement as a subquery of another.

    T-SQL takes no ordered query in another, and neither it nor DB2 one that begins with WITH. Nor
    does DB2 take one that ends in WITH UR, FOR FETCH ONLY or OPTIMIZE FOR.
    """
    sql = statement.rendered("qmark")
    if not statement.is_query:
        return False
    if engine == "db2":
        bare = " ".join(part for kind, part in parts_of(sql, engine) if kind == "sql")
        return not {"WITH", "FOR"} & set(bare.upper().split())
    if engine != "mssql":
        return True
    from extractors.sql.statements.syntax import is_ordered

    return first_word(sql, engine) != "WITH" and not is_ordered(sql, engine)


def _mark(style: str, name: str, number: int) -> str:
    marks = {"qmark": "?", "numeric": f":{number}", "named": f":{name}", "dollar": f"${number}"}
    return marks.get(style, "%s")


def to_statement(
    capability: str, query: Query, workspace: Path, engine: str, *, allow_procedures: bool = False
) -> Statement:
    """Makes the query what is sent to `engine`; trailing semicolons are dropped.

    Raises:
        ConfigError: it is no single read, its parts need not stay as they are, it names a value
            that the capability does not have, or its file is not there, or lies outside of the
            workspace.
    """
    origin = capability if query.file is None else f"{capability} ({query.file})"
    written = query.sql if query.file is None else _file_text(query.file, workspace, origin)
    text = without_end(written or "", engine)
    pieces = _pieces(text, engine, capability, origin)
    sample = "".join("NULL" if isinstance(piece, Bound) else piece for piece in pieces)
    problem = why_not_a_read(sample, engine)
    if problem:
        raise ConfigError(f"{origin}: only reads are sent: the statement {problem}")
    if is_procedure(sample, engine):
        # only PostgreSQL's cannot end the transaction it is called in and begin another that writes
        if not (allow_procedures or engine == "postgresql"):
            raise ConfigError(
                f"{origin}: calls a procedure, and {engine} has no transaction that keeps it from "
                "writing: say allow_procedures: true if it only reads"
            )
        if engine == "oracle" and text.upper().endswith("END"):
            pieces = (*pieces, ";")  # a block of PL/SQL ends in one
        return Statement(capability, origin, pieces, is_query=False)
    if query.partition is not None:
        _check_parts(sample, engine, query.partition, origin)
    return Statement(capability, origin, pieces, is_query(sample, engine), query.partition)


def _check_parts(text: str, engine: str, partition: Partition, origin: str) -> None:
    from extractors.sql.statements.syntax import why_no_parts

    problem = why_no_parts(text, engine, partition.column)
    if problem:
        raise ConfigError(
            f"{origin}: partition: the query {problem}: leave partition out, or read a table or a "
            "view of stored rows"
        )


def _file_text(name: str, workspace: Path, origin: str) -> str:
    path = workspace / path_inside(name, origin)
    return raise_as(
        lambda: path.read_text("utf-8-sig"),
        {
            OSError: lambda error: ConfigError(
                f"{origin}: the file cannot be read: {error.strerror}: correct its name"
            ),
            UnicodeDecodeError: lambda _: ConfigError(
                f"{origin}: the file is not text in UTF-8: save it so"
            ),
        },
    )


def _pieces(text: str, engine: str, capability: str, origin: str) -> tuple[str | Bound, ...]:
    """Cuts the text at its placeholders; a literal that is nothing but one is one, too."""
    known = PLACEHOLDERS.get(capability, frozenset())
    pieces: list[str | Bound] = []
    for kind, part in parts_of(text, engine):
        quoted = _PLACEHOLDER.fullmatch(part[1:-1]) if kind == "literal" else None
        if quoted and quoted.group(1) in known:
            pieces.append(Bound(quoted.group(1)))
        elif quoted and get_close_matches(quoted.group(1).lower(), known):
            _check_known([quoted.group(1)], known, capability, origin)
        elif kind != "sql":
            pieces.append(part)
        else:
            cuts = _PLACEHOLDER.split(part)
            _check_known(cuts[1::2], known, capability, origin)
            pieces += [Bound(cut) if n % 2 else cut for n, cut in enumerate(cuts) if cut]
    return tuple(pieces)


def _check_known(names: list[str], known: frozenset[str], capability: str, origin: str) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        has = " and ".join(f"{{{name}}}" for name in sorted(known)) or "none"
        raise ConfigError(f"{origin}: {{{unknown[0]}}} is not known here; {capability} has {has}")

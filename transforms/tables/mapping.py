"""Which columns of a source fill which fields: as its file names them, or by their own names."""

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from schemas.errors import SourceFormatError
from schemas.raw import RawTable
from schemas.source_file.activity import EventTypeColumn
from schemas.source_file.columns import (
    AccountTypeColumn,
    StatusColumn,
    Strict,
    TextColumn,
    TimeColumn,
    is_pattern,
)
from schemas.source_file.file import SourceFile
from schemas.tables import ROW

_ALIKE = 0.75
"""How like a field a column's name is, at least, to be taken for a slip of the hand."""
_EMAIL = re.compile(r"[^@\s]@(?!odata\.)[^@\s]+\.")
"""An e-mail address, anywhere in a name; not OData's own columns (`manager@odata.type`)."""


_SECRET = re.compile(
    r"(?:^pw|^pin(?:code)?|password|passwd|passwort|passphrase|passcode|kennwort|motdepasse|contrasena|"
    r"wachtwoord|senha|pwd|secret|token|apikey|accesskey|privatekey|sshkey|credentials?|"
    r"(?:ntlm|nt|lm)hash|principalkey|otpseed|recoverycodes?|backupcodes?|securityanswer)"
    r"(?:s|es|hash|hashed|hashes|salt|digest|encrypted|enc|history|plain|clear|cleartext|text|value|"
    r"\d)*$"
)
"""At the end of a column's name, its letters alone: `password_changed_at` is none."""
_QUESTION = re.compile(r"(?i:has|is|must|can|needs?|requires?|force)(?:[^A-Za-z]|(?=[A-Z][a-z]))")
"""At the beginning of a column's name: it says yes or no."""


UNUSED = "columns that the source file does not name are left out"
"""What is said of columns that nothing is read from."""


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
    table: RawTable,
    named: Strict,
    attributes: dict[str, TextColumn],
    also_used: frozenset[str],
    wanted: Iterable[tuple[str, str]] = (),
) -> ColumnUse:
    """How `table`'s columns are used under the mapping `named`; `wanted` are others, and for what.

    A field that the mapping leaves out is read from the column of its own name, where there is one.

    Raises:
        SourceFormatError: a column that the source file names is not in the table, or the first
            line of its file is no header.
    """
    present = [column for column in table.rows.columns if column != ROW]
    _check_header(table, present)
    fields: dict[str, TextColumn | TimeColumn] = {}
    lacking: list[str] = []
    for name, default in _defaults(named).items():
        written = getattr(named, name)
        if written is not None and (name in named.model_fields_set or written.column in present):
            fields[name] = written
        elif written is None and name in present:
            fields[name] = default
        elif written is not None:
            lacking.append(_missing(table, name, written.column, present))
    fields.update(attributes)
    if table.zone is not None:
        fields = {name: _placed(origin, table.zone) for name, origin in fields.items()}
    _check_there(table, fields, present, (*lacking, *_lacking(table, wanted, present)))
    used = {column for origin in fields.values() for column in origin.sources} | also_used
    return ColumnUse(fields, tuple(column for column in present if column not in used))


def _placed(origin: TextColumn | TimeColumn, zone: str) -> TextColumn | TimeColumn:
    return origin.in_zone(zone) if isinstance(origin, TimeColumn) else origin


def _check_there(
    table: RawTable,
    fields: dict[str, TextColumn | TimeColumn],
    present: list[str],
    lacking: tuple[str, ...],
) -> None:
    """Raises unless all columns are there; a case's word that is a column too could mean either.

    `lacking` are the lines about others that are not.

    Raises:
        SourceFormatError: one is missing, or such a word.
    """
    needed = [(column, field) for field, origin in fields.items() for column in origin.sources]
    lines = tuple(dict.fromkeys((*lacking, *_lacking(table, needed, present))))
    if lines:
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        raise SourceFormatError(f"{lines[0]}{more}", lines=lines)
    for field, origin in fields.items():
        if isinstance(origin, TimeColumn) or origin.constant is not None:
            continue
        for word in origin.constants:
            if word in present:
                raise SourceFormatError(
                    f"{table.origin}: {field}: {word!r} is a word for some rows, and a column too: "
                    f"write {{column: {word}}} for its value"
                )


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


def _lacking(
    table: RawTable, wanted: Iterable[tuple[str, str]], present: list[str]
) -> Iterator[str]:
    """A line for each column that is wanted for something and is not there."""
    for column, use in wanted:
        if column not in present:
            yield _missing(table, use, column, present)


def _missing(table: RawTable, field: str, column: str | None, present: list[str]) -> str:
    close = difflib.get_close_matches(column or "", present, n=1)
    # Not all of them: of a file without a header, these are a person's values.
    hint = f"did you mean {close[0]!r}?" if close else f"it has {len(present)} columns"
    return f"{table.origin}: no column {column!r}, wanted for {field}; {hint}"


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
    cells = frozenset(column for one in file.entitlements for column in one.sources)
    ruled = frozenset(rule.column for rule in file.leave_out if rule.column is not None)
    newest = frozenset(file.newest_row.sources if file.newest_row else ())
    named = cells | ruled | newest | file.named_by_associations
    wanted = [(column, "leave_out") for column in sorted(ruled)]
    wanted += [(column, "several_rows") for column in sorted(newest)]
    wanted += [
        (column, f"entitlements of type {one.type}")
        for one in file.entitlements
        for column in one.sources
    ]
    use = use_of(accounts, file.columns, file.attributes, named, wanted)
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
        _check_no_secret(accounts, extra)
        unused = tuple(name for name in use.unused if name not in extra)
        return ColumnUse({**use.fields, **extra}, unused)
    return use


def names_secret(column: str) -> bool:
    """Whether a column is called like a secret: `userPassword`, `api_key`; not `has_password`."""
    if _QUESTION.match(column):
        return False
    letters = re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKD", column).casefold())
    return _SECRET.search(letters) is not None


def _check_no_secret(accounts: RawTable, columns: Iterable[str]) -> None:
    """Refuses to upload a secret because nobody named its column.

    Raises:
        SourceFormatError: a column is called like a secret.
    """
    secrets = sorted(filter(names_secret, columns))
    if secrets:
        raise SourceFormatError(
            f"{accounts.origin}: {', '.join(map(repr, secrets))} would become an attribute and is "
            "called like a secret: leave it out of the export or query, or say unknown_columns: "
            "warn; if it is none, name it under attributes"
        )


def misspelt(use: ColumnUse, file: SourceFile) -> list[str]:
    """What to say of columns that become attributes and look much like a field that has none."""
    empty = [name for name in type(file.columns).model_fields if name not in use.fields]
    extra = [
        name
        for name in use.fields
        if name not in type(file.columns).model_fields and name not in file.attributes
    ]
    close = {name: difflib.get_close_matches(name.lower(), empty, 1, _ALIKE) for name in extra}
    return [
        f"column {name!r} becomes an attribute; did you mean {similar[0]}?"
        for name, similar in close.items()
        if similar
    ]


def cell_of(rows: pl.DataFrame, use: ColumnUse, field: str) -> pl.Series:
    """The source's own text behind `field`, for the private record of a reject.

    Of several columns, their cells with bars between them.
    """
    origin = use.fields.get(field)
    if origin is None or not origin.sources:
        return pl.Series([None], dtype=pl.String).new_from_index(0, rows.height)
    if len(origin.sources) == 1:
        return rows[origin.sources[0]]
    cells = pl.concat_str(pl.col(origin.sources).fill_null(""), separator="|")
    return rows.select(cells.alias("cells")).to_series()

"""Entries as a frame of text: a column an attribute, made column by column."""

import base64
from collections.abc import Callable, Mapping
from typing import Literal

import polars as pl

from extractors.ldap_entries import RawEntry

DN = "dn"
UNDECODABLE = "undecodable"
Form = Literal["hex", "base64"]

_NONE_BINARY: Mapping[str, Form] = {}
_FORMS: Mapping[str, Callable[[bytes], bytes]] = {
    "hex": lambda value: value.hex().encode(),
    "base64": base64.b64encode,
}


def to_frame(
    entries: list[RawEntry],
    attributes: tuple[str, ...],
    separator: str,
    binary: Mapping[str, Form] = _NONE_BINARY,
) -> pl.DataFrame:
    """The entries as text, in their order.

    Returns:
        One row an entry; all columns text: `dn`; each of `attributes` under the name given, null
        where the entry has no value of it, several values in the order of their bytes with
        `separator` between (a directory promises no order); and `undecodable`: the first attribute
        of the row that is not UTF-8 and then null there, null where all are text. The attributes
        that `binary` names are written as it says, whatever their bytes.
    """
    spelled = _spellings(entries)
    forms = {name.lower(): _FORMS[form] for name, form in binary.items()}
    columns = [pl.Series(DN, [dn for dn, _ in entries], dtype=pl.String)]
    bad = pl.Series(UNDECODABLE, [None], dtype=pl.String).new_from_index(0, len(entries))
    for name in attributes:
        form = forms.get(name.lower())
        cells = _cells(entries, spelled.get(name.lower(), ()), separator.encode(), form)
        values = pl.Series(name, cells, dtype=pl.Binary)
        column = _as_text(values)
        if column.null_count() != values.null_count():
            is_bad = column.is_null() & values.is_not_null() & bad.is_null()
            bad = bad.scatter(is_bad.arg_true(), name)
        columns.append(column)
    return pl.DataFrame([*columns, bad])


def _as_text(values: pl.Series) -> pl.Series:
    """The values as text; null where one is not UTF-8."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.ComputeError:
        pass
    decoded = [None if value is None else _decoded(value) for value in values]
    return pl.Series(values.name, decoded, dtype=pl.String)


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _spellings(entries: list[RawEntry]) -> dict[str, tuple[str, ...]]:
    """How the server writes each attribute, by its name in lower case and without `;binary`."""
    names: set[str] = set()
    for _, attributes in entries:
        names.update(attributes)
    spelled: dict[str, tuple[str, ...]] = {}
    for name in sorted(names):
        key = name.lower().removesuffix(";binary")
        spelled[key] = (*spelled.get(key, ()), name)
    return spelled


def _cells(
    entries: list[RawEntry],
    spellings: tuple[str, ...],
    separator: bytes,
    form: Callable[[bytes], bytes] | None,
) -> list[bytes | None]:
    if not spellings:
        return [None] * len(entries)
    if form is None and len(spellings) == 1:
        name = spellings[0]
        return [
            None
            if not (values := attributes.get(name))
            else values[0]
            if len(values) == 1
            else separator.join(sorted(values))
            for _, attributes in entries
        ]
    gathered = ([v for name in spellings for v in found.get(name, ())] for _, found in entries)
    as_written = form or bytes
    return [
        separator.join(sorted(map(as_written, values))) if values else None for values in gathered
    ]

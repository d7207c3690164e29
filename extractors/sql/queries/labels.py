"""The labels of a query's columns: Lumos's own, in any case; which must be there, which may."""

from collections import Counter
from dataclasses import dataclass

import polars as pl

from extractors.sql.session.session import Fetched
from schemas.errors import SourceFormatError
from schemas.tables import ACCOUNTS, ASSOCIATIONS, ENTITLEMENTS, RESOURCES


@dataclass(frozen=True, slots=True)
class Labels:
    """What a capability's columns are called.

    Attributes:
        required: without these Lumos's connector refuses the answer.
        known: all that mean something.
        keeps_others: whether further columns mean something, too: custom attributes.
    """

    required: tuple[str, ...]
    known: tuple[str, ...]
    keeps_others: bool = False


_ACCOUNTS = Labels(("integration_specific_id",), tuple(ACCOUNTS), keeps_others=True)
_SCHEMA = ("customized_type", "name", "attribute_type", "description")
_ACTIVITY = ("account_id", "event_type", "happened_at", "email")
_RECORDS = ("id", "account_id", "email", "event_type", "activity_type", "timestamp", "happened_at")

LABELS = {
    "list_accounts": _ACCOUNTS,
    "list_updated_accounts": _ACCOUNTS,
    "get_account": _ACCOUNTS,
    "list_entitlements": Labels(
        (
            "integration_specific_id",
            "integration_specific_resource_id",
            "entitlement_type",
            "label",
        ),
        tuple(ENTITLEMENTS),
    ),
    "list_resources": Labels(
        ("integration_specific_id", "label", "resource_type"), tuple(RESOURCES)
    ),
    "find_entitlement_associations": Labels(tuple(ASSOCIATIONS), tuple(ASSOCIATIONS)),
    "get_last_activity": Labels(_ACTIVITY[:3], _ACTIVITY),
    "list_activity_records": Labels(("account_id", "timestamp"), _RECORDS, keeps_others=True),
    "list_custom_attributes_schema": Labels(("customized_type", "name"), _SCHEMA),
}
"""By capability (Lumos's connector model and its JDBC pages, read 2026-08)."""

VERBATIM_IDS = frozenset(
    {
        "integration_specific_id",
        "account_id",
        "integration_specific_entitlement_id",
        "integration_specific_resource_id",
    }
)
_SHORT, _LONG = "integ_specific_", "integration_specific_"
_ALSO = {"actor.account_id": "account_id", "actor_account_id": "account_id"}


def known_label(label: str, labels: Labels) -> str:
    """Returns the label as Lumos writes it, where it is one of its own; else as it is.

    Oracle before 12.2 has names of 30 characters at most: `integ_specific_…` is a label, too.
    """
    name = label.strip().lower()
    name = _ALSO.get(name, name)
    if name.startswith(_SHORT):
        name = _LONG + name.removeprefix(_SHORT)
    return name if name in labels.known else label


def check_labels(
    query_labels: tuple[str, ...],
    capability: str,
    origin: str,
    named: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Checks the columns' labels, and returns their names: Lumos's own where they are its labels.

    `named` are columns that the source file's own mapping names; it then says what must be there.

    Raises:
        SourceFormatError: a label is missing, or two columns have the same.
    """
    labels = LABELS[capability]
    names = tuple(known_label(label, labels) for label in query_labels)
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise SourceFormatError(
            f"{origin}: two columns with the label {twice[0]}: give each its own with AS"
        )
    missing = [] if named else [name for name in labels.required if name not in names]
    if capability == "list_activity_records" and "happened_at" in names:
        missing = [name for name in missing if name != "timestamp"]
    if missing:
        s = "s" if len(missing) > 1 else ""
        raise SourceFormatError(
            f"{origin}: no column label{s} {', '.join(missing)}; it has "
            f"{', '.join(query_labels) or 'none'}: name the column{s} with AS"
        )
    return names


def unknown_labels(names: tuple[str, ...], capability: str) -> tuple[str, ...]:
    """Returns the columns that mean nothing to this capability."""
    labels = LABELS[capability]
    return () if labels.keeps_others else tuple(n for n in names if n not in labels.known)


def labelled(
    fetched: Fetched, capability: str, origin: str, *, trim_ids: bool, named: frozenset[str]
) -> tuple[pl.DataFrame, list[str]]:
    """Puts the rows under their names, with warnings; `trim_ids` takes blanks off the ends of ids.

    Raises:
        SourceFormatError: as `check_labels`.
    """
    names = check_labels(fetched.labels, capability, origin, named)
    rows = fetched.rows.rename(dict(zip(fetched.rows.columns, names, strict=True)))
    warnings = list(fetched.warnings)
    ids = [name for name in names if name in VERBATIM_IDS]
    if trim_ids:
        rows = rows.with_columns(pl.col(name).str.strip_chars_end(" ") for name in ids)
    elif padded := [name for name in ids if rows[name].str.ends_with(" ").any()]:
        warnings.append(
            f"{origin}: {padded[0]} ends in blanks in some rows, as CHAR columns and a CASE of "
            "some databases pad: trim_ids: true takes them off"
        )
    unknown = unknown_labels(names, capability)
    if unknown:
        warnings.append(
            f"{origin}: columns that mean nothing here are left out: {', '.join(unknown)}"
        )
    return rows.drop(unknown), warnings

"""What is made of an account's entry, whichever kind of directory it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

from extractors.secret_attributes import check_attributes
from schemas.source_columns import Named
from schemas.tables import ACCOUNT_FIELDS

Cells = list[str | None]

FACTS = ("is_disabled", "is_expired", "is_locked_out", "is_password_expired")
"""What Active Directory says of an account apart from its status, under names of ours."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the source file wants of the accounts.

    Attributes:
        fields: the fields of an account that are filled by the kind of directory.
        attributes: the attributes the file names, as it writes them.
        facts: of `FACTS`, those it names.
        has_dn: whether it names `dn`.
        id_attribute: the column the file takes the id from; None for the kind's own.
    """

    fields: tuple[str, ...]
    attributes: tuple[str, ...]
    facts: tuple[str, ...]
    has_dn: bool
    id_attribute: str | None


def to_wanted(named: Named, id_column: str | None) -> Wanted:
    """What is wanted, by what the file names and the column it takes the id from.

    Raises:
        ConfigError: a password's attribute is among them, or what is no attribute.
    """
    apart = {"dn", *FACTS, *ACCOUNT_FIELDS}
    attributes = named.columns - apart
    check_attributes(attributes)
    fields = tuple(
        name for name in ACCOUNT_FIELDS if name in named.columns or name not in named.fields
    )
    own_id = id_column in {None, "", "integration_specific_id"}
    return Wanted(
        fields=fields,
        attributes=tuple(sorted(attributes)),
        facts=tuple(name for name in FACTS if name in named.columns),
        has_dn="dn" in named.columns,
        id_attribute=None if own_id else id_column,
    )


@dataclass(frozen=True, slots=True)
class Model:
    """What one kind of directory uses.

    Attributes:
        users_filter: which entries are accounts where the file does not say.
        groups_filter: likewise, entitlements.
        field_attributes: by field: the attributes that it is made from.
        link_attributes: what else of an account is needed to find its groups.
        group_attributes: what is asked of a group.
    """

    users_filter: str
    groups_filter: str
    field_attributes: Mapping[str, tuple[str, ...]]
    link_attributes: tuple[str, ...]
    group_attributes: tuple[str, ...]

"""The fields and attributes of an account, whichever kind of directory it comes from."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.errors import ConfigError
from schemas.source_file.columns import Named
from schemas.tables import ACCOUNT_FIELDS

# Passwords, their hashes and keys are never asked for and never kept. By beginning and ending, so
# that a product's own copy of one is refused as well: userPassword, unicodePwd, dBCSPwd,
# sambaNTPassword, ntPwdHash, pwdHistory, krbPrincipalKey, krb5Key, supplementalCredentials,
# ms-Mcs-AdmPwd, msLAPS-EncryptedPassword, msDS-ManagedPassword, msFVE-RecoveryPassword,
# trustAuthIncoming, ipaNTHash, oathSecret, userPKCS12, olcRootPW.
_SECRET = re.compile(
    r"(?:.*(?:password|passwd|pwd|rootpw|secret|pkcs12|privatekey|credentials)"
    r"|.*(?:pwd|password|nt|lm)(?:hash|history)|krb.*key|sambalmpassword|ms-mcs-admpwd.*|mslaps-.*"
    r"|msds-managedpassword.*|trustauth.*|initialauth.*|ipatokenotpkey|msfve-keypackage"
    r"|mstpm-ownerinformation|currentvalue|priorvalue)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:;[A-Za-z0-9-]+)*")

Cells = list[str | None]

FACTS = ("is_disabled", "is_expired", "is_locked_out", "is_password_expired")
"""What a directory says of an account apart from its status, under names of ours."""


@dataclass(frozen=True, slots=True)
class RequestedFields:
    """The fields and attributes of the accounts that the source file asks for.

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


@dataclass(frozen=True, slots=True)
class DirectoryProfile:
    """The filters and attributes that one kind of directory uses.

    Attributes:
        users_filter: which entries are accounts where the file does not say.
        groups_filter: likewise, entitlements.
        field_attributes: by field: the attributes that it is made from.
        link_attributes: what else of an account is needed to find its groups.
        group_attributes: the attributes that are read of a group.
        fact_attributes: by fact of `FACTS`: the attributes that it is made from.
    """

    users_filter: str
    groups_filter: str
    field_attributes: Mapping[str, tuple[str, ...]]
    link_attributes: tuple[str, ...]
    group_attributes: tuple[str, ...]
    fact_attributes: Mapping[str, tuple[str, ...]]


def to_requested_fields(named: Named, id_column: str | None) -> RequestedFields:
    """Returns what is requested, by what the file names and the column it takes the id from.

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
    return RequestedFields(
        fields=fields,
        attributes=tuple(sorted(attributes)),
        facts=tuple(name for name in FACTS if name in named.columns),
        has_dn="dn" in named.columns,
        id_attribute=None if own_id else id_column,
    )


def check_attributes(names: frozenset[str]) -> None:
    """Raises unless each of `names` may be asked for.

    Raises:
        ConfigError: one is a secret's, or no attribute's name: a number could hide one.
    """
    for name in sorted(names):
        if is_secret(name):
            raise ConfigError(
                f"the attribute {name} holds a password or a key: it is never read; "
                "take it out of columns and attributes",
                key="source",
            )
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} is no attribute's name: write letters, digits and hyphens", key="source"
            )


def is_secret(name: str) -> bool:
    """Whether the attribute `name`, options or not, holds what must not be read."""
    return _SECRET.fullmatch(name.split(";", maxsplit=1)[0]) is not None

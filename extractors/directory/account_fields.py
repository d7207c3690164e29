"""The fields and attributes of an account, whichever kind of directory it comes from."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from extractors.directory.dn import normal_dn, normal_type, rdn_values
from extractors.directory.entries import Entries
from extractors.directory.values import first_texts, plain_text
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
_NO_ADDRESSES = frozenset(
    {"dn", "integration_specific_id", "username", "given_name", "family_name"}
)

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


def one_of_several(entries: Entries, attribute: str) -> Cells:
    """Returns each entry's text of an attribute that identifies it; of several, the RDN's own.

    Null, a reject, where it has several and none of them is in its DN: a directory promises no
    order, so that another one would come first another night.
    """
    texts = first_texts(entries, attribute)
    for row, values in enumerate(entries.values(attribute)):
        if len(values) > 1:
            own = rdn_values(entries.dns[row]).get(normal_type(attribute))
            several = {plain_text(value).casefold(): plain_text(value) for value in values}
            texts[row] = None if own is None else several.get(own.casefold())
    return texts


def chosen_addresses(entries: Entries, chosen_before: Mapping[str, str]) -> Cells:
    """Returns each account's e-mail; of several values last time's, else the first address.

    `chosen_before` is what was chosen last time by normalized DN. First are those of the
    directory's own domain, then it goes by the alphabet: its own order is no promise.
    """
    cells = first_texts(entries, "mail")
    for row, values in enumerate(entries.values("mail")):
        if len(values) > 1:
            texts = {plain_text(value) for value in values}
            dn = normal_dn(entries.dns[row])
            before, domain = chosen_before.get(dn), _domain_of(dn)
            ranked = [("@" not in text, not text.lower().endswith(f"@{domain}"), text)
                      for text in texts]  # fmt: skip
            cells[row] = before if before in texts else min(ranked)[-1]
    return cells


def with_stand_in_names(
    made: dict[str, pl.Series], entries: Entries, addresses: Iterable[str], kind: str
) -> tuple[dict[str, pl.Series], int]:
    """Returns the columns with names for whoever has neither an address nor both; how many have.

    Lumos wants one or the other of each account. The login stands for the given name, and what the
    account is, of which `kind` of directory, for the family name: a true statement that no person
    bears. `addresses` are the columns that may hold an address.
    """
    count, stand_ins = len(entries), 0
    columns = [_cells(made, name, count) for name in addresses]
    has_address = [any("@" in (text or "") for text in row) for row in zip(*columns, strict=True)]
    given, family = (_cells(made, name, count) for name in ("given_name", "family_name"))
    logins, types = _cells(made, "username", count), _cells(made, "account_type", count)
    for row, dn in enumerate(entries.dns):
        if (has_address and has_address[row]) or (given[row] and family[row]):
            continue
        stand_ins += 1
        given[row] = given[row] or logins[row] or next(iter(rdn_values(dn).values()), dn)
        family[row] = family[row] or _stand_in(kind, types[row], dn)
    if stand_ins:
        made = made | {
            "given_name": pl.Series("given_name", given, dtype=pl.String),
            "family_name": pl.Series("family_name", family, dtype=pl.String),
        }
    return made, stand_ins


def _stand_in(kind: str, account_type: str | None, dn: str) -> str:
    """Returns what an account is: `Active Directory service account, corp.example`."""
    service = " service" if account_type == "service" else ""
    domain = _domain_of(normal_dn(dn))
    return f"{kind}{service} account" + (f", {domain}" if domain else "")


def _domain_of(dn: str) -> str:
    """Returns the domain that a normalized DN is in (RFC 2247); empty where it names none."""
    return ".".join(part[3:] for part in dn.split(",") if part.startswith("dc="))


def _cells(made: Mapping[str, pl.Series], name: str, count: int) -> Cells:
    return made[name].to_list() if name in made else [None] * count

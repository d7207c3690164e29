"""The sources of kind `ldap`, `active_directory` and `ldif`: directories and their exports."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from schemas.source_file.columns import Strict
from schemas.source_file.delta import DirectoryDelta
from schemas.source_file.kinds.csv_source import Completeness
from schemas.source_file.quantities import Duration
from schemas.source_file.secrets import Secret
from schemas.source_file.zones.exports import Dropped

_CATALOGUES = (3268, 3269)
"""Ports of the global catalogue ([MS-ADTS] 3.1.1.3.1.10)."""

Scope = Literal["subtree", "level", "base"]
LdapStatus = Literal[
    "auto",
    "pwdAccountLockedTime",
    "nsAccountLock",
    "shadowExpire",
    "pwdStartTime",
    "pwdEndTime",
    "accountUnlockTime",
    "nsRoleDN",
    "krbPrincipalExpiration",
    "loginDisabled",
    "loginExpirationTime",
    "lockedByIntruder",
    "ds-pwp-account-disabled",
    "ds-pwp-account-expiration-time",
    "ds-pwp-account-activation-time",
    "ibm-pwdAccountLocked",
    "orclIsEnabled",
    "orclActiveStartDate",
    "orclActiveEndDate",
    "sambaAcctFlags",
    "inetUserStatus",
    "zimbraAccountStatus",
    "midPointAccountStatus",
    "msDS-UserAccountDisabled",
    "loginShell",
    "none",
]
PersonField = Literal["integration_specific_id", "email", "username"]


def _attribute_name(written: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", written):
        raise ValueError("is no attribute's name: write letters, digits and hyphens")
    return written


AttributeName = Annotated[str, AfterValidator(_attribute_name)]


class Branch(Strict):
    """Where entries of one sort are, and which of those there count."""

    base: str | None = Field(
        None, min_length=1, description="Where to search; base_dn if not given."
    )
    filter: str | None = Field(None, min_length=1, description="An LDAP filter (RFC 4515).")
    scope: Scope = Field("subtree", description="How deep.")
    without: tuple[str, ...] = Field(
        (), description="DNs below which nothing counts, they themselves included."
    )


def _each(written: object, to_branches: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401
    """Returns the blocks of a list, or the one that stands alone, with errors as it is written."""
    if written in ([], ()):
        raise ValueError("names no block: leave it out for all below base_dn")
    if isinstance(written, list | tuple):
        return to_branches(written)
    return (Branch.model_validate(written),)


Branches = Annotated[
    tuple[Branch, ...],
    WrapValidator(_each, json_schema_input_type=Branch | tuple[Branch, ...]),
]


class DirectoryModel(Strict):
    """What a directory's entries mean."""

    users: Branches = Field(
        (Branch(),), description="Which entries are accounts: one block, or a list of them."
    )
    groups: Branches | None = Field(
        (Branch(),), description="Which entries are entitlements: likewise; null reads none."
    )
    membership: Literal["member", "member_of"] = Field(
        "member",
        description="Whether groups name their members, or members their groups (`memberOf`).",
    )
    nested_groups: Literal["effective", "direct"] = Field(
        "effective", description="Whether members of a group in a group hold the outer one, too."
    )
    service_accounts: str | None = Field(
        None, min_length=1, description="A filter: the accounts that are of type `service`."
    )
    references: dict[str, PersonField] = Field(
        default_factory=dict,
        description="An attribute that names a person by DN, such as `manager`: what to put in its "
        "place, that person's email, username or id.",
    )
    separator: str = Field("; ", min_length=1, description="Between the values of one attribute.")


class LdapMeaning(Strict):
    """What only directories such as OpenLDAP leave open."""

    id: AttributeName = Field(
        "entryUUID",
        description="What identifies an account: `uid`, `nsUniqueId`, `ipaUniqueID`, `GUID` or any "
        "other attribute of one value, or `dn`; of several values, the one in its DN.",
    )
    group_id: AttributeName = Field(
        "entryUUID", description="What identifies a group: likewise, `cn`, say."
    )
    status_from: LdapStatus = Field(
        "auto",
        description="The attribute that says whether an account is shut; `auto` goes by all of "
        "them but loginShell, where they are, `none` by nothing.",
    )


class ActiveDirectoryMeaning(Strict):
    """What only Active Directory leaves open."""

    last_login_from: Literal["lastLogonTimestamp", "lastLogon"] = Field(
        "lastLogonTimestamp",
        description="`lastLogonTimestamp` is replicated, and up to 14 days behind; `lastLogon` is "
        "exact and asked of every controller.",
    )


class DirectoryServer(Strict):
    """How a directory is reached and read."""

    host: str | tuple[str, ...] = Field(
        description="A host, or several to fall back on; a domain of Active Directory's; for "
        "ldapi the socket's path."
    )
    port: int | None = Field(None, ge=1, le=65535, description="389, for ldaps 636, if not given.")
    protocol: Literal["ldap", "ldaps", "starttls", "ldapi"] = Field(
        "ldaps", description="How it is secured."
    )
    base_dn: str = Field(min_length=1, description="The root of every search.")
    username: str | None = Field(
        None, min_length=1, description="A DN, or what the SASL mechanism or the domain knows."
    )
    password: Secret | None = Field(None, description="The password's place.")
    authentication: Literal["simple", "plain", "digest-md5", "external", "gssapi", "anonymous"] = (
        Field("simple", description="A simple bind, or a SASL mechanism.")
    )
    allow_plaintext: bool = Field(
        False, description="Lets a password go over an unsecured connection."
    )
    validate_certificate: bool = Field(True, description="false trusts any certificate.")
    ca_file: str | None = Field(None, min_length=1, description="Authorities that are trusted.")
    certificate: str | None = Field(None, min_length=1, description="Our own certificate.")
    key: str | None = Field(None, min_length=1, description="The certificate's private key.")
    page_size: int | None = Field(
        None, ge=1, description="Entries a page; what the server allows if not given."
    )
    connect_timeout: Duration = Field(timedelta(seconds=15), description="For connecting, binding.")
    search_timeout: Duration = Field(timedelta(minutes=30), description="For each search.")
    idle_timeout: Duration = Field(
        timedelta(minutes=5), description="For each answer: a server that says nothing is given up."
    )
    delta: DirectoryDelta | None = Field(
        None, description="Reads only what changed, where that can be told; `{}` is enough."
    )

    @model_validator(mode="after")
    def _check_credentials(self) -> "DirectoryServer":
        needs = self.authentication in {"simple", "plain", "digest-md5"}
        if needs and (self.username is None or self.password is None):
            raise ValueError(
                f"authentication {self.authentication} needs a username and a password; "
                "or say authentication: anonymous"
            )
        if not self.host:
            raise ValueError("host names no host")
        for host in self.hosts if self.protocol != "ldapi" else ():
            if "/" in host or re.fullmatch(r"[^:]*:\d+|\[.*\].*", host):
                raise ValueError(
                    "host is a name or an address alone, such as ldap.corp.example: what stands "
                    "before and behind it in a URL goes under protocol, port and base_dn"
                )
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return self

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts, in the order in which they are tried."""
        return (self.host,) if isinstance(self.host, str) else self.host


class LdapSource(DirectoryModel, LdapMeaning, DirectoryServer):
    """Accounts and groups in an LDAP directory such as OpenLDAP."""

    kind: Literal["ldap"]
    dereference: Literal["never", "search", "find", "always"] = Field(
        "never",
        description="Which aliases the server follows: below the base, at the base, or both.",
    )


class ActiveDirectorySource(DirectoryModel, ActiveDirectoryMeaning, DirectoryServer):
    """Accounts and groups in an Active Directory domain."""

    kind: Literal["active_directory"]

    @model_validator(mode="after")
    def _check_port(self) -> "ActiveDirectorySource":
        if self.port in _CATALOGUES:
            raise ValueError(
                f"port {self.port} is the global catalogue, which has neither accountExpires nor "
                "every member: leave it out, for 636 or 389, and give each domain its own source"
            )
        return self


class LdifSource(DirectoryModel, LdapMeaning, Dropped):
    """The same, from an LDIF export of a directory."""

    kind: Literal["ldif"]
    file: str = Field(min_length=1, description="A path, or a pattern: the newest match counts.")
    model: Literal["ldap", "active_directory"] = Field(
        "ldap", description="Which of the two it was exported from."
    )
    base_dn: str | None = Field(
        None, min_length=1, description="Leaves out what is not below it; all if not given."
    )
    max_age: Duration | None = Field(
        timedelta(hours=36), description="An older export is refused; null takes any."
    )
    complete: Completeness | None = None
    ends_with_empty_line: bool = Field(
        True,
        description="Whether an export without an empty line at its end was cut off, as one of "
        "slapcat, ldapsearch or ldifde was; false takes it: say in complete what shows its end.",
    )

    def exports(self) -> dict[str, str]:
        """The path, pattern or URL of the export."""
        return {"file": self.file}


DirectorySource = LdapSource | ActiveDirectorySource | LdifSource

"""Attributes that are never asked for and never kept: passwords, their hashes, keys."""

import re

from schemas.errors import ConfigError

# By ending and beginning, so that a product's own copy of one is refused as well: userPassword,
# unicodePwd, dBCSPwd, sambaNTPassword, ntPwdHash, pwdHistory, krbPrincipalKey, krb5Key,
# supplementalCredentials, ms-Mcs-AdmPwd, msLAPS-EncryptedPassword, msDS-ManagedPassword,
# msFVE-RecoveryPassword, trustAuthIncoming, ipaNTHash, oathSecret, userPKCS12, olcRootPW.
_SECRET = re.compile(
    r"(?:.*(?:password|passwd|pwd|rootpw|secret|pkcs12|privatekey|credentials)"
    r"|.*(?:pwd|password|nt|lm)(?:hash|history)|krb.*key|sambalmpassword|ms-mcs-admpwd.*|mslaps-.*"
    r"|msds-managedpassword.*|trustauth.*|initialauth.*|ipatokenotpkey|msfve-keypackage"
    r"|mstpm-ownerinformation|currentvalue|priorvalue)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?:;[A-Za-z0-9-]+)*")


def is_secret(name: str) -> bool:
    """Whether the attribute `name`, options or not, holds what must not be read."""
    return _SECRET.fullmatch(name.split(";", maxsplit=1)[0]) is not None


def check_attributes(names: frozenset[str]) -> None:
    """Nothing: each of `names` may be asked for.

    Raises:
        ConfigError: one is a secret's, or no attribute's name: a number could hide one.
    """
    for name in sorted(names):
        if is_secret(name):
            raise ConfigError(
                f"source: the attribute {name} holds a password or a key: it is never read; "
                "take it out of columns and attributes"
            )
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"source: {name!r} is no attribute's name: write letters, digits and hyphens"
            )

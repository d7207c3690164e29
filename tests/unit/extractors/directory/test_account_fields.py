"""Attributes that no source file can ask for."""

import pytest

from extractors.directory.account_fields import check_attributes, is_secret
from schemas.errors import ConfigError

SECRETS = """
userPassword userpassword;lang-en unicodePwd dBCSPwd ntPwdHistory lmPwdHistory ntPwdHash
sambaNTPassword sambaLMPassword sambaPasswordHistory krbPrincipalKey krb5Key krbExtraData-key
supplementalCredentials ms-Mcs-AdmPwd ms-Mcs-AdmPwdExpirationTime msLAPS-Password
msLAPS-EncryptedPassword msLAPS-EncryptedPasswordHistory msDS-ManagedPassword pwdHistory
msFVE-RecoveryPassword trustAuthIncoming ipaNTHash oathSecret userPKCS12 olcRootPW authPassword
"""
HARMLESS = """
pwdLastSet badPwdCount pwdAccountLockedTime pwdLastSuccess pwdChangedTime krbPrincipalName
passwordExpirationTime mail title employeeType krbLastSuccessfulAuth uid secretary
"""


@pytest.mark.parametrize("name", SECRETS.split())
def test_a_password_or_key_is_refused(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_attributes(frozenset({"mail", name}))

    assert str(caught.value).startswith(f"source: the attribute {name} holds a password")
    assert caught.value.key == "source"


@pytest.mark.parametrize("name", HARMLESS.split())
def test_what_is_only_about_a_password_may_be_read(name: str) -> None:
    assert not is_secret(name)
    check_attributes(frozenset({name}))


@pytest.mark.parametrize("name", ["2.5.4.35", "*", "+", "mail,userPassword", ""])
def test_what_is_no_name_is_refused_since_it_could_hide_one(name: str) -> None:
    with pytest.raises(ConfigError):
        check_attributes(frozenset({name}))

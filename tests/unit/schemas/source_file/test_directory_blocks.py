"""Where accounts and groups of a directory lie: one block, or a list of them."""

import pytest

from schemas.errors import ConfigError
from schemas.source_file.file import to_source
from schemas.source_file.kinds.directory_source import Branch, LdapSource

TEXT = """app: {name: X}
source:
  kind: ldap
  host: h
  base_dn: dc=x
  authentication: anonymous
"""


def ldap(**keys: object) -> LdapSource:
    needed = {"kind": "ldap", "host": "h", "base_dn": "dc=x", "authentication": "anonymous"}
    return LdapSource.model_validate(needed | keys)


def test_one_block_is_a_list_of_one() -> None:
    assert ldap(users={"base": "ou=a,dc=x"}).users == (Branch(base="ou=a,dc=x"),)
    several = [{"base": "ou=a,dc=x"}, {"base": "ou=b,dc=x", "without": ["ou=c,ou=b,dc=x"]}]
    assert [branch.base for branch in ldap(groups=several).groups or ()] == [
        "ou=a,dc=x",
        "ou=b,dc=x",
    ]
    assert ldap(groups=None).groups is None
    assert ldap().users == ldap().groups == (Branch(),)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("  users: {bse: dc=y}\n", "7: source.users.bse: no such key; did you mean base?"),
        ("  users: {scope: deep}\n", "7: source.users.scope: should be 'subtree', 'level' or"),
        ("  users: 7\n", "7: source.users: should be keys and values"),
        ("  users: []\n", "7: source.users: names no block"),
        (
            "  groups:\n    - {base: dc=y}\n    - {filtr: x}\n",
            "9: source.groups.1.filtr: no such key; did you mean filter?",
        ),
        ("  group_id: a b\n", "7: source.group_id: is no attribute's name"),
    ],
)
def test_what_is_wrong_with_a_block_is_told_where_it_stands(written: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        to_source(TEXT + written, "x", "sources/x.yaml")
    assert str(caught.value).startswith(f"sources/x.yaml:{message}")

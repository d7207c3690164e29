"""Reading only what changed gives what reading everything gives, whatever changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ldap3 import MODIFY_ADD, MODIFY_DELETE, MODIFY_REPLACE, Connection, Server, Tls
from pydantic import SecretStr

from extractors.read import read_source
from schemas.errors import ConfigError
from schemas.source_file.columns import Named
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource
from tests.directory_tree import Tree, user_dn

if TYPE_CHECKING:
    from schemas.raw import Raw, ReaderState
    from schemas.source_file.secrets import Secret
    from tests.openldap_server import OpenLdap
    from tests.samba_ad_server import SambaAd

pytest_plugins = ["tests.openldap_server", "tests.samba_ad_server"]

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NAMED = Named(frozenset({"title", "manager"}), frozenset())


def resolver(password: str) -> Callable[[Secret], SecretStr]:
    return lambda _secret: SecretStr(password)


class Reader:
    """Reads a directory again and again, each time from what the last time left."""

    def __init__(self, make: Callable[[dict[str, Any]], Any], password: str, by: str) -> None:
        self._make, self._password = make, password
        self.delta: dict[str, Any] = {"by": by}
        self.state: ReaderState | None = None
        self.now = NOW
        self.named = NAMED

    def read(self) -> Raw:
        raw = self._read({"delta": self.delta}, self.state)
        self.state = raw.state
        return raw

    def whole(self) -> Raw:
        return self._read({}, None)

    def _read(self, more: dict[str, Any], state: ReaderState | None) -> Raw:
        return read_source(
            self._make(more),
            Path(),
            now=self.now,
            resolve=resolver(self._password),
            named=self.named,
            state=state,
        )


def tables(raw: Raw) -> list[Any]:
    """Every row of every table, in a fixed order, without its number."""
    assert raw.entitlements is not None
    assert raw.associations is not None
    found = (raw.accounts, raw.entitlements, raw.associations)
    return [sorted(map(repr, one.rows.drop("source row").iter_rows(named=True))) for one in found]


def check_equal(reader: Reader) -> str:
    """Reads what changed, and compares it with everything; what the read says of itself."""
    delta = reader.read()
    assert tables(delta) == tables(reader.whole())
    return "; ".join(delta.proof)


@pytest.fixture(scope="module")
def ldap_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenLdap]:
    from tests.openldap_server import running_openldap

    with running_openldap(tmp_path_factory.mktemp("slapd"), Tree()) as server:
        yield server


@pytest.fixture(scope="module")
def ad_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SambaAd]:
    from tests.samba_ad_server import running_samba_ad

    with running_samba_ad(tmp_path_factory.mktemp("ad"), 200) as server:
        yield server


def ldap_reader(server: OpenLdap, by: str, **keys: str) -> Reader:
    name, password = server.reader

    def make(more: dict[str, Any]) -> LdapSource:
        return LdapSource(
            kind="ldap",
            host=server.host,
            port=server.port,
            protocol="ldap",
            base_dn=server.base,
            username=name,
            password={"env": "LDAP_PASSWORD"},
            users={"base": server.people},
            **keys,
            **more,
        )

    return Reader(make, password, by)


def ad_reader(server: SambaAd, by: str, user: str = "reader") -> Reader:
    name, password = getattr(server, user)

    def make(more: dict[str, Any]) -> ActiveDirectorySource:
        return ActiveDirectorySource(
            kind="active_directory",
            host=server.host,
            ca_file=str(server.authority.file),
            base_dn=server.base,
            username=name,
            password={"env": "LDAP_PASSWORD"},
            **more,
        )

    return Reader(make, password, by)


@pytest.fixture
def ldap_admin(ldap_server: OpenLdap) -> Iterator[Connection]:
    host = Server(ldap_server.host, ldap_server.port, get_info="NO_INFO")
    with Connection(host, *ldap_server.admin, raise_exceptions=True) as admin:
        yield admin


@pytest.fixture
def ad_admin(ad_server: SambaAd) -> Iterator[Connection]:
    tls = Tls(ca_certs_file=str(ad_server.authority.file))
    host = Server(ad_server.host, use_ssl=True, tls=tls, get_info="NO_INFO")
    with Connection(host, *ad_server.admin, raise_exceptions=True) as admin:
        yield admin


@pytest.mark.xdist_group("directory_delta")
@pytest.mark.parametrize("by", ["modify_timestamp", "syncrepl", "auto"])
def test_what_changed_in_a_directory_is_all_that_is_read(
    ldap_server: OpenLdap, ldap_admin: Connection, by: str
) -> None:
    reader = ldap_reader(ldap_server, by)
    assert "all of 304 entries read" in check_equal(reader)

    ldap_admin.modify(user_dn(20), {"title": [(MODIFY_REPLACE, [f"Chief by {by}"])]})
    said = check_equal(reader)
    assert "304 entries; " in said
    assert "all of" not in said

    team = f"cn=team001,{ldap_server.groups}"
    ldap_admin.modify(team, {"member": [(MODIFY_ADD, [user_dn(21)])]})
    ldap_admin.add(
        f"uid=new-{by},{ldap_server.people}",
        ["inetOrgPerson"],
        {"uid": f"new-{by}", "cn": "New", "sn": "New", "mail": f"{by}@example.org"},
    )
    said = check_equal(reader)
    assert "305 entries; " in said
    assert "all of" not in said

    ldap_admin.modify(team, {"member": [(MODIFY_DELETE, [user_dn(21)])]})
    ldap_admin.delete(f"uid=new-{by},{ldap_server.people}")
    said = check_equal(reader)
    assert "1 gone" in said
    assert "all of" not in said


@pytest.mark.xdist_group("directory_delta")
def test_a_lock_leaves_no_stamp_and_is_seen_all_the_same(
    ldap_server: OpenLdap, ldap_admin: Connection
) -> None:
    reader = ldap_reader(ldap_server, "modify_timestamp")
    reader.read()
    relax = ("1.3.6.1.4.1.4203.666.5.12", True, None)
    ldap_admin.modify(
        user_dn(30),
        {"pwdAccountLockedTime": [(MODIFY_REPLACE, ["20260501000000Z"])]},
        controls=[relax],
    )
    assert "all of" not in check_equal(reader)


@pytest.mark.xdist_group("directory_delta")
def test_a_renamed_member_is_followed(ldap_server: OpenLdap, ldap_admin: Connection) -> None:
    reader = ldap_reader(ldap_server, "modify_timestamp")
    reader.read()
    ldap_admin.modify_dn(user_dn(40), "uid=renamed")
    assert "all of" not in check_equal(reader)
    ldap_admin.modify_dn(f"uid=renamed,{ldap_server.people}", "uid=u000040")


@pytest.mark.xdist_group("directory_delta")
def test_an_old_read_another_filter_or_another_way_reads_everything(ldap_server: OpenLdap) -> None:
    reader = ldap_reader(ldap_server, "modify_timestamp")
    reader.read()
    reader.now = NOW + timedelta(days=6, hours=23)
    assert "all of" not in check_equal(reader)
    reader.now = NOW + timedelta(days=7)
    assert check_equal(reader).count("all of") == 2

    reader.delta = {"by": "syncrepl"}
    assert check_equal(reader).count("all of") == 2

    key = next(name for name in reader.state.marks if name.startswith("cookie-"))
    reader.state.marks[key] = b"rid=000,csn=nonsense".hex()
    assert "all of" in check_equal(reader)

    reader.state.marks["server"] = "another.example:389"
    assert check_equal(reader).count("all of") == 2


@pytest.mark.xdist_group("directory_delta")
@pytest.mark.parametrize("by", ["usn_changed", "dirsync", "auto"])
def test_what_changed_in_a_domain_is_all_that_is_read(
    ad_server: SambaAd, ad_admin: Connection, by: str
) -> None:
    reader = ad_reader(ad_server, by)
    assert check_equal(reader).count("all of") == 2

    said = check_equal(reader)
    assert "all of" not in said
    assert said.count("0 changed and 0 gone") == 2

    person = f"CN=User 00020,OU=People,{ad_server.base}"
    ad_admin.modify(person, {"title": [(MODIFY_REPLACE, [f"Chief by {by}"])]})
    assert "all of" not in check_equal(reader)

    ad_admin.add(
        f"CN=New {by},OU=People,{ad_server.base}",
        "user",
        {"sAMAccountName": f"new-{by}", "userAccountControl": 514},
    )
    team = f"CN=team001,OU=Groups,{ad_server.base}"
    ad_admin.modify(team, {"member": [(MODIFY_ADD, [person])]})
    assert "all of" not in check_equal(reader)

    ad_admin.delete(f"CN=New {by},OU=People,{ad_server.base}")
    ad_admin.modify(team, {"member": [(MODIFY_DELETE, [person])]})
    said = check_equal(reader)
    assert "1 gone" in said
    assert "all of" not in said


@pytest.mark.xdist_group("directory_delta")
@pytest.mark.parametrize("by", ["usn_changed", "dirsync"])
def test_links_are_those_of_now_whatever_became_of_what_they_name(
    ad_server: SambaAd, ad_admin: Connection, by: str
) -> None:
    """Groups and managers are linked to an object, not to a name, and bear no stamp of its fate."""
    reader = ad_reader(ad_server, by)
    reader.read()
    ad_admin.modify_dn(f"OU=People,{ad_server.base}", "OU=Staff")
    assert "all of" not in check_equal(reader)
    ad_admin.modify_dn(f"OU=Staff,{ad_server.base}", "OU=People")
    assert "all of" not in check_equal(reader)

    person = f"CN=User {'00030' if by == 'dirsync' else '00050'},OU=People,{ad_server.base}"
    ad_admin.delete(person)
    assert "1 gone" in check_equal(reader)
    ad_admin.add(person, "user", {"sAMAccountName": f"again-{by}", "userAccountControl": 514})
    assert "all of" not in check_equal(reader)
    ad_admin.delete(person)


@pytest.mark.xdist_group("directory_delta")
def test_another_state_of_the_controller_reads_everything(ad_server: SambaAd) -> None:
    """A controller that was restored has numbers of its own: its invocationId says so."""
    reader = ad_reader(ad_server, "usn_changed")
    reader.read()
    reader.state.marks["server"] = "0" * 32
    assert check_equal(reader).count("all of") == 2


@pytest.mark.xdist_group("directory_delta")
def test_a_way_that_a_kind_of_directory_lacks_is_named(
    ldap_server: OpenLdap, ad_server: SambaAd
) -> None:
    with pytest.raises(ConfigError, match=r"source.delta.by: dirsync is Active Directory's"):
        ldap_reader(ldap_server, "dirsync").read()
    with pytest.raises(ConfigError, match=r"source.delta.by: syncrepl is not Active Directory's"):
        ad_reader(ad_server, "syncrepl").read()

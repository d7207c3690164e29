"""Pages, entries and values against a real OpenLDAP and a real Active Directory."""

import importlib
import io
import os
import signal
import ssl
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import ldap3
import polars as pl
import pytest

from extractors.directory.dn import normal_dn
from extractors.directory.entries import to_entries
from extractors.directory.ldap.protocol.search import PagedSearch, read_pages
from extractors.directory.ldap.protocol.strategy import RawEntryStrategy, use_raw_entries
from extractors.directory.ldif.parser import read_ldif
from extractors.directory.values import (
    filetime_text,
    generalized_time_text,
    guid_text,
    sid_text,
    to_texts,
)
from schemas.errors import SourceIncompleteError, SourceUnavailableError
from tests.directory_tree import odd_users, user_dn

pytest_plugins = ["tests.openldap_server", "tests.samba_ad_server"]

ROOT = Path(__file__).parents[2]
openldap = pytest.mark.xdist_group("openldap")
large_openldap = pytest.mark.xdist_group("large_openldap")
samba_ad = pytest.mark.xdist_group("samba_ad")


@contextmanager
def plain(server, login):
    place = ldap3.Server(server.host, port=server.port, get_info=ldap3.NONE)
    connection = ldap3.Connection(place, *login, read_only=True)
    with closing(connection):
        yield connection


@contextmanager
def closing(connection):
    """Binds, and closes whatever happened."""
    try:
        assert connection.bind()
        yield connection
    finally:
        if not connection.closed:
            connection.unbind()


class VerifyingTls(ldap3.Tls):
    """TLS as Python's own ssl does it; what ldap3 calls to check a name is gone in Python 3.12."""

    def wrap_socket(self, connection, do_handshake=False):
        context = ssl.create_default_context(cafile=self.ca_certs_file)
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=connection.server.host
        )


def secured(server, login, port, **how):
    tls = VerifyingTls(ca_certs_file=str(server.authority.file))
    place = ldap3.Server(server.host, port=port, tls=tls, get_info=ldap3.NONE, **how)
    return ldap3.Connection(place, *login, read_only=True)


def read(connection, base, **search):
    return [one for batch in read_pages(connection, PagedSearch(base, **search)) for one in batch]


def by_ldap3(connection, base, attributes):
    """The same tree as ldap3 itself reads it, without a single check of ours."""
    assert not isinstance(connection.strategy, RawEntryStrategy)
    found = connection.extend.standard.paged_search(
        base, "(objectClass=*)", attributes=attributes, paged_size=200, generator=False
    )
    return {
        one["dn"]: {name: values for name, values in one["raw_attributes"].items() if values}
        for one in found
        if one["type"] == "searchResEntry"
    }


@openldap
def test_the_whole_tree_is_read_as_by_ldap3(openldap_server):
    server = openldap_server
    with plain(server, server.admin) as connection:
        expected = by_ldap3(connection, server.base, ["*", "+"])
    with plain(server, server.admin) as connection:
        found = read(connection, server.base, attributes=("*", "+"))

    assert len(found) == len(expected) > 300
    assert dict(found) == expected


@openldap
@pytest.mark.parametrize("page_size", [1, 7, 344, 1000, None])
def test_a_page_size_changes_nothing(openldap_server, page_size):
    server = openldap_server
    with plain(server, server.reader) as connection:
        if page_size == 1:
            found = read(connection, server.groups, page_size=1)
            assert len(found) == 33
            return
        found = read(connection, server.people, attributes=("uid",), page_size=page_size)
    uids = {values["uid"][0].decode() for _, values in found if "uid" in values}
    assert uids == {f"u{number:06d}" for number in range(300)} | set(odd_users())


@openldap
def test_members_are_found_by_the_form_of_their_dn(openldap_server):
    server = openldap_server
    with plain(server, server.reader) as connection:
        users = read(connection, server.people, attributes=("1.1",))
        groups = read(connection, server.groups, filter="(cn=mixed)", attributes=("member",))
    known = {normal_dn(dn) for dn, _ in users}
    members = [normal_dn(value.decode()) for value in groups[0][1]["member"]]

    assert [member in known for member in members] == [True, True, True, False, False]
    assert members[0] == normal_dn(user_dn(0))


@openldap
@pytest.mark.parametrize(
    ("login", "page_size", "said"),
    [
        ("limited", 100, r"after 100 entries: sizeLimitExceeded \(4\)"),
        ("limited", None, r"sizeLimitExceeded \(4\)"),
        ("unpaged", 50, r"after 0 entries: adminLimitExceeded \(11\)"),
        ("unpaged", None, r"adminLimitExceeded \(11\)"),
        ("reader", 5000, r"adminLimitExceeded \(11\)|sizeLimitExceeded \(4\)"),
    ],
)
def test_a_limit_of_the_server_ends_the_read(openldap_server, login, page_size, said):
    server = openldap_server
    with (
        plain(server, getattr(server, login)) as connection,
        pytest.raises(SourceIncompleteError, match=said),
    ):
        read(connection, server.base, page_size=page_size)


@openldap
def test_a_size_of_page_that_the_server_allows_is_found(openldap_server):
    server = openldap_server
    with plain(server, server.limited) as connection:
        found = read(connection, server.groups, attributes=("cn",))
    assert len(found) == 33


@openldap
def test_referrals_end_the_read_unless_they_are_to_be_ignored(openldap_server):
    server = openldap_server
    with plain(server, server.reader) as connection:
        with pytest.raises(SourceIncompleteError, match="a referral was not followed"):
            read(connection, "o=referring")
        assert len(read(connection, "o=referring", referrals="ignore")) == 2
        with pytest.raises(SourceIncompleteError, match="a referral was not followed"):
            read(connection, "ou=elsewhere,o=referring", referrals="ignore")


@openldap
def test_a_base_that_is_not_there_is_told_with_its_code(openldap_server):
    server = openldap_server
    with (
        plain(server, server.reader) as connection,
        pytest.raises(SourceIncompleteError, match=r"ou=none.*noSuchObject \(32\)"),
    ):
        read(connection, f"ou=none,{server.base}")


@openldap
@pytest.mark.parametrize("way", ["ldaps", "starttls", "digest-md5"])
def test_entries_are_read_over_tls_and_after_sasl(openldap_server, way):
    server = openldap_server
    if way == "digest-md5":
        place = ldap3.Server(server.host, port=server.port, get_info=ldap3.NONE)
        login = (None, "svc-reader", server.reader[1], None)
        connection = ldap3.Connection(
            place,
            authentication=ldap3.SASL,
            sasl_mechanism=ldap3.DIGEST_MD5,
            sasl_credentials=login,
        )
    elif way == "ldaps":
        connection = secured(server, server.reader, server.tls_port, use_ssl=True)
    else:
        connection = secured(server, server.reader, server.port)
    use_raw_entries(connection)
    connection.open()
    if way == "starttls":
        assert connection.start_tls()
    with closing(connection):
        assert len(read(connection, server.people, attributes=("uid",))) == 305


@openldap
def test_a_sync_of_all_entries_keeps_their_states_and_its_cookie(openldap_server):
    from ldap3.protocol.controls import build_control
    from pyasn1.type.univ import Enumerated, Sequence

    server = openldap_server
    request = Sequence()
    request.setComponentByPosition(0, Enumerated(1))
    sync = build_control("1.3.6.1.4.1.4203.1.9.1.1", True, request)
    with plain(server, server.admin) as connection:
        use_raw_entries(connection)
        connection.search(
            server.groups,
            "(objectClass=*)",
            dereference_aliases=ldap3.DEREF_NEVER,
            attributes=["cn"],
            controls=[sync],
        )
        states = [one.get("controls") for one in connection.response if "dn" in one]
        assert len(states) == 33
        assert all("1.3.6.1.4.1.4203.1.9.1.2" in state for state in states)
        assert b"rid=" in connection.result["controls"]["1.3.6.1.4.1.4203.1.9.1.3"]["value"]


@openldap
def test_an_export_by_slapcat_holds_what_the_server_sends(openldap_server):
    server = openldap_server
    with plain(server, server.admin) as connection:
        sent = dict(read(connection, server.people, attributes=("*", "entryUUID")))
    written = subprocess.run(
        [
            *("ldapsearch", "-LLL", "-x", "-H", f"ldap://{server.host}:{server.port}"),
            *("-D", server.admin[0], "-w", server.admin[1], "-b", server.people, "*", "entryUUID"),
        ],
        capture_output=True,
        check=True,
    ).stdout
    exported = read_ldif(io.BytesIO(written), "people.ldif", ends_with_empty_line=True)

    assert {dn: values for batch in exported for dn, values in batch} == sent


@openldap
def test_the_text_of_a_time_is_the_servers_own(openldap_server):
    server = openldap_server
    with plain(server, server.reader) as connection:
        found = read(connection, user_dn(3), attributes=("pwdAccountLockedTime",))
    times = found[0][1]["pwdAccountLockedTime"]
    assert [generalized_time_text(time) for time in times] == ["2026-01-02T03:04:05Z"]


@large_openldap
def test_twenty_thousand_users_are_read_whole(large_openldap_server):
    server = large_openldap_server
    names = ("uid", "mail", "entryUUID", "jpegPhoto")
    with plain(server, server.reader) as connection:
        search = PagedSearch(server.people, "(objectClass=inetOrgPerson)", attributes=names)
        entries = to_entries(chain.from_iterable(read_pages(connection, search)))
    users = pl.DataFrame(
        {name: to_texts(entries, name, "; ") for name in names},
        schema=dict.fromkeys(names, pl.String()),
    )
    assert users.height == 20_004
    assert users["uid"].n_unique() == users["entryUUID"].n_unique() == 20_004
    assert users["mail"].null_count() == 4
    assert users["mail"].str.contains("; ", literal=True).sum() == 4000
    assert users["jpegPhoto"].null_count() == 20_004


@large_openldap
def test_a_deadline_bites_while_pages_come(large_openldap_server):
    server = large_openldap_server
    with (
        plain(server, server.reader) as connection,
        pytest.raises(SourceUnavailableError, match="did not answer in time"),
    ):
        read(connection, server.base, attributes=("*", "+"), page_size=20, timeout_s=0.05)


@contextmanager
def ad_connection(server, login):
    with closing(secured(server, login, 636, use_ssl=True)) as connection:
        yield connection


@samba_ad
def test_a_domain_is_read_as_by_ldap3(samba_ad_server):
    server = samba_ad_server
    with ad_connection(server, server.admin) as connection:
        expected = by_ldap3(connection, server.base, ["*"])
    with ad_connection(server, server.admin) as connection:
        found = read(connection, server.base, referrals="ignore")

    assert len(found) == len(expected) > 500
    assert dict(found) == expected


@samba_ad
def test_a_domain_refers_to_its_other_parts(samba_ad_server):
    server = samba_ad_server
    with ad_connection(server, server.reader) as connection:
        with pytest.raises(SourceIncompleteError, match="a referral was not followed"):
            read(connection, server.base)
        assert len(read(connection, f"OU=Groups,{server.base}")) == 30


@samba_ad
def test_a_range_is_followed_on_a_domain_controller(samba_ad_server):
    server = samba_ad_server
    group = f"CN=everyone,OU=Groups,{server.base}"
    with ad_connection(server, server.reader) as connection:
        (whole,) = read(connection, group, scope="base", attributes=("member",))
        (parted,) = read(connection, group, scope="base", attributes=("member;range=0-99",))

    assert len(whole[1]["member"]) == server.users_count
    assert sorted(parted[1]["member"]) == sorted(whole[1]["member"])


@samba_ad
def test_the_ids_of_a_domain_lead_back_to_their_entries(samba_ad_server):
    server = samba_ad_server
    with ad_connection(server, server.reader) as connection:
        users = ad_users(connection, server, "objectGUID", "objectSid")
        guids = [guid_text(one["objectGUID"][0]) for one in users]
        sids = [sid_text(one["objectSid"][0]) for one in users]
        (by_guid,) = read(connection, f"<GUID={guids[7]}>", scope="base", attributes=("cn",))
        (by_sid,) = read(connection, f"<SID={sids[7]}>", scope="base", attributes=("cn",))

    assert len(set(guids)) == len(set(sids)) == server.users_count
    assert by_guid[1]["cn"] == by_sid[1]["cn"] == [b"User 00007"]


@samba_ad
def test_the_times_of_a_domain_are_exact(samba_ad_server):
    server = samba_ad_server
    names = ("accountExpires", "lastLogonTimestamp", "whenCreated")
    with ad_connection(server, server.reader) as connection:
        users = ad_users(connection, server, *names)

    expires = [filetime_text(users[number]["accountExpires"][0]) for number in (3, 4)]
    assert expires == [None, "2020-01-01T00:00:00Z"]
    assert filetime_text(users[0]["lastLogonTimestamp"][0]) == "2025-01-01T00:00:00Z"
    assert "lastLogonTimestamp" not in users[1]
    assert generalized_time_text(users[0]["whenCreated"][0]).startswith("20")


def ad_users(connection, server, *attributes):
    """The ordinary users' attributes, by number."""
    base = f"OU=People,{server.base}"
    found = read(connection, base, filter="(objectClass=user)", attributes=attributes)
    return [values for _, values in sorted(found)]


@pytest.mark.parametrize(
    ("plugin", "check"),
    [("openldap_server", "check_openldap_programs"), ("samba_ad_server", "check_samba_programs")],
)
def test_a_killed_test_run_leaves_no_server(tmp_path, plugin, check):
    getattr(importlib.import_module(f"tests.{plugin}"), check)()
    test = tmp_path / "test_hanging.py"
    test.write_text(
        textwrap.dedent(f"""
            import time
            pytest_plugins = ["tests.{plugin}"]
            def test_hanging({plugin}):
                with open({str(tmp_path / "pid")!r}, "w") as file:
                    file.write(f"{{{plugin}.process.pid}}\\n")
                time.sleep(600)
        """)
    )
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={ROOT}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    base = f"--basetemp={tmp_path / 'base'}"
    run = subprocess.Popen(
        [*words, base, "-c", str(ROOT / "pyproject.toml"), str(test)],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    pid = int(waited_for(lambda: text_of(tmp_path / "pid"), run))
    run.send_signal(signal.SIGKILL)
    run.wait()

    waited_for(lambda: "gone" if not Path(f"/proc/{pid}").exists() else "", None)


def text_of(path: Path) -> str:
    text = path.read_text() if path.exists() else ""
    return text if text.endswith("\n") else ""


def waited_for(look, run) -> str:
    ends_at = time.monotonic() + 120
    while time.monotonic() < ends_at and (run is None or run.poll() is None):
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come about in time")

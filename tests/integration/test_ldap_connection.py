"""Connecting to a real OpenLDAP: every way in, and what is said where there is none."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.message
import dns.name
import dns.rcode
import dns.resolver
import dns.rrset
import pytest
from pydantic import SecretStr

from extractors.directory.ldap.protocol.connection import connected, refusal_of
from extractors.directory.ldap.protocol.hosts import Endpoint, controllers_by_dns
from extractors.read import read_source
from schemas.errors import ConfigError, SourceUnavailableError
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdapSource
from schemas.source_file.secrets import Secret
from tests.directory_tree import Tree

if TYPE_CHECKING:
    from tests.openldap_server import OpenLdap

pytest_plugins = ["tests.openldap_server"]


def given(password: str) -> Any:
    def resolve(_secret: Secret) -> SecretStr:
        return SecretStr(password)

    return resolve


def source(server: OpenLdap, **keys: Any) -> LdapSource:
    made = {
        "kind": "ldap",
        "host": server.host,
        "port": server.port,
        "protocol": "ldap",
        "base_dn": server.base,
        "username": server.reader[0],
        "password": {"env": "LDAP_PASSWORD"},
        "ca_file": str(server.authority.file),
        "connect_timeout": "5s",
    }
    return LdapSource.model_validate(made | keys)


def who_am_i(
    source: LdapSource, password: str, workspace: Path = Path(), **keys: Any
) -> tuple[str, str]:
    with connected(source, workspace, given(password), **keys) as (connection, endpoint):
        return str(connection.extend.standard.who_am_i()), str(endpoint)


def test_a_simple_bind_on_loopback_needs_no_tls(openldap_server: OpenLdap) -> None:
    name, endpoint = who_am_i(source(openldap_server), openldap_server.reader[1])

    assert name == f"dn:{openldap_server.reader[0]}"
    assert endpoint == f"ldap://127.0.0.1:{openldap_server.port}"


@pytest.mark.parametrize("protocol", ["ldaps", "starttls"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_certificate_is_verified_by_name_and_by_address(
    openldap_server: OpenLdap, protocol: str, host: str
) -> None:
    port = openldap_server.tls_port if protocol == "ldaps" else openldap_server.port
    secured = source(openldap_server, protocol=protocol, host=host, port=port)

    assert who_am_i(secured, openldap_server.reader[1])[0] == f"dn:{openldap_server.reader[0]}"


@pytest.mark.parametrize("protocol", ["ldaps", "starttls"])
def test_an_authority_that_did_not_sign_it_is_said(
    openldap_server: OpenLdap, protocol: str
) -> None:
    port = openldap_server.tls_port if protocol == "ldaps" else openldap_server.port
    wrong = source(
        openldap_server,
        protocol=protocol,
        port=port,
        ca_file=str(openldap_server.other_authority.file),
    )

    with pytest.raises(SourceUnavailableError, match=r"certificate is not trusted: .*certificate"):
        who_am_i(wrong, openldap_server.reader[1])


@pytest.mark.parametrize("protocol", ["ldaps", "starttls"])
def test_a_certificate_for_another_name_is_said(openldap_server: OpenLdap, protocol: str) -> None:
    """`127.1` is the same address by a name that the certificate does not carry."""
    port = openldap_server.tls_port if protocol == "ldaps" else openldap_server.port
    other = source(openldap_server, protocol=protocol, host="127.1", port=port)

    with pytest.raises(SourceUnavailableError, match=r"not trusted: .*127\.1"):
        who_am_i(other, openldap_server.reader[1])


def test_an_expired_certificate_is_said(tmp_path: Path) -> None:
    from tests.openldap_server import running_openldap

    with running_openldap(tmp_path, Tree(users_count=1, teams_count=1), is_expired=True) as server:
        expired = source(server, protocol="ldaps", port=server.tls_port)
        with pytest.raises(SourceUnavailableError, match="certificate has expired"):
            who_am_i(expired, server.reader[1])

        trusting = source(
            server, protocol="ldaps", port=server.tls_port, validate_certificate=False
        )
        assert who_am_i(trusting, server.reader[1])[0].startswith("dn:")


@pytest.mark.parametrize("mechanism", ["plain", "digest-md5"])
def test_a_name_and_a_password_go_by_sasl(openldap_server: OpenLdap, mechanism: str) -> None:
    by_sasl = source(
        openldap_server,
        protocol="starttls",
        host="localhost",
        authentication=mechanism,
        username="svc-reader",
    )

    name, _ = who_am_i(by_sasl, openldap_server.reader[1])

    assert name.lower() == f"dn:{openldap_server.reader[0]}".lower()


def test_a_client_certificate_is_a_login_of_its_own(openldap_server: OpenLdap) -> None:
    by_certificate = source(
        openldap_server,
        protocol="ldaps",
        port=openldap_server.tls_port,
        authentication="external",
        username=None,
        password=None,
        certificate=str(openldap_server.client.file),
        key=str(openldap_server.client.key_file),
    )

    name, _ = who_am_i(by_certificate, "unused")

    assert name.lower() == f"dn:{openldap_server.reader[0]}".lower()


def test_a_local_socket_needs_no_password(openldap_server: OpenLdap) -> None:
    path = openldap_server.socket_url.removeprefix("ldapi://").replace("%2F", "/")
    local = source(
        openldap_server,
        protocol="ldapi",
        host=path,
        port=None,
        authentication="external",
        username=None,
        password=None,
    )

    name, endpoint = who_am_i(local, "unused")

    assert name.lower() == f"dn:{openldap_server.reader[0]}".lower()
    assert endpoint == f"ldapi {path}"


def test_a_wrong_password_is_said_once_and_tried_nowhere_else(openldap_server: OpenLdap) -> None:
    twice = source(openldap_server, host=["127.0.0.1", "localhost"])

    with pytest.raises(SourceUnavailableError) as caught:
        who_am_i(twice, "canary-wrong-password")

    said = str(caught.value)
    assert said.endswith(
        "the bind was refused: invalidCredentials (49): the username or the password is wrong"
    )
    assert said.count("invalidCredentials") == 1
    assert not caught.value.retryable
    assert "canary" not in repr(caught.value.__context__)


def test_the_next_host_is_taken_where_one_does_not_answer(openldap_server: OpenLdap) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.9", 0))  # bound, and nobody listens
        hosts = ["no-such-host.invalid", "127.0.0.9", "127.0.0.1"]
        both = source(openldap_server, host=hosts, allow_plaintext=True)

        assert who_am_i(both, openldap_server.reader[1])[1].startswith("ldap://127.0.0.1:")


def test_where_no_host_answers_each_is_named(openldap_server: OpenLdap) -> None:
    hosts = ["no-such-host.invalid", "127.0.0.9"]
    neither = source(openldap_server, host=hosts, allow_plaintext=True)

    with pytest.raises(SourceUnavailableError) as caught:
        who_am_i(neither, openldap_server.reader[1])

    assert "no-such-host.invalid" in str(caught.value)
    assert "127.0.0.9" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        silent = LdapSource.model_validate(
            {
                "kind": "ldap",
                "host": "127.0.0.1",
                "port": mute.getsockname()[1],
                "protocol": "ldap",
                "base_dn": "dc=x",
                "authentication": "anonymous",
                "connect_timeout": "1s",
            }
        )
        with pytest.raises(SourceUnavailableError, match="no answer in time"):
            who_am_i(silent, "unused")


def test_a_port_of_another_protocol_is_told_with_what_to_write(openldap_server: OpenLdap) -> None:
    ldaps = source(openldap_server, protocol="ldaps")
    plain, starttls = (
        source(openldap_server, protocol=protocol, port=openldap_server.tls_port)
        for protocol in ("ldap", "starttls")
    )
    for wrong, words in ((ldaps, "starttls"), (plain, "ldaps"), (starttls, "ldaps")):
        with pytest.raises(SourceUnavailableError, match=f"say protocol: {words}"):
            who_am_i(wrong, openldap_server.reader[1])


def test_a_server_without_starttls_is_told() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def refuse() -> None:
            taken, _ = listening.accept()
            with taken:
                asked = taken.recv(4096)
                # An extended response with the result protocolError (RFC 4511, 4.14.2).
                answer = asked[2 : 4 + asked[3]] + bytes.fromhex("78070a010204000400")
                taken.sendall(bytes([0x30, len(answer)]) + answer)
                taken.recv(4096)

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        port = listening.getsockname()[1]
        bare = {"kind": "ldap", "host": "127.0.0.1", "port": port, "protocol": "starttls"}
        bare |= {"base_dn": "dc=x", "authentication": "anonymous", "connect_timeout": "5s"}
        with pytest.raises(SourceUnavailableError, match=r"has no STARTTLS: say protocol: ldaps"):
            who_am_i(LdapSource.model_validate(bare), "unused")


@pytest.mark.parametrize("host", ["ldap://dc.example", "dc.example:389", "[::1]:389", "a/b"])
def test_a_host_is_no_url(host: str) -> None:
    with pytest.raises(ValueError, match="goes under protocol, port and base_dn"):
        LdapSource(kind="ldap", host=host, base_dn="dc=x", authentication="anonymous")


def test_a_directory_of_the_other_kind_is_told(openldap_server: OpenLdap) -> None:
    keys = source(openldap_server).model_dump(exclude_unset=True, exclude={"kind"})
    domain = ActiveDirectorySource(kind="active_directory", **keys)
    with pytest.raises(ConfigError, match=r"source\.kind: the server is no Active Directory: say"):
        read_source(
            domain,
            Path(),
            now=datetime(2026, 1, 2, tzinfo=UTC),
            resolve=given(openldap_server.reader[1]),
        )


@pytest.mark.parametrize(
    ("username", "is_told"),
    [("reader", True), ("reader@corp.example", False), ("CORP\\reader", False), ("cn=r", False)],
)
def test_a_name_without_its_domain_is_told(username: str, is_told: bool) -> None:
    keys = {"host": "dc.example", "base_dn": "dc=x", "username": username}
    domain = ActiveDirectorySource(kind="active_directory", password={"env": "P"}, **keys)
    endpoint = Endpoint("dc.example", 636, "ldaps")
    refused = {"result": 49, "message": "80090308: LdapErr: DSID-0C09, data 52e, v4563"}
    told = str(refusal_of(refused, endpoint, domain))
    assert ("wants the name with its domain" in told) == is_told


def test_no_password_goes_over_an_open_line(openldap_server: OpenLdap) -> None:
    open_line = source(openldap_server, host="directory.example.org")

    with pytest.raises(ConfigError, match="in the clear: say ldaps or starttls"):
        who_am_i(open_line, openldap_server.reader[1])


def test_kerberos_names_what_has_to_be_installed(openldap_server: OpenLdap) -> None:
    by_ticket = source(openldap_server, authentication="gssapi")
    try:
        import gssapi  # noqa: F401
    except ImportError:
        with pytest.raises(ConfigError, match=r"pip install '\.\[kerberos\]'"):
            who_am_i(by_ticket, "unused")
    else:
        pytest.skip("gssapi is installed")


def test_an_authority_s_file_that_is_none_is_said(
    openldap_server: OpenLdap, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    wrong = source(openldap_server, protocol="ldaps", ca_file="ca.pem")
    missing = source(openldap_server, protocol="ldaps", ca_file="none.pem")

    with pytest.raises(ConfigError, match=r"source\.ca_file: ca\.pem: not a certificate"):
        who_am_i(wrong, "unused", tmp_path)
    with pytest.raises(ConfigError, match=r"source\.ca_file: none\.pem: cannot be read: No such"):
        who_am_i(missing, "unused", tmp_path)


def test_a_domain_s_controllers_are_tried_in_the_order_of_dns(openldap_server: OpenLdap) -> None:
    domain = ActiveDirectorySource.model_validate(
        source(openldap_server, host="corp.example").model_dump(
            exclude={"kind", "id", "group_id", "status_from", "dereference"}
        )
        | {"kind": "active_directory", "password": {"env": "X"}, "connect_timeout": "5s"}
    )
    asked = []

    def controllers(name: str) -> list[str]:
        asked.append(name)
        return ["127.0.0.9", "127.0.0.1"]

    _, endpoint = who_am_i(domain, openldap_server.reader[1], find_controllers=controllers)

    assert asked == ["corp.example"]
    assert endpoint == f"ldap://127.0.0.1:{openldap_server.port}"


def test_a_domain_s_controllers_are_asked_of_a_real_dns() -> None:
    domain = dns.name.from_text("_ldap._tcp.dc._msdcs.corp.example.")
    records = ["10 1 389 second.corp.example.", "0 100 389 first.corp.example."]

    with answering_dns(domain, records) as resolver:
        assert controllers_by_dns("corp.example", resolver) == [
            "first.corp.example",
            "second.corp.example",
        ]
        assert controllers_by_dns("dc1.corp.example", resolver) == []


@contextmanager
def answering_dns(name: dns.name.Name, records: list[str]) -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks a server on loopback, which knows one name."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.1)
        is_over = threading.Event()

        def answer() -> None:
            while not is_over.is_set():
                try:
                    query, sender = server.recvfrom(4096)
                except TimeoutError:
                    continue
                asked = dns.message.from_wire(query)
                said = dns.message.make_response(asked)
                if asked.question[0].name == name:
                    said.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", *records))
                else:
                    said.set_rcode(dns.rcode.NXDOMAIN)
                server.sendto(said.to_wire(), sender)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = server.getsockname()[1]
        yield resolver
        is_over.set()
        thread.join()


def test_tls_older_than_1_2_is_not_spoken() -> None:
    from extractors.directory.ldap.protocol.tls import to_context

    made = LdapSource.model_validate(
        {"kind": "ldap", "host": "x", "base_dn": "dc=x", "authentication": "anonymous"}
    )

    context = to_context(made, Path())

    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED

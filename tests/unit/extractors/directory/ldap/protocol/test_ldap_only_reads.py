"""A directory is only read, and never waited for without end."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ldap3 import MODIFY_REPLACE, Connection
from ldap3.core.exceptions import LDAPConnectionIsReadOnlyError

from extractors.directory.ldap.protocol.connection import connected
from schemas.source_file.kinds.directory_source import LdapSource
from schemas.source_file.secrets import no_secrets
from tests.ldap_answers import listening

# What ldap3 2.9.1 refuses on a read-only connection; it would send an `add`, which we never make.
WRITES: dict[str, Callable[[Connection], object]] = {
    "delete": lambda connection: connection.delete("cn=a,dc=x"),
    "modify": lambda connection: connection.modify("cn=a,dc=x", {"sn": [(MODIFY_REPLACE, ["b"])]}),
    "rename": lambda connection: connection.modify_dn("cn=a,dc=x", "cn=b"),
}


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with listening([]) as port:
        source = LdapSource(
            kind="ldap",
            host="127.0.0.1",
            port=port,
            authentication="anonymous",
            protocol="ldap",
            base_dn="dc=x",
            connect_timeout="3s",
            idle_timeout="7s",
        )
        with connected(source, tmp_path, no_secrets) as (connection, _):
            yield connection


@pytest.mark.parametrize("name", WRITES)
def test_nothing_that_writes_is_sent(connection: Connection, name: str):
    with pytest.raises(LDAPConnectionIsReadOnlyError):
        WRITES[name](connection)


def test_a_server_that_says_nothing_is_waited_for_as_long_as_the_file_says(connection: Connection):
    assert connection.server.connect_timeout == 3
    assert connection.socket.gettimeout() == 7

"""What tells one entry from another, and which of its attributes are never kept."""

from typing import Any

import pytest

from extractors.directory.ldap.incremental.method import to_change_method
from schemas.source_file.delta import DirectoryDelta
from schemas.source_file.kinds.directory_source import LdapSource
from tests.ldap_answers import answering, page

SOURCE = LdapSource(kind="ldap", host="h", base_dn="dc=x", authentication="anonymous")
DELTA = DirectoryDelta(by="modify_timestamp")
DN_SYNTAX = "1.3.6.1.4.1.1466.115.121.1.12"


def shown(**attributes: str) -> Any:
    return page([("dc=x", {name: [value.encode()] for name, value in attributes.items()})])


def test_entries_that_nothing_tells_apart_are_read_whole(caplog: pytest.LogCaptureFixture) -> None:
    with answering([shown()] * 5) as connection:
        assert to_change_method(connection, SOURCE, DELTA, "h", ()) is None
    assert "shows none of nsUniqueId, entryUUID" in caplog.text


def test_what_the_schema_calls_a_link_or_the_server_s_own_is_never_kept() -> None:
    types = [
        f"( 1 NAME 'distinguishedName' SYNTAX {DN_SYNTAX} )",
        "( 2 NAME ( 'sponsor' 'patron' ) SUP distinguishedName )",
        "( 3 NAME 'seenAt' USAGE dSAOperation )",
        "( 4 NAME 'c-Town' COLLECTIVE )",
        "( 5 NAME 'title' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )",
    ]
    schema = page([("cn=schema", {"attributeTypes": [one.encode() for one in types]})])
    answers = [shown(), shown(entryUUID="1"), shown(subschemaSubentry="cn=schema"), schema]
    with answering(answers) as connection:
        method = to_change_method(connection, SOURCE, DELTA, "h", ())

    assert method is not None
    assert method.attribute == "entryUUID"
    assert {"sponsor", "patron", "seenat", "c-town", "member", "manager"} <= method.unreported
    assert "title" not in method.unreported

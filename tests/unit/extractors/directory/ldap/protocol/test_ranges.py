"""A domain that sends large groups in parts unasked, as Windows does, read to its tables."""

from datetime import UTC, datetime

import pytest

from extractors.directory.account_fields import to_requested_fields
from extractors.directory.ldap.source import finder
from extractors.directory.read import read_directory
from extractors.directory.request import DirectoryRequest
from schemas.errors import SourceIncompleteError
from schemas.raw import Raw
from schemas.source_file.columns import Named
from schemas.source_file.kinds.directory_source import ActiveDirectorySource
from tests.ldap_answers import answering, page

SOURCE = ActiveDirectorySource.model_validate(
    {
        "kind": "active_directory",
        "host": "dc",
        "base_dn": "DC=x",
        "authentication": "anonymous",
    }
)
COUNT, PART = 3_700, 1_500


def user_dn(number: int) -> str:
    return f"CN=u{number},DC=x"


def users() -> list[tuple[str, dict[str, list[bytes]]]]:
    return [
        (
            user_dn(number),
            {
                "objectClass": [b"top", b"user"],
                "objectGUID": [number.to_bytes(16, "little")],
                "userAccountControl": [b"512"],
                "accountExpires": [b"0"],
            },
        )
        for number in range(1, COUNT + 1)
    ]


def part(start: int, end: int) -> dict[str, list[bytes]]:
    """Members from `start` to before `end`, under the name that Windows gives such a part."""
    last = "*" if end >= COUNT else str(end - 1)
    names = [user_dn(number + 1).encode() for number in range(start, min(end, COUNT))]
    return {f"member;range={start}-{last}": names}


def group(**members: list[bytes]) -> list[tuple[str, dict[str, list[bytes]]]]:
    attributes = {"cn": [b"big"], "objectGUID": [b"\xff" * 16], "objectClass": [b"group"]}
    return [("CN=big,DC=x", {**attributes, "member": [], **members})]


def read(*parts: dict[str, list[bytes]]) -> Raw:
    answers = [page(users()), page(group(**parts[0]))]
    answers += [page([("CN=big,DC=x", one)]) for one in parts[1:]]
    with answering(answers) as connection:
        reading = DirectoryRequest(
            source=SOURCE,
            account_fields=to_requested_fields(Named(), None),
            find=finder(connection, SOURCE, lambda: None),
            base_dn="DC=x",
            origin="dc",
            now=datetime(2026, 6, 1, tzinfo=UTC),
            taken_at=datetime(2026, 6, 1, tzinfo=UTC),
        )
        return read_directory(reading)


def test_every_part_of_a_group_becomes_memberships() -> None:
    raw = read(part(0, PART), part(PART, 2 * PART), part(2 * PART, COUNT))

    assert raw.associations is not None
    held = raw.associations.rows
    assert held["account_id"].n_unique() == held.height == COUNT
    assert raw.warnings == ()


def test_a_group_whose_last_part_does_not_come_is_not_read() -> None:
    with pytest.raises(SourceIncompleteError, match="do not fit together"):
        read(part(0, PART), {})

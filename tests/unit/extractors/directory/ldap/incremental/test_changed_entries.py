"""Which entries changed since, by their stamps."""

from datetime import UTC, datetime

import pytest

from extractors.directory.entries import Entries, to_entries
from extractors.directory.ldap.incremental.finder import changed_ids

READ_AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def stamped(name: str, **stamps: str) -> Entries:
    return to_entries(
        [
            (f"cn={one}", {"entryUUID": [one.encode()], name: [stamp.encode()]})
            for one, stamp in stamps.items()
        ]
    )


def changed(name: str, before: dict[str, str], after: dict[str, str]) -> set[bytes]:
    return changed_ids(stamped(name, **before), stamped(name, **after), "entryUUID", READ_AT)


@pytest.mark.parametrize("name", ["entryCSN", "uSNChanged"])
def test_a_fine_stamp_tells_by_itself(name: str) -> None:
    assert changed(name, {"a": "1", "b": "2", "c": "4"}, {"a": "1", "b": "3", "c": "2"}) == {
        b"b",
        b"c",  # a database that was put back has older stamps
    }
    assert changed(name, {"a": "1"}, {"a": "1", "new": "1"}) == {b"new"}


def test_a_stamp_in_seconds_is_doubted_where_it_was_given_about_when_it_was_read() -> None:
    """Read page by page at 12:00, an entry may have been changed twice within its second."""
    old, doubtful, last = "20260601114000Z", "20260601115959Z", "20260601120003Z"
    stamps = {"old": old, "twice": doubtful, "last": last}
    assert changed("modifyTimestamp", stamps, stamps) == {b"twice", b"last"}


def test_where_the_server_s_clock_is_behind_its_last_second_is_doubted() -> None:
    stamps = {"a": "20260501000000Z", "b": "20260501000001Z"}
    assert changed("modifyTimestamp", stamps, stamps) == {b"b"}


def test_an_entry_without_a_stamp_is_read_anew() -> None:
    before = stamped("entryCSN", a="1", b="1")
    after = to_entries(
        [("cn=a", {"entryUUID": [b"a"]}), ("cn=b", {"entryUUID": [b"b"], "entryCSN": [b"1"]})]
    )
    assert changed_ids(before, after, "entryUUID", READ_AT) == {b"a"}

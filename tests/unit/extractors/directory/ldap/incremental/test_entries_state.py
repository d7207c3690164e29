"""What a directory's reader keeps reads back as it was, and of another version is nothing."""

from datetime import UTC, datetime

import polars as pl
import pytest

from extractors.directory.entries import Entries
from extractors.directory.ldap.incremental.state import (
    DirectoryState,
    to_directory_state,
    to_reader_state,
)

STATE = DirectoryState(
    server="dc1",
    by="dirsync",
    full_at=datetime(2026, 1, 2, tzinfo=UTC),
    read_at=datetime(2026, 1, 3, tzinfo=UTC),
    cookies={"k": b"\x00\xff"},
    entries={"k": Entries(["cn=a"], {"mail": [b"a@example.com"]})},
    generated={"k": frozenset({"title"}), "j": frozenset()},
)


def test_what_is_kept_reads_back() -> None:
    assert to_directory_state(to_reader_state(STATE)) == STATE
    assert to_directory_state(None) is None


@pytest.mark.parametrize("name", ["server", "version", "full_at", "read_at", "cookie-k"])
def test_what_is_damaged_is_nothing_to_go_on_from(name: str) -> None:
    state = to_reader_state(STATE)
    state.marks[name] = "no hex, and no time"
    if name == "server":
        del state.marks[name]
    assert to_directory_state(state) is None


def test_nor_is_a_frame_of_another_shape() -> None:
    state = to_reader_state(STATE)
    state.frames["k"] = pl.DataFrame({"name": ["cn=a"]})
    assert to_directory_state(state) is None

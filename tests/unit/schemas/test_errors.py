"""Errors carry facts, and nothing of an outside error is chained to them."""

import traceback

import pytest

from schemas.errors import ConfigError, IngestError, SourceUnavailableError, raise_as

CANARY = "ada@canary.example"


def _fails_with(error: Exception) -> None:
    raise error


def _cannot_read(error: OSError) -> IngestError:
    return SourceUnavailableError(f"cannot be read: {error.strerror}")


def test_an_outside_error_becomes_ours_and_is_not_chained() -> None:
    outside = PermissionError(13, "Permission denied", CANARY)
    with pytest.raises(SourceUnavailableError, match="cannot be read: Permission denied") as raised:
        raise_as(lambda: _fails_with(outside), {OSError: _cannot_read})
    ours = raised.value
    assert (ours.__cause__, ours.__context__) == (None, None)
    assert CANARY not in "".join(traceback.format_exception(ours))


def test_the_first_entry_that_fits_makes_the_error() -> None:
    missing = {
        FileNotFoundError: lambda _: ConfigError("no such file", key="source.accounts"),
        OSError: _cannot_read,
    }
    with pytest.raises(ConfigError, match="no such file"):
        raise_as(lambda: _fails_with(FileNotFoundError(2, "x")), missing)
    with pytest.raises(SourceUnavailableError):
        raise_as(lambda: _fails_with(PermissionError(13, "x")), missing)


def test_what_no_entry_fits_is_raised_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        raise_as(lambda: _fails_with(ZeroDivisionError()), {OSError: _cannot_read})


def test_work_that_succeeds_gives_its_result() -> None:
    assert raise_as(lambda: 42, {OSError: _cannot_read}) == 42


def test_the_line_begins_with_the_key_it_is_about() -> None:
    error = ConfigError("name a file", key="source.accounts")
    assert (str(error), error.key, error.run_id) == (
        "source.accounts: name a file",
        "source.accounts",
        None,
    )

"""Pages of a connector: to the last, tried again where that helps, and never round in a circle."""

from typing import Any

import pytest
from connector_in_memory import SECRET, InMemory, error
from pydantic import SecretStr

from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)

ROWS = [{"id": n} for n in range(5)]


def keys(response: Any) -> list[Any]:
    return [str(row) for row in response]


def read(library: InMemory, **options: Any) -> list[Any]:
    pages = library.opened(**options).whole("list_accounts", {"a": 1}, keys, list)
    return [row for page in pages for row in page]


def failing(*answers: Any) -> InMemory:
    return InMemory({"list_accounts": ROWS}, {"list_accounts": list(answers)})


def error_of(library: InMemory) -> IngestError:
    with pytest.raises(IngestError) as raised:
        read(library)
    for word in (SECRET, "ada@example.com", "upstream.example"):
        assert word not in str(raised.value)
    return raised.value


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_every_row_comes_once_whatever_the_size_of_pages(size: int):
    library = InMemory({"list_accounts": ROWS})
    assert read(library, page_size=size) == ROWS
    assert all(body["page"]["size"] == size for _, body in library.asked)
    assert all(body["request"] == {"a": 1} for _, body in library.asked)


@pytest.mark.parametrize("page", [None, {}, {"token": None}, {"token": ""}, "none"])
def test_a_page_without_a_token_is_the_last(page: Any):
    assert read(failing({"response": ROWS[:1], "page": page})) == ROWS[:1]


@pytest.mark.parametrize("code", ["bad_gateway", "request_timeout", "internal_error"])
def test_what_may_pass_is_tried_twice_more(code: str):
    library = failing(error(code), error(code))
    assert read(library) == ROWS
    assert library.pauses == [1.0, 2.0]
    assert isinstance(error_of(failing(*[error(code)] * 3)), SourceUnavailableError)


def test_a_rate_limit_is_waited_for_as_long_as_it_says_or_longer_each_time():
    library = failing(error("rate_limit"), error("budget_exhausted", retry_after_seconds=30))
    assert read(library) == ROWS
    assert library.pauses == [1.0, 30.0]
    endless = failing(*[error("rate_limit")] * 20)
    assert isinstance(error_of(endless), SourceUnavailableError)
    assert len(endless.pauses) == 8


def test_a_pause_is_never_longer_than_five_minutes():
    library = failing(error("rate_limit", retry_after_seconds=10**6))
    read(library)
    assert library.pauses == [300.0]


def test_a_credential_that_is_refused_is_fetched_once_more():
    library = failing(error("authentication_expired"))
    secrets = iter(["old", "new", "newest"])
    auth = {"token": {"command": ["print-token"]}}
    rows = library.opened(lambda _: SecretStr(next(secrets)), auth=auth).whole(
        "list_accounts", {}, keys, list
    )
    assert [row for page in rows for row in page] == ROWS
    sent = [body["auth"]["token"]["token"] for _, body in library.asked]
    assert sent[:2] == ["old", "new"]
    refused = error_of(failing(*[error("unauthorized")] * 2))
    assert isinstance(refused, SourceUnavailableError)
    assert not refused.retryable


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("bad_request", ConfigError),
        ("invalid_value", ConfigError),
        ("integration_missing_parameter", ConfigError),
        ("permission_denied", SourceFormatError),
        ("not_implemented", SourceFormatError),
        ("something_new", SourceFormatError),
    ],
)
def test_what_does_not_pass_is_told_at_once(code: str, kind: type[IngestError]):
    library = failing(error(code))
    assert isinstance(error_of(library), kind)
    assert library.pauses == []


def test_a_code_that_nobody_knows_goes_by_what_is_said_of_it():
    assert read(failing(error("new", retryable=True))) == ROWS
    assert read(failing(error("new", throttled=True))) == ROWS
    assert read(failing(error("new", refreshable=True))) == ROWS


@pytest.mark.parametrize("code", ["internal_error", "invalid_page_token", "bad_request"])
def test_a_page_that_is_lost_makes_the_read_begin_anew_once(code: str):
    """The SDK's helper answers a page token that is out of date with internal_error, retryable."""
    library = failing(None, None, error(code))
    assert read(library) == ROWS
    tokens = [body["page"].get("token") for _, body in library.asked]
    assert tokens == [None, "2", "4", None, "2", "4"]
    assert isinstance(error_of(failing(None, error(code), None, error(code))), IngestError)


def test_an_outage_at_a_later_page_is_borne_there():
    library = failing(None, error("bad_gateway"))
    assert read(library) == ROWS
    assert [body["page"].get("token") for _, body in library.asked] == [None, "2", "2", "4"]


def test_a_token_that_comes_twice_is_a_circle():
    page = {"response": ROWS[:1], "page": {"token": "again"}}
    assert isinstance(error_of(failing(*[page] * 9)), SourceIncompleteError)


def test_the_same_rows_under_ever_new_tokens_are_a_circle():
    """The SDK's own scaffold lists accounts without end."""
    pages = [{"response": ROWS[:1], "page": {"token": str(n)}} for n in range(9)]
    assert "go in a circle" in str(error_of(failing(*pages)))


def test_pages_that_are_empty_for_ever_are_a_circle():
    pages = [{"response": [], "page": {"token": str(n)}} for n in range(200)]
    assert "go in a circle" in str(error_of(failing(*pages)))
    assert read(failing(*pages[:50], {"response": ROWS, "page": None})) == ROWS


@pytest.mark.parametrize("answer", [[], "x", 7, {}, {"page": None}])
def test_an_answer_that_is_no_connectors_is_an_error(answer: Any):
    assert isinstance(error_of(failing(answer)), SourceFormatError)


def test_what_is_told_of_rate_limits_goes_back_with_the_next_request():
    states = [{"x": {"remaining": left}} for left in (9, 8)]
    answers = [
        {"response": ROWS[:2], "page": {"token": "2"}, "rate_limit": {"current_state": states[0]}},
        error("rate_limit"),  # says nothing of it: the last one stays
        {"response": ROWS[2:4], "page": {"token": "4"}, "rate_limit": {"current_state": states[1]}},
    ]
    library = failing(*answers)
    assert read(library) == ROWS
    sent = [body["rate_limit"].get("last_known_state") for _, body in library.asked]
    assert sent == [None, states[0], states[0], states[1]]
    assert {body["rate_limit"]["max_execution_time"] for _, body in library.asked} == {240}


def test_nothing_that_changes_something_is_ever_asked():
    library = InMemory()
    for capability in ("create_account", "deactivate_account", "fulfill_arbitrary_endpoint"):
        with pytest.raises(ValueError, match=capability):
            library.opened().ask(capability, {})
    assert library.asked == []


def test_a_hint_is_told_without_secrets_and_addresses():
    hint = f"Ask ada@example.com for {SECRET}\n"
    library = failing(error("not_found", hint=hint))
    with pytest.raises(IngestError) as raised:
        read(library, auth={"token": {"env": "T"}})
    assert str(raised.value).endswith("not_found, Ask [value] for [secret]")

"""Messages go out by apprise, to servers of the tests' own; claims are kept in a ledger."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.notices.channels import UNKNOWN, deliver, problem_of
from loaders.ledger.ledger import Ledger, open_ledger
from loaders.ledger.notices import Claim, claim_notice, put_back
from schemas.notices import Message, Notice
from tests.message_taker import listening

pytest_plugins = ["tests.postgresql_server"]

MESSAGE = Message("lumos-ingest: hr: failed", "the export is too old\nIn full: …", is_good=False)
NIGHT = datetime(2026, 12, 1, 2, tzinfo=UTC)
QUIET = timedelta(hours=20)
FAILED = Notice("hr", "sync", "failed", NIGHT, "r1")


def test_a_message_goes_to_each_address_as_it_is_written() -> None:
    with listening() as (one, came), listening() as (other, came_there):
        assert deliver(SecretStr(f"json://{one}/a, json://{other}/b"), MESSAGE) is None
    for [sent] in (came, came_there):
        assert (sent["title"], sent["message"]) == (MESSAGE.title, MESSAGE.body)
        assert sent["type"] == "failure"


def test_an_address_that_does_not_take_it_is_told_without_the_address(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG), listening(500) as (host, _), listening() as (good, came):
        addresses = SecretStr(f"json://user:canary-4711@{host}/ json://{good}/")
        assert deliver(addresses, MESSAGE) == "a channel did not take the message"
    assert len(came) == 1
    said = capfd.readouterr()
    assert "canary-4711" not in caplog.text + said.out + said.err


@pytest.mark.parametrize("address", ["canary-4711", "http//canary-4711", "nothing://canary-4711"])
def test_what_is_no_address_is_told_without_it(
    address: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    assert problem_of(SecretStr(address)) == UNKNOWN
    assert deliver(SecretStr(address), MESSAGE) == UNKNOWN
    said = capfd.readouterr()
    assert "canary-4711" not in caplog.text + said.out + said.err


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_database")
        url = new_database()
    with open_ledger(url) as ledger:
        yield ledger


def test_the_same_is_claimed_once_until_it_is_news_again(ledger: Ledger) -> None:
    soon, later = (replace(FAILED, noticed_at=NIGHT + pause) for pause in (QUIET / 2, QUIET))
    assert claim_notice(ledger, FAILED, QUIET) == Claim(None)
    assert claim_notice(ledger, soon, QUIET) is None
    assert claim_notice(ledger, replace(soon, kind="activity"), QUIET) == Claim(None)
    assert claim_notice(ledger, later, QUIET) == Claim(FAILED)


def test_only_what_was_told_before_is_recovered_from(ledger: Ledger) -> None:
    well = replace(FAILED, event="recovered")
    assert claim_notice(ledger, well, QUIET) is None
    claim_notice(ledger, FAILED, QUIET)
    assert claim_notice(ledger, well, QUIET) == Claim(FAILED)
    assert claim_notice(ledger, well, QUIET) is None
    assert claim_notice(ledger, FAILED, QUIET) == Claim(well)


def test_what_nobody_took_is_news_still(ledger: Ledger) -> None:
    claim = claim_notice(ledger, FAILED, QUIET)
    assert claim is not None
    put_back(ledger, FAILED, claim)
    assert claim_notice(ledger, FAILED, QUIET) == Claim(None)
    held = replace(FAILED, event="held")
    claim = claim_notice(ledger, held, QUIET)
    assert claim is not None
    put_back(ledger, held, claim)
    assert claim_notice(ledger, FAILED, QUIET) is None

"""What changed and a sample are enough only where nothing shows that something is wrong."""

import random
from datetime import UTC, datetime

import httpx
import polars as pl
import pytest
from pydantic import SecretStr

from loaders.lumos.client import LumosApi
from loaders.lumos.sampled import SAMPLE_PAGES, holds_changes

SINCE = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
SCHEMA = {"unique_identifier": pl.String(), "status": pl.String()}
OLD, NEW = "2026-01-01T00:00:00+00:00", "2026-11-23T03:05:00+00:00"

Accounts = dict[str, str]


class Lumos:
    """An app's accounts by id: status, and when each was seen first."""

    def __init__(self, held: Accounts, new: frozenset[str] = frozenset()) -> None:
        self.held = held
        self.new = new
        self.asked: list[httpx.URL] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url)
        params = request.url.params
        status, after = params.get("status"), params.get("discovered_after", "")
        items = [
            {"id": f"i-{one}", "unique_identifier": one, "status": kept}
            for one, kept in self.held.items()
            if status in {None, kept} and (NEW if one in self.new else OLD) > after
        ]
        first = 100 * (int(params["page"]) - 1)
        return httpx.Response(200, json={"items": items[first : first + 100], "total": len(items)})


def table(held: Accounts) -> pl.DataFrame:
    return pl.DataFrame(list(held.items()), schema=SCHEMA, orient="row")


def is_enough(lumos: Lumos, sent: Accounts, before: Accounts) -> bool:
    api = LumosApi("https://x.example", SecretStr("t"), transport=httpx.MockTransport(lumos))
    pick = random.Random(1)
    return holds_changes(api, "hr", table(sent), table(before), SINCE, pick)


BEFORE = {f"u{n}": "ACTIVE" if n % 10 else "SUSPENDED" for n in range(4000)}
SENT = {**BEFORE, "u1": "SUSPENDED", "u10": "ACTIVE", "new": "ACTIVE"}
del SENT["u2"]
NEW_ONES = frozenset({"new"})


def test_a_large_app_that_holds_what_was_sent_is_not_read_whole() -> None:
    lumos = Lumos(SENT, NEW_ONES)
    assert is_enough(lumos, SENT, BEFORE)
    whole = [url for url in lumos.asked if set(url.params) == {"app_id", "page", "size"}]
    assert len(whole) == SAMPLE_PAGES + 1
    assert len(lumos.asked) < 30


def test_an_account_that_is_gone_as_it_should_be_is_nothing_wrong() -> None:
    assert is_enough(Lumos({**SENT, "u2": "DEPROVISIONED"}, NEW_ONES), SENT, BEFORE)


@pytest.mark.parametrize(
    ("held", "new"),
    [
        (BEFORE, frozenset()),  # nothing took effect
        ({**SENT, "u2": "ACTIVE"}, NEW_ONES),  # not removed
        ({**SENT, "u1": "ACTIVE"}, NEW_ONES),  # not suspended
        ({**SENT, "u1": "ACTIVE", "u3": "SUSPENDED"}, NEW_ONES),  # another in its place
        ({**SENT, "u10": "SUSPENDED", "u20": "ACTIVE"}, NEW_ONES),  # likewise the other way
        ({one: status for one, status in SENT.items() if one != "new"} | {"x": "ACTIVE"},
         frozenset({"x"})),  # another was added
        (SENT, frozenset()),  # it was known before: it may be another's
        ({**SENT, "u3": None}, NEW_ONES),  # no status is told
    ],
)  # fmt: skip
def test_whatever_is_not_as_it_should_be_has_the_whole_app_read(
    held: Accounts, new: frozenset[str]
) -> None:
    assert not is_enough(Lumos(held, new), SENT, BEFORE)


def test_accounts_that_nobody_sent_show_in_a_sample() -> None:
    """As many as should be there are, of each status, but they are others."""
    held = {f"x{one}" if one not in {"u1", "u10", "new"} else one: s for one, s in SENT.items()}
    assert not is_enough(Lumos(held, NEW_ONES), SENT, BEFORE)


def test_where_what_changed_is_in_long_lists_all_are_read() -> None:
    before = {f"u{n}": "ACTIVE" if n % 2 else "SUSPENDED" for n in range(4000)}
    lumos = Lumos({**before, "u1": "SUSPENDED"})
    assert not is_enough(lumos, lumos.held, before)
    assert len(lumos.asked) == 2


def test_an_account_that_comes_back_from_the_gone_has_all_read() -> None:
    before = {**SENT, "u3": "DEPROVISIONED"}
    assert not is_enough(Lumos(SENT, NEW_ONES), SENT, before)

from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import SecretStr

from loaders.lumos.accounts import (
    compare_accounts,
    compare_with_app,
    read_accounts,
    submit_accounts,
)
from loaders.lumos.client import LumosApi
from schemas.errors import LumosRefusedError, ReadBackError
from schemas.statuses import GONE
from tests.leases import still_held

ACCOUNTS = {"unique_identifier": pl.String(), "status": pl.String()}
DIFFERENCES = {
    "unique_identifier": pl.String(),
    "sent_status": pl.String(),
    "found_status": pl.String(),
    "difference": pl.String(),
}


def api_of(*answers: Any) -> LumosApi:
    """An API that gives these answers in order, the last again and again."""
    left = list(answers)

    def answered(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=left.pop(0) if len(left) > 1 else left[0])

    return LumosApi("https://x.example", SecretStr("t"), transport=httpx.MockTransport(answered))


def book_of(*pages: Any) -> LumosApi:
    """An API that shows each page by its number; one of several answers gives the last for ever."""
    left = [list(answers) if isinstance(answers, tuple) else [answers] for answers in pages]

    def answered(request: httpx.Request) -> httpx.Response:
        shown = left[min(int(request.url.params["page"]), len(left)) - 1]
        return httpx.Response(200, json=shown.pop(0) if len(shown) > 1 else shown[0])

    return LumosApi("https://x.example", SecretStr("t"), transport=httpx.MockTransport(answered))


def page(first: int, last: int, total: int, app_id: str = "hr") -> dict[str, Any]:
    items = [
        {"id": f"i{n}", "app_id": app_id, "unique_identifier": f"u{n}", "status": "ACTIVE"}
        for n in range(first, last)
    ]
    return {"items": items, "total": total}


def accounts(*rows: tuple[str | None, str | None]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ACCOUNTS, orient="row")


def test_accounts_are_read_page_by_page_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    api = book_of(page(0, 100, 250), page(100, 200, 250), page(200, 250, 250))
    found = read_accounts(api, "hr", on_page=lambda read, total: told.append((read, total)))
    assert_frame_equal(found.drop("email"), accounts(*[(f"u{n}", "ACTIVE") for n in range(250)]))
    assert told == [(100, 250), (200, 250), (250, 250)]


def test_pages_are_asked_for_in_full_and_from_the_first() -> None:
    asked: list[str] = []

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url.query, "ascii"))
        first = 100 * (int(request.url.params["page"]) - 1)
        return httpx.Response(200, json=page(first, first + 100, 200, "hr&x"))

    transport = httpx.MockTransport(answered)
    read_accounts(LumosApi("https://x.example", SecretStr("t"), transport=transport), "hr&x")
    assert asked == ["app_id=hr%26x&page=1&size=100", "app_id=hr%26x&page=2&size=100"]


def test_an_app_without_accounts_is_read_as_none() -> None:
    found = read_accounts(api_of(page(0, 0, 0)), "hr")
    assert (found.height, found.columns) == (0, ["unique_identifier", "status", "email"])


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200])
def test_where_no_total_is_told_the_pages_are_read_until_one_is_not_full(count: int) -> None:
    told: list[tuple[int, int]] = []
    firsts = range(0, count + 1, 100)
    pages = [page(n, min(n + 100, count), 0) | {"total": None} for n in firsts]
    found = read_accounts(
        book_of(*pages), "hr", on_page=lambda read, total: told.append((read, total))
    )
    assert found["unique_identifier"].to_list() == [f"u{n}" for n in range(count)]
    assert told[-1] == (count, count)
    assert len(told) == len(pages)


def test_an_account_of_which_no_status_is_told_has_none_that_differs() -> None:
    sent = accounts(("a", "ACTIVE"), ("b", "SUSPENDED"))
    assert compare_accounts(sent, accounts(("a", None), ("b", "SUSPENDED"))).height == 0
    assert compare_accounts(sent, accounts(("a", None), ("b", None), ("left", None))).height == 0
    missing = compare_accounts(sent, accounts(("a", None)))
    assert missing["difference"].to_list() == ["missing"]


def test_an_account_without_status_or_identifier_is_read_as_it_is() -> None:
    answer = page(0, 2, 2)
    answer["items"][0]["status"] = None
    del answer["items"][1]["unique_identifier"]
    answer["items"][1]["email"] = "u1@example.com"
    found = read_accounts(api_of(answer), "hr")
    assert_frame_equal(found.drop("email"), accounts(("u0", None), (None, "ACTIVE")))
    assert found["email"].to_list() == [None, "u1@example.com"]


def test_accounts_that_came_while_reading_are_read_too() -> None:
    before_and_after = page(0, 100, 150), page(0, 100, 160)
    found = read_accounts(book_of(before_and_after, page(100, 160, 160)), "hr")
    assert found.height == 160


def test_pages_that_moved_are_read_again_until_all_are_of_one_list() -> None:
    """One account goes while the first pages are read: what follows moves up by one."""
    moved = [page(1 + n, min(n + 101, 450), 449) for n in range(0, 450, 100)]
    first, second = (page(0, 100, 450), moved[0]), (page(100, 200, 450), moved[1])
    found = read_accounts(book_of(first, second, *moved[2:]), "hr")
    assert found["unique_identifier"].to_list() == [f"u{n}" for n in range(1, 450)]


def test_an_account_that_a_move_showed_on_two_pages_counts_once() -> None:
    """One account is put in front and one goes at the end: the totals are the same."""
    first = page(0, 100, 200), page(1, 101, 200)
    found = read_accounts(book_of(first, page(100, 200, 200)), "hr", on_page=None)
    assert found["unique_identifier"].n_unique() == found.height == 200


def test_pages_that_are_gone_when_all_are_read_do_not_count() -> None:
    told: list[tuple[int, int]] = []
    first, second = (
        (page(0, 100, 250), page(0, 100, 150)),
        (page(100, 200, 250), page(100, 150, 150)),
    )
    api = book_of(first, second, page(0, 0, 150))
    found = read_accounts(api, "hr", on_page=lambda read, total: told.append((read, total)))
    assert found["unique_identifier"].to_list() == [f"u{n}" for n in range(150)]
    assert told[-1] == (150, 150)


def test_a_page_of_which_no_total_is_told_is_one_of_the_same_list() -> None:
    second = page(100, 200, 0) | {"total": None}
    assert (
        read_accounts(book_of(page(0, 100, 250), second, page(200, 250, 250)), "hr").height == 250
    )


def test_a_service_that_has_no_end_is_not_asked_for_all_of_it() -> None:
    asked: list[int] = []

    def answered(request: httpx.Request) -> httpx.Response:
        asked.append(int(request.url.params["page"]))
        return httpx.Response(200, json=page(0, 100 if asked[-1] == 1 else 0, 10**9))

    api = LumosApi("https://x.example", SecretStr("t"), transport=httpx.MockTransport(answered))
    with pytest.raises(ReadBackError, match="page 2 is short"):
        read_accounts(api, "hr")
    assert len(asked) < 50


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ([page(0, 100, 250), page(100, 150, 250)], "page 2 is short"),
        ([page(0, 100, 250), page(0, 0, 250)], "page 2 is short"),
        ([page(0, 0, 3)], "page 1 is short"),
        ([page(0, 100, 250), page(100, 200, 150)], "fewer accounts than it has shown"),
        ([page(0, 3, 2)], "fewer accounts than it has shown"),
        ([page(0, 1, -1)], "fewer accounts than it has shown"),
        ([page(0, 100, 250), page(0, 100, 250)], "page 2 was shown before"),
        ([page(0, 100, 10**9)], "page 2 was shown before"),
        ([page(0, 100, 190), page(99, 189, 190)], "shown on two pages"),
        ([page(0, 2, 2, "crm")], "accounts of another app"),
    ],
)
def test_a_list_that_is_not_whole_is_never_taken_for_the_whole(
    pages: list[dict[str, Any]], reason: str
) -> None:
    with pytest.raises(ReadBackError, match=reason) as caught:
        read_accounts(book_of(*pages), "hr")
    assert "u1" not in str(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {"items": []},
        {"total": 0},
        {"items": None, "total": 0},
        {"items": [7], "total": 1},
        {"items": [{"id": 7, "unique_identifier": "u", "status": None}], "total": 1},
        {"items": [{"id": "i", "unique_identifier": 7}], "total": 1},
        {"items": [{"id": "i", "unique_identifier": "u", "status": 7}], "total": 1},
        {"items": [{"id": str(n)} for n in range(101)], "total": 101},
    ],
)
def test_a_page_in_another_shape_is_refused(answer: object) -> None:
    with pytest.raises(LumosRefusedError, match="is LUMOS_API_URL right"):
        read_accounts(api_of(answer), "hr")


def test_an_upload_becomes_a_job(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_text("{}")
    assert (
        submit_accounts(api_of({"job_id": "j-1", "state": "NOT_STARTED"}), body, check=still_held)
        == "j-1"
    )


@pytest.mark.parametrize("answer", [{}, {"job_id": None}, {"job_id": ""}, {"job_id": 7}, [], "j"])
def test_an_upload_without_a_job_is_not_taken_for_one(tmp_path: Path, answer: object) -> None:
    body = tmp_path / "body.json"
    body.write_text("{}")
    with pytest.raises(LumosRefusedError, match="did not answer as the Lumos API does"):
        submit_accounts(api_of(answer), body, check=still_held)


def test_each_kind_of_difference_is_told_sorted_by_account() -> None:
    sent = accounts(("d", "ACTIVE"), ("a", "ACTIVE"), ("b", "SUSPENDED"), ("c", "ACTIVE"))
    found = accounts(("z", "ACTIVE"), ("y", None), ("c", None), ("b", "ACTIVE"), ("a", "ACTIVE"))
    expected = pl.DataFrame(
        [
            ("b", "SUSPENDED", "ACTIVE", "other status"),
            ("d", "ACTIVE", None, "missing"),
            ("y", None, None, "not sent"),
            ("z", None, "ACTIVE", "not sent"),
        ],
        schema=DIFFERENCES,
        orient="row",
    )
    assert_frame_equal(compare_accounts(sent, found), expected)


@pytest.mark.parametrize("status", GONE)
def test_an_account_that_is_gone_as_it_should_be_is_no_difference(status: str) -> None:
    differences = compare_accounts(
        accounts(("a", "ACTIVE")), accounts(("a", "ACTIVE"), ("b", status))
    )
    assert_frame_equal(differences, pl.DataFrame(schema=DIFFERENCES))


def test_an_account_that_should_be_there_and_is_gone_is_a_difference() -> None:
    differences = compare_accounts(accounts(("a", "ACTIVE")), accounts(("a", "DEPROVISIONED")))
    assert differences["difference"].to_list() == ["other status"]


def test_an_identifier_that_differs_in_case_or_blanks_is_another_account() -> None:
    differences = compare_accounts(accounts(("A ", "ACTIVE")), accounts(("a", "ACTIVE")))
    assert differences["difference"].to_list() == ["missing", "not sent"]


def test_an_account_without_identifier_was_not_sent() -> None:
    differences = compare_accounts(
        accounts(("a", "ACTIVE")), accounts(("a", "ACTIVE"), (None, "ACTIVE"))
    )
    assert differences["difference"].to_list() == ["not sent"]


STATUSES = st.sampled_from(["ACTIVE", "SUSPENDED", *GONE])
TABLES = st.dictionaries(st.sampled_from("abcdefgh"), STATUSES)


@given(sent=TABLES, found=TABLES)
def test_every_account_is_either_the_same_or_a_difference(
    sent: dict[str, str], found: dict[str, str]
) -> None:
    differences = compare_accounts(accounts(*sent.items()), accounts(*found.items()))
    expected = {}
    for key in sorted(sent.keys() | found.keys()):
        if key not in found:
            expected[key] = "missing"
        elif key not in sent and found[key] not in GONE:
            expected[key] = "not sent"
        elif key in sent and sent[key] != found[key]:
            expected[key] = "other status"
    told = dict(zip(differences["unique_identifier"], differences["difference"], strict=True))
    assert told == expected
    assert list(told) == sorted(told)


def shown_by(held: list[tuple[str | None, str | None]]) -> LumosApi:
    """An API that holds these accounts, a hundred a page."""
    items = [
        {"id": f"i{n}", "unique_identifier": one, "status": status}
        for n, (one, status) in enumerate(held)
    ]

    def answered(request: httpx.Request) -> httpx.Response:
        first = 100 * (int(request.url.params["page"]) - 1)
        answer = {"items": items[first : first + 100], "total": len(items)}
        return httpx.Response(200, json=answer)

    return LumosApi("https://x.example", SecretStr("t"), transport=httpx.MockTransport(answered))


SHOWN = st.lists(
    st.tuples(
        st.none() | st.sampled_from("abcdefgh"), st.none() | st.sampled_from(["ACTIVE", *GONE])
    ),
    max_size=12,
)


@given(sent=TABLES, held=SHOWN, more=st.sampled_from([0, 100, 350]))
def test_comparing_page_by_page_tells_what_comparing_whole_lists_tells(
    sent: dict[str, str], held: list[tuple[str | None, str | None]], more: int
) -> None:
    """Accounts held twice, without an id or a status, and on several pages too."""
    others = [(f"other {n}", "ACTIVE") for n in range(more)]
    api = shown_by([*others[: more // 2], *held, *others[more // 2 :]])
    table = accounts(*sent.items(), *others[: more // 3])
    assert_frame_equal(
        compare_with_app(api, "hr", table), compare_accounts(table, read_accounts(api, "hr"))
    )


def test_what_a_page_showed_before_it_moved_is_compared_no_more() -> None:
    gone, stays = page(0, 100, 150), page(0, 100, 149)
    gone["items"][5]["unique_identifier"] = "left"
    api = book_of((gone, stays), page(100, 149, 149))
    sent = accounts(*[(f"u{n}", "ACTIVE") for n in range(149)])
    assert compare_with_app(api, "hr", sent).is_empty()

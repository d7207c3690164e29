"""All resources, page by page: whole, whatever a service makes of startIndex, or an error."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from scim_in_memory import BASE, Scim, list_of, user, users

from extractors.scim.documents import TWICE
from extractors.scim.listing import Lister, Listing, Paging, to_paging
from schemas.errors import SourceFormatError, SourceIncompleteError, SourceUnavailableError

PAGING = Paging(10, by_cursor=False, at_once=1)


def names(resources: Sequence[dict[str, Any]]) -> list[str]:
    return [one["username"] for one in resources]


def listed(scim: Scim, size: int = 10, at_once: int = 1, *, by_cursor: bool = False) -> Listing:
    paging = Paging(size, by_cursor, at_once)
    return Lister(scim.opened(at_once), "/Users", names, paging).read()


def read(scim: Scim, size: int = 10, at_once: int = 1, *, by_cursor: bool = False) -> list[str]:
    pages = listed(scim, size, at_once, by_cursor=by_cursor).pages
    return [name for page in pages for name in page.rows]


def everybody(count: int) -> list[str]:
    return [f"clerk{n}" for n in range(1, count + 1)]


@pytest.mark.parametrize("count", [1, 9, 10, 11, 20, 45])
@pytest.mark.parametrize("cap", [3, 10, 1000])
@pytest.mark.parametrize("at_once", [1, 4])
def test_everybody_comes_once_whatever_the_size_of_pages(count: int, cap: int, at_once: int):
    scim = Scim({"/Users": users(count)}, cap)
    assert read(scim, 10, at_once) == everybody(count)


def test_what_lies_past_the_end_is_not_asked_for_and_nothing_is_filtered():
    """scimmy answers past the end with the first page; filters mean something else everywhere."""
    scim = Scim({"/Users": users(20)})
    read(scim)
    pages = [(query["startIndex"], query["count"]) for _, query in scim.asked]
    # Each page begins with the end of the one before; the last asks for totalResults once more.
    assert pages == [("1", "10"), ("10", "10"), ("19", "2"), ("1", "1")]
    assert all(set(query) == {"startIndex", "count"} for _, query in scim.asked)


def test_a_page_is_as_long_as_what_came_not_as_what_the_answer_says():
    """scimmy writes the count that was asked into itemsPerPage: 1000 here, of pages of 4."""
    assert read(Scim({"/Users": users(10)}, cap=4)) == everybody(10)


def test_a_page_that_is_shorter_than_those_before_is_gone_on_from():
    scim = Scim({"/Users": users(30)})

    def short(request: httpx.Request) -> httpx.Response | None:
        if request.url.params["startIndex"] != "10":
            return None
        return list_of(scim.resources["/Users"][9:13], 30, startIndex=10)

    scim.answers["/Users"] = short
    assert read(scim) == everybody(30)


def test_a_service_that_answers_the_first_page_whatever_is_asked_is_not_read():
    """scimmy-routers 1.3.2 on Express 5: startIndex 1, the right totalResults, status 200."""
    scim = Scim({"/Users": users(45)})
    scim.answers["/Users"] = lambda _: list_of(users(20), 45, startIndex=1)
    with pytest.raises(SourceIncompleteError, match="asked for the page from 21") as error:
        read(scim)
    assert not error.value.retryable


def test_the_same_page_under_other_labels_is_told_by_its_ids():
    scim = Scim({"/Users": users(45)})
    scim.answers["/Users"] = lambda request: list_of(
        users(20), 45, startIndex=int(request.url.params["startIndex"])
    )
    with pytest.raises(SourceIncompleteError, match="20 distinct ids came"):
        read(scim)


def test_a_service_that_labels_no_page_is_told_by_its_ids():
    scim = Scim({"/Users": users(45)})
    scim.answers["/Users"] = lambda _: list_of(users(20), 45)
    with pytest.raises(SourceIncompleteError, match="20 distinct ids came"):
        read(scim)


def test_ids_that_repeat_end_the_read():
    """django-scim2: users that bulk_create made all have the id None."""
    scim = Scim({"/Users": [user(n, id="None") for n in range(1, 6)]})
    with pytest.raises(SourceIncompleteError, match="5 resources with 1 distinct ids"):
        read(scim)


def test_ids_that_differ_in_case_alone_are_two():
    scim = Scim({"/Users": [user(1, id="user000"), user(2, id="USER000")]})
    assert len(read(scim)) == 2


def test_a_user_too_few_is_no_whole_read():
    scim = Scim({"/Users": users(9)})
    scim.answers["/Users"] = lambda request: list_of(
        users(8) if request.url.params["startIndex"] == "1" else [], 9
    )
    with pytest.raises(SourceIncompleteError, match="the page from 9 is empty, and there are 9"):
        read(scim)


def test_somebody_who_comes_meanwhile_makes_the_read_begin_anew():
    """scim2-server sorts by a random id: one more shifts the pages."""
    scim = Scim({"/Users": users(30)})

    def joins(request: httpx.Request) -> None:
        if request.url.params["startIndex"] == "10" and len(scim.resources["/Users"]) == 30:
            scim.resources["/Users"].insert(0, user(0))

    scim.answers["/Users"] = joins
    assert sorted(read(scim)) == sorted(["clerk0", *everybody(30)])


def test_somebody_who_comes_after_the_last_page_is_seen_at_the_end():
    scim = Scim({"/Users": users(20)})

    def joins(request: httpx.Request) -> None:
        if request.url.params["count"] == "1" and len(scim.resources["/Users"]) == 20:
            scim.resources["/Users"].append(user(21))

    scim.answers["/Users"] = joins
    assert read(scim) == everybody(21)


def test_a_service_that_never_comes_to_rest_is_given_up():
    scim = Scim({"/Users": users(30)})
    scim.answers["/Users"] = lambda _: scim.resources["/Users"].append(
        user(len(scim.resources["/Users"]) + 1)
    )
    with pytest.raises(SourceIncompleteError, match="changed while it was read at each of 3"):
        read(scim)


def test_one_who_moved_to_another_page_does_not_hide_another():
    scim = Scim({"/Users": users(20)})
    swapped = [*users(9), user(11), user(10), *users(20)[11:]]

    def unordered(request: httpx.Request) -> httpx.Response | None:
        if request.url.params["startIndex"] == "1":
            return None
        start = int(request.url.params["startIndex"])
        return list_of(swapped[start - 1 : 20], 20, startIndex=start)

    scim.answers["/Users"] = unordered
    with pytest.raises(SourceIncompleteError, match="19 distinct ids"):
        read(scim)


@pytest.mark.parametrize("at_once", [1, 4])
@pytest.mark.parametrize("before", range(2, 6))
@pytest.mark.parametrize("leaves", [0, 9, 10])
def test_one_who_goes_and_one_who_comes_between_two_pages_do_not_hide_a_third(
    before: int, leaves: int, at_once: int
):
    """The number stays, and so does that of distinct ids: only the pages' borders show it."""
    scim = Scim({"/Users": users(35)})

    def moves(_: httpx.Request) -> None:
        if len(scim.asked) == before:
            del scim.resources["/Users"][leaves]
            scim.resources["/Users"].append(user(36))

    scim.answers["/Users"] = moves
    stayed = set(everybody(35)) - {f"clerk{leaves + 1}"}
    assert stayed <= set(read(scim, at_once=at_once))


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("count", [20, 35])
def test_a_service_that_gives_whole_pages_alone_is_read_by_these(count: int, labels: bool):
    scim = Scim({"/Users": users(count)})

    def whole_pages(request: httpx.Request) -> httpx.Response:
        start, size = (int(request.url.params[name]) for name in ("startIndex", "count"))
        first = (start - 1) // size * size
        label = {"startIndex": first + 1} if labels else {}
        return list_of(scim.resources["/Users"][first : first + size], count, **label)

    scim.answers["/Users"] = whole_pages
    assert read(scim) == everybody(count)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"totalResults": "5", "Resources": []},
        {"totalResults": True, "Resources": []},
        {"totalResults": 1, "Resources": {"id": "u1"}},
        {"totalResults": 1, "Resources": ["u1"]},
        {"totalResults": 1, "TOTALRESULTS": 2, "Resources": []},
    ],
)
def test_what_is_no_list_of_resources_is_an_error(document: Any):
    scim = Scim({"/Users": []})
    scim.answers["/Users"] = lambda _: httpx.Response(200, json=document)
    with pytest.raises(SourceFormatError, match="no list of resources"):
        read(scim)


@pytest.mark.parametrize("value", [None, "", True, ["u1"], {"id": 1}])
def test_a_resource_without_an_id_is_an_error(value: Any):
    scim = Scim({"/Users": [user(1, id=value)]})
    with pytest.raises(SourceFormatError, match="has no id"):
        read(scim)


def test_names_and_schemas_of_the_answer_are_of_any_case():
    """Besides its id and what is named, a resource needs nothing: no schemas, no meta."""
    scim = Scim({"/Users": []})
    schemas = ["URN:ietf:params:scim:api:messages:2.0:listresponse"]
    document = {
        "SCHEMAS": schemas,
        "TotalResults": 1,
        "resources": [{"ID": "u1", "USERNAME": "clerk1"}],
    }
    scim.answers["/Users"] = lambda _: httpx.Response(200, json=document)
    assert read(scim) == ["clerk1"]


def test_a_resource_with_a_name_twice_is_told_apart_from_the_others():
    scim = Scim({"/Users": []})
    page = b"""{"totalResults": 2, "Resources": [
        {"id": "u1", "userName": "clerk1", "name": {"givenName": "a", "GivenName": "b"}},
        {"id": "u2", "userName": "clerk2"}]}"""
    scim.answers["/Users"] = lambda _: httpx.Response(200, content=page)
    told = Lister(scim.opened(), "/Users", lambda users: [TWICE in user for user in users], PAGING)
    assert told.read().pages[0].rows == [True, False]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_service_that_refuses_large_pages_is_asked_for_smaller_ones(status: int):
    scim = Scim({"/Users": users(25)})
    scim.answers["/Users"] = lambda request: (
        httpx.Response(status) if int(request.url.params["count"]) > 10 else None
    )
    paging = Paging(20, by_cursor=False, at_once=1, fallback=10)
    pages = Lister(scim.opened(), "/Users", names, paging).read().pages
    assert [len(page.ids) for page in pages] == [10, 9, 6]
    with pytest.raises(SourceFormatError, match=str(status)):
        read(scim, 20)


def test_nobody_is_a_whole_list():
    assert read(Scim({"/Users": []})) == []


# By cursor.


def by_cursor(scim: Scim, size: int, *, total: int | None, last: str | None = None) -> None:
    """Makes it answer by cursors that name the place to go on from; `last` ends the last page."""

    def answer(request: httpx.Request) -> httpx.Response:
        start = int(request.url.params["cursor"] or 0)
        page = scim.resources["/Users"][start : start + size]
        is_end = start + size >= len(scim.resources["/Users"])
        cursor = last if is_end else str(start + size)
        return list_of(page, total, **({} if cursor is None else {"nextCursor": cursor}))

    scim.answers["/Users"] = answer


@pytest.mark.parametrize("total", [25, None])
@pytest.mark.parametrize("last", [None, ""])
def test_cursors_are_followed_to_the_last(total: int | None, last: str | None):
    scim = Scim({"/Users": users(25)})
    by_cursor(scim, 10, total=total, last=last)
    assert read(scim, by_cursor=True) == everybody(25)
    assert [query.get("cursor") for _, query in scim.asked] == ["", "10", "20"]
    assert all("startIndex" not in query for _, query in scim.asked)


def test_cursors_that_end_too_early_are_told_by_the_total():
    scim = Scim({"/Users": users(25)})
    by_cursor(scim, 10, total=26)
    with pytest.raises(SourceIncompleteError, match="25 distinct ids came, and totalResults is 26"):
        read(scim, by_cursor=True)


def test_a_service_that_takes_no_notice_of_cursors_is_not_read_by_them():
    """scimmy and django-scim2 answer an unknown cursor with 200 and the first page."""
    scim = Scim({"/Users": users(45)})
    scim.answers["/Users"] = lambda _: list_of(users(20), 45, startIndex=1)
    with pytest.raises(SourceIncompleteError, match="20 distinct ids"):
        read(scim, by_cursor=True)


def test_cursors_that_go_in_a_circle_are_not_followed_for_ever():
    scim = Scim({"/Users": users(25)})
    by_cursor(scim, 10, total=None, last="10")
    with pytest.raises(SourceIncompleteError, match="in a circle"):
        read(scim, by_cursor=True)


@pytest.mark.parametrize("word", ["invalidCursor", "expiredCursor"])
def test_a_cursor_that_the_service_lets_go_makes_the_read_begin_anew(word: str):
    scim = Scim({"/Users": users(25)})
    by_cursor(scim, 10, total=25)
    usual = scim.answers["/Users"]

    def forgets_once(request: httpx.Request) -> httpx.Response | None:
        is_first_time = len(scim.asked) == 3
        gone = {"schemas": ["x"], "status": "400", "scimType": word, "detail": "clerk1"}
        return httpx.Response(400, json=gone) if is_first_time else usual(request)

    scim.answers["/Users"] = forgets_once
    assert read(scim, by_cursor=True) == everybody(25)


# What the configuration offers.


def paging_of(configuration: Any, pagination: str = "auto", size: int | None = None) -> Paging:
    scim = Scim()
    scim.answers["/ServiceProviderConfig"] = lambda _: httpx.Response(200, json=configuration)
    return to_paging(scim.opened(), pagination, size, 4)


def test_pages_are_by_cursor_only_where_the_configuration_offers_it():
    assert paging_of({"pagination": {"cursor": True}}).by_cursor
    assert not paging_of({"pagination": {"cursor": False, "index": True}}).by_cursor
    assert not paging_of({"pagination": {"cursor": "yes"}}).by_cursor
    assert not paging_of({}).by_cursor
    assert not paging_of([]).by_cursor
    assert not paging_of({"pagination": {"cursor": True}}, "index").by_cursor
    assert paging_of({}, "cursor").by_cursor


def test_a_page_is_as_large_as_the_service_says_it_answers():
    assert paging_of({"pagination": {"maxPageSize": 250}, "filter": {"maxResults": 7}}).size == 250
    assert paging_of({"filter": {"supported": True, "maxResults": 200}}).size == 200
    assert paging_of({"filter": {"maxResults": 0}}).size == 500
    assert paging_of({"filter": {"maxResults": 10**6}}).size == 1000
    assert paging_of({"filter": {"maxResults": 200}}, size=30).size == 30


@pytest.mark.parametrize("status", [403, 404, 500, 501])
def test_a_service_that_shows_no_configuration_is_paged_by_index(status: int):
    scim = Scim()
    scim.answers["/ServiceProviderConfig"] = lambda _: httpx.Response(status)
    paging = to_paging(scim.opened(), "auto", None, 4)
    assert paging == Paging(500, by_cursor=False, at_once=4, fallback=100)
    assert len(scim.asked) == 1


def test_a_login_that_is_refused_is_not_tried_again():
    scim = Scim()
    scim.answers["/ServiceProviderConfig"] = lambda _: httpx.Response(401)
    with pytest.raises(SourceUnavailableError, match="refuses the login"):
        to_paging(scim.opened(), "auto", None, 4)


def test_the_proof_says_how_many_ids_and_pages_there_were():
    proof = listed(Scim({"/Users": users(25)})).proof
    assert proof == f"{BASE}/Users: 25 distinct ids, as many as totalResults, 3 pages by index"

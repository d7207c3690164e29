"""The sandbox over HTTP: who is let in, apps, pages of accounts, and how requests are refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox, running_sandbox

CUSTOM_APP = {"name": "HR Portal", "category": "HR & Learning", "description": "People"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(job_seconds=0) as sandbox:
        yield sandbox


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(base_url=sandbox.url, headers=headers, timeout=60) as api:
        yield api


def made_app(api: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = api.post("/apps", json=CUSTOM_APP | fields)
    assert answer.status_code == 200, answer.text
    return answer.json()


def filled_app(api: httpx.Client, count: int, **fields: Any) -> str:
    """Make an app with that many accounts."""
    app_id = made_app(api)["id"]
    accounts = [
        {"unique_identifier": f"{n:05d}", "email": f"{n}@example.com", **fields}
        for n in range(count)
    ]
    job = api.post("/accounts/upload", json={"app_id": app_id, "accounts": accounts}).json()
    assert api.get(f"/accounts/upload/{job['job_id']}").json()["state"] == "SUCCESS"
    return app_id


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer lsk_other"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/current"),
        ("GET", "/users"),
        ("GET", "/apps"),
        ("POST", "/apps"),
        ("PATCH", "/apps/x"),
        ("GET", "/apps/categories"),
        ("GET", "/accounts"),
        ("POST", "/accounts/upload"),
        ("GET", "/accounts/upload/x"),
        ("POST", "/activity_records"),
        ("GET", "/activity_records/job/x"),
    ],
)
def test_nobody_is_let_in_without_the_token(
    sandbox: Sandbox, method: str, path: str, header: dict[str, str]
) -> None:
    answer = httpx.request(method, sandbox.url + path, headers=header)
    assert answer.status_code == 401
    error = answer.json()
    assert error.keys() == {"detail", "type", "code", "errors"}
    assert (error["type"], error["code"]) == ("authentication", "unauthenticated")


def test_the_liveness_check_needs_no_token_and_tells_the_rate_limit(sandbox: Sandbox) -> None:
    answer = httpx.get(f"{sandbox.url}/info")
    assert answer.status_code == 200
    assert int(answer.headers["x-ratelimit-limit"]) >= int(answer.headers["x-ratelimit-remaining"])
    assert float(answer.headers["x-ratelimit-reset"]) > 1_700_000_000


def test_the_token_belongs_to_somebody(api: httpx.Client) -> None:
    assert api.get("/users/current").json()["status"] == "ACTIVE"


def test_a_custom_app_is_made_and_read_back(api: httpx.Client) -> None:
    app = made_app(api, name="Portal of one")
    assert app["user_friendly_label"] == "Portal of one"
    assert app["instance_id"] == "custom_app_import"
    assert app["category"] == "HR & Learning"
    read = api.get(f"/apps/{app['id']}").json()
    assert read == app | {"custom_attributes": {}}
    assert api.get(app["links"]["self"]).json() == read


@pytest.mark.parametrize("missing", ["name", "category", "description"])
def test_a_custom_app_needs_a_name_a_category_and_a_description(
    api: httpx.Client, missing: str
) -> None:
    body = {key: value for key, value in CUSTOM_APP.items() if key != missing}
    answer = api.post("/apps", json=body)
    assert answer.status_code == 422
    (error,) = answer.json()["detail"]
    assert error.keys() == {"loc", "msg", "type"}
    assert missing in error["msg"]


def test_no_app_is_named_by_blanks(api: httpx.Client) -> None:
    assert api.post("/apps", json=CUSTOM_APP | {"name": "  "}).status_code == 422
    app_id = made_app(api)["id"]
    assert api.patch(f"/apps/{app_id}", json={"name": " "}).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/apps", CUSTOM_APP | {"name": "half \ud83d"}),
        ("POST", "/apps", CUSTOM_APP | {"request_instructions": "\udc00"}),
        ("POST", "/accounts/upload", {"app_id": "\ud800", "accounts": []}),
    ],
)
def test_half_a_character_is_refused(
    api: httpx.Client, method: str, path: str, body: dict[str, Any]
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.request(method, path, content=json.dumps(body), headers=headers)
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "field",
    [
        {"email": "\ud800@example.com"},
        {"permissions": [{"name": "\ud800"}]},
        {"attributes": [{"type": "\ud800", "name": "x"}]},
    ],
)
def test_half_a_character_of_an_account_is_refused(
    api: httpx.Client, field: dict[str, Any]
) -> None:
    accounts = [{"unique_identifier": "1", "email": "a@example.com"} | field]
    body = json.dumps({"app_id": made_app(api)["id"], "accounts": accounts})
    headers = {"Content-Type": "application/json"}
    assert api.post("/accounts/upload", content=body, headers=headers).status_code == 422


def test_a_date_beyond_the_years_that_there_are_fails_its_upload(api: httpx.Client) -> None:
    app_id = made_app(api)["id"]
    one = {"unique_identifier": "1", "email": "a@example.com"}
    for field in ("last_login", "last_activity"):
        accounts = [one | {field: "0001-01-01T00:00:00+14:00"}]
        job = api.post("/accounts/upload", json={"app_id": app_id, "accounts": accounts}).json()
        assert api.get(f"/accounts/upload/{job['job_id']}").json()["state"] == "FAILURE"


def test_the_people_are_listed(api: httpx.Client) -> None:
    one = api.get("/users/current").json()
    page = api.get("/users").json()
    assert page | {"items": []} == {"items": [], "total": 1, "page": 1, "size": 50, "pages": 1}
    assert page["items"] == [one | {"custom_attributes": {}}]
    for term, is_exact, total in (("SANDBOX", False, 1), ("sand", True, 0), ("nobody", False, 0)):
        params = {"search_term": term, "exact_match": is_exact}
        assert api.get("/users", params=params).json()["total"] == total
    assert api.get("/users", params={"page": 2}).json()["items"] == []


LUMOS_NAMES = {
    "listApps", "createApp", "getAppCategories", "getApp", "updateApp", "currentUser",
    "listUsers", "getAccounts", "postAccounts", "getUploadJobState", "activityRecords",
    "getActivityRecordsJobState", "Lumos liveness check",
}  # fmt: skip


def test_a_client_can_be_made_from_the_contract(sandbox: Sandbox) -> None:
    """Its operations are called as Lumos's are, no two things have one name, and it asks here."""
    contract = httpx.get(f"{sandbox.url}/openapi.json").json()
    operations = [one for path in contract["paths"].values() for one in path.values()]
    assert {one["operationId"] for one in operations} == LUMOS_NAMES
    titles = [schema.get("title") for schema in contract["components"]["schemas"].values()]
    assert sorted(set(titles)) == sorted(titles)
    assert "Page[Account]" in titles
    assert contract["servers"] == [{"url": sandbox.url}]


@pytest.mark.parametrize("category", ["HR_AND_LEARNING", "Engineering", "hr & learning"])
def test_a_category_is_one_of_the_display_names(api: httpx.Client, category: str) -> None:
    assert category not in api.get("/apps/categories").json()
    assert api.post("/apps", json=CUSTOM_APP | {"category": category}).status_code == 422


def test_a_description_has_a_limit(api: httpx.Client) -> None:
    assert api.post("/apps", json=CUSTOM_APP | {"description": "x" * 8192}).status_code == 200
    assert api.post("/apps", json=CUSTOM_APP | {"description": "x" * 8193}).status_code == 422


def test_an_integration_cannot_be_connected(api: httpx.Client) -> None:
    answer = api.post("/apps", json={"app_class_id": "okta.com", "auth": {}})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_app_class_id")


def test_two_apps_may_have_one_name(api: httpx.Client) -> None:
    twins = {made_app(api, name="Twin")["id"], made_app(api, name="Twin")["id"]}
    found = api.get("/apps", params={"name_search": "Twin", "exact_match": True}).json()
    assert {app["id"] for app in found["items"]} == twins
    assert found["total"] == 2


def test_a_search_finds_parts_of_a_name_unless_it_must_match_exactly(api: httpx.Client) -> None:
    app_id = made_app(api, name="Warehouse 13")["id"]

    def found(**params: Any) -> list[str]:
        return [app["id"] for app in api.get("/apps", params=params).json()["items"]]

    assert found(name_search="warehouse") == [app_id]
    assert found(name_search="warehouse", exact_match=True) == []
    assert found(name_search="Warehouse 13", exact_match=True) == [app_id]
    assert found(name_search="Warehouse 13", connection_source="UI") == []
    assert found(name_search="Warehouse 13", disconnected=True) == []


def test_apps_are_listed_page_by_page(api: httpx.Client) -> None:
    made = [made_app(api, name=f"Paged {n}")["id"] for n in range(5)]
    pages = [
        api.get("/apps", params={"name_search": "paged", "page": page, "size": 2}).json()
        for page in (1, 2, 3, 4)
    ]
    assert [app["id"] for page in pages for app in page["items"]] == made
    assert {(page["total"], page["pages"]) for page in pages} == {(5, 3)}


def test_a_null_takes_a_changed_field_back(api: httpx.Client) -> None:
    app_id = made_app(api, name="First name")["id"]
    changed = api.patch(f"/apps/{app_id}", json={"name": "Second", "category": "Other"}).json()
    assert (changed["user_friendly_label"], changed["category"]) == ("Second", "Other")
    again = api.patch(f"/apps/{app_id}", json={"name": None}).json()
    assert (again["user_friendly_label"], again["category"]) == ("First name", "Other")


@pytest.mark.parametrize(
    "body", [{"label": "x"}, {"category": "Engineering"}, {"description": "x" * 1001}]
)
def test_a_change_that_the_contract_does_not_know_is_refused(
    api: httpx.Client, body: dict[str, str]
) -> None:
    app_id = made_app(api)["id"]
    assert api.patch(f"/apps/{app_id}", json=body).status_code == 422


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/apps/unknown"),
        ("PATCH", "/apps/unknown"),
        ("GET", "/accounts/upload/unknown"),
        ("GET", "/activity_records/job/unknown"),
        ("GET", "/nowhere"),
    ],
)
def test_what_does_not_exist_is_a_404_in_the_error_envelope(
    api: httpx.Client, method: str, path: str
) -> None:
    answer = api.request(method, path, json={} if method == "PATCH" else None)
    assert answer.status_code == 404
    assert answer.json().keys() == {"detail", "type", "code", "errors"}
    assert answer.json()["type"] == "not_found"


@pytest.mark.parametrize(
    ("params", "at"),
    [
        ({"size": 101}, "size"),
        ({"size": 0}, "size"),
        ({"page": 0}, "page"),
        ({"status": "INACTIVE"}, "status"),
        ({"discovered_after": "2026-01-01"}, "discovered_after"),
        ({"discovered_before": "9999-12-31T23:59:59-01:00"}, "discovered_before"),
    ],
)
def test_a_page_is_at_most_a_hundred_and_a_status_is_known(
    api: httpx.Client, params: dict[str, Any], at: str
) -> None:
    answer = api.get("/accounts", params=params)
    assert answer.status_code == 422
    assert [error["loc"][:2] for error in answer.json()["detail"]] == [["query", at]]


def test_accounts_are_read_back_page_by_page_each_once(api: httpx.Client) -> None:
    app_id = filled_app(api, 205)
    pages = [
        api.get("/accounts", params={"app_id": app_id, "page": page, "size": 100}).json()
        for page in (1, 2, 3)
    ]
    assert [len(page["items"]) for page in pages] == [100, 100, 5]
    assert {(page["total"], page["pages"], page["size"]) for page in pages} == {(205, 3, 100)}
    identifiers = [a["unique_identifier"] for page in pages for a in page["items"]]
    assert sorted(identifiers) == [f"{n:05d}" for n in range(205)]
    beyond = api.get("/accounts", params={"app_id": app_id, "page": 10**20}).json()
    assert (beyond["items"], beyond["total"]) == ([], 205)


def test_an_account_is_read_back_without_its_names_permissions_and_attributes(
    api: httpx.Client,
) -> None:
    app_id = filled_app(api, 1, first_name="Ana", permissions=[{"name": "Admin"}])
    (account,) = api.get("/accounts", params={"app_id": app_id}).json()["items"]
    assert account | {"id": "", "discovered_at": ""} == {
        "id": "",
        "app_id": app_id,
        "account_type": "USER",
        "status": "ACTIVE",
        "unique_identifier": "00000",
        "email": "0@example.com",
        "user_id": None,
        "discovered_at": "",
        "last_login": None,
        "last_activity": None,
        "sources": ["MANUAL"],
    }
    expanded = api.get("/accounts", params={"app_id": app_id, "expand": "app"}).json()["items"]
    assert expanded[0]["app"]["id"] == app_id


def test_accounts_are_filtered_by_status_source_and_time(api: httpx.Client) -> None:
    app_id = made_app(api)["id"]
    statuses = ["ACTIVE", "SUSPENDED", "DEPROVISIONED"]
    accounts = [{"unique_identifier": s, "email": "a@b.c", "status": s} for s in statuses]
    api.post("/accounts/upload", json={"app_id": app_id, "accounts": accounts})

    def total(**params: Any) -> int:
        return api.get("/accounts", params={"app_id": app_id, **params}).json()["total"]

    assert total(status=["ACTIVE", "SUSPENDED"]) == 2
    assert total(sources=["OKTA"]) == 0
    assert total(sources=["OKTA", "MANUAL"]) == 3
    assert total(discovered_before="2020-01-01T00:00:00Z") == 0
    assert total(discovered_after="2020-01-01T00:00:00+02:00") == 3


def test_a_database_file_keeps_what_was_uploaded(tmp_path: Path) -> None:
    totals = []
    for _ in range(2):
        with running_sandbox(db=tmp_path / "kept.db", token="lsk_own", job_seconds=0) as sandbox:
            headers = {"Authorization": "Bearer lsk_own"}
            with httpx.Client(base_url=sandbox.url, headers=headers, timeout=60) as api:
                filled_app(api, 3)
                totals.append(api.get("/accounts").json()["total"])
    assert totals == [3, 6]


def test_a_port_that_is_taken_is_an_error_of_the_caller(sandbox: Sandbox) -> None:
    port = httpx.URL(sandbox.url).port
    assert port is not None
    with pytest.raises(OSError, match="in use"), running_sandbox(port=port):
        pass

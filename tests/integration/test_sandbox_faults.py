"""Faults on demand over HTTP: what a client sees, and what has happened in spite of it."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox, running_sandbox

ACCOUNT = {"unique_identifier": "ana", "email": "ana@example.com"}
CUSTOM_APP = {"name": "HR", "category": "Other", "description": "x"}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(job_seconds=0) as sandbox:
        yield sandbox


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    with httpx.Client(base_url=sandbox.url, headers=headers, timeout=60) as api:
        yield api


@pytest.fixture
def app_id(api: httpx.Client) -> str:
    return api.post("/apps", json=CUSTOM_APP).json()["id"]


@pytest.fixture
def arm(api: httpx.Client) -> Callable[..., None]:
    def arm_all(*specs: str) -> None:
        assert api.post("/sandbox/faults", json=list(specs)).status_code == 200

    return arm_all


def upload(api: httpx.Client, app_id: str) -> httpx.Response:
    return api.post("/accounts/upload", json={"app_id": app_id, "accounts": [ACCOUNT]})


def uploads(api: httpx.Client) -> int:
    return api.get("/sandbox/stats").json()["uploads"]


def test_too_many_requests_says_when_to_come_back(
    api: httpx.Client, arm: Callable[..., None]
) -> None:
    arm("429=7@/apps")
    answer = api.get("/apps")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.json()["type"] == "rate_limited"
    assert api.get("/apps").status_code == 200


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_error_has_no_effect(
    api: httpx.Client, arm: Callable[..., None], app_id: str, status: int
) -> None:
    arm(f"{status}@/accounts/upload*2")
    assert [upload(api, app_id).status_code for _ in range(3)] == [status, status, 200]
    assert uploads(api) == 1


def test_a_connection_cut_before_has_no_effect(
    api: httpx.Client, arm: Callable[..., None], app_id: str
) -> None:
    arm("cut_before@/accounts/upload")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        upload(api, app_id)
    assert uploads(api) == 0


def test_a_connection_cut_after_has_all_effects(
    api: httpx.Client, arm: Callable[..., None], app_id: str
) -> None:
    arm("cut_after@/accounts/upload")
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        upload(api, app_id)
    assert uploads(api) == 1
    assert api.get("/accounts", params={"app_id": app_id}).json()["total"] == 1


@pytest.mark.parametrize("name", ["cut_before", "cut_after"])
def test_a_connection_is_cut_under_a_large_body_without_a_trace_in_the_log(
    api: httpx.Client,
    arm: Callable[..., None],
    app_id: str,
    name: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    accounts = [ACCOUNT | {"unique_identifier": f"{n:06d}"} for n in range(50_000)]
    arm(f"{name}@/accounts/upload")
    with caplog.at_level(logging.WARNING), pytest.raises(httpx.TransportError):
        api.post("/accounts/upload", json={"app_id": app_id, "accounts": accounts})
    assert uploads(api) == (name == "cut_after")
    assert [record.getMessage() for record in caplog.records] == []


def test_a_slow_answer_comes_late_but_its_request_counts(
    api: httpx.Client, arm: Callable[..., None], app_id: str
) -> None:
    arm("slow=0.4@/accounts/upload", "slow=60@/accounts/upload")
    began = time.monotonic()
    assert upload(api, app_id).status_code == 200
    assert time.monotonic() - began >= 0.4
    with pytest.raises(httpx.ReadTimeout):
        api.post("/accounts/upload", json={"app_id": app_id, "accounts": []}, timeout=0.1)
    while uploads(api) < 2:  # it may be read after its sender has left
        time.sleep(0.02)
    assert uploads(api) == 2


def test_a_slow_answer_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with running_sandbox(faults=["slow=60"]) as sandbox:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{sandbox.url}/info", timeout=0.1)
        began = time.monotonic()
    assert time.monotonic() - began < 30
    # Nor is it cut off when the server's patience is at its end, of which uvicorn would tell.
    assert caplog.records == []


def job_state(api: httpx.Client, app_id: str) -> Any:
    job_id = upload(api, app_id).json()["job_id"]
    answer = api.get(f"/accounts/upload/{job_id}")
    return answer.json().get("state", answer.status_code)


def test_jobs_get_stuck_fail_and_are_forgotten(
    api: httpx.Client, arm: Callable[..., None], app_id: str
) -> None:
    arm("job_fails", "job_forgotten", "job_stuck")
    assert job_state(api, app_id) == "FAILURE"
    assert api.get("/accounts").json()["total"] == 0
    assert job_state(api, app_id) == 404
    assert api.get("/accounts").json()["total"] == 1
    assert job_state(api, app_id) == "RUNNING"
    assert api.get("/sandbox/stats").json()["overlapping_uploads"] == 0
    assert job_state(api, app_id) == "SUCCESS"
    assert api.get("/sandbox/stats").json()["overlapping_uploads"] == 1


def test_a_refused_upload_does_not_use_up_a_fault_of_jobs(
    api: httpx.Client, arm: Callable[..., None], app_id: str
) -> None:
    arm("job_fails")
    assert upload(api, "unknown").status_code == 404
    assert api.post("/accounts/upload", json={}).status_code == 422
    assert job_state(api, app_id) == "FAILURE"


def test_an_activity_job_gets_stuck_but_has_no_way_to_fail(
    api: httpx.Client, arm: Callable[..., None], app_id: str
) -> None:
    arm("job_fails", "job_stuck@/activity_records")
    job_id = api.post("/activity_records", json={"records": []}).json()["job"]["job_id"]
    assert api.get(f"/activity_records/job/{job_id}").json()["state"] == "RUNNING"
    assert job_state(api, app_id) == "FAILURE"


def test_a_job_may_be_answered_without_its_state(
    api: httpx.Client, arm: Callable[..., None], app_id: str
) -> None:
    arm("state_missing@/accounts/upload", "state_missing@/activity_records")
    answer = upload(api, app_id).json()
    assert answer.keys() == {"job_id"}
    assert api.get(f"/accounts/upload/{answer['job_id']}").json()["state"] == "SUCCESS"
    assert "state" not in api.post("/activity_records", json={"records": []}).json()["job"]


def test_a_page_of_accounts_may_leave_untold_what_may_be_null(
    api: httpx.Client, arm: Callable[..., None], app_id: str
) -> None:
    assert job_state(api, app_id) == "SUCCESS"
    arm("status_missing", "email_missing@/accounts", "total_missing")
    page = api.get("/accounts", params={"app_id": app_id}).json()
    assert page["items"]
    assert {(item["status"], item["email"]) for item in page["items"]} == {(None, None)}
    assert page["total"] is None
    page = api.get("/accounts", params={"app_id": app_id}).json()
    assert page["total"] == len(page["items"])
    assert all(item["status"] for item in page["items"])


def test_faults_are_shown_and_cleared(api: httpx.Client, arm: Callable[..., None]) -> None:
    arm("500*inf", "503@/apps")
    armed = api.get("/sandbox/faults").json()
    assert armed == [
        {"name": "500", "value": None, "path": "/", "count": "inf"},
        {"name": "503", "value": None, "path": "/apps", "count": 1},
    ]
    assert api.delete("/sandbox/faults").json() == []
    assert api.post("/sandbox/faults", json=armed).json() == armed
    assert api.get("/info").status_code == 500


def test_a_wrong_fault_is_refused_with_what_is_possible(api: httpx.Client) -> None:
    answer = api.post("/sandbox/faults", json=["500", {"name": "teapot"}])
    assert answer.status_code == 422
    assert "cut_before" in answer.json()["detail"]
    assert api.get("/sandbox/faults").json() == []


def test_the_page_and_its_figures_are_never_struck(
    api: httpx.Client, arm: Callable[..., None]
) -> None:
    arm("500*inf")
    assert api.get("/").status_code == api.get("/sandbox/state").status_code == 200


def test_faults_are_armed_from_the_start() -> None:
    with running_sandbox(faults=["503@/info"]) as sandbox:
        statuses = [httpx.get(f"{sandbox.url}/info").status_code for _ in range(2)]
    assert statuses == [503, 200]

"""Jobs of the sandbox: when they end, and what that does to accounts."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox, running_sandbox

SECONDS = 8.0


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Lumos:
    """A client of a sandbox whose clock it moves."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.http = http
        self.clock = Clock()
        sandbox.app.state.store.clock = self.clock
        self.app_id = self.new_app()

    def new_app(self) -> str:
        body = {"name": "HR", "category": "Other", "description": "x"}
        return self.http.post("/apps", json=body).json()["id"]

    def upload(self, *accounts: dict[str, Any], app_id: str | None = None) -> str:
        body = {"app_id": app_id or self.app_id, "accounts": accounts}
        answer = self.http.post("/accounts/upload", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "NOT_STARTED"
        return answer.json()["job_id"]

    def act(self, *records: dict[str, Any]) -> str:
        answer = self.http.post("/activity_records", json={"records": records})
        assert answer.status_code == 200, answer.text
        assert answer.json()["job"]["state"] == "RUNNING"
        return answer.json()["job"]["job_id"]

    def wait(self, seconds: float = SECONDS) -> None:
        self.clock.now += seconds

    def state(self, job_id: str) -> str:
        return self.http.get(f"/accounts/upload/{job_id}").json()["state"]

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Return the app's accounts as they are shown on the page, which shows everything."""
        found = self.http.get("/sandbox/accounts", params={"app_id": self.app_id}).json()
        return {account["unique_identifier"]: account for account in found["items"]}

    def stats(self) -> dict[str, Any]:
        return self.http.get("/sandbox/stats").json()


@pytest.fixture(params=["snapshot"])
def lumos(request: pytest.FixtureRequest) -> Iterator[Lumos]:
    with running_sandbox(job_seconds=SECONDS, uploads=request.param) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.url, headers=headers, timeout=60) as http:
            yield Lumos(sandbox, http)


def account(identifier: str, **fields: Any) -> dict[str, Any]:
    return {"unique_identifier": identifier, "email": f"{identifier}@example.com", **fields}


def login(app_id: str, at: str, event: str = "LOGIN", **whose: Any) -> dict[str, Any]:
    return {
        "account": whose,
        "event": {"type": event},
        "timestamp": at,
        "source_app_id": app_id,
    }


def test_a_job_passes_through_its_states_by_the_clock(lumos: Lumos) -> None:
    job_id = lumos.upload(account("ana"))
    states = [lumos.state(job_id)]
    for _ in range(4):
        lumos.wait(SECONDS / 4)
        states.append(lumos.state(job_id))
    assert states == ["NOT_STARTED", "RUNNING", "RUNNING", "RUNNING", "SUCCESS"]


def test_an_upload_changes_nothing_before_its_job_ends(lumos: Lumos) -> None:
    lumos.upload(account("ana"))
    lumos.wait(SECONDS - 0.01)
    assert lumos.accounts() == {}
    lumos.wait(0.01)
    assert list(lumos.accounts()) == ["ana"]


def test_an_account_absent_from_a_snapshot_is_gone(lumos: Lumos) -> None:
    lumos.upload(account("ana"), account("bo"))
    lumos.wait()
    lumos.upload(account("bo"), account("chi"))
    lumos.wait()
    assert sorted(lumos.accounts()) == ["bo", "chi"]


@pytest.mark.parametrize("lumos", ["merge"], indirect=True)
def test_an_account_absent_from_a_merge_stays(lumos: Lumos) -> None:
    lumos.upload(account("ana"), account("bo"))
    lumos.wait()
    lumos.upload(account("bo", status="SUSPENDED"))
    lumos.wait()
    assert {k: a["status"] for k, a in lumos.accounts().items()} == {
        "ana": "ACTIVE",
        "bo": "SUSPENDED",
    }


def test_an_empty_snapshot_empties_the_app_and_no_other(lumos: Lumos) -> None:
    lumos.upload(account("ana"))
    lumos.upload(account("bo"), app_id=lumos.new_app())
    lumos.wait()
    lumos.upload()
    lumos.wait()
    assert lumos.accounts() == {}
    assert lumos.http.get("/accounts").json()["total"] == 1


def test_an_account_that_stays_is_the_same_account(lumos: Lumos) -> None:
    lumos.upload(account("ana"), account("bo"))
    lumos.wait()
    before = lumos.accounts()
    lumos.upload(account("ana", first_name="Ana"))
    lumos.wait()
    lumos.upload(account("ana"), account("bo"))
    lumos.wait()
    after = lumos.accounts()
    kept = ("id", "discovered_at")
    assert [after["ana"][key] for key in kept] == [before["ana"][key] for key in kept]
    assert all(after["bo"][key] != before["bo"][key] for key in kept)


def test_permissions_and_attributes_are_replaced_by_each_upload(lumos: Lumos) -> None:
    role = {"unique_identifier": "r", "type": "Role", "name": "Admin"}
    label = {"unique_identifier": None, "type": "Cost Center", "name": "CC001"}
    lumos.upload(account("ana", permissions=[role], attributes=[label]))
    lumos.wait()
    assert lumos.accounts()["ana"]["permissions"] == [role]
    assert lumos.accounts()["ana"]["attributes"] == [label]
    lumos.upload(account("ana", attributes=[{"name": "x"}]))
    lumos.wait()
    assert lumos.accounts()["ana"]["permissions"] == []
    assert lumos.accounts()["ana"]["attributes"] == [{"name": "x"}]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([{"unique_identifier": "a"}], "neither an email nor both names"),
        ([{"unique_identifier": "a", "first_name": "A"}], "neither an email nor both names"),
        ([{"unique_identifier": "a", "email": " "}], "neither an email nor both names"),
        ([account(""), account("b")], "no unique_identifier"),
        ([{"unique_identifier": None, "email": "a@b.c"}], "no unique_identifier"),
        ([account("a"), account("b"), account("a")], "row 3: unique_identifier"),
        ([account("a", last_login="yesterday")], "ISO 8601"),
    ],
)
def test_one_bad_row_fails_the_whole_upload_and_changes_nothing(
    lumos: Lumos, rows: list[dict[str, Any]], why: str
) -> None:
    lumos.upload(account("ana"))
    lumos.wait()
    job_id = lumos.upload(account("fine"), *rows) if "row 3" not in why else lumos.upload(*rows)
    assert lumos.state(job_id) == "NOT_STARTED"
    lumos.wait()
    assert lumos.state(job_id) == "FAILURE"
    assert list(lumos.accounts()) == ["ana"]
    assert why in lumos.http.get("/sandbox/state").json()["jobs"][0]["reason"]


def test_both_names_do_instead_of_an_email_and_a_missing_status_is_active(lumos: Lumos) -> None:
    lumos.upload({"unique_identifier": "a", "first_name": "Ana", "last_name": "Silva"})
    lumos.wait()
    assert lumos.accounts()["a"]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"status": "INACTIVE"}, "status"),
        ({"status": "secret"}, "status"),
        ({"unique_identifier": 12}, "unique_identifier"),
        ({"permissions": [{"name": None}]}, "permissions"),
        ({"attributes": {}}, "attributes"),
    ],
)
def test_a_wrong_type_is_refused_before_there_is_a_job(
    lumos: Lumos, change: dict[str, Any], at: str
) -> None:
    body = {"app_id": lumos.app_id, "accounts": [account("secret") | change]}
    answer = lumos.http.post("/accounts/upload", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:4] == ["body", "accounts", 0, at]
    assert "secret" not in answer.text
    assert lumos.stats()["uploads"] == 0


def test_an_account_must_have_the_key_of_its_identifier(lumos: Lumos) -> None:
    body = {"app_id": lumos.app_id, "accounts": [{"email": "a@b.c"}]}
    assert lumos.http.post("/accounts/upload", json=body).status_code == 422


def test_an_upload_to_an_unknown_app_is_a_404(lumos: Lumos) -> None:
    answer = lumos.http.post("/accounts/upload", json={"app_id": "x", "accounts": []})
    assert (answer.status_code, answer.json()["type"]) == (404, "not_found")
    assert lumos.stats()["uploads"] == 0


def test_uploads_that_overlap_are_counted_and_applied_in_the_order_of_their_ends(
    lumos: Lumos,
) -> None:
    lumos.upload(account("ana"))
    lumos.wait(1)
    lumos.upload(account("bo"))
    lumos.upload(account("chi"), app_id=lumos.new_app())
    assert lumos.stats()["overlapping_uploads"] == 1
    lumos.wait(SECONDS - 1)
    assert list(lumos.accounts()) == ["ana"]
    lumos.wait(1)
    assert list(lumos.accounts()) == ["bo"]


def test_of_two_uploads_that_ended_unseen_the_later_one_has_the_last_word(lumos: Lumos) -> None:
    lumos.upload(account("ana"))
    lumos.wait(1)
    lumos.upload(account("bo"))
    lumos.wait()
    assert list(lumos.accounts()) == ["bo"]


def test_uploads_one_after_the_other_do_not_overlap(lumos: Lumos) -> None:
    for _ in range(3):
        lumos.upload(account("ana"))
        lumos.wait()
    stats = lumos.stats()
    assert (stats["uploads"], stats["overlapping_uploads"]) == (3, 0)
    assert stats["jobs"] == {"SUCCESS": 3}
    assert stats["requests"] == {"POST /apps": 1, "POST /accounts/upload": 3}


def test_activity_moves_the_newest_login_when_its_job_is_done(lumos: Lumos) -> None:
    lumos.upload(account("ana", last_login="2026-01-10T00:00:00Z"), account("bo"))
    lumos.wait()
    job_id = lumos.act(
        login(lumos.app_id, "2026-01-12T01:00:00+02:00", external_id="ana"),
        login(lumos.app_id, "2026-01-11T00:00:00Z", external_id="ana"),
        login(lumos.app_id, "2026-01-09T00:00:00Z", "ACTIVITY", email="BO@example.com"),
        login(lumos.app_id, "2026-01-09T00:00:00Z", external_id="nobody"),
    )
    path = f"/activity_records/job/{job_id}"
    assert lumos.http.get(path).json() == {"job_id": job_id, "state": "RUNNING"}
    assert lumos.accounts()["ana"]["last_login"].startswith("2026-01-10T00:00:00")
    lumos.wait()
    assert lumos.http.get(path).json() == {"job_id": job_id, "state": "DONE"}
    accounts = lumos.accounts()
    assert accounts["ana"]["last_login"].startswith("2026-01-11T23:00:00")
    assert accounts["ana"]["last_activity"] is None
    assert accounts["bo"]["last_activity"].startswith("2026-01-09T00:00:00")
    shown = lumos.http.get("/sandbox/activity").json()
    assert [record["account"] for record in shown["items"]] == [None, "bo", "ana", "ana"]


def test_older_activity_moves_nothing_back(lumos: Lumos) -> None:
    lumos.upload(account("ana", last_login="2026-01-10T00:00:00Z"))
    lumos.wait()
    lumos.act(login(lumos.app_id, "2026-01-01T00:00:00Z", external_id="ana"))
    lumos.wait()
    assert lumos.accounts()["ana"]["last_login"].startswith("2026-01-10")


def test_an_upload_without_dates_keeps_what_activity_told(lumos: Lumos) -> None:
    lumos.upload(account("ana"))
    lumos.wait()
    lumos.act(login(lumos.app_id, "2026-01-01T00:00:00Z", external_id="ana"))
    lumos.wait()
    lumos.upload(account("ana"))
    lumos.wait()
    assert lumos.accounts()["ana"]["last_login"].startswith("2026-01-01")


def test_activity_of_one_app_leaves_another_alone(lumos: Lumos) -> None:
    lumos.upload(account("ana"))
    lumos.wait()
    lumos.act(login(lumos.new_app(), "2026-01-01T00:00:00Z", external_id="ana"))
    lumos.wait()
    assert lumos.accounts()["ana"]["last_login"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"timestamp": "soon"},
        {"timestamp": 0},
        {"timestamp": "2026-01-01"},
        {"timestamp": "2026-01-01T00:00:00"},
        {"timestamp": "0001-01-01T00:00:00+01:00"},
        {"timestamp": "9999-12-31T23:59:59-01:00"},
        {"event": {"type": "LOGOUT"}},
        {"account": None},
        {"account": {}},
        {"account": {"external_id": " ", "email": None}},
        {"account": {"external_id": "\ud800"}},
        {"source_app_id": "5a4db0c5-0000-4000-8000-00000000beef"},
    ],
)
def test_a_wrong_activity_record_is_refused(lumos: Lumos, change: dict[str, Any]) -> None:
    record = login(lumos.app_id, "2026-01-01T00:00:00Z", external_id="ana") | change
    answer = lumos.http.post(
        "/activity_records",
        content=json.dumps({"records": [record]}),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][:3] == ["body", "records", 0]


def test_without_job_seconds_a_job_is_done_by_the_next_poll() -> None:
    with running_sandbox(job_seconds=0) as sandbox:
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.url, headers=headers, timeout=60) as http:
            lumos = Lumos(sandbox, http)
            assert lumos.state(lumos.upload(account("ana"))) == "SUCCESS"
            assert list(lumos.accounts()) == ["ana"]

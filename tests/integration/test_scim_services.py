"""SCIM services as they are: scim2-server, scimmy on two Express, django-scim2, read whole or not.

A row of what they do is a test here, or in tests/unit/extractors/scim.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from extractors.read import probe_source, read_source
from schemas.errors import SourceIncompleteError, SourceUnavailableError
from schemas.raw import Raw
from schemas.source_file.file import SourceFile, to_source
from tests.scim_servers import TOKEN, ScimServer, running_scim

pytest_plugins = ["tests.snowflake_emulator"]
pytestmark = pytest.mark.xdist_group("scim")

Start = Callable[..., ScimServer]
NOW = datetime(2026, 8, 1, tzinfo=UTC)
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture(scope="module")
def scim_service(
    emulators_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Starts a service by its name, once each way it is asked for."""
    with ExitStack() as stack:
        started: dict[tuple[str, ...], ScimServer] = {}

        def start(*key: str) -> ScimServer:
            if key not in started:
                folder = tmp_path_factory.mktemp(key[0])
                started[key] = stack.enter_context(running_scim(key[0], key[1:], folder))
            return started[key]

        yield start


@pytest.fixture
def scim2_server(emulators_python: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts an empty scim2-server of the test's own."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(running_scim("scim2-server", options, tmp_path))


def source_file(url: str, options: str = "", more: str = "") -> SourceFile:
    text = (
        f"app: {{name: X}}\nsource: {{kind: scim, url: {url}, token: {{env: T}}{options}}}\n{more}"
    )
    return to_source(text, "x", "sources/x.yaml").file


def read(server: ScimServer, options: str = "", more: str = "", token: str = TOKEN) -> Raw:
    file = source_file(server.url, options, more)
    return read_source(
        file.source, Path(), now=NOW, resolve=lambda _: SecretStr(token), named=file.named
    )


def held(raw: Raw) -> set[tuple[str, str]]:
    assert raw.associations is not None
    columns = ("account_id", "integration_specific_entitlement_id")
    return set(raw.associations.rows.select(columns).rows())


def statuses(raw: Raw) -> dict[str, str | None]:
    return dict(raw.accounts.rows.select("username", "user_status").rows())


CLERKS = {f"clerk{n}": "INACTIVE" if n % 5 == 0 else "ACTIVE" for n in range(1, 46)}


def test_scimmy_on_express_4_is_read_whole(scim_service: Start):
    raw = read(scim_service("express4", "45"), ", page_size: 10")
    assert statuses(raw) == CLERKS
    assert held(raw) == {("id1", "outer"), ("id2", "outer"), ("id2", "inner")}
    assert raw.proof[0].endswith("45 distinct ids, as many as totalResults, 5 pages by index")
    assert any("1 members are neither users nor groups" in warning for warning in raw.warnings)


@pytest.mark.parametrize("options", ["", ", page_size: 10", ", pagination: index"])
def test_scimmy_on_express_5_answers_one_page_for_all_and_is_not_read(
    scim_service: Start, options: str
):
    with pytest.raises(SourceIncompleteError, match="takes no notice of startIndex"):
        read(scim_service("express5", "45"), options)


def test_a_service_that_ignores_cursors_is_not_read_by_them(scim_service: Start):
    for server in (scim_service("express4", "45"), scim_service("django-scim2", "45")):
        with pytest.raises(
            SourceIncompleteError, match="10 distinct ids came, and totalResults is 45"
        ):
            read(server, ", page_size: 10, pagination: cursor")


def test_django_scim2_is_read_whole(scim_service: Start):
    raw = read(scim_service("django-scim2", "45"), ", page_size: 10")
    assert statuses(raw) == CLERKS
    assert held(raw) == {("1", "1")}


def test_ids_that_are_all_the_same_end_the_read(scim_service: Start):
    with pytest.raises(SourceIncompleteError, match="45 resources with 1 distinct ids"):
        read(scim_service("django-scim2", "45", "bulk"))


def test_a_token_that_is_wrong_is_told_and_not_shown(scim_service: Start):
    with pytest.raises(SourceUnavailableError, match="401: the service refuses the login") as error:
        read(scim_service("express4", "45"), token="canary-4711")
    assert "canary-4711" not in str(error.value)
    assert not error.value.retryable


def filled(server: ScimServer, count: int = 25) -> list[str]:
    """The ids of so many users, each but the first managed by the first; one has no `active`."""
    ids: list[str] = []
    for n in range(1, count + 1):
        extension: dict[str, Any] = {"department": "Desk", "employeeNumber": f"{n:04}"}
        if ids:
            extension["manager"] = {"value": ids[0]}
        user = {
            "schemas": [USER, ENTERPRISE],
            "userName": f"clerk{n}",
            "name": {"givenName": f"Given{n}", "familyName": f"Family{n}"},
            "emails": [{"value": f"clerk{n}@example.com", "type": "work", "primary": True}],
            "roles": [{"value": "admin", "display": "Administrator"}] if n == 1 else [],
            "entitlements": [{"value": "seat"}] if n == 2 else [],
            ENTERPRISE: extension,
        }
        if n != 3:
            user["active"] = n % 5 != 0
        ids.append(server.ask("POST", "/Users", user)["id"])
    return ids


def test_scim2_server_is_read_with_all_that_a_user_has(scim2_server: Start):
    server = scim2_server()
    ids = filled(server)
    inner = server.ask("POST", "/Groups", _group("Inner", ids[1], "gone"))["id"]
    outer = server.ask("POST", "/Groups", _group("Outer", inner, ids[0]))["id"]
    more = (
        f'attributes: {{Department: "{ENTERPRISE}:department", Boss: manager, No: employeeNumber}}'
    )
    raw = read(server, ", page_size: 10", more)
    rows = {row["username"]: row for row in raw.accounts.rows.to_dicts()}
    assert [row["user_status"] for row in rows.values()].count("INACTIVE") == 5
    assert rows["clerk3"]["user_status"] is None
    assert rows["clerk2"][f"{ENTERPRISE}:department"] == "Desk"
    assert rows["clerk2"]["manager"] == "clerk1@example.com"
    assert rows["clerk1"]["manager"] is None
    assert rows["clerk7"]["employeeNumber"] == "0007"
    assert held(raw) == {
        (ids[0], outer), (ids[1], inner), (ids[1], outer), (ids[0], "admin"), (ids[1], "seat"),
    }  # fmt: skip
    assert raw.entitlements is not None
    kinds = raw.entitlements.rows.select("entitlement_type", "label").rows()
    assert set(kinds) == {
        ("Group", "Inner"), ("Group", "Outer"), ("Role", "Administrator"), ("Entitlement", "seat"),
    }  # fmt: skip


def _group(name: str, *members: str) -> dict[str, Any]:
    return {"schemas": [GROUP], "displayName": name, "members": [{"value": one} for one in members]}


def test_active_that_is_absent_is_what_the_file_says(scim2_server: Start):
    server = scim2_server()
    filled(server, 3)
    assert statuses(read(server, ", active_absent: SUSPENDED"))["clerk3"] == "SUSPENDED"


def test_cursors_are_used_where_the_configuration_offers_them(scim2_server: Start, tmp_path: Path):
    configuration = tmp_path / "configuration.json"
    supported = {"supported": True}
    configuration.write_text(
        json.dumps(
            {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
                "patch": supported,
                "bulk": {**supported, "maxOperations": 10, "maxPayloadSize": 1048576},
                "filter": {**supported, "maxResults": 1000},
                "changePassword": supported,
                "sort": supported,
                "etag": supported,
                "authenticationSchemes": [],
                "pagination": {"cursor": True, "index": True, "maxPageSize": 10},
            }
        )
    )
    server = scim2_server("--service-provider-config", str(configuration))
    filled(server)
    raw = read(server, ", groups: false")
    assert len(statuses(raw)) == 25
    assert raw.proof == (
        f"{server.url}/Users: 25 distinct ids, as many as totalResults, 3 pages by cursor",
    )


def test_a_service_without_users_is_never_an_empty_snapshot(scim2_server: Start):
    server = scim2_server()
    with pytest.raises(SourceIncompleteError, match="no user there"):
        read(server)


def test_check_sees_how_many_there_are(scim_service: Start):
    file = source_file(scim_service("express4", "45").url)
    probes = probe_source(
        file.source, Path(), now=NOW, resolve=lambda _: SecretStr(TOKEN), named=file.named
    )
    assert [(probe.table, probe.said) for probe in probes] == [
        ("accounts", "45 users"),
        ("entitlements", "2 groups"),
    ]

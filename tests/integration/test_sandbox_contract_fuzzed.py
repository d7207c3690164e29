"""The sandbox asked whatever the Lumos contract allows and forbids, and by clients made from it.

What asks is schemathesis, and a client that openapi-python-client generates: programs of their own,
in the environment of the emulators.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox, running_sandbox

pytest_plugins = ["tests.snowflake_emulator"]
pytestmark = pytest.mark.xdist_group("sandbox_contract")

CONTRACT = json.loads((Path(__file__).parents[1] / "unit" / "lumos_contract.json").read_text())
NAMES = {
    "GET /info": "liveness", "GET /users/current": "currentUser", "GET /users": "listUsers",
    "GET /apps": "listApps", "POST /apps": "createApp", "GET /apps/{app_id}": "getApp",
    "PATCH /apps/{app_id}": "updateApp", "GET /apps/categories": "getAppCategories",
    "POST /accounts/upload": "postAccounts", "GET /accounts/upload/{job_id}": "getUploadJobState",
    "GET /accounts": "getAccounts", "POST /activity_records": "activityRecords",
    "GET /activity_records/job/{job_id}": "getActivityRecordsJobState",
}  # fmt: skip
UNDECLARED = {"400": "no JSON, or an integration", "401": "no token", "404": "not there"}
"""What Lumos answers, too, and its contract does not say of most operations."""
_ERROR = {
    "type": "object",
    "required": ["detail", "type", "code", "errors"],
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}},
}
_LONGEST_S = 240


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(job_seconds=0) as sandbox:
        yield sandbox


def contract_of(url: str) -> dict[str, Any]:
    """The contract that the sandbox stands in for, as a whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for name, operation in CONTRACT["operations"].items():
        method, path = name.split(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(NAMES[name], operation)
    schemas = {name: {"title": name} | schema for name, schema in CONTRACT["schemas"].items()}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Lumos", "version": "1"},
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    return dict(json.loads(json.dumps(document), object_hook=_with_whole_references))


def _operation(name: str, operation: dict[str, Any]) -> dict[str, Any]:
    answers = {code: _content("as it is", schema) for code, schema in operation["answers"].items()}
    undeclared = {code: _content(why, _ERROR) for code, why in UNDECLARED.items()}
    body = operation["body"]
    return {
        "operationId": name,
        "security": [{"bearer": []}] if operation["secured"] else [],
        "parameters": [
            {"in": place, "name": key, **parameter, "schema": _schema(parameter)}
            for (place, key), parameter in (
                (written.split(" "), parameter)
                for written, parameter in operation["parameters"].items()
                # In a query, one word is a list of one: there is none that is no list.
                if written != "query expand"
            )
        ],
        **({"requestBody": {"required": True, **_content("", body)}} if body else {}),
        "responses": undeclared | answers,
    }


def _schema(parameter: dict[str, Any]) -> dict[str, Any]:
    default = parameter.pop("default", None)
    return parameter["schema"] | ({} if default is None else {"default": default})


def _content(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _with_whole_references(part: dict[str, Any]) -> dict[str, Any]:
    if isinstance(part.get("$ref"), str):
        return {"$ref": f"#/components/schemas/{part['$ref'].rpartition('/')[2]}"}
    return part


def run(python: Path, *words: str | Path, folder: Path) -> str:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, *words],
        cwd=folder,
        env=environment | {"NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


def test_no_request_ends_in_an_error_of_the_sandbox_s_own_or_in_an_answer_that_is_not_declared(
    sandbox: Sandbox, emulators_python: Path, tmp_path: Path
) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(contract_of(sandbox.url)), "utf-8")
    said = run(
        emulators_python,
        *("-m", "schemathesis.cli", "run", "contract.json", "--url", sandbox.url),
        *("-H", f"Authorization: Bearer {sandbox.token}", "--phases", "coverage,fuzzing"),
        *("--max-examples", "10", "--seed", "1", "--suppress-health-check", "all"),
        # A custom app needs a name, which the contract says in words alone; and a path's Allow is
        # FastAPI's, of one route.
        *("--exclude-checks", "positive_data_acceptance,allow_header_conformance"),
        folder=tmp_path,
    )
    assert f"Tested: {len(NAMES)}" in said


_PROGRAM = """
import sys
from importlib import import_module
from inspect import signature

name, url, token = sys.argv[1:]
made = import_module(f"{name}.client").AuthenticatedClient(base_url=url, token=token)


def ask(operation, body=None, **words):
    ask_it = import_module(f"{name}.api.default.{operation}").sync
    if body is not None:
        kind = signature(ask_it, eval_str=True).parameters["body"].annotation
        words["body"] = kind.from_dict(body)
    return ask_it(client=made, **words)


app = ask("create_app", {"name": "Made", "category": "Other", "description": "d"})
assert app.id in [one.id for one in ask("list_apps", size=100).items]
assert ask("get_app", app_id=app.id).user_friendly_label == "Made"
accounts = [{"unique_identifier": "1", "email": "a@example.com"}]
upload = ask("post_accounts", {"app_id": app.id, "accounts": accounts})
assert ask("get_upload_job_state", job_id=upload.job_id).state == "SUCCESS"
assert [one.unique_identifier for one in ask("get_accounts", app_id=app.id).items] == ["1"]
assert ask("list_users").total == 1
print("asked")
"""


@pytest.mark.parametrize("document", ["lumos", "own"])
def test_a_client_that_is_made_from_the_contract_works(
    document: str, sandbox: Sandbox, emulators_python: Path, tmp_path: Path
) -> None:
    contract = contract_of(sandbox.url)
    if document == "own":
        contract = httpx.get(f"{sandbox.url}/openapi.json").json()
    (tmp_path / "contract.json").write_text(json.dumps(contract), "utf-8")
    (tmp_path / "config.yml").write_text("post_hooks: []\n", "utf-8")
    (tmp_path / "ask.py").write_text(_PROGRAM, "utf-8")
    run(
        emulators_python,
        *("-m", "openapi_python_client", "generate", "--path", "contract.json"),
        *("--meta", "none", "--output-path", document, "--config", "config.yml"),
        folder=tmp_path,
    )
    said = run(emulators_python, "ask.py", document, sandbox.url, sandbox.token, folder=tmp_path)
    assert "asked" in said

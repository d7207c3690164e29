"""What a connector is given of credentials and settings, and what a source file may say of them."""

from typing import Any

import pytest
from connector_in_memory import to_connector_source
from pydantic import SecretStr

from extractors.connector.credentials import to_credentials
from extractors.connector.ways import About
from schemas.errors import ConfigError
from schemas.source_file.file import to_source
from schemas.source_file.secrets import Secret


def body(auth: Any, ids: tuple[str, ...] = (), settings: Any = None) -> Any:
    def resolve(secret: Secret) -> SecretStr:
        return SecretStr(f"secret of {secret.env}")

    source = to_connector_source(auth=auth, settings=settings or {})
    return to_credentials(source, About(frozenset(), ids), resolve)


TOKEN = {"token": {"token": "secret of T"}}


def test_a_credential_goes_as_the_connector_takes_it():
    assert body({"token": {"env": "T"}}).body == {"auth": TOKEN}
    assert body({"token": {"token": {"env": "T"}}}).body == {"auth": TOKEN}
    assert body({"id": "x", "token": {"env": "T"}}).body == {"credentials": [{"id": "x", **TOKEN}]}
    assert body([{"id": "x", "token": {"env": "T"}}]).body == {
        "credentials": [{"id": "x", **TOKEN}]
    }
    assert body({}).body == {}
    oauth = body({"oauth": {"env": "T"}}).body
    assert oauth == {"auth": {"oauth": {"access_token": "secret of T"}}}
    basic = {"basic": {"username": "u", "password": {"env": "P"}}}
    assert body(basic).body == {"auth": {"basic": {"username": "u", "password": "secret of P"}}}


def test_the_one_credential_that_is_allowed_needs_no_id():
    assert body({"token": {"env": "T"}}, ("only",)).body == {
        "credentials": [{"id": "only", **TOKEN}]
    }
    assert body({"token": {"env": "T"}}, ("one", "two")).body == {"auth": TOKEN}


def test_settings_may_name_the_place_of_a_secret():
    made = body({"token": {"env": "T"}}, settings={"branch": "main", "api_key": {"env": "K"}})
    assert made.body["settings"] == {"branch": "main", "api_key": "secret of K"}
    assert set(made.secrets) == {"secret of T", "secret of K"}


def problem(options: str) -> str:
    with pytest.raises(ConfigError) as error:
        to_source(f"app: {{name: X}}\nsource: {{kind: connector, {options}}}\n", "x", "x.yaml")
    assert "canary" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "auth",
    ["{token: canary}", "{token: {token: canary}}", "{basic: {username: u, password: canary}}",
     "{oauth: {access_token: canary}}", "{key_pair: {key_identifier: k, private_key: canary}}",
     "[{id: x, jwt: canary}]"],
)  # fmt: skip
def test_a_secret_is_never_written_into_the_file(auth: str):
    assert "a secret is not written" in problem(f"url: http://127.0.0.1:1, auth: {auth}")


def test_a_secret_in_the_settings_is_not_written_either():
    for key in ("token", "api_key", "client_secret", "private_key"):
        told = problem(f"url: http://127.0.0.1:1, settings: {{deep: [{{{key}: canary}}]}}")
        assert "a secret is not written" in told


def test_a_credential_without_a_kind_is_told():
    assert "name the kind of credential" in problem("url: http://127.0.0.1:1, auth: {env: T}")


@pytest.mark.parametrize("url", ["http://10.0.0.1:1", "https://connector.example", "http://x/?a=b"])
def test_a_connector_is_asked_on_this_machine_alone(url: str):
    assert "x.yaml:2: source.url" in problem(f'url: "{url}"')


def test_a_connector_is_named_by_url_or_by_command():
    assert "name a url or a command" in problem("settings: {a: b}")
    assert "name a url or a command" in problem("url: http://127.0.0.1:1, command: [x]")
    text = "app: {name: X}\nsource: {kind: connector, command: python connector.py}\n"
    source = to_source(text, "x", "x.yaml").file.source
    assert getattr(source, "command", None) == ("python", "connector.py")

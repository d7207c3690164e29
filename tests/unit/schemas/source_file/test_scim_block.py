"""A source of kind `scim`: which keys go together, and where credentials may be sent."""

import pytest

from schemas.errors import ConfigError
from schemas.source_file.file import SourceFile, to_source
from schemas.source_file.kinds.scim_source import ScimSource


def source_file(options: str, more: str = "") -> SourceFile:
    text = f"app: {{name: X}}\nsource: {{kind: scim, {options}}}\n{more}"
    return to_source(text, "x", "sources/x.yaml").file


def problem(options: str) -> str:
    with pytest.raises(ConfigError) as error:
        source_file(options)
    return str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://idp.example/scim/v2",
        "http://127.0.0.1:8080/v2",
        "http://localhost",
        "http://[::1]:1/",
    ],
)
def test_a_service_is_reached_by_https_or_on_this_machine(url: str):
    assert isinstance(source_file(f'url: "{url}"').source, ScimSource)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://idp.example/scim", "in clear"),
        ("ftp://idp.example", "is no URL"),
        ("idp.example/scim", "is no URL"),
        ("https://", "is no URL"),
        ("https://x:99999/", "is no URL"),
        ("https://[bad/", "is no URL"),
        ("https://reader:canary@idp.example", "is not written into a URL"),
        ("https://idp.example/scim?key=canary", "has a query"),
        ("https://idp.example/scim#x", "has a query"),
    ],
)
def test_an_address_that_would_give_something_away_is_refused(url: str, says: str):
    for key in (
        f'url: "{url}"',
        f'url: "https://x", oauth: {{token_url: "{url}", client_id: c, client_secret: {{env: S}}}}',
    ):
        told = problem(key)
        assert says in told
        assert "canary" not in told
        assert told.startswith("sources/x.yaml:2: source")


def test_one_way_to_log_in_is_named_or_none():
    token, basic = "token: {env: T}", "basic: {username: u, password: {env: P}}"
    oauth = "oauth: {token_url: https://x/t, client_id: c, client_secret: {env: S}, scope: read}"
    for login in (token, basic, oauth):
        source_file(f"url: https://x, {login}")
    source_file("url: https://x")
    for two in (f"{token}, {basic}", f"{token}, {oauth}", f"{basic}, {oauth}"):
        assert "name one of token, basic and oauth" in problem(f"url: https://x, {two}")


def test_a_secret_is_never_written_into_the_file():
    for login in ("token: canary", "basic: {username: u, password: canary}"):
        told = problem(f"url: https://x, {login}")
        assert "name its place" in told
        assert "canary" not in told


def test_absence_of_active_is_refused_or_a_status():
    for written, status in {
        "refuse": "refuse",
        "inactive": "SUSPENDED",
        "ACTIVE": "ACTIVE",
    }.items():
        source = source_file(f"url: https://x, active_absent: {written}").source
        assert isinstance(source, ScimSource)
        assert source.active_absent == status
    assert "write refuse, or a status" in problem("url: https://x, active_absent: perhaps")


def test_what_leaves_rows_out_is_read_as_well():
    file = source_file("url: https://x", "leave_out: [{column: userType, is: [Bot]}]\n")
    assert "userType" in file.named.columns

"""How a SCIM service is asked: outages, throttling, logins, redirects; and no secret is told."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from scim_in_memory import BASE, Scim, users

from extractors.scim.listing import Lister, Paging
from extractors.scim.login import OAuth, to_login
from extractors.scim.service import AnswerError
from schemas.errors import ConfigError, IngestError, SourceFormatError, SourceUnavailableError
from schemas.source_file.kinds.scim_source import ScimOAuth, ScimSource

SECRET = "canary-4711"


def answering(*answers: httpx.Response | Exception) -> Scim:
    """A service that gives these answers to the first requests, and then the usual one."""
    scim = Scim({"/Users": users(3)})
    left = list(answers)

    def next_answer(request: httpx.Request) -> httpx.Response | None:
        answer = left.pop(0) if left else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    scim.answers["/Users"] = next_answer
    return scim


def get(scim: Scim) -> Any:
    return scim.opened().get("/Users", {"startIndex": 1, "count": 10})


def error_of(scim: Scim) -> IngestError:
    with pytest.raises(IngestError) as error:
        get(scim)
    return error.value


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_an_outage_is_borne(status: int):
    scim = answering(httpx.Response(status), httpx.Response(status))
    assert get(scim)["totalresults"] == 3
    assert len(scim.pauses) == 2


def test_a_pause_that_is_asked_for_is_kept():
    scim = answering(httpx.Response(429, headers={"Retry-After": "7"}))
    get(scim)
    assert scim.pauses == [7.0]


def test_a_pause_until_a_moment_is_kept():
    scim = answering(httpx.Response(503, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}))
    get(scim)
    assert scim.pauses == [pytest.approx(0.5, rel=0.25)]


def test_a_pause_that_is_too_long_is_not_waited_for():
    scim = answering(httpx.Response(429, headers={"Retry-After": "4000"}))
    assert str(error_of(scim)) == f"{BASE}/Users: 429 Too Many Requests"
    assert scim.pauses == []


def test_an_outage_that_does_not_end_is_one():
    error = error_of(answering(*[httpx.Response(503)] * 9))
    assert isinstance(error, SourceUnavailableError)
    assert error.retryable


def test_a_connection_that_is_cut_is_made_again_where_there_was_one():
    scim = answering(httpx.Response(503), httpx.ReadError(SECRET), httpx.ReadTimeout(SECRET))
    assert get(scim)["totalresults"] == 3


def test_a_service_that_never_answered_is_not_waited_for():
    scim = answering(httpx.ConnectError(SECRET))
    error = error_of(scim)
    assert isinstance(error, SourceUnavailableError)
    assert SECRET not in str(error)
    assert scim.pauses == []


@pytest.mark.parametrize(
    ("status", "says"),
    [(403, "may not read this"), (404, "is url the service's base"), (400, "400 Bad Request")],
)
def test_a_refusal_is_told_without_its_text(status: int, says: str):
    body = {"status": status, "detail": f"{SECRET} is no filter", "scimType": f"bad {SECRET}"}
    error = error_of(answering(httpx.Response(status, json=body)))
    assert isinstance(error, AnswerError)
    assert says in str(error)
    assert SECRET not in str(error)


def test_a_refusals_word_for_programs_is_told():
    body = {"status": "400", "scimType": "tooMany"}
    assert str(error_of(answering(httpx.Response(400, json=body)))).endswith(
        "400 Bad Request, tooMany"
    )


def test_an_error_with_a_status_of_success_is_one():
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:ERROR"], "status": "400"}
    assert isinstance(error_of(answering(httpx.Response(200, json=body))), AnswerError)


@pytest.mark.parametrize("content", [b"<html>", b"", b'{"totalResults": 3', b'{"a": NaN}', b"\xff"])
def test_an_answer_that_is_no_json_is_an_error(content: bytes):
    error = error_of(answering(httpx.Response(200, content=content)))
    assert isinstance(error, SourceFormatError)
    assert "no JSON" in str(error)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"a":' * 100_000])
def test_an_answer_that_is_nested_without_end_is_no_json(content: bytes):
    assert "no JSON" in str(error_of(answering(httpx.Response(200, content=content))))


@pytest.mark.parametrize(
    "location",
    ["https://elsewhere.example/scim/v2/Users", "http://idp.example/scim/v2/Users", "//x/Users",
     "https://idp.example:8443/Users", "https://[bad"],
)  # fmt: skip
def test_a_redirect_to_another_host_is_not_followed(location: str):
    scim = answering(httpx.Response(302, headers={"Location": location}))
    assert "redirect to another host is not followed" in str(error_of(scim))
    assert len(scim.asked) == 1


def test_a_redirect_on_the_same_host_is_followed():
    moved = httpx.Response(307, headers={"Location": "/scim/v2/Users?startIndex=1&count=2"})
    assert len(get(answering(moved))["resources"]) == 2


def test_redirects_in_a_circle_come_to_an_end():
    moved = httpx.Response(302, headers={"Location": "/scim/v2/Users"})
    assert "in a circle" in str(error_of(answering(*[moved] * 9)))


def test_a_service_that_is_throttled_is_asked_less_at_once():
    scim = Scim({"/Users": users(60)})
    throttled = iter([None, *[httpx.Response(429)] * 3])
    scim.answers["/Users"] = lambda _: next(throttled, None)
    service = scim.opened(at_once=4)
    Lister(service, "/Users", len, Paging(5, by_cursor=False, at_once=4)).read()
    assert service._gate._at_once == 1


# How it is logged in to.


def source(**login: Any) -> ScimSource:
    return ScimSource.model_validate({"kind": "scim", "url": BASE, **login})


def header(login: dict[str, Any], secret: str = SECRET) -> str | None:
    with httpx.Client() as client:
        return to_login(source(**login), lambda _: SecretStr(secret), client).header()


def test_a_token_and_a_password_go_into_the_header():
    assert header({"token": {"env": "T"}}) == f"Bearer {SECRET}"
    basic = header({"basic": {"username": "reader", "password": {"env": "P"}}}, "pässwört")
    assert basic == "Basic cmVhZGVyOnDDpHNzd8O2cnQ="
    assert header({}) is None


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "schlüssel"])
def test_a_token_that_no_header_takes_is_refused_without_being_told(token: str):
    with pytest.raises(ConfigError) as error:
        header({"token": {"env": "T"}}, token)
    assert token not in str(error.value)
    assert error.value.key == "source.token"


class TokenServer:
    """Gives tokens t1, t2, … to whoever proves who it is as it wants."""

    def __init__(self, wants: str = "header", **more: Any) -> None:
        self.wants = wants
        self.more = more
        self.count = 0
        self.scopes: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = dict(httpx.QueryParams(request.content.decode()))
        in_header = request.headers.get("authorization") == "Basic Y2xpZW50OmNhbmFyeS00NzEx"
        in_body = form.get("client_secret") == SECRET and form.get("client_id") == "client"
        if not {"header": in_header, "body": in_body, "nothing": False}[self.wants]:
            return httpx.Response(401, json={"error": "invalid_client"})
        assert form["grant_type"] == "client_credentials"
        self.scopes.append(form.get("scope", ""))
        self.count += 1
        return httpx.Response(200, json={"access_token": f"t{self.count}", **self.more})


def oauth(server: Callable[[httpx.Request], httpx.Response], clock: list[float]) -> OAuth:
    options = ScimOAuth.model_validate(
        {
            "token_url": f"{BASE}/token",
            "client_id": "client",
            "client_secret": {"env": "S"},
            "scope": "r",
        }
    )
    client = httpx.Client(transport=httpx.MockTransport(server))
    return OAuth(options, SECRET, client, lambda: clock[0])


@pytest.mark.parametrize("wants", ["header", "body"])
def test_a_token_is_fetched_by_either_way_to_prove_who_asks(wants: str):
    server = TokenServer(wants)
    login = oauth(server, [0.0])
    assert [login.header(), login.header()] == ["Bearer t1"] * 2
    assert server.scopes == ["r"]


def test_a_token_is_fetched_again_before_it_ends():
    clock = [0.0]
    login = oauth(TokenServer(expires_in=100), clock)
    assert login.header() == "Bearer t1"
    clock[0] = 69.0
    assert login.header() == "Bearer t1"
    clock[0] = 71.0
    assert login.header() == "Bearer t2"


def test_a_token_that_is_refused_is_fetched_once_more():
    scim = answering(httpx.Response(401))
    login = oauth(TokenServer(), [0.0])
    assert scim.opened(login=login).get("/Users", {})["totalresults"] == 3
    assert login.header() == "Bearer t2"


def test_a_token_that_is_refused_again_ends_the_read():
    scim = answering(*[httpx.Response(401)] * 3)
    with pytest.raises(SourceUnavailableError, match="refuses the login") as error:
        scim.opened(login=oauth(TokenServer(), [0.0])).get("/Users", {})
    assert not error.value.retryable
    assert len(scim.asked) == 2


def test_a_client_that_is_refused_gets_one_clear_line():
    with pytest.raises(SourceUnavailableError) as error:
        oauth(TokenServer("nothing"), [0.0]).header()
    assert "are client_id, client_secret and scope right?" in str(error.value)
    assert SECRET not in str(error.value)
    assert not error.value.retryable


@pytest.mark.parametrize("document", [{}, {"access_token": ""}, {"access_token": "a b"}, []])
def test_an_answer_without_a_token_is_none(document: Any):
    with pytest.raises(SourceUnavailableError, match="answers with no token"):
        oauth(lambda _: httpx.Response(200, json=document), [0.0]).header()

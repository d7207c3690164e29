import json
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from loaders.lumos.client import LumosApi
from loaders.lumos.retries import Retry
from schemas.errors import (
    BusyError,
    ConfigError,
    LumosRefusedError,
    LumosUnavailableError,
    StateError,
)
from tests.leases import still_held

CANARY = "jane.canary@example.com"
TOKEN = "lsk_canary_token"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Server:
    """Answers the requests with what it was given, in order; the last again and again."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.read())
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def api_of(
    server: Callable[[httpx.Request], httpx.Response],
    clock: Clock | None = None,
    *,
    retry: Retry = Retry(),  # noqa: B008
    url: str = "https://api.lumos.example",
) -> LumosApi:
    clock = clock or Clock()
    return LumosApi(
        url,
        SecretStr(TOKEN),
        transport=httpx.MockTransport(server),
        retry=retry,
        clock=clock,
        sleep=clock.sleep,
    )


def ok(value: object = None, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return httpx.Response(200, json={"ok": True} if value is None else value, headers=names)


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that hangs on it."""
    found: list[BaseException | None] = [error]
    while found:
        one = found.pop()
        if one is not None:
            yield one
            found += [one.__cause__, one.__context__]


def assert_quotes_nothing(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    said = [str(one) + repr(one) for one in chain(error)] + [
        record.getMessage() for record in caplog.records
    ]
    assert not [text for text in said if CANARY in text or TOKEN in text]
    assert "\n" not in str(error)


def test_a_request_carries_the_token_and_names_the_program() -> None:
    server = Server(ok({"items": []}))
    with api_of(server) as api:
        assert api.get("/apps", {"page": 1, "disconnected": False}) == {"items": []}
    (request,) = server.requests
    assert str(request.url) == "https://api.lumos.example/apps?page=1&disconnected=false"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"].startswith("lumos-ingest/")


def test_an_api_below_a_path_is_asked_below_that_path() -> None:
    server = Server(ok())
    with api_of(server, url="https://gateway.example/lumos/v1") as api:
        api.get("/apps")
    assert server.requests[0].url.path == "/lumos/v1/apps"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.lumos.com",
        "http://10.0.0.8:8080",
        "http://localhost.example.com",
        "https://user:secretword@api.lumos.com",
        "https://user@api.lumos.com",
        "api.lumos.com",
        "ftp://api.lumos.com",
        "https://",
        "https://api.lumos.com?x=1",
        "https://api.lumos.com:port",
        "",
    ],
)
def test_a_token_is_never_sent_in_clear_or_nowhere(url: str) -> None:
    with pytest.raises(ConfigError, match="LUMOS_API_URL") as caught:
        LumosApi(url, SecretStr(TOKEN))
    assert "secretword" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://localhost:9", "http://[::1]:9"])
def test_plain_http_is_for_loopback(url: str) -> None:
    LumosApi(url, SecretStr(TOKEN)).close()


@pytest.mark.parametrize("token", ["", "lsk canary", "lsk_canary\n", "lsk_canarü", "lsk\x00canary"])
def test_a_token_that_no_header_can_carry_is_refused_unquoted(token: str) -> None:
    with pytest.raises(ConfigError, match="LUMOS_API_TOKEN") as caught:
        LumosApi("https://api.lumos.com", SecretStr(token))
    assert "canar" not in str(caught.value)


def test_nothing_connects_before_the_first_request() -> None:
    LumosApi("https://203.0.113.1", SecretStr(TOKEN)).close()


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.WriteError("cut"),
        httpx.RemoteProtocolError("cut"),
        *[httpx.Response(status) for status in (429, 500, 502, 503, 504, 522)],
    ],
    ids=lambda trouble: getattr(trouble, "status_code", None) or type(trouble).__name__,
)
def test_an_outage_that_passes_is_borne(trouble: httpx.Response | Exception) -> None:
    server, clock = Server(trouble, trouble, ok()), Clock()
    with api_of(server, clock) as api:
        assert api.post("/x", {"a": 1}, check=still_held) == {"ok": True}
    assert len(server.requests) == 3
    assert len(set(server.bodies)) == 1
    assert 0.5 <= clock.slept[0] <= 1.0
    assert 1.0 <= clock.slept[1] <= 1.5


def test_the_pauses_grow_to_the_longest_and_no_further() -> None:
    server, clock = Server(httpx.Response(503)), Clock()
    retry = Retry(attempts=9, time_limit_s=1000, first_pause_s=1, longest_pause_s=8)
    with api_of(server, clock, retry=retry) as api, pytest.raises(LumosUnavailableError):
        api.get("/x")
    assert len(clock.slept) == 8
    assert clock.slept == sorted(clock.slept)
    assert max(clock.slept) == 8


def test_an_outage_is_borne_for_so_many_attempts_only() -> None:
    server = Server(httpx.Response(503, text=CANARY))
    with (
        api_of(server, retry=Retry(attempts=3)) as api,
        pytest.raises(LumosUnavailableError, match=r"GET /x: 503 .* \(given up after 3 attempts"),
    ):
        api.get("/x")
    assert len(server.requests) == 3


def test_an_outage_is_borne_for_so_long_only() -> None:
    server, clock = Server(httpx.Response(503, headers={"retry-after": "40"})), Clock()
    with (
        api_of(server, clock, retry=Retry(attempts=99, time_limit_s=100)) as api,
        pytest.raises(LumosUnavailableError, match="after 3 attempts"),
    ):
        api.get("/x")
    assert clock.slept == [40, 40]


def test_the_time_of_the_first_attempt_does_not_use_up_the_patience() -> None:
    clock = Clock()
    answers = iter([httpx.ReadError("cut"), ok()])

    def slow(request: httpx.Request) -> httpx.Response:
        request.read()
        clock.now += 10_000
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with api_of(slow, clock) as api:
        assert api.post("/x", {}, check=still_held) == {"ok": True}


@pytest.mark.parametrize(
    ("asked", "pause_s"),
    [
        ("7", 7),
        ("1.5", 1.5),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
    ],
)
def test_the_pause_that_lumos_asks_for_is_kept(asked: str, pause_s: float) -> None:
    headers = {"retry-after": asked, "date": format_datetime(NOW, usegmt=True)}
    server, clock = Server(httpx.Response(429, headers=headers), ok()), Clock()
    with api_of(server, clock) as api:
        api.get("/x")
    assert clock.slept == [pause_s]


@pytest.mark.parametrize(
    "asked", ["0", "0.0", format_datetime(NOW - timedelta(seconds=90), usegmt=True)]
)
def test_a_pause_of_nothing_is_no_hint(asked: str) -> None:
    headers = {"retry-after": asked, "date": format_datetime(NOW, usegmt=True)}
    server, clock = Server(httpx.Response(503, headers=headers), ok()), Clock()
    with api_of(server, clock) as api:
        api.get("/x")
    assert 0.5 <= clock.slept[0] <= 1.0


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ALL_PROXY", "socks5://proxy.example:1080", "ALL_PROXY names a SOCKS proxy"),
        ("HTTPS_PROXY", "ftp://proxy.example", "HTTPS_PROXY is no proxy's URL"),
        ("NO_PROXY", "fe80::/10", "NO_PROXY names an IPv6 network"),
        ("SSL_CERT_FILE", "/dev/null", "SSL_CERT_FILE names no certificates"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem", "SSL_CERT_FILE names no certificates"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    variable: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigError, match=words) as caught:
        LumosApi("https://api.lumos.example", SecretStr(TOKEN))
    assert value not in str(caught.value)


def test_a_dead_proxy_is_named_without_who_logs_in_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://jo:{CANARY}@127.0.0.1:{port}")
    with (
        LumosApi("https://api.lumos.example", SecretStr(TOKEN), retry=Retry(attempts=1)) as api,
        pytest.raises(LumosUnavailableError) as caught,
    ):
        api.get("/info")
    assert f"through the proxy 127.0.0.1:{port} (HTTPS_PROXY): cannot connect" in str(caught.value)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_what_goes_to_this_machine_goes_through_no_proxy(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://proxy.example:1080")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://{host}:{port}"
    with (
        LumosApi(url, SecretStr(TOKEN), retry=Retry(attempts=1)) as api,
        pytest.raises(LumosUnavailableError) as caught,
    ):
        api.get("/info")
    assert "proxy" not in str(caught.value)


@pytest.mark.parametrize("asked", ["soon", "-5", "Mon, 99 Nov 2026 03:00:00 GMT", "1e9", ""])
def test_a_pause_that_cannot_be_read_is_our_own(asked: str) -> None:
    server, clock = Server(httpx.Response(429, headers={"retry-after": asked}), ok()), Clock()
    with api_of(server, clock) as api:
        api.get("/x")
    assert 0.5 <= clock.slept[0] <= 1.0


def test_a_pause_longer_than_our_patience_ends_at_once() -> None:
    server, clock = Server(httpx.Response(429, headers={"retry-after": "3600"})), Clock()
    with (
        api_of(server, clock) as api,
        pytest.raises(LumosUnavailableError, match="3600 s, which is longer than the 300 s") as why,
    ):
        api.get("/x")
    assert why.value.retry_after_s == 3600
    assert clock.slept == []


def test_a_pause_that_lumos_asks_one_request_for_holds_back_the_others_too() -> None:
    """Several sources of a process share a client, as they share the token's budget."""
    clock = Clock()
    server = Server(httpx.Response(429, headers={"retry-after": "40"}), ok())
    with api_of(server, clock, retry=Retry(attempts=1)) as api:
        with pytest.raises(LumosUnavailableError):
            api.get("/apps")
        clock.now += 15
        api.get("/accounts")
    assert clock.slept == [25]


def test_a_used_up_rate_limit_is_waited_for_before_the_next_request() -> None:
    date = format_datetime(NOW, usegmt=True)
    reset = str(NOW.timestamp() + 12.5)
    used_up = ok(x_ratelimit_remaining="0", x_ratelimit_reset=reset, date=date)
    server, clock = Server(used_up, ok()), Clock()
    with api_of(server, clock) as api:
        api.get("/x")
        assert clock.slept == []
        api.get("/x")
        api.get("/x")
    assert clock.slept == [12.5]


@pytest.mark.parametrize(
    ("remaining", "reset", "slept"),
    [
        ("0", NOW.timestamp() + 86_400, [60.0]),
        ("0", NOW.timestamp() - 5, []),
        ("3", NOW.timestamp() + 9, []),
        ("0", "soon", []),
    ],
)
def test_a_rate_limit_is_never_waited_for_longer_than_a_minute(
    remaining: str, reset: object, slept: list[float]
) -> None:
    date = format_datetime(NOW, usegmt=True)
    answer = ok(x_ratelimit_remaining=remaining, x_ratelimit_reset=str(reset), date=date)
    server, clock = Server(answer, ok()), Clock()
    with api_of(server, clock) as api:
        api.get("/x")
        api.get("/x")
    assert clock.slept == slept


def test_sending_again_what_may_have_been_taken_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    server = Server(
        httpx.ConnectError("refused"), httpx.Response(429), httpx.ReadTimeout(CANARY), ok()
    )
    with api_of(server) as api:
        api.post("/accounts/upload", {"email": CANARY}, check=still_held)
    warned = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warned) == 1
    assert "POST /accounts/upload at https://api.lumos.example: no answer in time" in warned[0]
    assert "it may have been taken" in warned[0]
    assert CANARY not in caplog.text
    assert TOKEN not in caplog.text


def test_reading_again_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    with api_of(Server(httpx.ReadTimeout("slow"), httpx.Response(500), ok())) as api:
        api.get("/accounts")
    assert [r for r in caplog.records if r.levelno >= logging.WARNING] == []


def test_a_post_that_must_not_come_twice_is_not_sent_again_blindly() -> None:
    server = Server(httpx.ConnectError("refused"), httpx.Response(429), httpx.Response(500))
    with api_of(server) as api, pytest.raises(LumosUnavailableError):
        api.post("/apps", {}, check=still_held, repeat_unknown=False)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (400, ""),
        (401, "check LUMOS_API_TOKEN"),
        (403, "lacks a right"),
        (404, "check the app's id"),
        (409, "something else is at work"),
        (413, "the body is 0.0 MB"),
        (422, "nothing was uploaded"),
        (301, "does not redirect"),
        (501, ""),
    ],
)
def test_a_refusal_says_what_to_do_and_is_not_retried(status: int, advice: str) -> None:
    body = {"detail": "Not so", "type": "runtime", "code": "not_so", "errors": []}
    server = Server(httpx.Response(status, json=body, headers={"location": "https://x.example"}))
    with api_of(server) as api, pytest.raises(LumosRefusedError) as caught:
        api.post("/accounts/upload", {"email": CANARY}, check=still_held)
    assert str(caught.value).startswith(f"POST /accounts/upload: {status} ")
    assert f"{status} " in str(caught.value)
    assert ", not_so" in str(caught.value)
    assert "Not so" not in str(caught.value)  # where rows are sent, it could name a person
    assert advice in str(caught.value)
    assert caught.value.status == status
    assert len(server.requests) == 1


def test_a_refused_row_is_named_by_its_place_and_never_quoted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = {
        "loc": ["body", "accounts", 3, "status"],
        "msg": f"'{CANARY}' is\x1b[31m not\none of the statuses, says Miss Canary",
        "input": "Miss Canary",
        "ctx": {"given": CANARY},
        "type": "enum",
    }
    other = {"loc": ["body", "app_id"], "msg": CANARY, "input": CANARY, "type": "string_type"}
    server = Server(httpx.Response(422, json={"detail": [wrong, other, other]}))
    with api_of(server) as api, pytest.raises(LumosRefusedError) as caught:
        api.post("/accounts/upload", {"email": CANARY}, check=still_held)
    text = str(caught.value)
    assert "at accounts[3].status: enum (and 2 more): fix what that field is made from" in text
    assert "Miss Canary" not in text
    assert_quotes_nothing(caught.value, caplog)


@pytest.mark.parametrize("path", ["/accounts/upload", "/accounts", "/activity_records/job/x"])
@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"detail": [{"loc": ["body", "a"], "msg": "Field required"}]}, "at a: Field required"),
        (
            {"detail": [{"loc": ["a"], "msg": "Input should be 'A' or 'B'", "input": CANARY}]},
            "at a: Input should be 'A' or 'B'",
        ),
        ({"detail": [{"loc": ["a"], "msg": f"no {CANARY}"}]}, "at a: it is refused"),
        ({"detail": [{"loc": ["a"], "msg": "x", "type": CANARY}]}, "at a: it is refused"),
        ({"detail": f"no {CANARY}", "code": "invalid"}, "400 Bad Request, invalid"),
        ({"detail": f"no {CANARY}", "code": CANARY}, "400 Bad Request"),
        (
            {"errors": [{"field": "a", "message": CANARY, "code": "unknown"}]},
            "400 Bad Request, at a: unknown",
        ),
    ],
)
def test_where_rows_are_sent_or_read_nothing_is_told_in_lumoss_own_words(
    path: str, said: dict[str, object], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server(httpx.Response(400, json=said))
    with api_of(server) as api, pytest.raises(LumosRefusedError) as caught:
        api.get(path)
    assert str(caught.value).endswith(told)
    assert_quotes_nothing(caught.value, caplog)


def test_a_problem_is_told_by_the_value_that_it_does_not_quote() -> None:
    wrong = {
        "loc": ["body", "name"],
        "msg": "'Miss Canary' is\x1b[31m no\nname",
        "input": "Miss Canary",
    }
    server = Server(httpx.Response(422, json={"detail": [wrong]}))
    with api_of(server) as api, pytest.raises(LumosRefusedError) as caught:
        api.get("/apps")
    assert "at name: '[value]' is [31m no name: fix what" in str(caught.value)


def test_both_shapes_of_an_error_are_understood() -> None:
    fields = [{"field": "steps[2].id", "code": "unknown", "message": "Unknown id"}]
    body = {"detail": "Wrong", "type": "validation", "code": "invalid", "errors": fields * 2}
    server = Server(httpx.Response(400, json=body))
    with api_of(server) as api, pytest.raises(LumosRefusedError) as caught:
        api.get("/x")
    said = "GET /x: 400 Bad Request, invalid, Wrong, at steps[2].id: Unknown id (and 1 more)"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>Forbidden</html>",
        b"[]",
        b"7",
        b'{"detail": []}',
        b'{"detail": [7]}',
        b'{"detail": [{}]}',
        b'{"detail": {"loc": 3}}',
        b'{"errors": "no"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_refusal_in_no_known_shape_is_still_one_line(content: bytes) -> None:
    server = Server(httpx.Response(403, content=content))
    with api_of(server) as api, pytest.raises(LumosRefusedError, match="lacks a right") as caught:
        api.get("/x")
    assert "\n" not in str(caught.value)


def test_a_long_text_of_the_server_is_cut() -> None:
    server = Server(httpx.Response(400, json={"detail": "no " * 9_000, "code": "c" * 9_000}))
    with api_of(server) as api, pytest.raises(LumosRefusedError) as caught:
        api.get("/x")
    assert len(str(caught.value)) < 450


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text=f"<html>{CANARY}</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(204),
        httpx.Response(200, content=b"null"),
        httpx.Response(200, content=b"\xff{}"),
    ],
)
def test_an_answer_of_another_server_is_told_as_such(
    answer: httpx.Response, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        api_of(Server(answer)) as api,
        pytest.raises(LumosRefusedError, match="is LUMOS_API_URL right") as caught,
    ):
        api.get("/info")
    assert_quotes_nothing(caught.value, caplog)


def test_an_answer_that_cannot_be_unpacked_is_of_another_server() -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.DecodingError(CANARY)

    with api_of(broken) as api, pytest.raises(LumosRefusedError, match="is LUMOS_API") as caught:
        api.get("/info")
    assert caught.value.__context__ is None


def test_a_certificate_that_is_not_trusted_is_not_tried_again() -> None:
    trouble = ssl.SSLCertVerificationError(1, "x")
    trouble.verify_message = "self-signed certificate"
    error = httpx.ConnectError("x")
    error.__cause__ = trouble
    server = Server(error)
    with (
        api_of(server) as api,
        pytest.raises(LumosRefusedError, match=r"not trusted \(self-signed certificate\)"),
    ):
        api.get("/info")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (ConnectionRefusedError(111, CANARY), "cannot connect: Connection refused"),
        (__import__("socket").gaierror(-2, CANARY), "the host's name is not known"),
        (ssl.SSLError(1, CANARY), "TLS could not be agreed on"),
        (None, "cannot connect"),
    ],
)
def test_why_nothing_could_be_reached_is_said_in_our_words(
    cause: Exception | None, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    error = httpx.ConnectError(CANARY)
    error.__cause__ = cause
    with (
        api_of(Server(error), retry=Retry(attempts=1)) as api,
        pytest.raises(LumosUnavailableError, match=reason) as caught,
    ):
        api.post("/x", {"email": CANARY}, check=still_held)
    assert_quotes_nothing(caught.value, caplog)
    assert caught.value.__context__ is None


def test_every_attempt_sends_the_whole_file_with_its_length(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    content = json.dumps({"accounts": ["é" * 100] * 5_000}, ensure_ascii=False).encode()
    body.write_bytes(content)
    server = Server(httpx.ReadError("cut"), httpx.Response(502), ok({"job_id": "j"}))
    with api_of(server) as api:
        assert api.post_file("/accounts/upload", body, check=still_held) == {"job_id": "j"}
    assert server.bodies == [content] * 3
    for request in server.requests:
        assert request.headers["content-length"] == str(len(content))
        assert request.headers["content-type"] == "application/json"
        assert "transfer-encoding" not in request.headers


def test_a_body_that_is_too_large_is_told_with_its_size(tmp_path: Path) -> None:
    body = tmp_path / "body.json"
    body.write_bytes(b" " * 12_345_678)
    with (
        api_of(Server(httpx.Response(413))) as api,
        pytest.raises(LumosRefusedError, match=r"12\.3 MB.*upload\.accounts_per_request only if"),
    ):
        api.post_file("/accounts/upload", body, check=still_held)


def test_a_body_that_is_gone_is_our_own_trouble(tmp_path: Path) -> None:
    server = Server(ok())
    with api_of(server) as api, pytest.raises(StateError, match="No such file") as caught:
        api.post_file("/accounts/upload", tmp_path / "gone.json", check=still_held)
    assert caught.value.__context__ is None
    assert server.requests == []


@pytest.mark.parametrize("send", ["post", "post_bytes", "post_file"])
def test_the_lease_is_asked_before_every_attempt_of_a_request_that_changes_something(
    tmp_path: Path, send: str
) -> None:
    server = Server(httpx.ReadError("cut"), httpx.Response(503), ok())
    sent_when_asked: list[int] = []
    body = tmp_path / "body.json"
    body.write_bytes(b"{}")
    content = {"post": {}, "post_bytes": b"{}", "post_file": body}[send]
    with api_of(server) as api:
        getattr(api, send)(
            "/x", content, check=lambda: sent_when_asked.append(len(server.requests))
        )
    assert sent_when_asked == [0, 0, 1, 1, 2, 2]


class PartByPart(httpx.BaseTransport):
    """A server that takes a body part by part, as a connection does."""

    def __init__(self) -> None:
        self.taken = b""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert "transfer-encoding" not in request.headers
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.taken = b""
        for part in request.stream:
            self.taken += part
        assert request.headers["content-length"] == str(len(self.taken))
        return ok()


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("send", ["post_bytes", "post_file"])
def test_the_lease_is_asked_once_more_before_what_makes_a_body_whole_leaves(
    tmp_path: Path, send: str, size: int
) -> None:
    """A process that was suspended while it sent has sent no whole request when it wakes."""
    body = bytes(number % 251 for number in range(size))
    path = tmp_path / "body.json"
    path.write_bytes(body)
    content = path if send == "post_file" else body
    server, asked = PartByPart(), []

    def check() -> None:
        asked.append(len(server.taken))
        if len(asked) == 4:
            raise BusyError("lost")

    with LumosApi("https://x.example", SecretStr(TOKEN), transport=server) as api:
        getattr(api, send)("/x", content, check=check)
        assert server.taken == body
        assert asked == [0, (size - 1) // 65_536 * 65_536]
        with pytest.raises(BusyError):
            getattr(api, send)("/x", content, check=check)
        assert len(server.taken) < size


def test_whoever_lost_its_lease_meanwhile_sends_nothing_more() -> None:
    server = Server(httpx.Response(503))

    def lost_after_two() -> None:
        if len(server.requests) == 2:
            raise BusyError("lost")

    with api_of(server) as api, pytest.raises(BusyError, match="lost"):
        api.post_bytes("/activity_records", b"{}", check=lost_after_two)
    assert len(server.requests) == 2

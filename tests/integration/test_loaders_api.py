"""The client against the sandbox, over real HTTP."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import polars as pl
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from polars.testing import assert_frame_equal
from pydantic import SecretStr

from loaders.lumos.accounts import compare_accounts, read_accounts, submit_accounts
from loaders.lumos.apps import create_app, find_app
from loaders.lumos.client import LumosApi
from loaders.lumos.jobs import wait_for_job
from loaders.lumos.retries import Retry
from sandbox.app import create_app as create_sandbox
from sandbox.server import Sandbox, running_sandbox
from schemas.errors import (
    JobFailedError,
    JobTimeoutError,
    LumosRefusedError,
    LumosUnavailableError,
)
from schemas.source_file.blocks import App, Poll
from tests.leases import still_held

CANARY = "jane.canary@example.com"
QUICK = Retry(first_pause_s=0.01, longest_pause_s=0.05)
POLL = Poll(every=timedelta(seconds=0.01), at_most_every=timedelta(seconds=0.05))
APP = App.model_validate(
    {"name": "HR Portal", "create": {"category": "HR & Learning", "description": "People"}}
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(job_seconds=0) as served:
        yield served


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[LumosApi]:
    with (
        httpx.Client(base_url=sandbox.url, timeout=60) as direct,
        LumosApi(sandbox.url, SecretStr(sandbox.token), retry=QUICK) as api,
    ):
        yield api
        direct.delete("/sandbox/faults").raise_for_status()


@pytest.fixture
def app_id(api: LumosApi) -> str:
    return create_app(api, APP, check=still_held)


def arm(sandbox: Sandbox, *faults: str) -> None:
    sandbox.app.state.faults.arm(faults)


def requests_of(sandbox: Sandbox, name: str) -> int:
    return int(sandbox.app.state.traffic.requests[name])


def body_of(folder: Path, app_id: str, count: int, **fields: object) -> Path:
    accounts = [
        {"unique_identifier": f"{n:05}", "email": f"{n}@example.com", "status": "ACTIVE", **fields}
        for n in range(count)
    ]
    path = folder / "body.json"
    path.write_text(json.dumps({"app_id": app_id, "accounts": accounts}))
    return path


def sent(count: int) -> pl.DataFrame:
    ids = [f"{n:05}" for n in range(count)]
    schema = {"unique_identifier": pl.String(), "status": pl.String()}
    return pl.DataFrame({"unique_identifier": ids, "status": ["ACTIVE"] * count}, schema=schema)


def test_an_app_is_made_once_and_found_again(sandbox: Sandbox, api: LumosApi) -> None:
    named = APP.model_copy(update={"name": "Made Once"})
    assert find_app(api, named) is None
    app_id = create_app(api, named, check=still_held)
    assert find_app(api, named) == app_id
    assert find_app(api, App(id=app_id, name=None)) == app_id
    with pytest.raises(LumosRefusedError, match="Lumos has no app"):
        find_app(api, App(id="no-such", name=None))


def test_an_app_made_by_a_request_that_was_cut_off_is_not_made_twice(
    sandbox: Sandbox, api: LumosApi
) -> None:
    named = APP.model_copy(update={"name": "Cut Off"})
    posts = requests_of(sandbox, "POST /apps")

    class CutAfterPost(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST":
                arm(sandbox, "cut_after@/apps")
            return super().handle_request(request)

    with LumosApi(
        sandbox.url, SecretStr(sandbox.token), retry=QUICK, transport=CutAfterPost()
    ) as cut:
        made = create_app(cut, named, check=still_held)
    assert find_app(api, named) == made
    assert requests_of(sandbox, "POST /apps") == posts + 1


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_what_was_sent_is_read_back(
    sandbox: Sandbox, api: LumosApi, app_id: str, tmp_path: Path, count: int
) -> None:
    states: list[str] = []
    job_id = submit_accounts(api, body_of(tmp_path, app_id, count), check=still_held)
    wait_for_job(api, job_id, POLL, on_state=states.append)
    found = read_accounts(api, app_id)
    assert states[-1] == "SUCCESS"
    assert_frame_equal(found.drop("email"), sent(count))
    assert compare_accounts(sent(count), found).is_empty()


@pytest.mark.parametrize(
    ("fault", "is_warned"),
    [
        ("429=0.05", False),
        ("500", True),
        ("502", True),
        ("503", True),
        ("cut_before", True),
        ("cut_after", True),
    ],
)
def test_an_upload_outlives_an_outage(
    sandbox: Sandbox,
    api: LumosApi,
    app_id: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    fault: str,
    is_warned: bool,
) -> None:
    arm(sandbox, f"{fault}@/accounts/upload*2")
    before = requests_of(sandbox, "POST /accounts/upload")
    job_id = submit_accounts(api, body_of(tmp_path, app_id, 3, first_name=CANARY), check=still_held)
    wait_for_job(api, job_id, POLL)
    assert requests_of(sandbox, "POST /accounts/upload") == before + 3
    assert_frame_equal(read_accounts(api, app_id).drop("email"), sent(3))
    assert ("it may have been taken" in caplog.text) is is_warned
    assert CANARY not in caplog.text
    assert sandbox.token not in caplog.text


def test_a_large_body_outlives_being_cut_in_the_middle(
    sandbox: Sandbox, api: LumosApi, app_id: str, tmp_path: Path
) -> None:
    body = body_of(tmp_path, app_id, 20_000)
    arm(sandbox, "cut_before@/accounts/upload")
    wait_for_job(api, submit_accounts(api, body, check=still_held), POLL)
    answer = api.get("/accounts", {"app_id": app_id, "size": 1})
    assert answer["total"] == 20_000


def test_an_outage_that_lasts_is_one_line(sandbox: Sandbox, api: LumosApi) -> None:
    arm(sandbox, "503@/apps*inf")
    with pytest.raises(LumosUnavailableError, match=r"GET /apps: 503 .* after 6 attempts"):
        find_app(api, APP)


def test_a_pause_that_lumos_asks_for_is_waited_out(sandbox: Sandbox, app_id: str) -> None:
    slept: list[float] = []
    arm(sandbox, "429=7@/accounts")
    token = SecretStr(sandbox.token)
    with LumosApi(sandbox.url, token, clock=lambda: sum(slept), sleep=slept.append) as api:
        read_accounts(api, app_id)
    assert slept == [7.0]


def test_an_answer_that_comes_too_late_is_asked_for_again(sandbox: Sandbox, app_id: str) -> None:
    arm(sandbox, "slow=30@/accounts")
    timeout = httpx.Timeout(10.0, read=0.5)
    with LumosApi(sandbox.url, SecretStr(sandbox.token), retry=QUICK, timeout=timeout) as api:
        assert read_accounts(api, app_id).is_empty()


def test_nobody_listening_is_an_outage() -> None:
    with (
        LumosApi("http://127.0.0.1:9", SecretStr("t"), retry=Retry(attempts=1)) as api,
        pytest.raises(LumosUnavailableError, match="cannot connect: Connection refused"),
    ):
        api.get("/info")


def test_a_wrong_token_is_refused_without_being_quoted(sandbox: Sandbox) -> None:
    with (
        LumosApi(sandbox.url, SecretStr("lsk_canary")) as api,
        pytest.raises(LumosRefusedError, match=r"401 .*check LUMOS_API_TOKEN") as caught,
    ):
        api.get("/apps")
    assert "lsk_canary" not in str(caught.value)


def test_a_row_that_lumos_refuses_is_named_by_its_place(
    api: LumosApi, app_id: str, tmp_path: Path
) -> None:
    body = body_of(tmp_path, app_id, 3, status=CANARY)
    with pytest.raises(LumosRefusedError, match=r"422 .*at accounts\[0\]\.status") as caught:
        submit_accounts(api, body, check=still_held)
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_page_that_is_no_api_is_told_as_such(sandbox: Sandbox) -> None:
    with (
        LumosApi(sandbox.url, SecretStr(sandbox.token)) as api,
        pytest.raises(LumosRefusedError, match="is LUMOS_API_URL right"),
    ):
        api.get("/")


def test_a_job_that_fails_is_told_as_such(
    sandbox: Sandbox, api: LumosApi, app_id: str, tmp_path: Path
) -> None:
    arm(sandbox, "job_fails@/accounts/upload")
    job_id = submit_accounts(api, body_of(tmp_path, app_id, 1), check=still_held)
    with pytest.raises(JobFailedError, match=job_id):
        wait_for_job(api, job_id, POLL)


def test_a_job_that_was_forgotten_is_told_as_such(
    sandbox: Sandbox, api: LumosApi, app_id: str, tmp_path: Path
) -> None:
    arm(sandbox, "job_forgotten@/accounts/upload")
    job_id = submit_accounts(api, body_of(tmp_path, app_id, 1), check=still_held)
    with pytest.raises(LumosRefusedError, match="does not know the job"):
        wait_for_job(api, job_id, POLL)


def test_a_job_that_is_stuck_is_left_at_the_deadline(
    sandbox: Sandbox, api: LumosApi, app_id: str, tmp_path: Path
) -> None:
    arm(sandbox, "job_stuck@/accounts/upload")
    job_id = submit_accounts(api, body_of(tmp_path, app_id, 1), check=still_held)
    slept: list[float] = []
    with pytest.raises(JobTimeoutError, match=f"{job_id}: is still RUNNING after 2h"):
        wait_for_job(api, job_id, Poll(), clock=lambda: sum(slept), sleep=slept.append)
    assert sum(slept) == 7200


def test_a_state_that_is_missing_is_waited_out(
    sandbox: Sandbox, api: LumosApi, app_id: str, tmp_path: Path
) -> None:
    job_id = submit_accounts(api, body_of(tmp_path, app_id, 1), check=still_held)
    arm(sandbox, "state_missing@/accounts/upload")
    wait_for_job(api, job_id, POLL)


def test_an_outage_while_polling_is_waited_out(
    sandbox: Sandbox, api: LumosApi, app_id: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job_id = submit_accounts(api, body_of(tmp_path, app_id, 1), check=still_held)
    arm(sandbox, "cut_before@/accounts/upload*7")
    with caplog.at_level(logging.WARNING):
        wait_for_job(api, job_id, POLL)
    assert "its state cannot be read" in caplog.text


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for loopback that nobody knows, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unknown CA")])
    now = datetime.now(UTC)
    alone = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alone, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


@contextmanager
def served_over_tls(cert_file: Path, key_file: Path) -> Iterator[str]:
    """The sandbox behind TLS; its URL."""
    config = uvicorn.Config(
        create_sandbox(),
        port=0,
        log_config=None,
        log_level="critical",
        ws="none",
        ssl_certfile=cert_file,
        ssl_keyfile=key_file,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"https://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_only_a_server_with_a_trusted_certificate_gets_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert_file, key_file = certificate(tmp_path)
    with served_over_tls(cert_file, key_file) as url:
        with (
            LumosApi(url, SecretStr("lsk_sandbox"), retry=QUICK) as api,
            pytest.raises(LumosRefusedError, match=r"not trusted \(self.signed") as caught,
        ):
            api.get("/apps")
        assert caught.value.__context__ is None
        monkeypatch.setenv("SSL_CERT_FILE", str(cert_file))
        with LumosApi(url, SecretStr("lsk_sandbox"), retry=QUICK) as api:
            assert api.get("/apps")["total"] == 0
        with (
            LumosApi(url.replace("127.0.0.1", "localhost"), SecretStr("t"), retry=QUICK) as api,
            pytest.raises(LumosRefusedError, match="not trusted"),
        ):
            api.get("/apps")

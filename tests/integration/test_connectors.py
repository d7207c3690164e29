"""A connector of Lumos's own SDK, over HTTP and as a command, read to its last page."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from extractors.activity import Span, read_activity
from extractors.connector.source import opened_connector
from extractors.connector.ways import CommandWay
from extractors.read import probe_source, read_source
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
)
from schemas.raw import Raw
from schemas.source_file.file import SourceFile, to_source
from schemas.source_file.kinds.connector_source import ConnectorSource
from tests.connector_servers import TOKEN, connector_command, running_connector

pytestmark = pytest.mark.xdist_group("connector")

NOW = datetime(2026, 8, 1, tzinfo=UTC)
READERS = 30_000


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_connector(tmp_path_factory.mktemp("connector")) as url:
        yield url


def source_file(
    way: dict[str, Any], fault: str = "", until: Path | None = None, readers: int = 25, **more: Any
) -> SourceFile:
    settings = {"branch": "main", "readers": readers, **({"fault": fault} if fault else {})}
    settings |= {"until": str(until)} if until else {}
    source = {
        "kind": "connector", "auth": {"token": {"env": "T"}}, "settings": settings, **way, **more,
    }  # fmt: skip
    text = f"app: {{name: X}}\nsource: {json.dumps(source)}\n"
    return to_source(text, "x", "sources/x.yaml").file


def read(
    way: dict[str, Any], fault: str = "", until: Path | None = None, token: str = TOKEN, **more: Any
) -> tuple[Raw, list[float]]:
    """The read, and the pauses that it made."""
    file = source_file(way, fault, until, **more)
    pauses: list[float] = []
    raw = read_source(
        file.source,
        Path(),
        now=NOW,
        resolve=lambda _: SecretStr(token),
        named=file.named,
        sleep=pauses.append,
    )
    return raw, pauses


def error_of(way: dict[str, Any], fault: str = "", **more: Any) -> IngestError:
    with pytest.raises(IngestError) as error:
        read(way, fault, **more)
    for word in (TOKEN, "canary-upstream", "ada@example.com", "library.example"):
        assert word not in str(error.value)
    assert error.value.__cause__ is None
    return error.value


def test_thirty_thousand_accounts_come_with_all_that_they_hold(url: str):
    begun = time.monotonic()
    raw, pauses = read({"url": url}, readers=READERS)
    assert time.monotonic() - begun < 120
    assert pauses == []
    rows = raw.accounts.rows
    assert rows["integration_specific_id"].n_unique() == raw.accounts.read_count == READERS
    first = rows.row(1, named=True)
    assert first == {
        "source row": 2,
        "integration_specific_id": "00001",
        "email": "reader1@example.com",
        "given_name": "Given1",
        "family_name": "Family1",
        "username": "reader1",
        "user_status": "INACTIVE",
        "account_type": "user",
        "floor": "F1",
        "badge": "1",
        "last_login": "2026-07-02T08:00:00+02:00",
        "last_activity": "2026-07-03T08:00:00Z",
    }
    assert raw.entitlements is not None
    assert raw.resources is not None
    assert raw.associations is not None
    assert raw.entitlements.rows["integration_specific_resource_id"].to_list() == [
        *("", "shelf0", "shelf1", "shelf2"),
    ]
    assert raw.entitlements.rows["is_assignable"].to_list() == [None, "true", "true", "true"]
    assert raw.resources.rows["label"].to_list() == ["Shelf 0", "Shelf 1", "Shelf 2"]
    assert raw.associations.rows.height == 2 * READERS
    assert raw.taken_at == datetime(2026, 7, 31, 1, tzinfo=UTC)
    assert "30,000 accounts in 30 pages to the last" in raw.proof[0]


def test_a_command_is_asked_with_its_input_on_stdin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("LUMOS_API_TOKEN", "canary-of-lumos")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    file = source_file({"command": connector_command()}, readers=3, page_size=2)
    assert isinstance(file.source, ConnectorSource)
    with opened_connector(file.source, tmp_path, lambda _: SecretStr(TOKEN), time.sleep) as asked:
        first = next(asked.pages("list_accounts", {}, list))
    assert [account["username"] for account in first] == ["reader0", "reader1"]
    assert list(tmp_path.iterdir()) == []  # neither a log nor a file with the credential


def test_check_has_the_connector_try_its_credentials(url: str):
    file = source_file({"url": url})

    def probe(token: str) -> str:
        [told] = probe_source(
            file.source, Path(), now=NOW, resolve=lambda _: SecretStr(token), named=file.named
        )
        return told.said

    assert "25 accounts on the first page; it can list_accounts, list_resources" in probe(TOKEN)
    with pytest.raises(SourceUnavailableError, match="are not valid"):
        probe("expired")


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        ("401", SourceUnavailableError, "unauthorized, status 401, raised by HTTPStatusError"),
        ("403", SourceFormatError, "permission_denied"),
        ("404", SourceFormatError, "not_found"),
        ("429", SourceUnavailableError, "rate_limit"),
        ("500", SourceUnavailableError, "bad_gateway"),
        ("503", SourceUnavailableError, "service_error"),
        ("bug", SourceUnavailableError, "internal_error"),
        ("circle", SourceIncompleteError, "go in a circle"),
    ],
)
def test_an_error_is_told_by_its_code_and_never_by_its_text(
    url: str, fault: str, kind: type[IngestError], says: str
):
    error = error_of({"url": url}, fault)
    assert isinstance(error, kind)
    assert says in str(error)


@pytest.mark.parametrize("fault", ["429", "500", "503", "bug", "401"])
def test_what_may_pass_is_tried_again(url: str, tmp_path: Path, fault: str):
    raw, pauses = read({"url": url}, fault, tmp_path / "over")
    assert raw.accounts.read_count == 25
    assert pauses == ([] if fault == "401" else [1.0])  # a secret may be new when fetched again


def test_a_page_token_that_is_out_of_date_makes_the_read_begin_anew_once(url: str, tmp_path: Path):
    raw, pauses = read({"url": url}, "stale", tmp_path / "over", page_size=10)
    assert raw.accounts.rows["integration_specific_id"].n_unique() == raw.accounts.read_count
    assert raw.accounts.read_count == 25
    assert pauses == []
    assert isinstance(error_of({"url": url}, "stale", page_size=10), SourceUnavailableError)


def test_an_id_that_is_a_number_is_a_reject_and_no_text(url: str):
    raw, _ = read({"url": url}, "retyped")
    rejects = raw.accounts.rejects
    assert rejects.select("key", "reason").rows()[0] == (None, "integration_specific_id is no text")
    assert raw.accounts.read_count == 25


@pytest.mark.parametrize(
    "options", [{"auth": {}}, {"auth": {"basic": {"username": "u", "password": {"env": "P"}}}}]
)
def test_a_credential_that_the_connector_does_not_want_is_a_wrong_source_file(
    url: str, options: Any
):
    error = error_of({"url": url}, **options)
    assert isinstance(error, ConfigError)
    assert "are auth and settings as the connector wants them?" in str(error)


def test_what_is_no_connector_is_told_in_one_line(tmp_path: Path):
    assert "is the connector running?" in str(error_of({"url": "http://127.0.0.1:9"}))
    none = error_of({"command": [str(tmp_path / "none")]})
    assert isinstance(none, ConfigError)
    assert "none cannot be run: No such file or directory" in str(none)
    for program, says in (
        ("import sys; sys.exit(3)", "ended with exit code 3"),
        ("print('hello')", "no JSON"),
        ("print('{}')", "prints no capabilities"),
    ):
        assert says in str(error_of({"command": ["python3", "-c", program]}))


def test_a_command_that_says_nothing_is_ended_with_all_that_it_started(tmp_path: Path):
    program = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen(['sleep', '600']);"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid));"
        "time.sleep(600)"
    )
    way = CommandWay(("python3", "-c", program), tmp_path, tmp_path, timeout_s=2)
    with pytest.raises(SourceUnavailableError, match="gave no answer within 2 s"):
        way.ask("list_accounts", b"{}")
    child = Path(f"/proc/{(tmp_path / 'pid').read_text()}/stat")
    for _ in range(100):
        if not child.exists() or child.read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    raise AssertionError("it still runs")


def test_activity_records_are_read_since_a_moment(url: str):
    source = source_file({"url": url}).source
    assert isinstance(source, ConnectorSource)
    since = Span(since=datetime(2026, 7, 1, tzinfo=UTC))
    [table] = read_activity(source, Path(), since, now=NOW, resolve=lambda _: SecretStr(TOKEN))
    assert table.rows.rows() == [(1, "00001", "ACCOUNT_LOGIN", "2026-07-20T10:00:00Z")]

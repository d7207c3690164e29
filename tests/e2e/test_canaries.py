"""No person and no secret leaves by the side door, however a command ends.

Every case is a way for a command to end; after each, every sink is looked into (`canaries.SINKS`).
"""

import os
import signal
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from canaries import (
    AFTERWARDS,
    MARKED_ROW,
    PERSON,
    SECRET,
    Heard,
    Strike,
    echoing,
    every_log_record,
    leaks,
    refusing_directory,
)
from terminal import HEADER, SOURCE, Workspace, rows

import flows.sync.origin
import flows.sync.plan
import flows.sync.publish
from flows.run.side_by_side import Slots
from sandbox.server import running_sandbox
from tests.message_taker import listening

WIDE = SOURCE + "guards: {max_rejected_rows: 100%, max_added_accounts: 1000}\n"
SECRETS = dict.fromkeys(("DB_PASSWORD", "LDAP_PASSWORD", "TOKEN", "CLIENT_SECRET"), SECRET)


@dataclass
class Night:
    """A workspace whose export has the marked person, and what came of a command."""

    workspace: Workspace
    heard: Heard
    stack: ExitStack
    patch: pytest.MonkeyPatch
    env: dict[str, str] = field(default_factory=dict)

    def type(self, *words: str) -> int:
        said = self.workspace.run(*words, env={**SECRETS, **self.env})
        self.heard.said += said.out + said.err
        return said.code

    def lumos(self, method: str, path: str, status: int) -> None:
        """Has Lumos answer such a request with a status, and all that it was told."""
        strike: Strike = (method, path, status)
        url = self.stack.enter_context(echoing(strike, self.workspace.sandbox.url))
        self.env["LUMOS_API_URL"] = url

    def reads(self, source: str) -> None:
        """Gives the workspace another source."""
        self.workspace.source(f"app: {{name: HR Portal}}\nsource: {source}\n")

    def breaks(self, module: object, name: str) -> None:
        """Has a function of ours fail, as a bug would, with the person and the secret."""

        def broken(*_: object, **__: object) -> None:
            raise ValueError(f"{MARKED_ROW} {SECRET}") from KeyError(PERSON)

        self.patch.setattr(module, name, broken)


@pytest.fixture
def night(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Night]:
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setattr(Slots, "sleep", lambda *_: None)  # an outage is borne without a pause
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox(token=SECRET, job_seconds=0.01))
        host, notices = stack.enter_context(listening())
        workspace = Workspace(tmp_path, sandbox)
        workspace.source(WIDE)
        workspace.export(*rows(3), MARKED_ROW)
        heard = Heard(workspace, scratch, notices=notices)
        env = {"LUMOS_INGEST_NOTIFY": f"json://{host}/{SECRET}"}
        yield Night(workspace, heard, stack, monkeypatch, env)


def success(night: Night) -> int:
    return night.type("sync", "hr")


def as_json(night: Night) -> int:
    return night.type("sync", "hr", "--json")


def with_rejects(night: Night) -> int:
    cells = MARKED_ROW.split(",")
    night.workspace.export(
        *rows(3),
        MARKED_ROW.replace("@", "@@").replace(f"{PERSON}family", ""),
        MARKED_ROW.replace("ACTIVE", f"{PERSON}status").replace("id,", "id2,"),
        MARKED_ROW.replace("role", "ro\x07le").replace("id,", "id3,"),
        ",".join(cells[:3]),
        f"{PERSON}id4," + ",".join(cells) + ",,,",
    )
    return night.type("sync", "hr")


def rejects_refused(night: Night) -> int:
    night.workspace.source(WIDE + "rejected_rows: fail\n")
    return with_rejects(night)


def wrong_mapping(night: Night) -> int:
    night.workspace.source(WIDE.replace("email: email", "email: mail"))
    return night.type("sync", "hr")


def no_header(night: Night) -> int:
    night.workspace.export(*rows(2), header=MARKED_ROW)
    return night.type("sync", "hr")


def wrong_encoding(night: Night) -> int:
    path = night.workspace.path / "exports" / "hr.csv"
    path.write_bytes(path.read_bytes() + f"{MARKED_ROW}\xe9\n".encode("latin-1") + "é\n".encode())
    night.workspace.source(WIDE.replace("hr.csv}", "hr.csv, encoding: utf-8}"))
    return night.type("sync", "hr")


def cut_file(night: Night) -> int:
    path = night.workspace.path / "exports" / "hr.csv"
    path.write_text(path.read_text("utf-8") + f'{PERSON},"{PERSON}', "utf-8")
    return night.type("sync", "hr")


def broken_archive_of_files(night: Night) -> int:
    (night.workspace.path / "exports" / "hr.csv.gz").write_bytes(b"\x1f\x8b" + MARKED_ROW.encode())
    night.workspace.source(WIDE.replace("hr.csv}", "hr.csv.gz}"))
    return night.type("sync", "hr")


def a_folder_for_a_file(night: Night) -> int:
    (night.workspace.path / "exports" / "hr.csv").unlink()
    (night.workspace.path / "exports" / "hr.csv").mkdir()
    return night.type("sync", "hr")


def unknown_column(night: Night) -> int:
    night.workspace.export(MARKED_ROW + f",{PERSON}", header=f"{HEADER},more")
    night.workspace.source(WIDE + "unknown_columns: refuse\n")
    return night.type("sync", "hr")


def one_type_too_many(night: Night) -> int:
    both = "entitlements: [{type: Role, column: roles}, {type: Team, column: team}]"
    night.workspace.source(WIDE.replace("entitlements: [{type: Role, column: roles}]", both))
    night.workspace.export(MARKED_ROW.replace("team", "role"))
    return night.type("sync", "hr")


def held(night: Night) -> int:
    night.workspace.source(SOURCE)
    night.workspace.export(*rows(3), MARKED_ROW)
    assert night.type("sync", "hr") == 0
    night.workspace.export(MARKED_ROW)
    return night.type("sync", "hr")


def held_and_rejected(night: Night) -> int:
    code = held(night)
    run = night.workspace.run("runs", "--json").document[0]["run_id"]
    assert night.type("reject", run, "--reason", "no") == 0
    return code


def held_as_json(night: Night) -> int:
    assert night.type("sync", "hr") == 0
    night.workspace.source(SOURCE)
    night.workspace.export(*rows(1))
    return night.type("sync", "hr", "--json")


def kept_record(night: Night) -> int:
    assert night.type("sync", "hr") == 0
    night.workspace.export(*rows(3), MARKED_ROW.replace("ACTIVE", f"{PERSON}status"))
    return night.type("sync", "hr")


def activity(night: Night) -> int:
    night.workspace.source(WIDE + "activity: {source: {kind: csv, activity: exports/log.csv}}\n")
    assert night.type("sync", "hr") == 0
    log = night.workspace.path / "exports" / "log.csv"
    lines = [f"{PERSON}id,LOGIN,2026-07-01T10:00:00Z", f"{PERSON}id,{PERSON}what,{PERSON}when"]
    log.write_text("\n".join(["account_id,event_type,timestamp", *lines, ""]), "utf-8")
    return night.type("activity", "hr")


def activity_refused(night: Night) -> int:
    night.lumos("POST", "/activity_records", 422)
    return activity(night)


def upload_answered(status: int) -> Callable[[Night], int]:
    def case(night: Night) -> int:
        night.lumos("POST", "/accounts/upload", status)
        return night.type("sync", "hr")

    return case


def job_answered(status: int) -> Callable[[Night], int]:
    def case(night: Night) -> int:
        night.lumos("GET", "/accounts/upload/", status)
        return night.type("sync", "hr")

    return case


def apps_answered(status: int) -> Callable[[Night], int]:
    def case(night: Night) -> int:
        night.lumos("GET", "/apps", status)
        return night.type("sync", "hr")

    return case


def app_not_made(night: Night) -> int:
    night.lumos("POST", "/apps", 422)
    return night.type("sync", "hr")


def read_back_refused(night: Night) -> int:
    night.lumos("GET", "/accounts", 403)
    return night.type("sync", "hr")


def job_fails(night: Night) -> int:
    night.workspace.fault("job_fails")
    return night.type("sync", "hr")


def connection_cut(night: Night) -> int:
    night.workspace.fault("cut_after@/accounts/upload*inf")
    return night.type("sync", "hr")


def database_error(night: Night) -> int:
    (night.workspace.path / "exports" / "hr.db").write_bytes(f"{MARKED_ROW}\n".encode() * 500)
    night.reads(
        "{kind: sql, url: 'sqlite:///exports/hr.db', queries: {list_accounts: SELECT * FROM p}}"
    )
    return night.type("sync", "hr")


def database_unreachable(night: Night) -> int:
    night.reads(
        "{kind: sql, url: 'jdbc:postgresql://127.0.0.1:9/hr?connectTimeout=1', username: "
        f"{PERSON}, password: {{env: DB_PASSWORD}}, queries: {{list_accounts: SELECT 1}}}}"
    )
    return night.type("sync", "hr")


def password_in_a_url(night: Night) -> int:
    night.reads(
        f"{{kind: sql, url: 'jdbc:postgresql://{PERSON}:{SECRET}@h/hr', "
        "queries: {list_accounts: SELECT 1}}"
    )
    (night.workspace.path / "sources" / "hr.yaml").rename(night.workspace.path / "exports" / "x")
    night.workspace.source((night.workspace.path / "exports" / "x").read_text("utf-8"), "hr2")
    code = night.type("sync", "hr2")
    (night.workspace.path / "sources" / "hr2.yaml").unlink()
    night.workspace.source(WIDE)
    return code


def directory(bind: int, search: int = 0) -> Callable[[Night], int]:
    def case(night: Night) -> int:
        port = night.stack.enter_context(refusing_directory(bind, search))
        night.reads(
            f"{{kind: ldap, host: 127.0.0.1, port: {port}, protocol: ldap, username: cn=reader, "
            "password: {env: LDAP_PASSWORD}, base_dn: 'dc=x'}"
        )
        return night.type("sync", "hr")

    return case


def service(source: str, status: int) -> Callable[[Night], int]:
    def case(night: Night) -> int:
        url = night.stack.enter_context(echoing(("GET", "/", status)))
        night.reads(source.replace("URL", url))
        return night.type("sync", "hr")

    return case


SCIM = "{kind: scim, url: 'URL/scim/v2', token: {env: TOKEN}}"
BASIC = "{kind: scim, url: 'URL/scim/v2', basic: {username: u, password: {env: TOKEN}}}"
OAUTH = (
    "{kind: scim, url: 'URL/scim/v2', oauth: {token_url: 'URL/token', client_id: c, "
    "client_secret: {env: CLIENT_SECRET}}}"
)
CONNECTOR = "{kind: connector, url: 'URL', auth: {basic: {username: u, password: {env: TOKEN}}}}"
ZONE = "{kind: csv, accounts: 'URL/hr.csv', login: {token: {env: TOKEN}}}"


def own_code(
    raised: str, key: str = "transform: pipelines.people:change"
) -> Callable[[Night], int]:
    def case(night: Night) -> int:
        (night.workspace.path / "pipelines").mkdir()
        text = f"def change(rows):\n    {raised}\n\ndef read(options):\n    {raised}\n"
        (night.workspace.path / "pipelines" / "people.py").write_text(text, "utf-8")
        night.workspace.source(WIDE + f"{key}\n")
        return night.type("sync", "hr")

    return case


def bug(module: object, name: str) -> Callable[[Night], int]:
    def case(night: Night) -> int:
        night.breaks(module, name)
        return night.type("sync", "hr")

    return case


def interrupted(night: Night) -> int:
    def struck(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError(f"{MARKED_ROW} {SECRET}")

    night.patch.setattr(flows.sync.publish, "submit_accounts", struck)
    return night.type("sync", "hr")


def ledger_lost(night: Night) -> int:
    assert night.type("sync", "hr") == 0
    (night.workspace.path / ".lumos-ingest" / "ledger.db").write_bytes(b"x" * 5000)
    code = night.type("sync", "hr")
    (night.workspace.path / ".lumos-ingest" / "ledger.db").unlink()
    return code


CASES: dict[str, tuple[Callable[[Night], int], int]] = {
    "success": (success, 0),
    "as json": (as_json, 0),
    "with rejects": (with_rejects, 0),
    "rejects refused": (rejects_refused, 1),
    "wrong mapping": (wrong_mapping, 1),
    "no header": (no_header, 1),
    "wrong encoding": (wrong_encoding, 1),
    "cut file": (cut_file, 1),
    "broken gzip": (broken_archive_of_files, 1),
    "a folder for a file": (a_folder_for_a_file, 2),
    "unknown column": (unknown_column, 1),
    "one id of two types": (one_type_too_many, 3),
    "held": (held, 3),
    "held and rejected": (held_and_rejected, 3),
    "held as json": (held_as_json, 3),
    "kept record": (kept_record, 0),
    "activity": (activity, 0),
    "activity refused": (activity_refused, 1),
    **{
        f"upload answered {status}": (upload_answered(status), 1) for status in (200, 302, 401, 422)
    },
    "upload answered 503": (upload_answered(503), 1),
    **{f"job answered {status}": (job_answered(status), 1) for status in (200, 404, 422)},
    **{f"apps answered {status}": (apps_answered(status), 1) for status in (200, 403, 500)},
    "app not made": (app_not_made, 1),
    "read back refused": (read_back_refused, 1),
    "job fails": (job_fails, 1),
    "connection cut": (connection_cut, 1),
    "database error": (database_error, 1),
    "database unreachable": (database_unreachable, 1),
    "password in a url": (password_in_a_url, 2),
    "directory refuses the login": (directory(49), 2),
    "directory is busy": (directory(51), 1),
    "directory refuses a search": (directory(0, 50), 1),
    **{f"scim answers {status}": (service(SCIM, status), 1) for status in (200, 302, 400, 401)},
    "scim with basic": (service(BASIC, 401), 1),
    "scim with oauth": (service(OAUTH, 401), 1),
    "connector answers 400": (service(CONNECTOR, 400), 1),
    "zone answers 403": (service(ZONE, 403), 1),
    "zone answers 302": (service(ZONE, 302), 1),
    "transform raises": (own_code("raise ValueError(str(rows.rows()))"), 1),
    "transform exits": (own_code("raise SystemExit(str(rows.rows()))"), 1),
    "transform returns nonsense": (own_code("return rows.rows()"), 1),
    "bug while reading": (bug(flows.sync.origin, "extract"), 1),
    "bug while planning": (bug(flows.sync.plan, "to_plan"), 1),
    "bug while sending": (bug(flows.sync.publish, "submit_accounts"), 1),
    "interrupted": (interrupted, 130),
    "ledger damaged": (ledger_lost, 1),
}


@pytest.mark.parametrize("name", CASES)
def test_no_mark_is_in_any_sink(name: str, night: Night, capfd: pytest.CaptureFixture[str]) -> None:
    case, expected = CASES[name]
    with warnings.catch_warnings(record=True) as warned, every_log_record(night.heard.records):
        warnings.simplefilter("always")
        code = case(night)
        night.patch.undo()
        for words in AFTERWARDS:
            night.type(*words)
    night.heard.warnings = [str(one.message) for one in warned]
    captured = capfd.readouterr()
    night.heard.on_the_terminal = captured.out + captured.err
    assert leaks(night.heard) == {}
    assert code == expected, night.heard.said
    assert "Traceback" not in night.heard.said
    assert open_to_others(night.workspace.path / ".lumos-ingest") == []


def open_to_others(folder: Path) -> list[Path]:
    """What lies in a folder, itself included, that others than its owner may use."""
    found = [folder, *folder.rglob("*")] if folder.exists() else []
    return [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]

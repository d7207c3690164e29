"""No person and no secret leaves by the side door, however a command ends.

Every case is a way for a command to end; after each, every sink is looked into (`canaries.SINKS`).
"""

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
)
from terminal import HEADER, SOURCE, Workspace, rows

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
        said = self.workspace.run(*words, env=self.env)
        self.heard.said += said.out + said.err
        return said.code

    def lumos(self, method: str, path: str, status: int) -> None:
        """Has Lumos answer such a request with a status, and all that it was told."""
        strike: Strike = (method, path, status)
        url = self.stack.enter_context(echoing(strike, self.workspace.sandbox.url))
        self.env["LUMOS_API_URL"] = url


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
    "held": (held, 3),
    "held and rejected": (held_and_rejected, 3),
    "held as json": (held_as_json, 3),
    "kept record": (kept_record, 0),
    "activity": (activity, 0),
    "activity refused": (activity_refused, 1),
    **{f"upload answered {one}": (upload_answered(one), 1) for one in (200, 302, 401, 422, 503)},
    "job answered 200": (job_answered(200), 1),
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

"""What a person sees at 80 columns, and what a pipe is told: readable, and of nobody."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from terminal import SOURCE, Workspace, row, rows

PRIVATE = ("a0009", "user9@example.com", "Vault keeper")
WATCHED = "guards: {watched: [{label: '*keeper*', max_added: 0, max_removed: 0}]}\n"


@dataclass(frozen=True)
class Screen:
    code: int
    lines: list[str]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.lines).split())


def typed_at_80(workspace: Workspace, *words: str) -> Screen:
    """What stands on a terminal of 80 columns once the command has ended."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    env = {**os.environ, "LUMOS_API_URL": workspace.sandbox.url, "TERM": "xterm", "NO_COLOR": "1"}
    env |= {"LUMOS_API_TOKEN": workspace.sandbox.token}
    env.pop("COLUMNS", None)
    command = [sys.executable, "-m", "lumos_ingest", *words, "-w", str(workspace.path)]
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen(command, env=env, **streams) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                text += os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other end is closed
                break
    os.close(ours)
    # A line that is written over is not there any more; its last state is.
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.decode()).replace("\r\n", "\n")
    return Screen(process.returncode, [line.rpartition("\r")[2] for line in shown.splitlines()])


@pytest.fixture
def held(workspace: Workspace) -> Workspace:
    """A workspace whose second night is held: accounts are gone, and a watched role is given."""
    workspace.source(SOURCE + WATCHED)
    workspace.export(*rows(20))
    assert workspace.run("sync", "hr").code == 0
    workspace.export(*rows(8), row(9, roles="Vault keeper"), row(10, state="Let go"))
    return workspace


def test_no_screen_is_wider_than_80_columns_and_no_word_of_it_is_broken(held: Workspace):
    preview = typed_at_80(held, "preview", "hr")
    assert preview.code == 3
    assert max(map(len, preview.lines)) <= 80
    for word in (
        "max_removed_accounts",
        "max_removed_associations",
        "watched.max_added",
        *PRIVATE[::2],
    ):
        assert word in preview.text
    sync = typed_at_80(held, "sync", "hr")
    assert sync.code == 3
    assert max(map(len, sync.lines)) <= 80
    [approve] = [line for line in sync.lines if line.startswith("  Approve it: ")]
    assert approve.endswith('--reason "…"')
    # A path is one word, however deep the folder of a test's own lies.
    check = [one for one in typed_at_80(held, "check", "hr").lines if str(held.path) not in one]
    assert max(map(len, check)) <= 80


def test_a_run_is_one_line_whose_id_can_be_copied(held: Workspace):
    held.run("sync", "hr")
    wrong = SOURCE.replace("email: email", "email: not_there").replace("HR Portal,", "CRM,")
    held.source(wrong, "crm-of-the-lyon-site")
    for _ in range(2):
        assert held.run("sync", "crm-of-the-lyon-site").code == 1
    screen = typed_at_80(held, "runs")
    heading = next(n for n, line in enumerate(screen.lines) if line.startswith("run "))
    assert screen.lines[heading].split()[:4] == ["run", "source", "kind", "state"]
    listed = screen.lines[heading + 1 : heading + 5]
    assert max(map(len, screen.lines)) <= 80
    assert all(re.match(r"[0-9a-f]{6}  (hr|crm-of-the-ly…) +sync +\w+", line) for line in listed)
    plain = held.run("runs").out.splitlines()
    assert [line[:6] for line in plain[2:6]] == [line[:6] for line in listed]
    assert all(line == line.rstrip() for line in plain)
    short = next(line for line in listed if " held " in line)[:6]
    [run] = held.run("runs", short, "--json").document
    assert run["run_id"].endswith(f"-{short}")
    assert held.run("approve", short, "--reason", "so").code == 0
    assert held.run("reject", run["run_id"], "--reason", "no").code == 0


@pytest.mark.parametrize("command", ["preview", "sync", "check", "activity", "runs", "why"])
def test_a_pipe_is_told_no_id_and_no_entitlement(held: Workspace, command: str):
    words = [] if command == "runs" else ["hr"]
    said = held.run(command, *words, *(["a0001"] if command == "why" else []))
    assert said.code in {0, 2, 3}
    if command == "preview":
        assert "max_removed_accounts" in said.out
        assert "exports/hr.csv:11" in said.out
    for private in (*PRIVATE, "a0001", "a0010", "a0015"):
        assert private not in said.out + said.err


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("sync hr --dry-run", "sync: no option --dry-run: lumos-ingest preview SOURCE shows what"),
        ("sync --foo", "sync: no option --foo: lumos-ingest sync -h lists the options"),
        ("sync --alll", "sync: no option --alll: did you mean --all?"),
        ("preview", "preview: missing argument 'SOURCE': lumos-ingest preview -h tells how"),
        ("approve x", "approve: missing option '--reason': lumos-ingest approve -h tells how"),
        ("sync --jobs x", "sync: invalid value for '--jobs' / '-j'"),
        ("status", "no command 'status': did you mean lumos-ingest runs?"),
        ("--all sync", "no option --all: options stand behind the command"),
        ("check --fresh 26", "check: --fresh: write a duration as a number and a unit"),
        ("sync hrr", "no source 'hrr'; did you mean 'hr'?"),
    ],
)
def test_wrong_usage_is_one_line_that_says_what_was_meant(
    workspace: Workspace, words: str, answer: str
):
    said = workspace.run(*words.split())
    assert said.code == 2
    assert said.out == ""
    [line] = said.err.splitlines()
    assert line.startswith(f"lumos-ingest: {answer}")


@pytest.mark.parametrize("name", ["HR", "hr.yaml", "sources/hr.yaml"])
def test_a_source_is_understood_by_its_file(workspace: Workspace, name: str):
    workspace.export(*rows(3))
    assert workspace.run("sync", name).code == 0
    assert [run["source"] for run in workspace.run("runs", name, "--json").document] == ["hr"]
    assert workspace.run("why", name, "a0001").code == 0


def test_an_interrupt_says_what_was_sent(workspace: Workspace):
    workspace.export(*rows(3))
    workspace.fault("slow=60@/accounts/upload")
    env = {"LUMOS_API_URL": workspace.sandbox.url, "LUMOS_API_TOKEN": workspace.sandbox.token}
    command = [sys.executable, "-m", "lumos_ingest", "sync", "hr", "-w", str(workspace.path)]
    told = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env={**os.environ, **env}, **told) as process:
        state = ""
        ends_at = time.monotonic() + 60
        while state != "planned" and time.monotonic() < ends_at:
            time.sleep(0.2)
            runs = workspace.run("runs", "--json").document
            state = runs[0]["state"] if runs else ""
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 128 + signal.SIGINT
    assert "hr: stopped while it was sending: the next run sends the same bytes again first" in said
    assert "Traceback" not in said


def test_check_tells_every_problem_of_a_file_and_judges_its_values(workspace: Workspace):
    text = SOURCE.replace("  user_status: state", "  user_status: state\n  last_login: {SEEN}")
    text = text.replace("{SEEN}", '{column: team, format: "%d/%m/%Y", timezone: UTC}')
    workspace.source(text + "guards: {max_rejected_rows: 10}\n")
    workspace.export(
        *(row(number, team="01/02/2026") for number in range(1, 8)),
        row(8, state="Let go", team=""),
        row(9, state="Let go", team=""),
        row(10, state="Let go", team=""),
        row(11, state="Alone4711", team="2026-02-30"),
    )
    said = workspace.run("check", "hr")
    assert said.code == 0, said.err
    told = " ".join(said.out.split())
    assert "rows: 7 of 11 accounts can be sent" in told
    assert "user_status: 4 without a mapping to a status: 'Let go' (3), 1 other word" in told
    assert "user_status has no mapping to a status (exports/hr.csv:9, exports/hr.csv:10," in told
    assert "last_login is no time in the stated format" in told
    assert "Alone4711" not in told
    workspace.source(text + "guards: {max_rejected_rows: 1, max_removed: 3}\ncolours: red\n")
    said = workspace.run("check", "hr")
    assert said.code == 2
    assert len([line for line in said.err.splitlines() if "sources/hr.yaml:" in line]) == 2
    workspace.source(text.replace("email: email", "email: mail").replace(": given", ": first"))
    said = workspace.run("check", "hr")
    assert said.code == 1
    assert "no column 'mail', wanted for email" in said.err
    assert "no column 'first', wanted for given_name" in said.err
    workspace.source(text + "guards: {max_rejected_rows: 1}\n")
    said = workspace.run("check", "hr")
    assert said.code == 1
    assert "a sync would be held: max_rejected_rows: 4 of 11 accounts, allowed 1" in said.err


def test_a_broken_env_file_is_told_by_name_and_line(workspace: Workspace):
    Path(workspace.path, ".env").write_text("A=1\nlsk_canary4711\n", "utf-8")
    for command in ("check", "runs", "sync"):
        said = workspace.run(command, *(["hr"] if command == "sync" else []))
        assert said.code == 2
        assert said.err == f"lumos-ingest: {workspace.path}/.env:2: is no NAME=value\n"

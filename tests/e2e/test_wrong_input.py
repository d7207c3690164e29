"""The mistakes people make: one line that says what, where and what to do; nothing is harmed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import SOURCE, Said, Workspace, row, rows, typed


def one_line(said: Said) -> str:
    """The one line that went wrong; no traceback, and nothing else but notes on the stages."""
    lines = [line for line in said.err.splitlines() if line.startswith("lumos-ingest: ")]
    assert len(lines) == 1, said.err
    assert "Traceback" not in said.err + said.out
    return lines[0]


def untouched(workspace: Workspace) -> bool:
    """Nothing was uploaded, and no run of the ledger is open or accepted."""
    states = {run["state"] for run in workspace.run("runs", "--json").document}
    return workspace.stats()["uploads"] == 0 and states <= {"failed"}


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (SOURCE.replace("columns:", "colums:"), 2, "sources/hr.yaml:4: colums: no such key; did"),
        (SOURCE.replace("kind: csv", "kind: cvs"), 2, "sources/hr.yaml:3: source.kind: should be"),
        (SOURCE.replace("user_status: state", "user_status: stat"), 1, "no column 'stat', wanted"),
        (SOURCE.replace("roles}]", "rolls}]"), 1, "no column 'rolls', wanted for entitlements of"),
        (SOURCE.replace("exports/hr.csv", "exports/hr2.csv"), 1, "exports/hr2.csv"),
        (SOURCE.replace("exports/hr.csv", "../hr.csv"), 2, "../hr.csv"),
        (SOURCE.replace("app: {name: HR Portal, ", "app: {id: 7, "), 2, "sources/hr.yaml:2: app: "),
        (
            SOURCE.replace(
                ", create: {category: HR & Learning, description: Internal HR portal}", ""
            ),
            2,
            "Lumos has no app of this exact name",
        ),
        (SOURCE.replace("HR & Learning", "HR"), 2, "did you mean 'HR & Learning'"),
        ("", 2, "sources/hr.yaml:1: a source file has the keys app and source"),
    ],
)
def test_a_wrong_source_file_is_told_in_one_line(
    workspace: Workspace, text: str, code: int, said: str
):
    workspace.source(text)
    workspace.export(*rows(3))
    answer = workspace.run("sync", "hr")
    assert answer.code == code, answer.err
    assert said in one_line(answer)
    workspace.source()
    assert untouched(workspace)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>Please sign in</body></html>", "is a web page"),
        (b"PK\x03\x04" + bytes(40), "zip"),
        (b"\xff\xfe\x00\xd8" * 10, "exports/hr.csv"),
        (b'id,email,given,family,state,team,roles\na1,"x@example.com,A,B,ACTIVE,Ops,R\n', "quote"),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_one_line(
    workspace: Workspace, content: bytes, said: str
):
    workspace.export()
    (workspace.path / "exports" / "hr.csv").write_bytes(content)
    answer = workspace.run("sync", "hr")
    assert answer.code == 1
    assert said in one_line(answer)
    assert untouched(workspace)


def test_an_unset_token_is_told_before_anything_is_read(workspace: Workspace):
    workspace.export(*rows(3))
    answer = typed("sync", "hr", "--workspace", str(workspace.path))
    assert answer.code == 2
    assert "LUMOS_API_TOKEN is not set" in one_line(answer)


def test_a_wrong_token_is_told_without_the_token(workspace: Workspace):
    workspace.export(*rows(3))
    answer = workspace.run("sync", "hr", env={"LUMOS_API_TOKEN": "lsk_wrong_4711"})
    assert answer.code == 1
    assert "LUMOS_API_TOKEN" in one_line(answer)
    assert "4711" not in answer.err + answer.out
    assert untouched(workspace)


def test_a_token_is_never_sent_in_clear_beyond_this_machine(workspace: Workspace):
    workspace.export(*rows(3))
    answer = workspace.run("sync", "hr", env={"LUMOS_API_URL": "http://lumos.example.com"})
    assert answer.code == 2
    assert "https" in one_line(answer)


def test_a_workspace_that_is_none_is_told(tmp_path: Path):
    answer = typed("check", "--workspace", str(tmp_path))
    assert answer.code == 2
    assert "no source files" in one_line(answer)
    answer = typed("check", "--workspace", str(tmp_path / "nowhere"))
    assert answer.code == 2
    assert "no such folder" in one_line(answer)


@pytest.mark.parametrize("words", [("check", "hr"), ("sync", "hr", "--as-of", "2026-01-01")])
def test_a_wrong_key_that_shows_at_the_source_is_told_with_its_line(
    workspace: Workspace, words: tuple[str, ...]
):
    zone = "accounts: s3://drop/hr.csv, s3: {ca_file: none.pem}"
    workspace.source(SOURCE.replace("accounts: exports/hr.csv", zone))
    answer = workspace.run(*words)
    assert answer.code == 2
    assert "sources/hr.yaml:3: s3.ca_file: none.pem cannot be read: No such file" in answer.err


def test_a_source_that_does_not_exist_is_told_with_those_that_do(workspace: Workspace):
    answer = workspace.run("sync", "hrr")
    assert answer.code == 2
    assert "no source 'hrr'; did you mean 'hr'? There are hr" in one_line(answer)
    assert workspace.run("sync").code == 2


def test_an_unknown_option_is_wrong_usage(workspace: Workspace):
    assert workspace.run("sync", "--everything").code == 2


def test_one_broken_source_file_does_not_stop_the_others(workspace: Workspace):
    workspace.source("app: [", "broken")
    workspace.export(*rows(3))
    alone = workspace.run("sync", "hr")
    assert (alone.code, "broken" in alone.err) == (0, False)
    every = workspace.run("sync", "--all", "--json")
    assert every.code == 2
    assert "sources/broken.yaml" in one_line(every)
    states = {one["source"]: one["state"] for one in every.document["sources"]}
    assert states == {"broken": "failed", "hr": "done"}
    assert workspace.run("sync", "broken").code == 2


def test_two_files_of_one_name_are_refused_and_others_are_not(workspace: Workspace):
    workspace.export(*rows(3))
    for ending in ("yaml", "yml"):
        (workspace.path / "sources" / f"twin.{ending}").write_text(SOURCE, "utf-8")
    assert "two files of this name" in one_line(workspace.run("sync", "twin"))
    assert workspace.run("sync", "hr").code == 0


def test_a_workspace_that_the_system_refuses_is_told(tmp_path: Path):
    answer = typed("sync", "--all", "--workspace", "x" * 300)
    assert answer.code == 2
    assert "File name too long" in one_line(answer)


def test_the_runs_of_a_folder_that_is_no_workspace_are_not_listed(tmp_path: Path):
    answer = typed("runs", "--workspace", str(tmp_path))
    assert answer.code == 2
    assert "no source files" in one_line(answer)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_told_by_the_sandbox(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("not a database " * 100)
    answer = typed("sandbox", "--db", "notes.txt", "--workspace", str(tmp_path))
    assert answer.code == 2
    assert "notes.txt: file is not a database" in one_line(answer)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sync", "nobody"], 2),
        (["preview", "hr"], 1),
        (["runs", "--everything"], 2),
        (["preview"], 2),
    ],
)
def test_json_holds_one_document_also_where_nothing_ran(
    workspace: Workspace, words: list[str], code: int
):
    answer = workspace.run(*words, "--json")
    assert answer.code == code
    assert set(answer.document) == {"error", "exit_code"}
    assert answer.document["exit_code"] == code
    assert answer.document["error"].split(":")[0] in answer.err.replace("\n", " ")


def test_a_run_that_failed_is_told_whole_in_the_document(workspace: Workspace):
    workspace.source(SOURCE + "rejected_rows: fail\n")
    workspace.export(row(1), row(2).replace("ACTIVE", "on leave"))
    answer = workspace.run("sync", "hr", "--json")
    [document] = answer.document["sources"]
    [listed] = workspace.run("runs", "--json").document
    assert document == listed
    assert document["error"] in one_line(answer)
    assert document["counts"]["accounts_read"] == 2


def test_a_prefect_server_that_does_not_answer_is_told_in_one_line(workspace: Workspace):
    workspace.export(*rows(3))
    answer = workspace.run("sync", "hr", env={"PREFECT_API_URL": "http://127.0.0.1:9/api"})
    assert answer.code == 2
    assert "PREFECT_API_URL: the Prefect server does not answer" in one_line(answer)
    assert untouched(workspace)


def test_an_export_that_may_not_be_read_is_told(workspace: Workspace):
    """Root may read anything, so the command runs without that capability."""
    workspace.export(*rows(3))
    (workspace.path / "exports" / "hr.csv").chmod(0)
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    without = drop if os.geteuid() == 0 else []
    program = [sys.executable, "-c", "from flows.cli.main import main; main()"]
    answer = subprocess.run(
        [*without, *program, "sync", "hr", "--workspace", workspace.path],
        env={
            **os.environ,
            "LUMOS_API_URL": workspace.sandbox.url,
            "LUMOS_API_TOKEN": workspace.sandbox.token,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1, answer.stderr
    assert "exports/hr.csv" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert workspace.stats()["uploads"] == 0


def test_a_full_disk_is_told_and_nothing_is_uploaded(workspace: Workspace):
    """The limit on a file's size stands in for a disk that is full."""
    workspace.export(*[row(number, team="Operations " * 40) for number in range(1, 2000)])
    program = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000));"
        "from flows.cli.main import main; main()"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, "sync", "hr", "--workspace", workspace.path],
        env={
            **os.environ,
            "LUMOS_API_URL": workspace.sandbox.url,
            "LUMOS_API_TOKEN": workspace.sandbox.token,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    assert len([one for one in answer.stderr.splitlines() if one.startswith("lumos-ingest: ")]) == 1
    assert workspace.stats()["uploads"] == 0
    assert workspace.run("sync", "hr").code == 0
    assert len(workspace.accounts()) == 1999 or workspace.stats()["uploads"] == 1

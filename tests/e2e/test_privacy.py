"""No row and no secret leaves by the side door: a canary in every field, looked for everywhere."""

from pathlib import Path

import pytest
from terminal import HEADER, SOURCE, Workspace, row, rows

CANARY = "canary4711"
ROWS = [
    f"{CANARY}1,{CANARY}@example.com,{CANARY},{CANARY},ACTIVE,{CANARY},{CANARY}",
    f"{CANARY}2,{CANARY} broken,{CANARY},{CANARY},ACTIVE,{CANARY},{CANARY}",
    f"{CANARY}3,{CANARY}@example.com,{CANARY},{CANARY},{CANARY},{CANARY},{CANARY}",
    f"{CANARY}4,{CANARY}",
    f"{CANARY}5,{CANARY}@example.com,{CANARY},{CANARY},ACTIVE,{CANARY},a\x07{CANARY}",
]
HEADERLESS = f"{CANARY}1,{CANARY}@example.com,{CANARY}2,{CANARY}3,ACTIVE,{CANARY}4,{CANARY}5"
WIDE = SOURCE + "guards: {max_rejected_rows: 100%}\n"


def spilled(workspace: Workspace, said: str) -> list[Path]:
    """The files with the canary in them, outside the archive and the export itself."""
    assert CANARY not in said
    private = (workspace.path / "exports", workspace.path / ".lumos-ingest" / "archive")
    return [
        path
        for path in workspace.path.rglob("*")
        if path.is_file()
        and not any(path.is_relative_to(folder) for folder in private)
        and CANARY.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize(
    "source",
    [
        WIDE,
        WIDE + "rejected_rows: fail\n",
        WIDE.replace("email: email", "email: mail"),
        WIDE + "unknown_columns: refuse\n",
        SOURCE,
    ],
)
def test_a_sync_says_and_keeps_no_value_of_a_row_outside_the_archive(
    workspace: Workspace, source: str
):
    workspace.source(source)
    workspace.export(*rows(2), *ROWS)
    said = workspace.run("sync", "hr")
    assert spilled(workspace, said.err) == []
    shown = workspace.run("preview", "hr", "--markdown")
    assert spilled(workspace, shown.err + shown.out) == []
    listed = workspace.run("runs", "--json")
    assert spilled(workspace, listed.err + listed.out) == []
    for words in (["hr"], ["--all"]):
        page = workspace.run("report", *words)
        assert page.code == 0
        assert spilled(workspace, page.err + page.out) == []


@pytest.mark.parametrize("fault", ["job_fails", "cut_after@/accounts/upload*inf"])
def test_an_upload_that_goes_wrong_says_no_value_of_a_row(workspace: Workspace, fault: str):
    workspace.source(WIDE)
    workspace.export(ROWS[0])
    workspace.fault(fault)
    said = workspace.run("sync", "hr")
    assert said.code == 1
    assert spilled(workspace, said.err + said.out) == []
    assert workspace.sandbox.token not in said.err + said.out


@pytest.mark.parametrize("command", ["sync", "preview", "check"])
@pytest.mark.parametrize("unknown", ["warn", "refuse", "attribute"])
def test_an_export_without_its_header_is_refused_and_not_quoted(
    workspace: Workspace, command: str, unknown: str
):
    workspace.source(WIDE + f"unknown_columns: {unknown}\n")
    workspace.export(*rows(2), header=HEADERLESS)
    said = workspace.run(command, "hr")
    assert said.code == 1
    assert spilled(workspace, said.err + said.out) == []


def test_an_export_without_its_header_is_told_what_it_lacks(workspace: Workspace):
    workspace.export(*rows(2), header=HEADERLESS)
    assert "first line is data, not a header: say header: false" in workspace.run("sync", "hr").err
    workspace.export(*rows(2), header=HEADERLESS.replace("@", " at "))
    said = workspace.run("sync", "hr")
    assert "it has 7 columns" in said.err
    assert spilled(workspace, said.err + said.out) == []


def test_an_at_sign_in_a_header_alone_makes_it_no_data(workspace: Workspace):
    workspace.export(row(1) + ",a,b", header=f"{HEADER},manager@odata.type,@type.of")
    assert workspace.run("sync", "hr").code == 0

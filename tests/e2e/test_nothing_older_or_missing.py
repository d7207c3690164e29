"""No older export, and none that misses a column, changes what the app has."""

import os
import time
from pathlib import Path

from terminal import HEADER, SOURCE, Workspace, row, rows

DAY_S = 86400
LEAVER = row(3, state="DEPROVISIONED")


def drop(workspace: Workspace, name: str, *lines: str, age_s: float = 0) -> Path:
    """An export of that name, written some time ago."""
    path = workspace.path / "exports" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join((HEADER, *lines)) + "\n", "utf-8")
    moment = time.time() - age_s
    os.utime(path, (moment, moment))
    return path


def status(workspace: Workspace) -> str:
    return workspace.accounts()["a0003"]["status"]


def test_after_the_newest_was_archived_the_older_one_wakes_no_leaver(workspace: Workspace) -> None:
    workspace.source(SOURCE.replace("hr.csv", "in_*.csv, archive_to: exports/done"))
    drop(workspace, "in_1800.csv", *rows(12), age_s=5 * 3600)
    drop(workspace, "in_2200.csv", *rows(2), LEAVER, *rows(12)[3:], age_s=3600)
    first = workspace.run("sync", "hr")
    assert first.code == 0, first.err
    assert "passed over: exports/in_1800.csv" in first.err

    said = workspace.run("sync", "hr")

    assert said.code == 1
    assert "exports/in_1800.csv" in said.err
    assert "is older than exports/in_2200.csv" in said.err
    assert status(workspace) == "DEPROVISIONED"
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 5 * 3600))
    assert workspace.run("sync", "hr", "--as-of", today).code in {0, 3}


def test_an_export_dated_in_the_future_is_named_and_not_read(workspace: Workspace) -> None:
    workspace.source(SOURCE.replace("hr.csv", "a_*.csv"))
    drop(workspace, "a_1.csv", *rows(12), age_s=60)
    assert workspace.run("sync", "hr").code == 0
    drop(workspace, "a_1.csv", *rows(12), age_s=-2 * DAY_S)
    drop(workspace, "a_2.csv", *rows(2), LEAVER, *rows(12)[3:])

    for command in ("sync", "check", "preview"):
        said = workspace.run(command, "hr")
        assert said.code == 1
        assert "exports/a_1.csv: was last written" in said.err

    (workspace.path / "exports" / "a_1.csv").unlink()
    assert workspace.run("sync", "hr").code in {0, 3}


def test_a_status_column_in_another_case_is_found_and_a_renamed_one_missed(
    workspace: Workspace,
) -> None:
    workspace.source(SOURCE.replace("  user_status: state\n", ""))
    header = HEADER.replace("state", "user_status")
    people = (*rows(2), LEAVER, *rows(12)[3:])
    workspace.export(*people, header=header)
    assert workspace.run("sync", "hr").code == 0
    workspace.export(*people, header=header.replace("user_status", "User_Status"))
    assert workspace.run("sync", "hr").code == 0
    workspace.export(*people, header=header.replace("user_status", "status"))

    said = workspace.run("sync", "hr")

    assert said.code == 1
    assert "nothing feeds user_status now, and the column 'user_status' did" in said.err
    assert status(workspace) == "DEPROVISIONED"


def test_a_cut_in_the_last_cell_makes_no_new_role(workspace: Workspace) -> None:
    workspace.source()
    workspace.export(*rows(11), row(12, roles="Payroll"))
    assert workspace.run("sync", "hr").code == 0
    export = workspace.path / "exports" / "hr.csv"
    export.write_bytes(export.read_bytes().removesuffix(b"yroll\n"))

    said = workspace.run("sync", "hr")

    assert said.code == 1
    assert "exports/hr.csv: its last line has no end" in said.err
    assert [p["name"] for p in workspace.accounts()["a0012"]["permissions"]] == ["Payroll"]


def test_an_e_mail_column_that_went_takes_no_address_unless_it_is_let_go(
    workspace: Workspace,
) -> None:
    source = SOURCE.replace("  email: email\n", "")
    workspace.source(source)
    workspace.export(*rows(12))
    assert workspace.run("sync", "hr").code == 0
    workspace.export(*rows(12), header=HEADER.replace("email", "work_email"))

    said = workspace.run("sync", "hr")
    assert said.code == 1
    assert "let_go: [email]" in said.err
    assert workspace.accounts()["a0001"]["email"] == "user1@example.com"

    workspace.source(source + "let_go: [email]\n")
    said = workspace.run("preview", "hr")
    assert "nothing feeds" not in said.err

"""An accepted snapshot uploaded again, and the exports of a past day: both through the guards."""

from pathlib import Path

import pytest
from terminal import HEADER, SOURCE, Workspace, row, rows


def synced(workspace: Workspace, *lines: str) -> str:
    """Syncs these rows; the run's id."""
    workspace.export(*lines)
    said = workspace.run("sync", "hr", "--json")
    assert said.code == 0, said.err
    return said.document["sources"][0]["run_id"]


def test_an_accepted_snapshot_is_uploaded_again_without_the_source(workspace: Workspace):
    first = synced(workspace, *rows(12))
    synced(workspace, *rows(11), row(13, "Writer"))
    (workspace.path / "exports" / "hr.csv").unlink()
    said = workspace.run("sync", "hr", "--from-archive", first, "--json")
    assert said.code == 0, said.err
    assert sorted(workspace.accounts()) == [f"a{n:04d}" for n in range(1, 13)]
    [run] = said.document["sources"]
    assert (run["counts"]["accounts_added"], run["counts"]["accounts_removed"]) == (1, 1)
    assert workspace.stats()["overlapping_uploads"] == 0


def test_a_rollback_that_takes_much_away_is_held_until_a_person_lets_it_through(
    workspace: Workspace,
):
    workspace.source(f"{SOURCE}guards: {{max_added_accounts: 15, max_added_associations: 15}}\n")
    first = synced(workspace, *rows(5))
    synced(workspace, *rows(20))
    held = workspace.run("sync", "hr", "--from-archive", first)
    assert held.code == 3
    assert f"lumos-ingest sync hr --from-archive {first} --allow-removals" in held.out
    assert len(workspace.accounts()) == 20
    assert workspace.run("sync", "hr", "--from-archive", first, "--allow-removals").code == 0
    assert len(workspace.accounts()) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hr", "--from-archive", "20260101T000000Z-000000"), "is no accepted run of hr"),
        (("hr", "--from-archive", "x", "--as-of", "2026-07-01"), "choose one"),
        (("--all", "--as-of", "2026-07-01"), "go with one source"),
        (("hr", "--as-of", "July"), "write a date"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exits_2(
    workspace: Workspace, words: tuple[str, ...], said: str
):
    synced(workspace, *rows(3))
    answer = workspace.run("sync", *words)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert said in answer.err
    assert len(workspace.run("runs", "--json").document) == 1


def test_a_run_that_failed_or_was_of_activity_is_no_snapshot(workspace: Workspace):
    workspace.export("broken")
    workspace.run("sync", "hr")
    [failed] = workspace.run("runs", "--json").document
    answer = workspace.run("sync", "hr", "--from-archive", failed["run_id"])
    assert answer.code == 2
    assert "is no accepted run" in answer.err


def dated(folder: Path, day: str, count: int) -> None:
    path = folder / "exports" / f"hr_{day}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([HEADER, *rows(count)]) + "\n", "utf-8")


def test_the_exports_of_a_past_day_are_read_in_place_of_the_newest(workspace: Workspace):
    workspace.source(SOURCE.replace("exports/hr.csv", "exports/hr_*.csv"))
    for day, count in (("2026-07-01", 20), ("2026-07-02", 19), ("2026-07-03", 2)):
        dated(workspace.path, day, count)
    assert workspace.run("sync", "hr", "--as-of", "2026-07-01").code == 0
    assert len(workspace.accounts()) == 20
    assert workspace.run("sync", "hr", "--as-of", "2026-07-02").code == 0
    assert len(workspace.accounts()) == 19
    assert workspace.run("sync", "hr", "--as-of", "2026-07-03").code == 3
    missing = workspace.run("sync", "hr", "--as-of", "2026-06-30")
    assert missing.code == 1
    assert "is of 2026-06-30" in missing.err
    assert len(workspace.accounts()) == 19

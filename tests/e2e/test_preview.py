"""Preview: a plan to look at, to share, or to take away; nothing is uploaded."""

import csv
import stat

import polars as pl
from terminal import SOURCE, Workspace, row, rows


def second_night(workspace: Workspace) -> None:
    """Twenty accounts were accepted; now one is gone, one new, one changed, one broken."""
    workspace.export(*rows(20))
    assert workspace.run("sync", "hr").code == 0
    workspace.export(
        *rows(17),
        row(18, "Writer", team="Sales"),
        "a0019,broken,,,ACTIVE,Ops,Reader",
        row(21, state="SUSPENDED"),
    )


def test_a_preview_shows_what_would_change_and_which_fields(workspace: Workspace):
    second_night(workspace)
    said = workspace.run("preview", "hr", "--json")
    assert said.code == 0, said.err
    document = said.document
    changes = {one["integration_specific_id"]: one for one in document["changes"]["accounts"]}
    assert {one: change["change"] for one, change in changes.items()} == {
        "a0018": "changed",
        "a0020": "removed",
        "a0021": "added",
    }
    assert changes["a0018"]["fields"] == ["Team"]
    moved = {
        (one["account_id"], one["integration_specific_entitlement_id"], one["change"])
        for one in document["changes"]["associations"]
    }
    assert moved == {
        ("a0018", "Reader", "removed"),
        ("a0018", "Writer", "added"),
        ("a0020", "Reader", "removed"),
        ("a0021", "Reader", "added"),
    }
    [reject] = document["rejects"]
    assert (reject["file"], reject["row"], reject["column"]) == ("exports/hr.csv", 20, "email")
    assert (reject["key"], reject["is_cell"]) == ("a0019", True)
    assert (document["counts"]["accounts_kept"], document["counts"]["accounts_cells"]) == (0, 1)


def test_a_first_preview_says_that_everything_is_an_add(workspace: Workspace):
    workspace.export(*rows(3))
    said = workspace.run("preview", "hr")
    assert said.code == 0
    assert "first run: everything is an add" in said.out


def test_a_preview_uploads_nothing_and_leaves_no_run(workspace: Workspace):
    workspace.export(*rows(3))
    workspace.run("preview", "hr")
    assert workspace.stats()["uploads"] == 0
    assert workspace.run("runs", "--json").document == []


def test_a_preview_that_a_guard_would_hold_exits_3_and_says_which(workspace: Workspace):
    workspace.export(*rows(20))
    workspace.run("sync", "hr")
    workspace.export(*rows(4))
    said = workspace.run("preview", "hr")
    assert said.code == 3
    assert "max_removed_accounts: 16 of 20, allowed 2 (10%)" in said.out


def test_a_plan_for_sharing_names_no_one(workspace: Workspace):
    second_night(workspace)
    said = workspace.run("preview", "hr", "--markdown")
    assert said.code == 0
    assert "| accounts | 20 | 20 | 1 | 1 | 1 | 0 | 0 | 0 |" in said.out
    assert "is no e-mail address" in said.out
    for known in ("a0018", "a0019", "a0020", "example.com", "Given", "broken", "Sales"):
        assert known not in said.out
    assert said.out == workspace.run("preview", "hr", "--markdown").out


def test_the_same_id_has_another_hash_in_another_workspace(workspace: Workspace, tmp_path_factory):
    second_night(workspace)
    other = Workspace(tmp_path_factory.mktemp("other"), workspace.sandbox)
    other.source(SOURCE.replace("HR Portal", "Another"))
    second_night(other)
    hashes = [
        {
            line.split("`")[1]
            for line in one.run("preview", "hr", "--markdown").out.splitlines()
            if "`" in line
        }
        for one in (workspace, other)
    ]
    assert len(hashes[0]) == len(hashes[1]) == 3
    assert not hashes[0] & hashes[1]


def test_the_tables_can_be_taken_away_as_private_files(workspace: Workspace, tmp_path):
    workspace.export(row(1, "Reader; Writer"), row(2, "", team="=1+1"))
    out = tmp_path / "out"
    said = workspace.run("preview", "hr", "--out", str(out))
    assert said.code == 0, said.err
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in out.iterdir())
    associations = pl.read_parquet(out / "associations.parquet")
    assert associations.rows() == [("a0001", "Reader", ""), ("a0001", "Writer", "")]
    with (out / "lumos-import.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert first["Role"] == "Reader;Writer"
    assert (first["Unique ID"], first["First Name"], first["Status"]) == (
        "a0001",
        "Given1",
        "ACTIVE",
    )
    assert (second["Role"], second["Team"]) == ("", "=1+1")
    assert "delimiter used inside a cell: ;" in said.err
    assert "1 cells begin with = + - @ and stay so" in said.err


def test_a_column_that_went_and_one_that_came_are_told(workspace: Workspace):
    workspace.source(
        SOURCE.replace("  user_status: state", "  user_status: state\n  username: login")
    )
    header = "id,email,given,family,state,team,roles,login"
    workspace.export(*[f"{one}," for one in rows(3)], header=header)
    workspace.run("sync", "hr")
    without_names = [
        ",".join([*one.split(",")[:2], "", "", *one.split(",")[4:], "nick"]) for one in rows(3)
    ]
    workspace.export(*without_names, header=header)
    plan = workspace.run("preview", "hr", "--json").document["plan"]
    assert plan["fields_emptied"] == ["given_name", "family_name"]
    assert plan["fields_filled"] == ["username"]

"""An accepted export is moved where the source file says; no other is, and none is written over."""

from terminal import SOURCE, Workspace, rows

ARCHIVED = SOURCE.replace(
    "accounts: exports/hr.csv", "accounts: exports/hr*.csv, archive_to: exports/accepted"
)


def test_an_export_is_archived_once_its_upload_is_accepted(workspace: Workspace) -> None:
    workspace.source(ARCHIVED)
    workspace.export(*rows(3))
    export = workspace.path / "exports" / "hr.csv"
    archived = workspace.path / "exports" / "accepted" / "hr.csv"

    assert workspace.run("sync", "hr").code == 0
    assert archived.exists()
    assert not export.exists()

    said = workspace.run("sync", "hr")
    assert said.code == 1
    assert "no file matches" in said.err


def test_an_archived_export_is_never_written_over(workspace: Workspace) -> None:
    workspace.source(ARCHIVED)
    workspace.export(*rows(3))
    workspace.run("sync", "hr")
    archived = workspace.path / "exports" / "accepted" / "hr.csv"
    before = archived.read_bytes()
    workspace.export(*rows(4))

    said = workspace.run("sync", "hr")

    assert said.code == 0, said.err
    assert "a file of that name is there" in said.err
    assert archived.read_bytes() == before
    assert len(workspace.accounts()) == 4


def test_the_export_of_a_held_plan_stays(workspace: Workspace) -> None:
    workspace.source(ARCHIVED)
    workspace.export(*rows(3))
    workspace.run("sync", "hr")
    (workspace.path / "exports" / "accepted" / "hr.csv").unlink()
    workspace.export(*rows(1))

    assert workspace.run("sync", "hr").code == 3
    assert (workspace.path / "exports" / "hr.csv").exists()

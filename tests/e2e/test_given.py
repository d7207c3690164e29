"""What an export gives is held as what it takes: nothing is uploaded, exit 3."""

import pytest
from terminal import Workspace, row, rows


def last_night(workspace: Workspace) -> list[str]:
    """Twelve accounts were accepted, the last three of them closed; one is the administrator."""
    lines = [row(1, "Base; Approver"), *(row(number, "Base") for number in range(2, 10))]
    lines += [row(number, "Base", state="SUSPENDED") for number in range(10, 13)]
    workspace.export(*lines)
    assert workspace.run("sync", "hr").code == 0
    return lines


def shifted(lines: list[str]) -> list[str]:
    """The e-mail column one row further down."""
    cells = [line.split(",") for line in lines]
    emails = [one[1] for one in cells]
    moved = [emails[-1], *emails[:-1]]
    return [",".join([one[0], email, *one[2:]]) for one, email in zip(cells, moved, strict=True)]


LIES = {
    "everyone gets the one approver's role": (
        lambda lines: [line.replace("Base", "Base; Approver") for line in lines],
        "per_entitlement.max_added: 11 beside 10 holders of an entitlement, allowed 5 (50%)",
    ),
    "the status column is filled": (
        lambda lines: [line.replace("SUSPENDED", "ACTIVE") for line in lines],
        "max_activated_accounts: 3 of 9 accounts that could log in, allowed 1 (5%)",
    ),
    "the e-mail column is shifted": (
        shifted,
        "max_swapped_emails: 12 of 12 addresses and names, allowed 0 (0)",
    ),
    "another app's accounts are appended": (
        lambda lines: [*lines, *rows(30)[12:]],
        "max_added_accounts: 18 beside 12, allowed 3 (25%)",
    ),
    "the names are blank": (
        lambda lines: [
            ",".join(cell if at not in (2, 3) else "" for at, cell in enumerate(line.split(",")))
            for line in lines
        ],
        "max_blanked_fields: 9 of 9 values of family_name, allowed 1 (20%)",
    ),
    "the approver's role goes to another and two lose theirs": (
        lambda lines: [
            lines[0].replace("Base; Approver", ""),
            *(line.replace("Base", "") for line in lines[1:]),
        ],
        "max_emptied_entitlements: 1 of 2, allowed 0 (0)",
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_held_and_nothing_is_uploaded(workspace: Workspace, name: str):
    tell, line = LIES[name]
    lines = last_night(workspace)
    held = workspace.accounts()
    workspace.export(*tell(lines))
    said = workspace.run("sync", "hr")
    assert said.code == 3
    assert line in said.out
    assert workspace.accounts() == held


def test_ids_go_to_no_pipe_but_into_the_document_that_was_asked_for(workspace: Workspace):
    lines = last_night(workspace)
    workspace.export(*LIES["the status column is filled"][0](lines))
    for words in (("sync", "hr"), ("preview", "hr"), ("preview", "hr", "--markdown")):
        said = workspace.run(*words)
        assert "a0010" not in said.out + said.err
    document = workspace.run("preview", "hr", "--json").document
    told, of_closed = [one for one in document["guards"] if one["is_broken"]]
    assert (of_closed["guard"], of_closed["found"]) == ("max_activated_accounts", 3)
    assert (told["guard"], told["found"], told["base"], told["allowed"]) == (
        *("max_activated_accounts", 3, 9),
        1,
    )
    assert told["ids"] == ["a0010", "a0011", "a0012"]
    assert "a0010" not in workspace.run("runs", "--json").out


def test_an_id_in_another_spelling_is_shown_beside_the_one_that_is_gone(workspace: Workspace):
    lines = last_night(workspace)
    workspace.export(lines[0].replace("a0001", "A0001"), *lines[1:])
    said = workspace.run("preview", "hr", "--json")
    assert said.code == 3
    assert said.document["lookalikes"] == [{"removed": "a0001", "added": "A0001", "alike": "id"}]


def test_what_is_announced_goes_through(workspace: Workspace):
    lines = last_night(workspace)
    workspace.export(*[line.replace("@example.com", "@new.example") for line in lines])
    assert workspace.run("sync", "hr").code == 3
    usual = (workspace.path / "sources" / "hr.yaml").read_text("utf-8")
    workspace.source(f"{usual}guards: {{max_changed_emails: 100%}}\n")
    assert workspace.run("sync", "hr").code == 0
    workspace.source(usual)
    first = lines[0].replace("user1@example.com", "married@new.example")
    rest = [line.replace("@example.com", "@new.example") for line in lines[1:]]
    workspace.export(first, *rest)
    assert workspace.run("sync", "hr").code == 0

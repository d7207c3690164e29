"""`why`: an account's history for the person who asks, and nobody's data for a log."""

from terminal import SOURCE, Workspace, at_a_terminal, rows

CANARY = "p0003-canary"


def nights(workspace: Workspace) -> list[str]:
    """Three accepted runs; the account's status cannot be read in the last. Their ids."""
    workspace.source(SOURCE + "guards: {max_rejected_rows: 50%}\n")
    usual = rows(12)
    for line in (
        f"{CANARY},canary@example.com,C,Anary,ACTIVE,Ops,Reader",
        f"{CANARY},canary@example.com,C,Anary,SUSPENDED,Ops,Reader;Secret role",
        f"{CANARY},canary@example.com,C,Anary,Let go,Ops,Secret role",
    ):
        workspace.export(*usual, line)
        assert workspace.run("sync", "hr").code == 0
    return [run["run_id"] for run in reversed(workspace.run("runs", "hr", "--json").document)]


def test_an_account_is_told_of_to_a_person_and_to_nobody_else(workspace: Workspace):
    first, second, third = nights(workspace)
    told = at_a_terminal(workspace, "why", "hr", "Canary@example.com")
    for words in (
        f"hr: account {CANARY}, oldest first",
        "came, exports/hr.csv:14 email: canary@example.com",
        "changed, exports/hr.csv:14 user_status: ACTIVE → SUSPENDED",
        "+ Secret role",
        "- Reader",
        f"its row cannot be read, by run {third[17:]}",
        "exports/hr.csv:14: user_status has no mapping to a status: 'Let go'",
        "holds Secret role",
    ):
        assert words in told
    plain = workspace.run("why", "hr", CANARY)
    assert plain.code == 0
    assert "user_status: ACTIVE → SUSPENDED" in plain.out
    for private in ("canary", "Secret role", "Let go", "Ops"):
        assert private not in plain.out + plain.err
    told = workspace.run("why", "hr", CANARY, "--json").document
    assert [event["run_id"] for event in told["events"]] == [first, second, third]
    assert told["events"][1]["changes"]["user_status"] == {"before": "ACTIVE", "after": "SUSPENDED"}
    assert told["is_kept"]
    assert [one["label"] for one in told["now"]["permissions"]] == ["Secret role"]


def test_whom_nobody_knows_is_one_line(workspace: Workspace):
    workspace.source()
    said = workspace.run("why", "hr", CANARY)
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "no run of hr was accepted yet: lumos-ingest sync hr" in said.err
    workspace.export(*rows(12))
    workspace.run("sync", "hr")
    said = workspace.run("why", "hr", CANARY)
    assert (said.code, said.err.count("\n"), said.out) == (2, 1, "")
    assert CANARY not in said.err

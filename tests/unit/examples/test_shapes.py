"""The examples of exports as real systems write them: each is read as its source file says."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors.read import read_source
from schemas.snapshot import associations_of, empty_snapshot
from schemas.source_file.file import to_source
from transforms.snapshot.snapshot import Normalized, to_snapshot

ROOT = Path(__file__).parents[3]
SHAPES = ROOT / "examples" / "shapes"
NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
LINES = 25

A, S, D, G = "ACTIVE", "SUSPENDED", "DEPROVISIONED", "STAGED"
EXPECTED = {
    "adp": ({"AX01": A, "AX02": D, "AX03": S}, "", 2),
    "aws_iam": (
        dict.fromkeys(("batch", "lena"), A) | {"milo": S},
        "batch+access_key_1_active lena+access_key_1_active lena+mfa_active lena+password_enabled",
        1,
    ),
    "bamboohr": ({"00017": A, "00018": A, "00019": D, "00020": S}, "", 0),
    "contractors": ({"00071": A, "00072": D, "01203": A}, "00071+Git 00071+VPN 00072+VPN", 0),
    "entra_id": (
        {"8b1f": A, "8b20": A, "8b21": S},
        (
            "8b1f+Helpdesk_Administrator 8b1f+Reports_Reader 8b1f+licence:M365_E5 "
            "8b20+licence:M365_E3 8b20+licence:VISIO"
        ),
        0,
    ),
    "erp_matrix": (
        {"abecker": A, "cmueller": A, "dfranz": S},
        "abecker+Buyer abecker+Ledger cmueller+Approver cmueller+Buyer dfranz+Ledger",
        0,
    ),
    "excel_dates": ({"L-1": A, "L-2": S, "L-3": A}, "", 0),
    "github": (
        {"10451": A, "10452": A, "10460": A},
        "10451+tern-core:Owner 10451+tern-web:Member 10452+tern-web:Member",
        0,
    ),
    "google_workspace": (
        {
            "greta.nyman@tern.example": A,
            "omar.said@tern.example": A,
            "vera.kunz@tern.example": S,
        },
        "greta.nyman@tern.example+Super_Admin",
        0,
    ),
    "jira": (
        {"5f1a": A, "5f1b": A, "5f1c": D},
        "5f1a+product:Confluence_-_tern 5f1a+product:Jira_-_tern 5f1b+product:Jira_-_tern",
        0,
    ),
    "mysql_outfile": ({"1": A, "2": A, "3": S}, "", 0),
    "odoo": (
        {"7": A, "8": S},
        (
            "7+Accounting_/_Billing 7+Inventory_/_User 7+Sales_/_User 7+company:Tern_GmbH "
            "7+company:Tern_SA 8+company:Tern_SA"
        ),
        0,
    ),
    "okta": (
        {"00u1": A, "00u2": A, "00u3": G, "00u4": D},
        "00u1+Finance 00u1+VPN 00u2+VPN",
        0,
    ),
    "postgres_copy": ({"41": A, "42": S, "43": D}, "41+clerk 41+refunds 43+clerk", 0),
    "regions": ({"N-001": A, "N-002": S, "S-001": A}, "", 0),
    "salesforce": (
        {"0055e01": A, "0055e02": A, "0055e03": S},
        "0055e01+Forecast_Viewer 0055e01+Quote_Approver 0055e02+Forecast_Viewer",
        3,
    ),
    "sap": (
        {"BATCH01": A, "KEMPF": A, "ROSSI": S, "VOGEL": D},
        "BATCH01+Z_BATCH KEMPF+Z_FI_CLERK KEMPF+Z_MM_DISPLAY VOGEL+Z_FI_CLERK",
        0,
    ),
    "slack": ({"U01": A, "U02": A, "U03": D, "U05": G}, "U01+Owner U02+Member", 1),
    "two_systems": ({"0101": A, "0102": S, "0103": D}, "0101+LAB-2 0101+LOBBY 0102+LOBBY", 0),
    "workday": ({"100231": A, "100232": A, "100233": D, "100234": G}, "", 2),
}
"""By example: the statuses by id, what is held by whom, and how many rows are none."""


def read(name: str, folder: Path) -> Normalized:
    """What becomes of the example's exports, on a day when they are a day old."""
    shutil.copytree(SHAPES / name, folder, dirs_exist_ok=True)
    for path in (folder / "exports").iterdir():
        os.utime(path, (NOW.timestamp() - 86_400,) * 2)
    path = folder / "sources" / f"{name}.yaml"
    file = to_source(path.read_text("utf-8"), name, path.name).file
    return to_snapshot(read_source(file.source, folder, now=NOW), file, empty_snapshot(), NOW)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_example_is_read_as_its_system_means_it(name, tmp_path: Path) -> None:
    made = read(name, tmp_path)
    statuses, held, dropped = EXPECTED[name]
    assert made.rejects.is_empty()
    accounts = made.snapshot.accounts
    short = [one.rpartition("user/")[2] for one in accounts["integration_specific_id"]]
    assert dict(zip(short, accounts["user_status"], strict=True)) == statuses
    pairs = [
        f"{account.rpartition('user/')[2]}+{entitlement}".replace(" ", "_")
        for account, entitlement, _ in associations_of(made.snapshot).rows()
    ]
    assert pairs == held.split()
    assert made.counts["accounts"].dropped == dropped
    assert accounts["email"].null_count() == 0


def test_every_example_is_short_and_listed() -> None:
    folders = [folder.name for folder in SHAPES.iterdir()]
    there = sorted(name for name in folders if not name.startswith("activity-"))
    assert there == sorted(EXPECTED)
    page = (ROOT / "docs" / "shapes.md").read_text("utf-8")
    for name in there:
        text = (SHAPES / name / "sources" / f"{name}.yaml").read_text("utf-8")
        assert len(text.splitlines()) <= LINES, name
        assert f"(../examples/shapes/{name}/sources/{name}.yaml)" in page, name


def test_a_note_with_escapes_is_whole(tmp_path: Path) -> None:
    notes = read("mysql_outfile", tmp_path).snapshot.accounts["Note"].to_list()
    assert notes == ["knows C:\\temp and\ttabs", None, "first line\nsecond line"]


def test_times_of_a_database_and_of_a_spreadsheet_are_read(tmp_path: Path) -> None:
    made = read("postgres_copy", tmp_path / "a").snapshot.accounts
    assert made["last_login"].to_list()[1] == datetime(2026, 5, 1, 8, tzinfo=UTC)
    assert made["last_activity"].to_list()[0] == datetime(2026, 6, 30, 3, 4, 5, 250_000, UTC)
    learners = read("excel_dates", tmp_path / "b").snapshot.accounts
    assert learners["last_login"].to_list()[0] == datetime(2026, 6, 30, 11, tzinfo=UTC)
    assert learners["family_name"].to_list() == ["Pell", "Quint", "St. Clair"]

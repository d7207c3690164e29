"""Statuses and account types: Lumos's words in any case, the file's own, and nothing else."""

import pytest

from schemas.statuses import CAN_LOG_IN, GONE, UPLOAD_STATUSES
from tests.unit.builders import account, normalized, reasons, source_file

UNMAPPED = [("user_status", "has no mapping to a status")]
MAPPED = source_file(
    "columns: {user_status: {column: s,\n"
    "  values: {A: ACTIVE, 00: DEPROVISIONED, INACTIVE: archived}}}\n"
)


def status_of(written: str, file=None, column: str = "user_status") -> str | None:
    made = normalized([account("a", **{column: written})], file)
    statuses = made.snapshot.accounts["user_status"].to_list()
    if not statuses:
        assert reasons(made) == UNMAPPED
        assert made.rejects["value"].to_list() == [written]
    return statuses[0] if statuses else None


@pytest.mark.parametrize("status", UPLOAD_STATUSES)
def test_an_upload_status_is_itself_in_any_case(status) -> None:
    assert {status_of(one) for one in (status, status.lower(), f" {status.title()} ")} == {status}


@pytest.mark.parametrize(
    ("written", "status"),
    [("INACTIVE", "SUSPENDED"), ("pending", "STAGED"), ("Deleted", "DEPROVISIONED")],
)
def test_a_connector_status_becomes_an_upload_status(written, status) -> None:
    assert status_of(written) == status


@pytest.mark.parametrize(
    "written", ["", "  ", "A", "enabled", "1", "true", "ACTIVE!", "ACTIV", "0"]
)
def test_a_value_without_a_mapping_is_a_reject(written) -> None:
    assert status_of(written) is None


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("A", "ACTIVE"),
        (" A ", "ACTIVE"),
        ("00", "DEPROVISIONED"),
        ("INACTIVE", "ARCHIVED"),
        ("deleted", "DEPROVISIONED"),
        ("0", None),
        ("a", "ACTIVE"),
        ("", None),
    ],
)
def test_the_files_own_words_come_first(written, status) -> None:
    assert status_of(written, MAPPED, "s") == status


def test_a_blank_may_be_mapped() -> None:
    file = source_file("columns: {user_status: {column: s, values: {'': suspended}}}\n")
    assert status_of("  ", file, "s") == "SUSPENDED"


def test_only_a_source_without_any_status_column_means_active() -> None:
    row = {"integration_specific_id": "a", "email": "a@example.com"}
    made = normalized([row])
    assert made.snapshot.accounts["user_status"].to_list() == ["ACTIVE"]


def test_a_constant_is_for_every_row() -> None:
    file = source_file("columns: {user_status: {constant: inactive}}\n")
    assert status_of("ACTIVE", file) == "SUSPENDED"


@pytest.mark.parametrize(
    ("written", "kind"),
    [("user", "user"), ("SERVICE", "service"), (" User ", "user"), ("bot", "service"), ("", None)],
)
def test_an_account_type_is_one_of_two(written, kind) -> None:
    file = source_file("columns: {account_type: {column: t, values: {bot: service}}}\n")
    made = normalized([account("a", t=written)], file)
    assert made.snapshot.accounts["account_type"].to_list() == [kind]


@pytest.mark.parametrize("written", ["robot", "users"])
def test_an_account_type_without_a_mapping_is_a_reject(written) -> None:
    file = source_file("columns: {account_type: {column: t, values: {bot: service}}}\n")
    made = normalized([account("a", t=written)], file)
    assert reasons(made) == [("account_type", "has no mapping to user or service")]


def test_a_status_of_a_working_account_is_none_of_one_that_is_gone() -> None:
    assert not set(CAN_LOG_IN) & set(GONE)
    assert set(CAN_LOG_IN) | set(GONE) == set(UPLOAD_STATUSES) - {"SUSPENDED"}

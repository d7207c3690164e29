"""What no rule refuses and a person should know: cut cells, joined names, roles called NULL."""

import pytest

from schemas.errors import SourceFormatError
from schemas.source_file.file import to_source
from tests.unit.builders import account, entitlement, normalized, snapshot, source_file

ROLES = source_file("entitlements: [{type: Role, column: roles}]\nattributes: {Note: note}\n")


def people(*roles: str, note: str = "") -> list[dict[str, str]]:
    return [account(str(n), roles=role, note=note) for n, role in enumerate(roles)]


@pytest.mark.parametrize("cut", [255, 2000, 4000])
def test_entitlements_whose_cells_are_cut_off_are_refused(cut) -> None:
    whole = people("a;b", "a", *["x" * (cut - 1)] * 2)
    assert normalized(whole, ROLES).warnings == ()
    short = people("a;b", "a", "x" * cut)
    with pytest.raises(SourceFormatError, match=f"'roles'.*cut off at {cut} characters"):
        normalized(short, ROLES)
    with pytest.raises(SourceFormatError, match="cut off"):
        normalized(people("a", "b", "\u00e9" * cut), ROLES)


def test_a_cell_of_that_length_among_longer_or_many_others_is_not_cut() -> None:
    assert normalized(people("a", "x" * 255, "x" * 256), ROLES).warnings == ()
    assert normalized(people("a", "b", "c", "x" * 255), ROLES).warnings == ()


def test_attributes_that_are_cut_off_are_told() -> None:
    made = normalized(people("a", "b", note="y" * 2000), ROLES)
    assert made.warnings == ("accounts.csv: the column 'note' looks cut off at 2000 characters",)
    assert made.counts["accounts"].accepted == 2


@pytest.mark.parametrize("name", ["NULL", "N/A", "#N/A", "None"])
def test_a_role_that_is_called_nothing_is_told(name) -> None:
    (warning,) = normalized(people("a", f"b;{name}"), ROLES).warnings
    assert warning.startswith(f"an entitlement is called {name!r}")
    (warning,) = normalized([account("a")], entitlements=[entitlement("7", label=name)]).warnings
    assert warning.startswith(f"an entitlement is called {name!r}")


@pytest.mark.parametrize("between", [",", "|", "/", " ", " , "])
def test_a_new_entitlement_that_is_two_known_ones_joined_is_told(between) -> None:
    last = snapshot(people("Base", "Admin"), ROLES)
    joined = f"Base{between}Admin"
    made = normalized(people("Base", joined), ROLES, last)
    (warning,) = made.warnings
    assert warning.startswith("1 entitlements that were never seen before are known ones joined: ")
    assert repr(joined) in warning
    assert normalized(people("Base", joined), ROLES, made.snapshot).warnings == ()
    assert normalized(people("Base", f"Base{between}Other"), ROLES, last).warnings == ()


@pytest.mark.parametrize(
    "column",
    [
        "password", "Passwd", "PWD", "userPassword", "unicodePwd", "user_password_hash", "token",
        "access-token", "API Key", "apiKey", "client.secret", "NTLM hash", "nt_hash", "privateKey",
    ],
)  # fmt: skip
def test_a_column_that_is_called_like_a_secret_never_becomes_an_attribute(column) -> None:
    row = account("a") | {column: "x"}
    with pytest.raises(SourceFormatError, match="called like a secret"):
        normalized([row], source_file("unknown_columns: attribute\n"))
    assert normalized([row]).snapshot.attribute_labels == []
    named = source_file(f"attributes: {{X: '{column}'}}\nunknown_columns: attribute\n")
    assert normalized([row], named).snapshot.attribute_labels == ["X"]


@pytest.mark.parametrize(
    "column",
    ["pwdLastSet", "password_changed_at", "secretary", "has_password", "isSecret", "tokens_used"],
)
def test_a_column_that_only_speaks_of_secrets_is_an_attribute(column) -> None:
    file = source_file("unknown_columns: attribute\n")
    made = normalized([account("a") | {column: "x"}], file)
    assert made.snapshot.attribute_labels == [column]


def test_words_of_statuses_without_a_mapping_are_told_with_how_often() -> None:
    words = ["true"] * 3 + ["on leave"] * 2 + ["Ann Lee", "x@example.com", "x@example.com"]
    rows = [account(str(n), user_status=word) for n, word in enumerate(words)]
    (warning,) = normalized(rows).warnings
    assert warning == (
        "accounts.csv: user_status: 8 without a mapping to a status: 'true' (3), 'on leave' (2), "
        "2 other words; map them under columns.user_status.values"
    )


def told_words(words: list[str], **cells: list[str]) -> str:
    """What is said of the words of a status, in accounts whose other cells are those."""
    rows = [
        account(str(n), user_status=word, **{name: of[n] for name, of in cells.items()})
        for n, word in enumerate(words)
    ]
    (warning,) = normalized(rows).warnings
    return warning.partition("status: ")[2].partition("; map")[0].rpartition(": ")[2]


def test_words_of_which_there_are_many_are_no_vocabulary_and_may_be_names() -> None:
    surnames = ["Quill", "Marsh", "Holt", "Rowe", "Dunn", "Pike"]
    assert told_words(surnames * 9) == "6 different words"
    assert told_words(["Quill", "Quill", "Marsh", "Holt"]) == "3 different words"


def test_a_word_that_is_part_of_somebodys_name_or_address_is_not_told() -> None:
    words = ["Quill"] * 3 + ["x"] * 3
    assert told_words(words, family_name=["QUILL"] * 6) == "'x' (3), 1 other word"
    emails = [f"{n}.quill@example.com" for n in range(6)]
    assert told_words(words, email=emails) == "'x' (3), 1 other word"
    emails = [f"{n}tranquilla@example.com" for n in range(6)]
    assert told_words(words, email=emails) == "'Quill' (3), 'x' (3)"


def test_in_the_long_form_no_column_of_the_associations_is_called_left_out() -> None:
    more = (
        "association_columns:\n  account_id: integration_specific_id\n"
        "  integration_specific_entitlement_id: role\n"
    )
    rows = [account("a", role="Base"), account("a", role="Admin"), account("b", role="")]
    file = to_source(
        "app: {name: X}\nsource: {kind: csv, accounts: a.csv, associations: a.csv}\n" + more,
        "x", "sources/x.yaml",
    ).file  # fmt: skip
    made = normalized(rows, file, associations=rows)
    assert made.warnings == ()
    assert made.snapshot.grants.height == 2

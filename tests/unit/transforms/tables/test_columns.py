"""Columns: which of a source's columns become what, and what is said of the others."""

import pytest

from schemas.errors import SourceFormatError
from tests.unit.builders import account, ids, normalized, reasons, source_file


def cells(made) -> dict[str, object]:
    """The first account, without what is null."""
    return {
        name: value for name, value in made.snapshot.accounts.row(0, named=True).items() if value
    }


def test_a_mapped_column_becomes_its_field_and_others_are_left_out_with_a_warning() -> None:
    file = source_file("columns: {integration_specific_id: no, email: mail}\n")
    made = normalized([{"no": "00012", "mail": "a@example.com", "shoe": "43", "hat": "L"}], file)

    assert cells(made) == {
        "integration_specific_id": "00012",
        "email": "a@example.com",
        "user_status": "ACTIVE",
    }
    assert made.warnings == (
        "accounts.csv: columns that the source file does not name are left out: 'shoe', 'hat'",
    )


def test_a_field_not_named_is_read_from_the_column_of_its_own_name() -> None:
    made = normalized([account("a", given_name="Ann", username="ann")])
    assert cells(made)["given_name"] == "Ann"
    assert cells(made)["username"] == "ann"
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("columns: {email: emal}", "no column 'emal', wanted for email; did you mean 'email'?"),
        ("columns: {integration_specific_id: xyz}", "no column 'xyz', wanted for integration"),
        ("columns: {last_login: seen}", "no column 'seen', wanted for last_login; it has"),
        ("attributes: {Cost: cost}", "no column 'cost', wanted for Cost"),
        ("entitlements: [{type: Role, column: roles}]", "wanted for entitlements of type Role"),
    ],
)
def test_a_column_that_is_not_there_is_an_error(more, said) -> None:
    with pytest.raises(SourceFormatError) as caught:
        normalized([account("a")], source_file(more + "\n"))
    assert str(caught.value).startswith("accounts.csv: no column ")
    assert said in str(caught.value)


def test_without_an_id_column_nothing_is_read() -> None:
    with pytest.raises(SourceFormatError, match="no column 'integration_specific_id'"):
        normalized([{"email": "a@example.com"}])


def test_unknown_columns_may_be_refused() -> None:
    file = source_file("unknown_columns: refuse\n")
    with pytest.raises(SourceFormatError, match="does not name: 'shoe'; name them under"):
        normalized([account("a", shoe="43")], file)
    assert ids(normalized([account("a")], file).snapshot) == ["a"]


def test_unknown_columns_may_become_attributes() -> None:
    file = source_file("unknown_columns: attribute\nattributes: {Cost: cost}\n")
    made = normalized([account("a", cost="7", **{"Shoe size": " 43 "}, hat="")], file)
    assert made.snapshot.attribute_labels == ["Cost", "Shoe size", "hat"]
    assert made.snapshot.accounts.select("Cost", "Shoe size", "hat").row(0) == ("7", "43", None)
    assert made.warnings == ()


def test_an_unknown_column_that_cannot_become_an_attribute_is_said() -> None:
    file = source_file("unknown_columns: attribute\ncolumns: {email: mail}\n")
    made = normalized([account("a", mail="b@example.com", **{"*": "x", "^a$": "y"})], file)
    assert cells(made)["email"] == "b@example.com"
    assert made.snapshot.attribute_labels == []
    assert made.warnings[0].endswith("are left out: 'email', '*', '^a$'")


def test_a_constant_fills_every_row() -> None:
    file = source_file("attributes: {Region: {constant: EU}}\n")
    made = normalized([account("a"), account("b")], file)
    assert made.snapshot.accounts["Region"].to_list() == ["EU", "EU"]


@pytest.mark.parametrize("written", ["00012", " 12 ", "12", "1.0", "a\u00a0", "İ", "%|", "NULL"])
def test_an_id_stays_as_it_is(written) -> None:
    assert ids(normalized([account(written)]).snapshot) == [written]


@pytest.mark.parametrize("written", ["", " ", "\u00a0"])
def test_an_id_of_spaces_is_blank(written) -> None:
    made = normalized([account(written)])
    assert reasons(made) == [("integration_specific_id", "is blank")]
    assert made.rejects["key"].to_list() == [None]


def test_text_is_trimmed_and_an_empty_one_is_absent() -> None:
    made = normalized([account("a", email=" a@example.com\t", given_name=" ", family_name=" Li ")])
    assert cells(made)["email"] == "a@example.com"
    assert made.snapshot.accounts.select("given_name", "family_name").row(0) == (None, "Li")


def test_a_label_may_be_any_text() -> None:
    labels = ["cell of roles", "account", "Email", "source row", "Kosten ; é", "row", "key"]
    lines = "".join(f"  '{label}': x\n" for label in labels)
    file = source_file(f"entitlements: [{{type: Role, column: roles}}]\nattributes:\n{lines}")
    made = normalized([account("a", x="1", roles="r")], file)
    assert made.snapshot.attribute_labels == sorted(labels)

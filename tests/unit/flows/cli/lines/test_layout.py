"""Tables and paragraphs in 80 columns: no word is broken that fits."""

import pytest

from flows.cli.lines.layout import table_lines, wrapped

GUARDS = [
    ("max_deactivated_accounts", 1, "53 accounts that could log in", 5, "10%"),
    ("per_entitlement.max_removed", 1, "10 holders of an entitlement", 5, "50%"),
]
HEADING = ("guard", "counted", "of", "allowed", "limit")


@pytest.mark.parametrize("width", [40, 60, 72, 80])
def test_no_word_of_a_table_is_broken_while_the_words_fit(width: int) -> None:
    columns, rows = (HEADING, GUARDS) if width >= 72 else (HEADING[:3], [one[:3] for one in GUARDS])
    lines = table_lines(columns, rows, width if width > 40 else 50)
    whole = {word for row in (columns, *rows) for cell in row for word in str(cell).split()}
    assert {word for line in lines for word in line.split()} == whole
    assert max(map(len, lines)) <= max(width, 50)


def test_a_word_that_cannot_fit_is_broken_before_a_heading_is() -> None:
    lines = table_lines(("rows", "the first of them"), [(1, "x" * 100)], 40)
    assert max(map(len, lines)) <= 40
    assert "first" in lines[0]
    assert "".join(line.split()[-1] for line in lines[1:]).count("x") == 100


def test_without_a_width_a_row_is_a_line_and_has_no_blank_at_its_end() -> None:
    lines = table_lines(("name", "what"), [("a", "word " * 60), ("bb", None)], None)
    assert lines == ["name  what", f"a     {'word ' * 60}".rstrip(), "bb"]


def test_numbers_stand_to_the_right() -> None:
    assert table_lines(("n", "x"), [(5, "a"), (None, "b"), (1234, "c")], 80) == [
        "   n  x",
        "   5  a",
        "      b",
        "1234  c",
    ]


def test_a_cell_of_several_lines_keeps_them() -> None:
    assert table_lines(("a", "b"), [("x", "1\n2")], 80) == ["a  b", "x  1", "   2"]


def test_a_paragraph_is_wrapped_at_words_and_indented_after_its_first_line() -> None:
    text = "  note: " + "word " * 30 + "https://" + "x" * 90
    lines = wrapped(text, 80)
    assert lines[0].startswith("  note: word")
    assert all(line.startswith("    ") for line in lines[1:])
    assert [line for line in lines if len(line) > 80] == [f"    https://{'x' * 90}"]
    assert wrapped(text, None) == [text]

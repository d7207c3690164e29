"""YAML as a person meant it: text stays text, every key has its line, nothing is made up."""

import pytest

from schemas.errors import ConfigError
from schemas.source_file.file import to_source
from schemas.source_file.yaml_lines import to_yaml_document

NAME = "sources/x.yaml"


def content(text: str):
    return to_yaml_document(text, NAME).content


def test_every_scalar_stays_the_text_it_is() -> None:
    text = "{a: 00012, b: no, c: 1.10, d: 2024-01-02, e: '', f: 0x1F, g: 1_000, h: 'null', 007: x}"
    assert content(text) == {
        "a": "00012",
        "b": "no",
        "c": "1.10",
        "d": "2024-01-02",
        "e": "",
        "f": "0x1F",
        "g": "1_000",
        "h": "null",
        "007": "x",
    }


@pytest.mark.parametrize("text", ["a:", "a: ~", "a: null", "a: # nothing"])
def test_nothing_is_none(text) -> None:
    assert content(text) == {"a": None}


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n"])
def test_an_empty_file_holds_nothing(text) -> None:
    assert content(text) is None


def test_keys_and_items_know_their_line() -> None:
    document = to_yaml_document("a:\n  b: 1\n  c:\n    - x\n    - d: 2\n", NAME)
    assert document.content == {"a": {"b": "1", "c": ["x", {"d": "2"}]}}
    assert document.line_of(("a", "b")) == 2
    assert document.line_of(("a", "c", 1, "d")) == 5
    assert document.line_of(("a", "c", 7, "e")) == 3
    assert document.line_of(("nowhere",)) == 1


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands here twice"),
        ("a:\n  b: 1\n  b: 1\n", 3, "the key 'b' stands here twice"),
        ("a: 1\nb: &x 2\n", 2, "anchors and aliases"),
        ("a: &x 1\nb: *x\n", 1, "anchors and aliases"),
        ("a: 1\nb: *x\n", 2, "anchors and aliases"),
        ("a: 1\n<<: *x\n", 2, "anchors and aliases"),
        ('a: 1\nb: "\\ud83d\\ude00"\n', 2, "half a character: write the character itself"),
        ('a: 1\n"\\udfff": 1\n', 2, "half a character"),
        ("a: 1\nb: !env X\n", 2, "the tag !env is not allowed"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "is not allowed"),
        ("a: 1\nb: !!int 3\n", 2, "is not allowed"),
        ("a: 1\nb: \x00\n", 2, "a character that YAML does not allow"),
        ("a: 1\n? [b]\n: 2\n", 2, "a key must be plain text"),
        ("a: 1\nb: [2\n", 3, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: 1\n---\nb: 2\n", 2, "not valid YAML"),
        ("[" * 5000 + "]" * 5000, 1, "nested too deep"),
    ],
)
def test_what_cannot_be_taken_as_it_stands_is_named_by_its_line(text, line, reason) -> None:
    with pytest.raises(ConfigError) as caught:
        to_yaml_document(text, NAME)
    assert str(caught.value).startswith(f"sources/x.yaml:{line}: ")
    assert reason in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("text", ["", "- app\n", "app\n"])
def test_a_file_that_is_no_mapping_is_no_source_file(text) -> None:
    with pytest.raises(ConfigError, match=r"^sources/x.yaml:1: a source file has the keys app"):
        to_source(text, "x", NAME)

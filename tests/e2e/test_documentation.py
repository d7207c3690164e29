"""What is documented is what there is: every command, option, key, and exit code."""

import json
import re
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from terminal import SOURCE, typed

from flows.cli.main import app
from schemas.errors import ConfigError, GuardError, IngestError
from schemas.source_file.file import SourceFile, to_source

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = {one.callback.__name__.replace("_", "-") for one in app.registered_commands}


def options_of(command: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", typed(command, "--help").out)) - {"--help"}


def test_every_command_and_option_is_in_the_reference():
    reference = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for command in COMMANDS:
        [section] = re.findall(
            rf"^## {command}$(.*?)(?=^## |\Z)", reference, re.MULTILINE | re.DOTALL
        )
        assert options_of(command) == set(re.findall(r"`(--[a-z][a-z-]+)", section)), command


def test_every_command_takes_a_workspace_and_json():
    for command in COMMANDS:
        assert {"--workspace", "--json"} <= options_of(command), command


def test_every_command_that_a_page_types_exists():
    typed_words = {
        word
        for page in PAGES
        for word in re.findall(r"lumos-ingest ([a-z]+(?:-[a-z]+)*)\b", page.read_text("utf-8"))
    }
    assert typed_words == COMMANDS


def test_the_reference_of_the_source_file_is_what_the_models_say():
    sys.path.insert(0, str(ROOT / "docs"))
    from source_file_reference import to_text

    assert (ROOT / "docs" / "source-file.md").read_text("utf-8") == to_text(), "type: make docs"


def test_every_example_of_a_source_file_is_one():
    schema = json.loads(typed("schema").out)
    texts = [path.read_text("utf-8") for path in (ROOT / "examples" / "sources").iterdir()]
    texts += re.findall(
        r"<<'END'\n(app:.*?)\nEND\n", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
    )
    assert len(texts) >= 4
    for text in [*texts, SOURCE]:
        to_source(text, "example", "example.yaml")
        jsonschema.validate(yaml.safe_load(text), schema)


def test_the_json_schema_refuses_a_key_that_is_none():
    schema = json.loads(typed("schema").out)
    wrong = yaml.safe_load(SOURCE.replace("columns:", "colums:"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_what_a_page_or_a_message_says_to_install_is_in_the_checkout():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extras = set(project["project"]["optional-dependencies"])
    rooms = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    code = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    named = set()
    for path in [*PAGES, ROOT / "CONTRIBUTING.md", *code]:
        text = path.read_text("utf-8")
        assert not re.search(r"lumos-ingest\[|pip install '?lumos", text), f"{path}: not published"
        named |= set(re.findall(r"'\.\[(\w+)\]'", text))
        named |= set(re.findall(r"install_extra\(['\"](\w+)", text))
    assert {"mysql", "kerberos", "sftp"} <= named <= extras


def test_the_workspace_of_the_guide_is_no_part_of_the_repository():
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    [made] = re.findall(r"mkdir -p (\w+)/sources", (ROOT / "README.md").read_text("utf-8"))
    assert f"{made}/" in ignored


def test_every_link_between_pages_leads_somewhere():
    for page in [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_exit_codes_are_those_of_the_readme():
    assert (IngestError.exit_code, ConfigError.exit_code, GuardError.exit_code) == (1, 2, 3)


def test_the_version_stands_in_one_place():
    from importlib.metadata import version

    said = typed("--version").out.split()[-1]
    assert said == version("lumos-ingest")
    assert f'version = "{said}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_every_key_of_the_model_has_a_line_in_the_reference():
    text = (ROOT / "docs" / "source-file.md").read_text("utf-8")
    for name in SourceFile.model_fields:
        assert f"| `{name}` |" in text


def test_the_table_of_the_guards_is_what_the_guards_say():
    sys.path.insert(0, str(ROOT / "docs"))
    from guards_table import to_page

    assert (ROOT / "docs" / "guards.md").read_text("utf-8") == to_page(), "type: make docs"


def test_the_tree_of_the_rooms_is_what_the_modules_say():
    sys.path.insert(0, str(ROOT / "docs"))
    from architecture_tree import to_page

    assert (ROOT / "docs" / "architecture.md").read_text("utf-8") == to_page(), "type: make docs"

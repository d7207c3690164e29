"""What others import: the names that are documented, each loaded where it is asked for."""

import re
import subprocess
import sys
from inspect import getdoc
from pathlib import Path

import pytest

import lumos_ingest
from schemas import errors

GUIDE = Path(__file__).parents[3] / "docs" / "own-flows.md"


def documented_names() -> set[str]:
    """The names in the first column of the guide's last table."""
    table = GUIDE.read_text("utf-8").partition("## What `lumos_ingest` has")[2]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)", row)}


def test_the_names_are_those_that_are_documented():
    assert set(lumos_ingest.__all__) == documented_names()
    assert sorted(lumos_ingest.__all__) == lumos_ingest.__all__
    assert dir(lumos_ingest) == lumos_ingest.__all__


@pytest.mark.parametrize("name", lumos_ingest.__all__)
def test_each_name_is_there_and_says_what_it_is(name: str):
    assert getdoc(getattr(lumos_ingest, name))


def test_every_error_that_a_person_can_cause_is_among_them():
    ours = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.IngestError)
    }
    assert {name for name in lumos_ingest.__all__ if name.endswith("Error")} == ours


def test_another_name_is_none():
    with pytest.raises(AttributeError, match="no attribute 'sync_source'"):
        lumos_ingest.sync_source  # noqa: B018 - to be asked for is enough


@pytest.mark.parametrize(
    ("statement", "loaded"),
    [
        ("import lumos_ingest", set()),
        ("from lumos_ingest import IngestError", set()),
        ("from lumos_ingest import Raw, raw_of, ReadRequest", {"polars"}),
        ("from lumos_ingest import *", {"polars", "sqlalchemy"}),
    ],
)
def test_what_a_name_does_not_need_is_not_loaded(statement: str, loaded: set[str]):
    program = (
        f"import sys\n{statement}\n"
        "print(*sorted({'polars', 'prefect', 'sqlalchemy', 'typer'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert set(said.stdout.split()) == loaded

"""Which source a person means: by its name, or by its file of this workspace."""

from pathlib import Path

import pytest

from flows.run.workspace import meant_source
from schemas.errors import ConfigError

KNOWN = ["crm", "hr", "HR2", "Hr2"]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace below the current folder."""
    (tmp_path / "ws" / "sources").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ws"


@pytest.mark.parametrize(
    "typed", ["hr", "HR", "hr.yaml", "hr.yml", "sources/hr.yaml", "ws/sources/hr.yaml", "Hr.yaml"]
)
def test_a_source_is_known_by_its_name_or_its_file(workspace: Path, typed: str) -> None:
    assert meant_source(typed, KNOWN, workspace) == "hr"
    assert meant_source(str(workspace / "sources" / "hr.yaml"), KNOWN, workspace) == "hr"


@pytest.mark.parametrize("typed", ["old/hr.yaml", "hr.csv", "h", "hr2", "sources/other.yaml", ""])
def test_what_may_be_another_is_not_taken_for_it(workspace: Path, typed: str) -> None:
    with pytest.raises(ConfigError, match="no source"):
        meant_source(typed, KNOWN, workspace)


def test_a_slip_is_answered_with_the_name_that_is_close(workspace: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        meant_source("CRN", KNOWN, workspace)
    assert str(caught.value) == "no source 'CRN'; did you mean 'crm'? There are crm, hr, HR2, Hr2"


def test_of_many_sources_the_first_are_listed(workspace: Path) -> None:
    names = [f"s{number:02d}" for number in range(40)]
    with pytest.raises(ConfigError, match=r"s00, .*, s11 and 28 more$"):
        meant_source("zzz", names, workspace)

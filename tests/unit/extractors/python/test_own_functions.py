"""A function that a source file names: where it is found, and what goes wrong in it in one line."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from extractors.python.function import OwnFunction, load_function
from extractors.python.modules import WORKSPACE_MODULES
from schemas.errors import ConfigError, FunctionError, SourceUnavailableError

SECRET = "canary-4711"


@pytest.fixture(autouse=True)
def clean_path(tmp_path: Path) -> Iterator[None]:
    """No workspace of another test is on the path that is put back."""
    WORKSPACE_MODULES.load("json", tmp_path / "none", "source.read")  # lets go of the last one
    path = list(sys.path)
    yield
    WORKSPACE_MODULES.load("json", tmp_path / "none", "source.read")
    sys.path[:] = path


def written(folder: Path, text: str, name: str = "pipelines_a/hr.py") -> Path:
    file = folder / name
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(text, "utf-8")
    return folder


def loaded(workspace: Path, name: str = "pipelines_a.hr:read") -> OwnFunction:
    return load_function(name, workspace, "source.read", "a ReadRequest")


def problem(workspace: Path, name: str = "pipelines_a.hr:read") -> str:
    with pytest.raises(ConfigError) as error:
        loaded(workspace, name)
    assert error.value.key == "source.read"
    return str(error.value).removeprefix("source.read: ")


def test_a_module_is_found_in_the_workspaces_folder(tmp_path: Path):
    workspace = written(tmp_path, "def read(request): return [request]")
    assert loaded(workspace).call(1) == [1]


def test_a_module_may_import_others_of_the_workspace_when_it_is_called(tmp_path: Path):
    written(tmp_path, "X = 5", "pipelines_a/common.py")
    text = "def read(_):\n    from pipelines_a import common\n    return common.X\n"
    assert loaded(written(tmp_path, text)).call(1) == 5


def test_an_installed_module_needs_no_workspace(tmp_path: Path):
    assert loaded(tmp_path, "json:loads").call("[1]") == [1]


def test_a_workspace_stands_behind_every_installed_package(tmp_path: Path):
    written(tmp_path, "raise RuntimeError", "polars.py")
    loaded(written(tmp_path, "def read(_): ..."))
    assert sys.path[-1] == str(tmp_path.resolve())


def test_two_workspaces_have_each_their_own_module_of_one_name(tmp_path: Path):
    one, two = (
        written(tmp_path / name, f"from helping import X\ndef read(_): return X + {name!r}")
        for name in ("one", "two")
    )
    written(one, "X = 'help of '", "helping.py")
    written(two, "X = 'other help of '", "helping.py")
    first = loaded(one)
    assert loaded(two).call(0) == "other help of two"
    assert loaded(one).call(0) == "help of one"
    assert first.call(0) == "help of one"
    assert str(two.resolve()) not in sys.path


def test_a_workspace_that_is_on_the_path_anyway_stays_there(tmp_path: Path):
    workspace = written(tmp_path, "def read(_): return 1", "pipelines_b/hr.py")
    sys.path.insert(0, str(workspace))
    assert loaded(workspace, "pipelines_b.hr:read").call(0) == 1
    loaded(tmp_path / "none", "json:loads")
    assert str(workspace) in sys.path
    assert "pipelines_b.hr" in sys.modules


def test_no_such_module_is_told_with_the_places_that_were_looked_at(tmp_path: Path):
    said = problem(tmp_path, "pipelines_c.hr:read")
    assert said.startswith("no module pipelines_c.hr, neither among the installed packages nor in ")
    assert said.endswith(str(tmp_path))


def test_a_module_of_two_is_not_guessed(tmp_path: Path):
    other = written(tmp_path / "other", "def read(_): return 1", "pipelines_d/hr.py")
    workspace = written(tmp_path / "mine", "def read(_): return 2", "pipelines_d/hr.py")
    sys.path.insert(0, str(other))
    said = problem(workspace, "pipelines_d.hr:read")
    assert said.startswith("pipelines_d.hr is in the workspace and in ")
    assert str(other / "pipelines_d") in said
    assert "another name" in said


def test_a_name_of_pythons_own_is_not_guessed_either(tmp_path: Path):
    written(tmp_path, "def read(_): ...", "json/hr.py")
    assert problem(tmp_path, "json.hr:read").startswith("json.hr is in the workspace and in /")


def test_a_function_that_is_not_there_is_told_with_one_that_is_like_it(tmp_path: Path):
    workspace = written(tmp_path, "read = 5\ndef read_accounts(_): ...", "pipelines_a/hr2.py")
    said = problem(workspace, "pipelines_a.hr2:read_account")
    assert said == "no function read_account in pipelines_a/hr2.py; did you mean read_accounts?"
    assert problem(workspace, "pipelines_a.hr2:read").startswith("no function read in ")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("async def read(_): ...", "is async: name a plain function"),
        ("def read(): ...", "must take one argument, a ReadRequest"),
        ("def read(a, b): ...", "must take one argument, a ReadRequest"),
        ("import nothing_of_this_name\ndef read(_): ...", "needs nothing_of_this_name, which is"),
    ],
)
def test_a_function_that_cannot_be_called_so_is_a_wrong_source_file(
    tmp_path: Path, function: str, said: str
):
    assert said in problem(written(tmp_path, function))


@pytest.mark.parametrize("function", ["def read(a, b=1): ...", "def read(*a): ...", "read = dict"])
def test_whatever_takes_one_argument_will_do(tmp_path: Path, function: str):
    loaded(written(tmp_path, function))


def failure(own: OwnFunction) -> str:
    with pytest.raises(FunctionError) as error:
        own.call(SECRET)
    assert (error.value.exit_code, error.value.__cause__, error.value.__context__) == (
        1,
        None,
        None,
    )
    assert SECRET not in str(error.value)
    return str(error.value)


def test_what_a_function_raises_is_its_type_and_its_line_without_its_text(tmp_path: Path):
    text = "import json\n\ndef read(row):\n    return json.loads(row)\n"
    said = failure(loaded(written(tmp_path, text)))
    assert said == (
        "source.read: pipelines_a.hr:read raised JSONDecodeError at pipelines_a/hr.py:4; its text "
        "is not shown, for it may quote a row"
    )


def test_a_function_does_not_end_the_process(tmp_path: Path):
    own = loaded(written(tmp_path, "import sys\ndef read(row): sys.exit(0)"))
    assert "raised SystemExit at pipelines_a/hr.py:2" in failure(own)


def test_an_error_of_ours_passes_as_it_is(tmp_path: Path):
    text = (
        "from schemas.errors import SourceUnavailableError\n"
        "def read(_): raise SourceUnavailableError('the HR system sleeps')"
    )
    with pytest.raises(SourceUnavailableError, match=r"^the HR system sleeps$"):
        loaded(written(tmp_path, text)).call(0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\nx = (\n", "pipelines_a.hr raised SyntaxError at pipelines_a/hr.py:2"),
        (f"raise KeyError({SECRET!r})", "pipelines_a.hr raised KeyError at pipelines_a/hr.py:1"),
        ("from json import no_such", "pipelines_a.hr raised ImportError at pipelines_a/hr.py:1"),
    ],
)
def test_a_module_that_fails_is_told_with_its_line(tmp_path: Path, text: str, said: str):
    with pytest.raises(FunctionError) as error:
        loaded(written(tmp_path, text))
    assert str(error.value).startswith(f"source.read: {said}; ")
    assert SECRET not in str(error.value)

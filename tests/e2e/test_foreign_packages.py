"""Somebody else's `flows/` or `schemas/` on Python's path: one line says whose, and what to do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("lumos-ingest")
ROOMS = ("flows", "extractors", "transforms", "loaders", "schemas", "sandbox")


def project(folder: Path, name: str) -> Path:
    """A project with a package of that name."""
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("", "utf-8")
    return folder


def ran(
    *words: str | Path, cwd: Path, path: Path | None = None
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    return subprocess.run(
        words, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120
    )


def line_about(name: str, folder: Path) -> str:
    return (
        f"the package {name} is {folder / name}, not lumos-ingest's own ({ROOT / name}): call that "
        "one something else, such as pipelines, or start where Python does not find it: in another "
        "current folder, with another PYTHONPATH"
    )


@pytest.mark.parametrize("name", ROOMS)
def test_the_command_says_whose_package_stands_in_the_way(tmp_path: Path, name: str):
    folder = project(tmp_path, name)
    said = ran(COMMAND, "check", "--json", cwd=ROOT, path=folder)
    assert (said.returncode, said.stderr) == (2, f"lumos-ingest: {line_about(name, folder)}\n")
    assert json.loads(said.stdout) == {"error": line_about(name, folder), "exit_code": 2}


def test_a_module_stands_in_the_way_as_a_package_does(tmp_path: Path):
    (tmp_path / "flows.py").write_text("", "utf-8")
    said = ran(COMMAND, "check", cwd=ROOT, path=tmp_path)
    assert said.returncode == 2
    assert said.stderr.startswith(f"lumos-ingest: the package flows is {tmp_path / 'flows.py'}, ")
    assert said.stderr.count("\n") == 1


def test_the_current_folder_is_on_the_path_of_a_module_that_is_run(tmp_path: Path):
    folder = project(tmp_path, "flows")
    said = ran(sys.executable, "-m", "lumos_ingest", "check", cwd=folder)
    assert (said.returncode, said.stderr) == (2, f"lumos-ingest: {line_about('flows', folder)}\n")


def test_a_folder_that_is_no_package_stands_in_nobodys_way(tmp_path: Path):
    (tmp_path / "flows").mkdir()
    said = ran(sys.executable, "-m", "lumos_ingest", "--version", cwd=tmp_path)
    assert (said.returncode, said.stderr) == (0, "")
    assert said.stdout.startswith("lumos-ingest ")


@pytest.mark.parametrize("name", ["flows", "schemas"])
def test_a_program_of_ones_own_is_told_at_its_import(tmp_path: Path, name: str):
    folder = project(tmp_path, name)
    said = ran(sys.executable, "-c", "from lumos_ingest import sync", cwd=folder)
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1] == f"ImportError: {line_about(name, folder)}"


@pytest.mark.parametrize("name", ["flows", "schemas"])
def test_a_worker_in_such_a_folder_is_told_when_it_loads_a_flow_of_ours(tmp_path: Path, name: str):
    folder = project(tmp_path, name)
    entrypoints = [
        f"{ROOT}/flows/orchestration/sync_flow.py:sync",
        f"{ROOT}/flows/orchestration/activity_flow.py:activity",
        "lumos_ingest.prefect_flows.sync",
        "lumos_ingest.prefect_flows.activity",
    ]
    program = f"""
from prefect.flows import load_flow_from_entrypoint
for entrypoint in {entrypoints!r}:
    try:
        load_flow_from_entrypoint(entrypoint, use_placeholder_flow=False)
    except Exception as error:
        print(error)
"""
    said = ran(sys.executable, "-c", program, cwd=folder)
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert len(lines) == len(entrypoints)
    for line in lines:
        assert f"the package {name} is {folder / name}" in line
        assert "not lumos-ingest's own" in line


def test_a_worker_elsewhere_loads_the_flows_of_ours(tmp_path: Path):
    program = """
from prefect.flows import load_flow_from_entrypoint
for name in ("sync", "activity"):
    print(load_flow_from_entrypoint(f"lumos_ingest.prefect_flows.{name}").name)
"""
    said = ran(sys.executable, "-c", program, cwd=tmp_path)
    assert said.stdout.split() == ["sync", "activity"], said.stderr

"""A sandbox of its own for every test, a workspace with one source; a Prefect server a module."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect_server import running_prefect
from terminal import Workspace

from sandbox.server import Sandbox, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(job_seconds=0.02) as sandbox:
        yield sandbox


@pytest.fixture
def workspace(tmp_path: Path, sandbox: Sandbox) -> Workspace:
    made = Workspace(tmp_path, sandbox)
    made.source()
    return made


@pytest.fixture(scope="module")
def browser() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is missing")
        pytest.skip("chromium is missing")
    return found


@pytest.fixture(scope="module")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def prefect_env(prefect_home: Path) -> Iterator[dict[str, str]]:
    with running_prefect(prefect_home) as env:
        yield env

"""A sandbox of its own for every test, and a workspace with one source that feeds it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
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

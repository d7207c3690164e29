"""A workspace and the command line, as a person has them."""

import contextlib
import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flows.cli.main import main
from flows.cli.output import OURS
from sandbox.server import Sandbox

HEADER = "id,email,given,family,state,team,roles"

SOURCE = """
app: {name: HR Portal, create: {category: HR & Learning, description: Internal HR portal}}
source: {kind: csv, accounts: exports/hr.csv}
columns:
  integration_specific_id: id
  email: email
  given_name: given
  family_name: family
  user_status: state
attributes: {Team: team}
entitlements: [{type: Role, column: roles}]
upload: {poll: {every: 0.1s, give_up_after: 60s}}
"""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Workspace:
    """A workspace with one source, `hr`, that feeds the app HR Portal in a sandbox."""

    path: Path
    sandbox: Sandbox

    def export(self, *rows: str, header: str = HEADER) -> None:
        folder = self.path / "exports"
        folder.mkdir(exist_ok=True)
        (folder / "hr.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")

    def source(self, text: str = SOURCE, name: str = "hr") -> None:
        folder = self.path / "sources"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, "utf-8")

    def run(self, *words: str, env: dict[str, str] | None = None) -> Said:
        """Types `lumos-ingest WORDS --workspace PATH`, in this process."""
        said = {"LUMOS_API_URL": self.sandbox.url, "LUMOS_API_TOKEN": self.sandbox.token}
        return typed(*words, "--workspace", str(self.path), env={**said, **(env or {})})

    def accounts(self) -> dict[str, dict[str, Any]]:
        """What the sandbox holds, by id, with permissions and attributes."""
        url = f"{self.sandbox.url}/sandbox/accounts"
        found = httpx.get(url, params={"size": 100}, timeout=60).json()
        return {one["unique_identifier"]: one for one in found["items"]}

    def stats(self) -> dict[str, Any]:
        return httpx.get(f"{self.sandbox.url}/sandbox/stats", timeout=60).json()

    def fault(self, *faults: str) -> None:
        url = f"{self.sandbox.url}/sandbox/faults"
        httpx.post(url, json=list(faults), timeout=60).raise_for_status()


def typed(*words: str, env: dict[str, str] | None = None) -> Said:
    """Types `lumos-ingest WORDS` and takes down what it says; the process is as it was after."""
    umask = os.umask(0o022)
    os.umask(umask)
    out, err, argv, before = io.StringIO(), io.StringIO(), sys.argv, dict(os.environ)
    code = 0
    try:
        os.environ.pop("PREFECT_API_URL", None)
        for name in ("LUMOS_API_URL", "LUMOS_API_TOKEN"):
            os.environ.pop(name, None)
        os.environ.update(env or {})
        sys.argv = ["lumos-ingest", *words]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.argv = argv
        os.umask(umask)
        for name in OURS:
            logger = logging.getLogger(name)
            logger.handlers, logger.propagate = [], True
            logger.setLevel(logging.NOTSET)
        os.environ.clear()
        os.environ.update(before)
    return Said(code, out.getvalue(), err.getvalue())


def row(number: int, roles: str = "Reader", state: str = "ACTIVE", team: str = "Ops") -> str:
    """A well-formed row of the export, account `a0001` and so on."""
    names = f"user{number}@example.com,Given{number},Family{number}"
    return f"a{number:04d},{names},{state},{team},{roles}"


def rows(count: int) -> list[str]:
    return [row(number) for number in range(1, count + 1)]


def at_a_terminal(workspace: Workspace, *words: str) -> str:
    """What a command shows on a terminal, without its escapes and line breaks."""
    ours, theirs = pty.openpty()
    words = (*words, "--workspace", str(workspace.path))
    command = [sys.executable, "-m", "lumos_ingest", *words]
    env = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}
    with subprocess.Popen(command, stdout=theirs, env=env) as process:
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux's way to say that the other end is closed
                break
            text += part
    os.close(ours)
    assert process.returncode == 0
    return re.sub(r"\s+", " ", text.decode())

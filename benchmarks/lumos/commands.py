"""Whole commands of a build in a workspace with one CSV source, beside a sandbox."""

import subprocess
import sys
from pathlib import Path

from benchmarks.contestant import Contestant
from benchmarks.exports.accounts_csv import SOURCE_FILE, write_accounts

TOKEN = "lsk_sandbox"

_APP = "app: {name: Benchmark}"
_MAY_BE_MADE = "app: {name: NAME, create: {category: Internal, description: a benchmark}}"


def make_workspace(folder: Path, app: str, accounts: int) -> None:
    """A workspace with a source `hr` of so many accounts, five entitlements each, for `app`."""
    (folder / "sources").mkdir(parents=True)
    write_accounts(folder / "accounts.csv", accounts, night=0)
    text = SOURCE_FILE.replace(_APP, _MAY_BE_MADE.replace("NAME", app))
    (folder / "sources" / "hr.yaml").write_text(text, "utf-8")


def command(build: str, python: str, folder: Path, url: str, *words: str) -> Contestant:
    """The command of the build whose Python that is; what it writes goes with the workspace."""
    program = str(Path(python).with_name("lumos-ingest"))
    env = {"LUMOS_API_URL": url, "LUMOS_API_TOKEN": TOKEN, "LUMOS_INGEST_NOTIFY": ""}
    return Contestant(build, [program, *words, "--workspace", str(folder)], env)


def prepared(contestant: Contestant) -> None:
    """Runs a command that is not measured."""
    done = subprocess.run(
        contestant.words, env=contestant.environment, capture_output=True, check=False
    )
    if done.returncode:
        sys.stderr.write(done.stderr.decode()[-2000:])
        raise SystemExit(f"{contestant.name} failed")

"""The package as it is installed elsewhere: everything it needs is in the wheel."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_demo_runs_from_the_wheel_alone(tmp_path: Path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
    rooms = {path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")}
    discovery = unpacked / "extractors" / "sql" / "discovery"
    assert len(list(discovery.glob("*/list_accounts.sql"))) == 7
    assert (discovery / "mysql" / "granted.sql").is_file()
    ours = {"lumos_ingest", "flows", "extractors", "transforms", "loaders", "schemas", "sandbox"}
    assert rooms == ours
    assert all((unpacked / room / "py.typed").exists() for room in rooms)
    program = (
        "import lumos_ingest, flows; print(flows.__file__)\n"
        "from lumos_ingest.command import main; main()"
    )
    demo = subprocess.run(
        [sys.executable, "-c", program, "demo"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stderr
    assert demo.stdout.startswith(str(unpacked))
    assert "crm: held as run" in demo.stdout


def pins(name: str) -> dict[str, list[str]]:
    """The packages that a pin file names, exactly, and each one's hashes."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / name).read_text("utf-8").replace("\\\n", "").splitlines():
        pin = re.fullmatch(r"([\w.-]+==[\w.+!-]+)( ; [^#]+?)?((?: +--hash=sha256:\w{64})+)", line)
        assert pin, f"{name}: {line[:80]}: not a pin with hashes alone"
        found[pin[1]] = pin[3].split()
    return found


def test_every_package_is_pinned_with_its_hashes_and_without_an_address():
    runs, tests = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {"prefect", "polars", "hatchling", "pip"} <= {pin.partition("==")[0] for pin in runs}
    # What running needs is the same in both: the tests only add to it.
    assert runs.items() <= tests.items()


def test_what_runs_brings_no_tool_of_the_tests():
    names = {pin.partition("==")[0] for pin in pins("requirements.lock")}
    assert names.isdisjoint({"pytest", "ruff", "mypy", "hypothesis", "moto", "boto3", "duckdb"})


def test_help_loads_neither_polars_nor_prefect():
    program = (
        "import sys; sys.argv = ['lumos-ingest', '--help']\n"
        "from flows.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'polars', 'pandera', 'prefect', 'sqlalchemy', 'httpx', 'pydantic', 'fastapi'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert said.stderr.strip() == "[]"


def test_a_check_loads_no_prefect(tmp_path: Path):
    program = (
        "import sys; sys.argv = ['lumos-ingest', 'check', '--workspace', sys.argv[1]]\n"
        "from flows.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print('prefect' in sys.modules, 'flows.cli.check' in sys.modules, file=sys.stderr)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert said.stderr.splitlines()[-1] == "False True"


@pytest.mark.parametrize(
    ("command", "unused"),
    [
        ("runs", {"polars", "pandera", "httpx", "yaml", "alembic", "prefect", "sqlalchemy.orm"}),
        ("check", {"alembic", "prefect", "click", "pygments", "sqlalchemy.orm"}),
    ],
)
def test_a_command_loads_what_it_uses_alone(tmp_path: Path, command: str, unused: set[str]):
    """The first time the ledger is made; every other time it is opened at its newest version."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "hr.yaml").write_text(
        "app: {name: HR}\nsource: {kind: csv, accounts: hr.csv}\n", "utf-8"
    )
    (tmp_path / "hr.csv").write_text("integration_specific_id,email,user_status\n", "utf-8")
    program = (
        "import sys; sys.argv[0] = 'lumos-ingest'\n"
        "from flows.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"there = [name for name in {sorted(unused)} if sys.modules.get(name)]\n"
        "print(there, file=sys.stderr)"
    )
    for _ in range(2):
        said = subprocess.run(
            [sys.executable, "-c", program, command, "--workspace", tmp_path],
            capture_output=True,
            text=True,
            check=True,
        )
    assert said.stderr.splitlines()[-1] == "[]"

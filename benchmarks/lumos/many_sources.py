"""Many sources in one process, beside one source alone, and beside another build of the program.

`python -m benchmarks.lumos.many_sources [--sources N] [--accounts N] [--job-seconds S] [--jobs N]
[--beside COMMAND] [--beside-sources N]`: COMMAND is the `lumos-ingest` of another checkout, given
fewer sources where it takes them one after the other: its wall time is told for each source.
The sandbox is a process of its own on loopback. Figures are wall and CPU seconds, and the peak of
resident memory, of the command.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

PORT = 8791
SOURCE = """
app: {{name: App {number}, create: {{category: HR & Learning, description: a benchmark}}}}
source: {{kind: csv, accounts: exports/{number}.csv}}
columns:
  integration_specific_id: id
  email: mail
  user_status: {{column: state, values: {{A: ACTIVE}}}}
entitlements: [{{type: Role, column: roles, separator: ";"}}]
"""


def make_workspace(folder: Path, sources: int, accounts: int) -> None:
    """So many sources of so many accounts, each with an app of its own."""
    (folder / "sources").mkdir(parents=True)
    (folder / "exports").mkdir()
    for number in range(sources):
        rows = [
            f"{number}-{n},p{n}@s{number}.example,A,Base;Role {n % 40}" for n in range(accounts)
        ]
        text = "\n".join(["id,mail,state,roles", *rows]) + "\n"
        (folder / "exports" / f"{number}.csv").write_text(text, "utf-8")
        (folder / "sources" / f"s{number:04d}.yaml").write_text(
            SOURCE.format(number=number), "utf-8"
        )


def measured(words: list[str], job_seconds: float) -> tuple[float, float, float]:
    """Wall and CPU seconds and peak MiB of the command, against a new sandbox."""
    sandbox_words = [sys.executable, "-m", "lumos_ingest", "sandbox", "--port", str(PORT)]
    sandbox = subprocess.Popen(
        [*sandbox_words, "--job-seconds", str(job_seconds)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{PORT}"
        while True:
            try:
                httpx.get(f"{url}/info", timeout=1)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        env = {**os.environ, "LUMOS_API_URL": url, "LUMOS_API_TOKEN": "lsk_sandbox"}
        env.pop("PREFECT_API_URL", None)
        began = time.perf_counter()
        child = subprocess.Popen(
            words, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        said = child.stderr.read() if child.stderr else ""
        _, status, used = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - began
        if status:
            raise SystemExit(f"{' '.join(words)} failed:\n{said[-2000:]}")
        return wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    finally:
        sandbox.terminate()
        sandbox.wait()


def main() -> None:
    """Measures, in turns, and prints a line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=50)
    parser.add_argument("--accounts", type=int, default=2000)
    parser.add_argument("--job-seconds", type=float, default=20)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--beside", metavar="COMMAND")
    parser.add_argument("--beside-sources", type=int, default=3)
    options = parser.parse_args()
    ours = str(Path(sys.executable).with_name("lumos-ingest"))
    jobs = ["--jobs", str(options.jobs)]
    commands = [("one source", ours, 1, jobs), ("ours", ours, options.sources, jobs)]
    if options.beside:
        commands.append(("beside", options.beside, options.beside_sources, []))
    for name, command, sources, more in commands:
        with TemporaryDirectory() as folder:
            make_workspace(Path(folder), sources, options.accounts)
            words = [command, "sync", "--all", "--workspace", folder, *more]
            wall_s, cpu_s, peak = measured(words, options.job_seconds)
        each_s = wall_s / sources
        print(
            f"{name:12} {sources:5} sources {wall_s:8.1f} s wall ({each_s:.2f} s each)"
            f" {cpu_s:8.1f} s CPU {peak:7.0f} MiB"
        )


if __name__ == "__main__":
    main()

"""`python -m fuzz`: every target by two engines, for so many seconds; ends red on a find.

    make fuzz                                # every target, a minute each
    make fuzz ONLY="csv xlsx" SECONDS=600

Half of a target's time is hypothesis's, which joins pieces of usual inputs and shrinks what it
finds; half is atheris's, which goes by the branches that an input reaches. Where there is no wheel
of atheris, all of it is hypothesis's. A find is kept under `fuzz/finds`; write a test of it.
"""

import argparse
import os
import subprocess
import sys
import time
from importlib.util import find_spec
from tempfile import TemporaryDirectory

from fuzz.targets import to_targets


def main() -> int:
    """Runs what is asked for; 1 where something was found."""
    targets = to_targets()
    asked = argparse.ArgumentParser(prog="fuzz")
    asked.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(targets))
    asked.add_argument("--seconds", type=int, default=60, help="for each target")
    options = asked.parse_args()
    unknown = set(options.targets) - set(targets)
    if unknown:
        asked.error(f"no target {unknown.pop()}; there are {', '.join(targets)}")
    engines = ["hypothesis", "atheris"] if find_spec("atheris") else ["hypothesis"]
    found = 0
    for name in options.targets or targets:
        for engine in engines:
            ended = run(name, engine, options.seconds // len(engines))
            found += ended != 0
    return 1 if found else 0


def run(name: str, engine: str, seconds: int) -> int:
    """Runs one engine in a process of its own, whose files are gone afterwards; its exit code."""
    begun = time.monotonic()
    with TemporaryDirectory(prefix="fuzz-") as folder:
        words = [sys.executable, "-m", "fuzz.engines", name, engine, str(seconds)]
        ended = subprocess.run(words, env={**os.environ, "TMPDIR": folder}, check=False)
    result = "nothing found" if ended.returncode == 0 else f"ended with {ended.returncode}"
    print(f"{name}: {engine}: {time.monotonic() - begun:.0f} s, {result}", flush=True)
    return ended.returncode


if __name__ == "__main__":
    sys.exit(main())

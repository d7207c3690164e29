"""The two engines: each tries inputs on one target until the time is over, or one is a find."""

import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzz.target import LARGEST, Target
from fuzz.targets import to_targets

FINDS = Path(__file__).parent / "finds"
HANGS_AFTER_S = 20
"""An input that takes longer is a find."""


def timed(target: Target, data: bytes) -> None:
    """Tries an input, and keeps it in a file where it is a find.

    Raises:
        BaseException: what the input led to, of whatever kind: libraries in Rust panic.
    """
    signal.alarm(HANGS_AFTER_S)
    try:
        target.try_on(data)
    except BaseException:
        FINDS.mkdir(exist_ok=True)
        (FINDS / f"{target.name}.bin").write_bytes(data)
        raise
    finally:
        signal.alarm(0)


def inputs_of(target: Target) -> st.SearchStrategy[bytes]:
    """Usual inputs with pieces cut out, put in and moved; and noise."""
    pieces = st.one_of(
        st.sampled_from(target.tokens), st.binary(max_size=6), st.sampled_from(target.seeds)
    )
    edits = st.tuples(st.integers(0, 4000), st.integers(0, 40), pieces)

    def edited(usual: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
        for at, length, piece in changes:
            start = at % (len(usual) + 1)
            usual = usual[:start] + piece + usual[start + length :]
        return usual[:LARGEST]

    near = st.builds(edited, st.sampled_from(target.seeds), st.lists(edits, max_size=8))
    return st.one_of(near, near, st.lists(pieces, max_size=30).map(b"".join))


def by_hypothesis(target: Target, seconds: int) -> None:
    """Tries inputs of hypothesis, which shrinks the first find, and raises it."""
    count, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:

        @seed(random.getrandbits(64))
        @settings(
            max_examples=200,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(inputs_of(target))
        def one(data: bytes) -> None:
            nonlocal count
            count += 1
            timed(target, data)

        one()
    print(f"{target.name}: hypothesis: {count:,} inputs, {time.process_time():.0f} s of CPU")


def by_atheris(name: str, seconds: int) -> None:
    """Tries inputs by the branches of our own code that they reach; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["extractors", "schemas", "transforms"]):
        target = to_targets()[name]
    folder = Path(tempfile.mkdtemp())
    (folder / "corpus").mkdir()
    for number, usual in enumerate(target.seeds):
        (folder / "corpus" / str(number)).write_bytes(usual)
    short = [token for token in target.tokens if 0 < len(token) <= 64]  # noqa: PLR2004
    lines = ['"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in short]
    (folder / "words").write_text("".join(lines), "ascii")
    FINDS.mkdir(exist_ok=True)
    options = {
        "dict": folder / "words",
        "max_total_time": seconds,
        "max_len": LARGEST >> 2,
        "rss_limit_mb": 3000,
        "artifact_prefix": f"{FINDS}/{name}-",
        "verbosity": 0,
        "print_final_stats": 1,
    }
    words = [f"-{key}={value}" for key, value in options.items()]
    atheris.Setup(["fuzz", *words, str(folder / "corpus")], lambda data: timed(target, data))
    atheris.Fuzz()


def _hangs(*_: object) -> None:
    raise AssertionError(f"an input took longer than {HANGS_AFTER_S} s")


if __name__ == "__main__":
    _name, _engine, _seconds = sys.argv[1:]
    signal.signal(signal.SIGALRM, _hangs)
    if _engine == "atheris":
        by_atheris(_name, int(_seconds))
    else:
        by_hypothesis(to_targets()[_name], int(_seconds))

"""What runs, in what order, when: stages, the Prefect flow, reports, the command line."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

# Read once, when polars is loaded: freed memory goes back to the system soon, and is kept in one
# pool. A nightly shares its machine, and it is no slower for it (docs/performance.md).
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:20,muzzy_decay_ms:0")

# httpx brings a command of its own, which loads click and pygments, where those are installed: a
# tenth of a second that nothing here has a use for. It does without where it cannot be imported.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # None: not to be found


def _check_rooms() -> None:
    """Raises where Python finds another package of the name of one beside this.

    Raises:
        ImportError: it does; the line says whose, and what to do.
    """
    home = Path(__file__).resolve().parents[1]
    for room in ("extractors", "transforms", "loaders", "schemas", "sandbox"):
        loaded = sys.modules.get(room)
        spec = loaded.__spec__ if loaded else find_spec(room)
        other = Path((spec and spec.origin) or "")
        if spec is not None and other.resolve() != home / room / "__init__.py":
            place = other.parent if other.stem == "__init__" else other
            raise ImportError(
                f"the package {room} is {place}, not lumos-ingest's own ({home / room}): call that "
                "one something else, such as pipelines, or start where Python does not find it: "
                "in another current folder, with another PYTHONPATH",
                name=room,
                path=str(place),
            )


_check_rooms()

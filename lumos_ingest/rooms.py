"""Whether the package `flows` that Python finds is lumos-ingest's own: it is a usual name.

A Prefect project has its flows in `flows/`, and `python -m`, PYTHONPATH and a worker's current
folder put that one first. `flows` itself says the same of the packages beside it.
"""

import sys
from importlib.util import find_spec
from pathlib import Path


def check_rooms() -> None:
    """Raises unless `flows`, `extractors`, `transforms`, `loaders`, `schemas` are our own.

    Raises:
        ImportError: one is somebody else's; the line says whose, and what to do.
    """
    own = Path(__file__).resolve().parents[1] / "flows"
    loaded = sys.modules.get("flows")
    spec = loaded.__spec__ if loaded else find_spec("flows")
    found = Path((spec and spec.origin) or "")
    if spec is not None and found.resolve() != own / "__init__.py":
        place = found.parent if found.stem == "__init__" else found
        raise ImportError(
            f"the package flows is {place}, not lumos-ingest's own ({own}): call that one "
            "something else, such as pipelines, or start where Python does not find it: in "
            "another current folder, with another PYTHONPATH",
            name="flows",
            path=str(place),
        )
    import flows  # noqa: F401 - it looks at the others

"""What runs, in what order, when: stages, the Prefect flow, reports, the command line."""

import os

# Read once, when polars is loaded: freed memory goes back to the system soon, and is kept in one
# pool. A nightly shares its machine, and it is no slower for it (docs/performance.md).
os.environ.setdefault("_RJEM_MALLOC_CONF", "narenas:1,dirty_decay_ms:20,muzzy_decay_ms:0")

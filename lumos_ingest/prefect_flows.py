"""The Prefect flows of lumos-ingest, deployed under a name that no project has."""

from lumos_ingest.rooms import check_rooms

check_rooms()

from flows.orchestration.activity_flow import activity  # noqa: E402 - once it is known whose it is
from flows.orchestration.decide_flow import decide  # noqa: E402
from flows.orchestration.nightly_flow import nightly  # noqa: E402
from flows.orchestration.sync_flow import sync  # noqa: E402
from flows.orchestration.watchdog_flow import watchdog  # noqa: E402

__all__ = ["activity", "decide", "nightly", "sync", "watchdog"]

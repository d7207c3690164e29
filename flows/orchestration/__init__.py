"""The Prefect flows: the stages of a run as tasks; and what a server has of them."""

import os

# Read once, at Prefect's import: no telemetry from a pipeline that handles people's access.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

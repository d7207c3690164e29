"""The Prefect flows: the stages of a run as tasks."""

"""Registering the schedules with a Prefect server: prefect.yaml, and what the server has."""

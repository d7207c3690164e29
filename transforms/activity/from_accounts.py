"""Activity that the accounts themselves tell of: when each last logged in, and did something."""

import polars as pl

from schemas.tables import ACTIVITY

_EVENTS = {"last_login": "LOGIN", "last_activity": "ACTIVITY"}


def to_events(accounts: pl.DataFrame, app_id: str) -> pl.DataFrame:
    """One record (`ACTIVITY`) an account and time it has, in no order."""
    tables = [
        accounts.select(
            pl.col("integration_specific_id").alias("account_id"),
            "email",
            pl.lit(event_type).alias("event_type"),
            pl.col(column).alias("timestamp"),
            pl.lit(app_id).alias("source_app_id"),
            pl.lit(None, dtype=pl.String).alias("app_instance_identifier"),
        ).drop_nulls("timestamp")
        for column, event_type in _EVENTS.items()
    ]
    return pl.concat([pl.DataFrame(schema=ACTIVITY), *tables])

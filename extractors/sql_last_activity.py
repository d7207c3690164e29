"""`get_last_activity` in a sync: each account's newest login and activity, as columns of it."""

import polars as pl

_EVENTS = {
    "last_login": "last_login",
    "login": "last_login",
    "last_activity": "last_activity",
    "activity": "last_activity",
}
_SHAPES = ("%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")


def with_last_activity(
    accounts: pl.DataFrame, activity: pl.DataFrame, id_column: str
) -> tuple[pl.DataFrame, list[str]]:
    """The accounts with `last_login` and `last_activity` where they have no such columns yet.

    `id_column` is that of the accounts' ids.

    The newest of an account's rows counts, by time; one that is no time counts only where the
    account has no other, and is then a reject. Rows of another event are left out, with a warning.
    """
    event = pl.col("event_type").str.to_lowercase().replace_strict(_EVENTS, default=None)
    times = activity.select(
        pl.col("account_id").alias(id_column),
        event.alias("event"),
        "happened_at",
        pl.coalesce(_read(shape) for shape in _SHAPES).alias("at"),
    )
    unknown = times["event"].null_count()
    warnings = [f"get_last_activity: {unknown} rows of another event_type"] if unknown else []
    for name in ("last_login", "last_activity"):
        if name in accounts.columns:
            continue
        newest = (
            times.filter(pl.col("event") == name)
            .sort("at", descending=True, nulls_last=True)
            .unique(id_column, keep="first", maintain_order=True)
            .select(id_column, pl.col("happened_at").alias(name))
        )
        if newest.height and id_column in accounts.columns:
            accounts = accounts.join(newest, on=id_column, how="left", maintain_order="left")
    return accounts, warnings


def _read(shape: str) -> pl.Expr:
    return pl.col("happened_at").str.to_datetime(shape, strict=False, time_unit="us")

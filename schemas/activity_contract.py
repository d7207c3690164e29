"""The contract of activity records, as a pandera model: strict, nothing coerced."""

from typing import Annotated

import pandera.polars as pa
import polars as pl
from pandera.polars import PolarsData

from schemas.contracts import CONTROL, DAMAGE, EMAIL

NOBODY = "neither an account's id nor an e-mail address"
NO_EVENT = "has no mapping to LOGIN or ACTIVITY"


class ActivityContract(pa.DataFrameModel):
    """Activity records before they are known to be usable: an unread time is null here."""

    account_id: str = pa.Field(nullable=True)
    email: str = pa.Field(nullable=True)
    event_type: str = pa.Field(nullable=True)
    timestamp: Annotated[pl.Datetime, "us", "UTC"] = pa.Field(nullable=True)
    source_app_id: str
    app_instance_identifier: str = pa.Field(nullable=True)

    class Config:
        """Strict: no column more, none less, none re-typed."""

        strict = True
        coerce = False

    @pa.check("account_id", "email", "app_instance_identifier", error=CONTROL, n_failure_cases=1)
    def _no_control_characters(cls, data: PolarsData) -> pl.LazyFrame:
        damaged = pl.col(data.key).str.contains(DAMAGE)
        return data.lazyframe.select((~damaged).fill_null(value=True))

    @pa.check("email", error="is no e-mail address", n_failure_cases=1)
    def _email_is_one(cls, data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).str.contains(EMAIL).fill_null(value=True))

    @pa.check("event_type", error=NO_EVENT, n_failure_cases=1, ignore_na=False)
    def _event_is_known(cls, data: PolarsData) -> pl.LazyFrame:
        is_known = pl.col(data.key).is_in(["LOGIN", "ACTIVITY"])
        return data.lazyframe.select(is_known.fill_null(value=False))

    @pa.dataframe_check(error=NOBODY, n_failure_cases=1)
    def _someone_is_named(cls, data: PolarsData) -> pl.LazyFrame:
        has_id = pl.col("account_id").str.contains(r"\S").fill_null(value=False)
        return data.lazyframe.select(has_id | pl.col("email").is_not_null())


ACTIVITY_CONTRACT = ActivityContract.to_schema()

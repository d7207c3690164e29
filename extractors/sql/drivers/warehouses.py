"""Snowflake and Databricks, where each query stands on its own."""

from dataclasses import dataclass
from typing import ClassVar

from extractors.sql.drivers.cursor import Begun, CursorSession


@dataclass(eq=False, kw_only=True)
class SnowflakeSession(CursorSession):
    """A Snowflake."""

    without_rows: ClassVar[str] = " LIMIT 0"

    def _begin(self) -> Begun:
        self.run(
            f"ALTER SESSION SET STATEMENT_TIMEOUT_IN_SECONDS = {max(1, round(self.timeout_s))}, "
            f"TIMEZONE = '{self.zone or 'UTC'}', ROWS_PER_RESULTSET = 0",
        )
        return _no_snapshot("Snowflake")


@dataclass(eq=False, kw_only=True)
class DatabricksSession(CursorSession):
    """A Databricks SQL warehouse."""

    without_rows: ClassVar[str] = " LIMIT 0"

    def _begin(self) -> Begun:
        self.run(f"SET STATEMENT_TIMEOUT = {max(1, round(self.timeout_s))}")
        return _no_snapshot("Databricks")


def _no_snapshot(name: str) -> Begun:
    warning = (
        f"{name} has no snapshot over several queries: rows that change between two of them may "
        "not fit together; the links that lead nowhere are rejects"
    )
    return "each query on its own", (warning,)

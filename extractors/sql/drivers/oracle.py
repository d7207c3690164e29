"""Oracle by python-oracledb: numbers and long texts exactly, no time without its zone."""

from dataclasses import dataclass
from typing import Any

from extractors.sql.drivers.cursor import BATCH_ROWS, Begun, CursorSession
from extractors.sql.statements.statement import Statement
from schemas.errors import SourceFormatError


@dataclass(eq=False, kw_only=True)
class OracleSession(CursorSession):
    """An Oracle by its Python driver."""

    def _begin(self) -> Begun:
        self.connection.call_timeout = round(self.timeout_s * 1000)
        self.run(
            f"ALTER SESSION SET TIME_ZONE = '{self.zone or '+00:00'}'",
            "SET TRANSACTION READ ONLY",
        )
        return "one READ ONLY transaction", ()

    def streaming_cursor(self) -> Any:  # noqa: ANN401 - oracledb's
        """Returns a cursor that fetches by thousands, and every value as the server has it."""
        cursor = self.connection.cursor()
        cursor.arraysize = BATCH_ROWS
        cursor.outputtypehandler = _exact_type
        return cursor

    def check_columns(self, statement: Statement, cursor: Any) -> None:  # noqa: ANN401 - oracledb's
        """Raises unless each column comes whole.

        Raises:
            SourceFormatError: one has a zone beside its time, which the driver drops.
        """
        import oracledb

        zoned = oracledb.DB_TYPE_TIMESTAMP_TZ
        lost = [column[0] for column in cursor.description if column[1] is zoned]
        if lost:
            raise SourceFormatError(
                f"{statement.origin}: {lost[0]} is a TIMESTAMP WITH TIME ZONE, whose zone Oracle's "
                "Python driver drops: select SYS_EXTRACT_UTC of it and state timezone: UTC, or "
                "read with driver: jdbc"
            )


def _exact_type(cursor: Any, column: Any) -> Any:  # noqa: ANN401 - oracledb's own
    import oracledb

    exact = {
        oracledb.DB_TYPE_NUMBER: oracledb.DB_TYPE_VARCHAR,
        oracledb.DB_TYPE_CLOB: oracledb.DB_TYPE_LONG,
        oracledb.DB_TYPE_NCLOB: oracledb.DB_TYPE_LONG_NVARCHAR,
        oracledb.DB_TYPE_BLOB: oracledb.DB_TYPE_LONG_RAW,
    }.get(column.type_code)
    return None if exact is None else cursor.var(exact, arraysize=cursor.arraysize)

"""MySQL and MariaDB, whose settings and types are minded whatever driver reads them."""

import contextlib
import re
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import polars as pl

from extractors.sql.drivers.cursor import (
    BATCH_ROWS,
    Begun,
    CursorSession,
    handed_over,
    labels_of,
)
from extractors.sql.drivers.mysql_rows import streaming_cursor, to_column
from extractors.sql.session.session import NO_VALUES, Fetched, Values
from extractors.sql.statements.statement import Statement
from schemas.errors import SourceFormatError, SourceIncompleteError

_BIT, _TIMESTAMP = 16, 7
_CUT_SHORT = {1260, 1265, 1301, 1931}
"""The warnings of what was cut: GROUP_CONCAT, a conversion, max_allowed_packet, the rows."""


@dataclass(eq=False, kw_only=True)
class MysqlSession(CursorSession):
    """A MySQL or MariaDB by its Python driver."""

    without_rows: ClassVar[str] = " LIMIT 0"

    def _begin(self) -> Begun:
        version = str(self.run("SELECT VERSION()"))
        is_mariadb = re.search("mariadb", version, re.IGNORECASE) is not None
        self.engine = "mariadb" if is_mariadb else "mysql"
        keep_whole(self)
        limit = (
            f"SET SESSION max_statement_time = {self.timeout_s}"
            if is_mariadb
            else f"SET SESSION max_execution_time = {round(self.timeout_s * 1000)}"
        )
        self.run(
            limit,
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET SESSION TRANSACTION READ ONLY",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        )
        return "one consistent snapshot, READ ONLY", self._without_transactions()

    def _without_transactions(self) -> tuple[str, ...]:
        """Warns of tables that no snapshot holds, such as MyISAM's; ours may be of them."""
        count = None
        with contextlib.suppress(*self.errors):  # what only speaks its protocol may not know these
            count = self.run(
                "SELECT COUNT(*) FROM information_schema.tables JOIN information_schema.engines "
                "USING (engine) WHERE table_schema = DATABASE() AND transactions <> 'YES'",
            )
        if not count:
            return ()
        warning = (
            f"{self.server}: {count} tables are kept by an engine without transactions, such as "
            "MyISAM, and no snapshot holds them: rows that change while they are read may not fit "
            "together: ALTER TABLE … ENGINE = InnoDB"
        )
        return (warning,)

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns, and raises where the server warns of a cut.

        Raises:
            SourceIncompleteError, SourceFormatError: as every read.
        """
        fetched = self.read_by_cursor(statement, values)
        check_nothing_cut(self, statement)
        return fetched

    def zone_of(self, column: Any) -> str | None:  # noqa: ANN401 - a DBAPI description
        """Returns UTC for a TIMESTAMP, which is a moment, where the source states no zone."""
        return self.zone or ("UTC" if column[1] == _TIMESTAMP else None)

    def adapted(self, cells: list[Any], column: Any) -> list[Any]:  # noqa: ANN401
        """Makes a BIT(1) a boolean; a TINYINT(1) may be any small number, and stays one."""
        if column[1] != _BIT or column[3] != 1:
            return cells
        # A computed one comes as a digit.
        return [None if cell is None else cell not in {b"\0", b"0"} for cell in cells]


class PymysqlSession(MysqlSession):
    """A MySQL or MariaDB by PyMySQL."""

    def streaming_cursor(self) -> Any:  # noqa: ANN401 - PyMySQL's
        """Returns a cursor whose rows PyMySQL does not gather first."""
        return self.connection.cursor(streaming_cursor())

    def read(self, statement: Statement, values: Values = NO_VALUES) -> Fetched:
        """Reads everything the statement returns, and raises where the server warns of a cut.

        Raises:
            SourceIncompleteError, SourceFormatError: as every read.
        """
        fetched = self._asked(statement, values, self._fetched_by_column)
        check_nothing_cut(self, statement)
        return fetched

    def _fetched_by_column(self, cursor: Any, statement: Statement) -> Fetched:  # noqa: ANN401
        """Reads what any cursor does, and makes text of a column at a time."""
        description, forms = cursor.description, cursor.forms()

        def next_batch() -> pl.DataFrame:
            columns = [
                to_column(
                    str(number),
                    cells,
                    form,
                    self.zone_of(column),
                    partial(self.adapted, column=column),
                )
                for number, (cells, form, column) in enumerate(
                    zip(cursor.next_columns(BATCH_ROWS), forms, description, strict=False)
                )
            ]
            return pl.DataFrame(columns)

        batches = [pl.DataFrame(schema={str(n): pl.String() for n in range(len(description))})]
        while (batch := handed_over(statement, next_batch)).height:
            batches.append(batch)
        return Fetched(pl.concat(batches, rechunk=True), labels_of(cursor))


def keep_whole(session: CursorSession) -> None:
    """Keeps the server from cutting anything off, and has it warn of what it still cuts.

    Its TIMESTAMPs come in the zone of times that carry none, or in UTC.

    Raises:
        SourceFormatError: the server does not know the zone.
    """
    # UTC is known by its offset also where the time zone tables are not loaded.
    zone = "+00:00" if session.zone in {None, "UTC"} else session.zone
    if session.run(f"SELECT CONVERT_TZ('2026-01-01', '+00:00', '{zone}') IS NULL"):
        raise SourceFormatError(
            f"{session.server}: the server does not know the zone {zone}: load its time zone "
            "tables (mysql_tzinfo_to_sql), or leave timezone out"
        )
    session.run(
        f"SET SESSION time_zone = '{zone}'",
        "SET SESSION sql_select_limit = 18446744073709551615",
        "SET SESSION group_concat_max_len = 4294967295",
        "SET SESSION max_error_count = 65535",
    )


def check_nothing_cut(session: CursorSession, statement: Statement) -> None:
    """Raises unless the statement that has just been read was answered without cutting anything.

    Raises:
        SourceIncompleteError: the server warns that it cut values or rows.
    """

    def ask() -> list[int]:
        # Not `with cursor`, by which pyodbc would commit and end the transaction.
        with contextlib.closing(session.connection.cursor()) as cursor:
            cursor.execute("SHOW WARNINGS")
            return [code for _, code, _ in cursor.fetchall() if code in _CUT_SHORT]

    cut = session.translate_errors(statement, ask)
    if cut:
        raise SourceIncompleteError(
            f"{statement.origin}: values or rows were cut short, {len(cut)} times (warning "
            f"{cut[0]}): raise max_allowed_packet, select less of that column, or take the "
            "query's own limit out"
        )

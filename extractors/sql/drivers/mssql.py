"""SQL Server by an ODBC driver of its URL's choice, in a SNAPSHOT where the database allows it."""

from dataclasses import dataclass

from extractors.sql.drivers.cursor import Begun, CursorSession

_NO_SNAPSHOT_ISOLATION = (
    "the database does not allow snapshot isolation, so rows that change while they are read may "
    "be seen as they were or as they are: ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON"
)


@dataclass(eq=False, kw_only=True)
class MssqlSession(CursorSession):
    """A SQL Server whose URL names host and database."""

    def _begin(self) -> Begun:
        self.connection.timeout = max(1, round(self.timeout_s))
        state = self.run(
            "SELECT snapshot_isolation_state FROM sys.databases WHERE name = DB_NAME()"
        )
        self.connection.rollback()
        if state == 1:
            self.run("SET TRANSACTION ISOLATION LEVEL SNAPSHOT")
            return "one SNAPSHOT transaction, rolled back", ()
        self.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return "one transaction, rolled back", (_NO_SNAPSHOT_ISOLATION,)

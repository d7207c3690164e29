"""DB2 by IBM's driver, whose strongest promise short of a lock is that rows stay as they were."""

from dataclasses import dataclass

from extractors.sql.drivers.cursor import Begun, CursorSession

_NO_SNAPSHOT = (
    "DB2 has no READ ONLY transaction and no snapshot: rows that were read stay as they are "
    "until the end, new ones may join them; let an account log in that can only read"
)


@dataclass(eq=False, kw_only=True)
class Db2Session(CursorSession):
    """A DB2."""

    def _begin(self) -> Begun:
        self.run("SET CURRENT ISOLATION = RS")
        return "one READ STABILITY transaction, rolled back", (_NO_SNAPSHOT,)

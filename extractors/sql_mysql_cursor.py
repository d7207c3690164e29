"""PyMySQL's streaming cursor, which lets go of a result whose connection is lost."""

from typing import Any

from pymysql.cursors import SSCursor


class StreamingCursor(SSCursor):  # type: ignore[misc] # no types of its own
    """Its rows are not gathered first."""

    connection: Any

    def close(self) -> None:
        """Reads what is left of the result, where the connection is there to read it from.

        PyMySQL's own fails on a lost one, with an AttributeError in place of what went wrong.
        """
        if self.connection is not None and not self.connection.open:
            if self._result is not None:
                self._result.unbuffered_active = False
            self.connection = None
        super().close()

    __del__ = close

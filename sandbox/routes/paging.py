"""Pages of a list: numbered from 1, at most 100 items, as everywhere in Lumos's API."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Query

from sandbox.errors import HTTPValidationError

_LARGEST_OFFSET = 2**62

INVALID_IS_422: dict[int | str, dict[str, Any]] = {
    422: {"model": HTTPValidationError, "description": "Validation Error"}
}


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which page is asked for."""

    page: int
    size: int

    def of(self, numbers: Sequence[int]) -> Sequence[int]:
        """Return the page's numbers of all numbers."""
        offset = (self.page - 1) * self.size
        return numbers[offset : offset + self.size]

    def rows(
        self, connection: sqlite3.Connection, select: str, values: Mapping[str, object]
    ) -> list[sqlite3.Row]:
        """Return the page's rows of a SELECT."""
        offset = min((self.page - 1) * self.size, _LARGEST_OFFSET)
        limits = {"page_size": self.size, "page_offset": offset}
        return connection.execute(
            f"{select} LIMIT :page_size OFFSET :page_offset", {**values, **limits}
        ).fetchall()

    def page_count(self, total: int) -> int:
        """Return how many pages `total` items fill."""
        return -(-total // self.size)


async def _page_asked(
    page: Annotated[int, Query(ge=1)] = 1, size: Annotated[int, Query(ge=1, le=100)] = 50
) -> PageAsked:
    return PageAsked(page, size)


PageIn = Annotated[PageAsked, Depends(_page_asked)]

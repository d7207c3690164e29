"""Reads the pages of an app's accounts side by side, and proves that they are one whole list."""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from loaders.lumos.client import LumosApi, Params
from loaders.lumos.responses import not_lumos
from schemas.errors import ReadBackError

_PATH = "/accounts"
PAGE_SIZE = 100
SIDE_BY_SIDE = 16
"""Requests under way at once; the rate limit that the API tells may leave room for fewer."""

PAGES_A_CHUNK = 200
"""Pages that are kept until they are looked at together."""

READINGS = 3
"""How often the pages that do not fit the others are read at most: a list may move meanwhile."""

_MOST_UNFIT = 10
"""More pages that cannot be part of any list, and the rest is not even asked for."""

ROWS = {
    "page": pl.UInt32(),
    "id": pl.UInt64(),
    "unique_identifier": pl.String(),
    "status": pl.String(),
    "email": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was shown.

    Attributes:
        number: from 1.
        total: how many accounts there are in all; None where Lumos did not tell.
        rows: id (a hash of Lumos's own), unique_identifier, status and email of each account.
    """

    number: int
    total: int | None
    rows: list[tuple[int, str | None, str | None, str | None]]

    @property
    def is_short(self) -> bool:
        """Whether it has room for more."""
        return len(self.rows) < PAGE_SIZE

    def fits(self, total: int) -> bool:
        """Whether it holds as many as a list of so many accounts has on it."""
        before = (self.number - 1) * PAGE_SIZE
        return len(self.rows) == min(PAGE_SIZE, max(0, total - before))


class ShownRows:
    """Rows of pages, of each page as it was shown last."""

    def __init__(self) -> None:
        """No page yet."""
        self._chunks: list[pl.DataFrame] = []
        self._pages: set[int] = set()

    def take(self, pages: Collection[int], rows: pl.DataFrame) -> None:
        """Takes what is to be known of these pages, in place of what was."""
        again = self._pages.intersection(pages)
        if again:
            is_old = pl.col("page").is_in(sorted(again))
            self._chunks = [chunk.filter(~is_old) for chunk in self._chunks]
        self._pages.update(pages)
        self._chunks.append(rows)

    def up_to(self, page: int) -> pl.DataFrame:
        """Those of the pages up to that one, with the columns that they were taken with."""
        return pl.concat(self._chunks).filter(pl.col("page") <= page)


class AppPages:
    """The pages of an app, and the proof that they are one whole list."""

    def __init__(
        self, api: LumosApi, app_id: str, on_page: Callable[[int, int], None] | None = None
    ) -> None:
        """Prepares to read; nothing is asked yet.

        Args:
            api: the Lumos API.
            app_id: the app.
            on_page: told after each page how many accounts are read, and how many there are; as
                many as are read where Lumos tells no total.
        """
        self._api = api
        self._app_id = app_id
        self._on_page = on_page
        self._total: int | None = None
        self._counts: dict[int, int] = {}
        self._totals: dict[int, int | None] = {}
        self._read_count = 0
        self._first_ids: dict[int, int] = {}
        self._shown_by: dict[int, int] = {}
        self._unfit: dict[int, str] = {}
        self._ids = ShownRows()
        self._has_repeated = False

    def chunks(self) -> Iterator[tuple[list[int], pl.DataFrame]]:
        """The numbers of some pages and their rows, with the columns of `ROWS`, as they come.

        A page that comes again takes the place of the one before. Those beyond `page_count`, as it
        is in the end, do not count.

        Raises:
            LumosUnavailableError: Lumos could not be reached.
            LumosRefusedError: Lumos refused a page, or answered in another shape.
            ReadBackError: the pages do not make one whole list.
        """
        first = self._asked(1)
        self._note(first)
        if first.total is None:
            yield from self._in_chunks(chain([first], self._read_to_the_end(first)))
            wanted: Sequence[int] = self._repeated()
        else:
            yield from self._in_chunks([first])
            wanted = range(1 if self._unfit else 2, self.page_count + 1)
            for _ in range(READINGS):
                if wanted:
                    yield from self._in_chunks(self._read_side_by_side(wanted))
                    wanted = self._unsettled()
        if wanted:
            raise self._broken(self._reason)

    def _in_chunks(self, pages: Iterable[Page]) -> Iterator[tuple[list[int], pl.DataFrame]]:
        waiting: list[Page] = []
        for page in pages:
            waiting.append(page)
            if len(waiting) == PAGES_A_CHUNK:
                yield self._taken(waiting)
                waiting = []
        if waiting:
            yield self._taken(waiting)

    def _taken(self, pages: list[Page]) -> tuple[list[int], pl.DataFrame]:
        rows = pl.DataFrame(
            [(page.number, *row) for page in pages for row in page.rows], schema=ROWS, orient="row"
        )
        numbers = [page.number for page in pages]
        self._ids.take(numbers, rows.select("page", "id"))
        return numbers, rows.drop("id")

    @property
    def page_count(self) -> int:
        """How many pages there are by the newest total; as many as were shown where none is."""
        if self._total is None:
            return max(self._counts, default=0)
        return max(1, -(-self._total // PAGE_SIZE))

    def _read_side_by_side(self, wanted: Sequence[int]) -> Iterator[Page]:
        with _pages_of(wanted, self._asked) as pages:
            for page in pages:
                self._note(page)
                if len(self._unfit) > _MOST_UNFIT:
                    raise self._broken(self._reason)
                yield page

    def _read_to_the_end(self, page: Page) -> Iterator[Page]:
        """Where no total is told, the pages go on until one is not full."""
        while not page.is_short:
            page = self._asked(page.number + 1)
            self._note(page)
            if self._unfit:
                raise self._broken(self._reason)
            yield page

    def _asked(self, number: int) -> Page:
        params: Params = {"app_id": self._app_id, "page": number, "size": PAGE_SIZE}
        return _checked_page(self._api.get(_PATH, params), self._app_id, number)

    def _note(self, page: Page) -> None:
        number = page.number
        self._read_count += len(page.rows) - self._counts.get(number, 0)
        self._counts[number] = len(page.rows)
        self._totals[number] = page.total
        if page.total is not None:
            self._total = page.total
        self._unfit.pop(number, None)
        self._note_size(page)
        self._note_first(page)
        if self._on_page is not None:
            self._on_page(
                self._read_count, self._read_count if self._total is None else self._total
            )

    def _note_size(self, page: Page) -> None:
        total = self._total if page.total is None else page.total
        if total is None or page.fits(total):
            return
        is_more = len(page.rows) > max(0, total - (page.number - 1) * PAGE_SIZE)
        fewer = "Lumos tells of fewer accounts than it has shown"
        self._unfit[page.number] = fewer if is_more else f"page {page.number} is short"

    def _note_first(self, page: Page) -> None:
        """A service that gives one page for every number is found out before the end."""
        number = page.number
        before = self._first_ids.pop(number, None)
        if before is not None and self._shown_by.get(before) == number:
            del self._shown_by[before]
        if not page.rows:
            return
        first = page.rows[0][0]
        other = self._shown_by.setdefault(first, number)
        self._first_ids[number] = first
        if other != number:
            reason = f"page {number} was shown before"
            self._unfit[number] = reason
            self._unfit.setdefault(other, reason)

    @property
    def _reason(self) -> str:
        repeated = "an account was shown on two pages"
        usual = repeated if self._has_repeated else "it changed while it was read"
        return self._unfit[min(self._unfit)] if self._unfit else usual

    def _unsettled(self) -> list[int]:
        """The pages that are yet to be read, or to be read again; those beyond the end are let go.

        Where every page was shown under one total, an account on two pages is what is left.
        """
        last = self.page_count
        for number in [number for number in self._counts if number > last]:
            self._read_count -= self._counts.pop(number)
            del self._totals[number]
            self._unfit.pop(number, None)
        unread = [
            number
            for number in range(1, last + 1)
            if number not in self._counts
            or self._totals[number] not in {None, self._total}
            or number in self._unfit
        ]
        return unread or self._repeated()

    def _repeated(self) -> list[int]:
        """The pages that show an account which another, or the same, shows as well; in order."""
        ids = self._ids.up_to(max(self._counts))
        pages: list[int] = ids.filter(ids["id"].is_duplicated())["page"].unique().sort().to_list()
        self._has_repeated = bool(pages)
        return pages

    def _broken(self, reason: str) -> ReadBackError:
        return ReadBackError(
            f"GET {_PATH}: the accounts could not be read back whole ({self._read_count} read of"
            f" {self._total or 0}): {reason}; something else may be changing the app: run again"
        )


@contextmanager
def _pages_of(numbers: Iterable[int], ask: Callable[[int], Page]) -> Iterator[Iterator[Page]]:
    """The pages in that order, several asked for at once and few kept."""
    with ThreadPoolExecutor(SIDE_BY_SIDE, "page") as pool:

        def pages() -> Iterator[Page]:
            waiting: deque[Future[Page]] = deque()
            for number in numbers:
                waiting.append(pool.submit(ask, number))
                if len(waiting) >= SIDE_BY_SIDE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        try:
            yield pages()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _checked_page(answer: object, app_id: str, number: int) -> Page:
    items = answer.get("items") if isinstance(answer, dict) else None
    total = answer.get("total", "") if isinstance(answer, dict) else None
    if not isinstance(items, list) or not isinstance(total, int | None):
        raise not_lumos(f"GET {_PATH}")
    if not all(_is_account(item) for item in items) or len(items) > PAGE_SIZE:
        raise not_lumos(f"GET {_PATH}")
    if any(item.get("app_id", app_id) != app_id for item in items):
        raise ReadBackError(f"GET {_PATH}: Lumos showed accounts of another app")
    rows = [
        (
            hash(item["id"]) & 0xFFFF_FFFF_FFFF_FFFF,
            item.get("unique_identifier"),
            item.get("status"),
            item.get("email"),
        )
        for item in items
    ]
    return Page(number, total, rows)


def _is_account(item: Any) -> bool:  # noqa: ANN401 - JSON holds anything
    return (
        isinstance(item, dict)
        and isinstance(item.get("id"), str)
        and isinstance(item.get("unique_identifier"), str | None)
        and isinstance(item.get("status"), str | None)
        and isinstance(item.get("email"), str | None)
    )

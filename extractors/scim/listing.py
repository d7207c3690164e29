"""All resources of one kind, page by page: by index side by side, or by cursor, whole or an error.

What services do (seen with scimmy-routers 1.3.2, scim2-server 0.8.3, django-scim2 0.23.0): answer
the first page whatever was asked, put the count that was asked into itemsPerPage, answer past the
end with the first page, sort anew for each page. So the answer's startIndex is compared with what
was asked, what was received is counted by distinct ids against totalResults, and that is asked for
once more at the end. Each page begins with the last resource of the one before: where one goes and
another comes meanwhile, the number stays and a third moves to a page that was read already.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Generic, TypeVar

import polars as pl

from extractors.scim.documents import SOMEWHERE, TWICE, id_of, mark_twice
from extractors.scim.login import LoginRefusedError
from extractors.scim.service import AnswerError, ScimService
from extractors.text_rows import text_frame
from schemas.errors import SourceFormatError, SourceIncompleteError, SourceUnavailableError

_USUAL_SIZE = 500
_FALLBACK_SIZE = 100
_TOO_LARGE = frozenset({400, 413, 422})
_LARGEST_SIZE = 1000
_TRIES = 3
_MOST_EMPTY = 100

Rows = TypeVar("Rows")
_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class Paging:
    """How a service is paged.

    Attributes:
        size: resources that are asked for at once.
        by_cursor: whether pages are told by cursors (RFC 9865), and not by their first index.
        at_once: pages by index that are asked for side by side.
        fallback: what is asked for instead where the service refuses `size`; None for nothing.
    """

    size: int
    by_cursor: bool
    at_once: int
    fallback: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Rows]):
    """One page.

    Attributes:
        ids: of its resources, in their order.
        rows: what is made of them, before their JSON is let go.
        total: totalResults; None where a page by cursor names none.
        next_cursor: of the page after it; None at the end, and of a page by index.
        border: the id of the resource before its first, which must end the page before it; None
            where that was not asked for.
    """

    ids: pl.Series
    rows: Rows
    total: int | None
    next_cursor: str | None
    border: str | None = None


@dataclass(frozen=True, slots=True)
class Listing(Generic[Rows]):
    """All pages of one kind of resource.

    Attributes:
        pages: in their order; a resource may be on two.
        proof: what shows that they are all.
    """

    pages: list[Page[Rows]]
    proof: str


class _ShiftedError(Exception):
    """The resources changed while they were read, or are in no order."""


class _WholePagesError(_ShiftedError):
    """The service gives whole pages alone, from multiples of their size on."""


@dataclass(frozen=True, slots=True)
class Lister(Generic[Rows]):
    """Lists one kind of resource.

    Attributes:
        service: where.
        path: `/Users`.
        to_rows: makes rows of a page's resources.
        paging: how.
    """

    service: ScimService
    path: str
    to_rows: Callable[[Sequence[dict[str, Any]]], Rows]
    paging: Paging

    def read(self) -> Listing[Rows]:
        """Reads every resource; from the start again where they changed meanwhile.

        Raises:
            SourceUnavailableError: as the service raises it.
            SourceIncompleteError: not all came, or they changed at every try.
            SourceFormatError: an answer is no list of resources.
        """
        smaller = self.paging.fallback
        if smaller is not None:
            try:
                return replace(self, paging=replace(self.paging, fallback=None)).read()
            except AnswerError as error:
                if error.status not in _TOO_LARGE:
                    raise
            return replace(self, paging=replace(self.paging, size=smaller, fallback=None)).read()
        problem, overlaps = "", True
        for _ in range(_TRIES):
            try:
                pages = self._by_cursor() if self.paging.by_cursor else self._by_index(overlaps)
                return Listing(pages, self._proof_of(pages))
            except _ShiftedError as error:
                problem = str(error)
                overlaps = overlaps and not isinstance(error, _WholePagesError)
        raise SourceIncompleteError(f"{self._name}: {problem} at each of {_TRIES} tries: run again")

    def first(self, count: int) -> Page[Rows]:
        """Reads one page from the start, for a look."""
        if self.paging.by_cursor:
            return self._page({"cursor": "", "count": count})
        return self._indexed(1, count)

    @property
    def _name(self) -> str:
        return f"{self.service.base}{self.path}"

    def _by_index(self, overlaps: bool) -> list[Page[Rows]]:
        first = self._indexed(1, self.paging.size)
        total, size = first.total or 0, len(first.ids)
        if size >= total or not size:
            self._check_count([first], total)
            return [first]
        pages = [first]
        overlap = int(overlaps and size > 1)
        step = size - overlap
        slices = range(1 + size, total + 1, step)
        for some in side_by_side(
            lambda start: list(self._slice(start, step, overlap, first)),
            slices,
            self.paging.at_once,
        ):
            pages += some
        if self._indexed(1, 1).total != total:
            raise _ShiftedError("totalResults changed while it was read")
        self._check_count(pages, total)
        self._check_borders(pages)
        return pages

    def _slice(
        self, start: int, size: int, overlap: int, first: Page[Rows]
    ) -> Iterator[Page[Rows]]:
        """Yields pages until there are as many resources as lie from `start` on."""
        total = first.total or 0
        wanted = min(size, total - start + 1)
        while wanted > 0:
            page = self._indexed(start, wanted, overlap)
            if page.total != total:
                raise _ShiftedError("totalResults changed while it was read")
            if page.border is not None and page.border == first.ids[0]:
                raise _WholePagesError(f"the page from {start - overlap:,} is the first one")
            if not page.ids.len():
                raise SourceIncompleteError(
                    f"{self._name}: the page from {start:,} is empty, and there are {total:,}"
                )
            yield page
            start += len(page.ids)
            wanted -= len(page.ids)

    def _indexed(self, start: int, count: int, overlap: int = 0) -> Page[Rows]:
        """Reads `count` resources from `start` on, and `overlap`, 0 or 1, before them."""
        asked = start - overlap
        return self._page({"startIndex": asked, "count": count + overlap}, asked, overlap)

    def _by_cursor(self) -> list[Page[Rows]]:
        pages: list[Page[Rows]] = []
        cursor: str | None = ""
        seen: set[str] = set()
        empty = 0
        while cursor is not None:
            page = self._page_at(cursor)
            pages.append(page)
            cursor, empty = page.next_cursor, 0 if page.ids.len() else empty + 1
            if cursor in seen or empty > _MOST_EMPTY:
                raise SourceIncompleteError(
                    f"{self._name}: its cursors go in a circle: no page is the last"
                )
            seen.add(cursor or "")
        totals = {page.total for page in pages if page.total is not None}
        if len(totals) > 1:
            raise _ShiftedError("totalResults changed while it was read")
        if totals:
            self._check_count(pages, totals.pop())
        return pages

    def _page_at(self, cursor: str) -> Page[Rows]:
        refused = None
        try:
            return self._page({"cursor": cursor, "count": self.paging.size})
        except AnswerError as error:
            refused = error
        if cursor and refused.scim_type.lower() in {"invalidcursor", "expiredcursor"}:
            raise _ShiftedError(f"the service let a cursor go ({refused.scim_type})")
        raise refused

    def _page(
        self, params: dict[str, str | int], start: int | None = None, overlap: int = 0
    ) -> Page[Rows]:
        document = self.service.get(self.path, params)
        if not isinstance(document, dict) or TWICE in document:
            raise SourceFormatError(f"{self._name}: the answer is no list of resources")
        total = _count_of(document.get("totalresults"))
        resources = document.get("resources")
        resources = [] if resources is None else resources
        is_list = isinstance(resources, list) and all(isinstance(one, dict) for one in resources)
        if not is_list or (total is None and start is not None):
            raise SourceFormatError(
                f"{self._name}: the answer is no list of resources: it has no totalResults, or "
                "Resources are none"
            )
        answered = document.get("startindex")
        if start is not None and answered is not None and _count_of(answered) != start:
            if not resources and start > 1:
                raise _ShiftedError(f"the page from {start:,} is empty")
            if overlap:
                raise _WholePagesError(f"the page from {start:,} is labelled otherwise")
            raise SourceIncompleteError(
                f"{self._name}: asked for the page from {start:,}, it answers with one that is "
                "labelled otherwise: it takes no notice of startIndex, or of the query: without "
                "pages, not all can be read"
            )
        if SOMEWHERE in document:
            mark_twice(resources)
        ids = [id_of(resource.get("id")) for resource in resources]
        if not all(ids):
            raise SourceFormatError(f"{self._name}: a resource has no id")
        cursor = document.get("nextcursor")
        is_next = isinstance(cursor, str) and cursor and start is None
        border = ids[0] if overlap and ids else None
        column = text_frame({"id": ids[overlap:]})["id"]
        rows = self.to_rows(resources[overlap:])
        return Page(column, rows, total, str(cursor) if is_next else None, border)

    def _check_count(self, pages: list[Page[Rows]], total: int) -> None:
        distinct = _distinct_count(pages)
        if distinct != total:
            received = sum(len(page.ids) for page in pages)
            raise _ShiftedError(
                f"{received:,} resources with {distinct:,} distinct ids came, and totalResults is "
                f"{total:,},"
            )

    def _check_borders(self, pages: list[Page[Rows]]) -> None:
        for before, page in pairwise(pages):
            if page.border is not None and page.border != before.ids[-1]:
                raise _ShiftedError("resources moved from page to page while it was read")

    def _proof_of(self, pages: list[Page[Rows]]) -> str:
        distinct = _distinct_count(pages)
        how = "by cursor" if self.paging.by_cursor else "by index"
        count = f"{len(pages):,} page{'s' if len(pages) > 1 else ''} {how}"
        is_told = any(page.total is not None for page in pages)
        told = f"as many as totalResults, {count}" if is_told else f"{count}, to the last cursor"
        return f"{self._name}: {distinct:,} distinct ids, {told}"


def side_by_side(
    work: Callable[[_Item], _Done], items: Iterable[_Item], at_once: int
) -> Iterator[_Done]:
    """Yields what `work` makes of each item, in order; the first error ends what is left."""
    pool = ThreadPoolExecutor(at_once, "scim")
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)


def _distinct_count(pages: Sequence[Page[Rows]]) -> int:
    return pl.concat([page.ids for page in pages]).n_unique()


def _count_of(value: Any) -> int | None:  # noqa: ANN401 - JSON holds anything
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return int(value) if is_count else None


def to_paging(service: ScimService, pagination: str, page_size: int | None, at_once: int) -> Paging:
    """Returns how the service is paged, as the source file says or its configuration offers.

    Raises:
        LoginRefusedError: the service refuses the login.
    """
    offers = _configuration(service)
    pages = offers.get("pagination")
    pages = pages if isinstance(pages, dict) else {}
    offers_cursor = pages.get("cursor") is True
    by_cursor = pagination == "cursor" or (pagination == "auto" and offers_cursor)
    if page_size is not None:
        return Paging(page_size, by_cursor, at_once)
    filters = offers.get("filter")
    limits = [
        pages.get("maxpagesize"),
        filters.get("maxresults") if isinstance(filters, dict) else 0,
    ]
    told = next(filter(None, map(_count_of, limits)), None)
    if told is None:
        return Paging(_USUAL_SIZE, by_cursor, at_once, _FALLBACK_SIZE)
    return Paging(min(told, _LARGEST_SIZE), by_cursor, at_once)


def _configuration(service: ScimService) -> dict[str, Any]:
    """Returns /ServiceProviderConfig; empty where the service shows none to whoever reads.

    It is asked for once: django-scim2 0.23.0 has services that never answer it but with a 500.

    Raises:
        LoginRefusedError: the service refuses the login.
    """
    try:
        document = service.get("/ServiceProviderConfig", {}, attempts=1)
    except LoginRefusedError:
        raise
    except (SourceFormatError, SourceUnavailableError):
        return {}
    return document if isinstance(document, dict) else {}

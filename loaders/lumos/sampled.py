"""Whether an app holds what was sent, by what an upload changed and a sample of the rest."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from loaders.lumos.client import LumosApi, Params
from loaders.lumos.pages import PAGE_SIZE, AppPages
from schemas.statuses import GONE

SAMPLE_PAGES = 10
"""Pages of the whole list that are read, at random."""

_CLOCK_SLACK = timedelta(hours=1)
_MOST_OF_ALL = 0.25
"""A list that is longer than so much of the whole list is not worth reading in its place."""

_KEY = "unique_identifier"


def holds_changes(
    api: LumosApi,
    app_id: str,
    sent: pl.DataFrame,
    before: pl.DataFrame,
    since: datetime,
    pick: random.Random,
) -> bool:
    """Whether the app holds what was sent, as far as its changes and a sample show.

    Looked at are how many accounts have each status, every account that was added or whose status
    changed, and some pages of all. False says only that the whole list must be read: something is
    not as it should be, or to read of the changes alone would take as long.

    Args:
        api: the Lumos API.
        app_id: the app.
        sent: unique_identifier, status.
        before: the same of what the app held before.
        since: when the run began, UTC.
        pick: picks the pages.

    Raises:
        LumosUnavailableError: Lumos could not be reached.
        LumosRefusedError: Lumos refused a page, or answered in another shape.
        ReadBackError: the pages of a list do not make one whole list.
    """
    totals = sent["status"].value_counts()
    wanted: dict[str, int] = dict(totals.iter_rows())
    statuses = sorted({*wanted, *before["status"].unique()} - set(GONE))
    if any(_total(api, app_id, {"status": one}) != wanted.get(one, 0) for one in statuses):
        return False
    return (
        _has_added(api, app_id, sent.join(before, on=_KEY, how="anti"), since)
        and _has_moved(api, app_id, sent, before, wanted)
        and _is_sample_as_sent(api, app_id, sent, pick)
    )


def _total(api: LumosApi, app_id: str, filters: Params) -> int | None:
    return AppPages(api, app_id, filters=filters).first().total


def _shown(api: LumosApi, app_id: str, filters: Params) -> pl.DataFrame:
    chunks = AppPages(api, app_id, filters=filters).chunks()
    return pl.concat([rows for _, rows in chunks]).select(_KEY, "status")


def _has_added(api: LumosApi, app_id: str, added: pl.DataFrame, since: datetime) -> bool:
    """An account that Lumos had seen before is not found so, which says nothing against it."""
    if not added.height:
        return True
    shown = _shown(api, app_id, {"discovered_after": (since - _CLOCK_SLACK).isoformat()})
    return added.join(shown, on=[_KEY, "status"], how="semi").height == added.height


def _has_moved(
    api: LumosApi, app_id: str, sent: pl.DataFrame, before: pl.DataFrame, wanted: dict[str, int]
) -> bool:
    """Whether each is listed under its new status; or, where that is long, not under the old."""
    both = sent.join(before, on=_KEY, suffix="_before")
    moved = both.filter(pl.col("status") != pl.col("status_before"))
    for (new, old), accounts in moved.group_by("status", "status_before"):
        shorter = min(str(new), str(old), key=lambda status: wanted.get(status, 0))
        if wanted.get(shorter, 0) > _MOST_OF_ALL * sent.height or str(old) in GONE:
            return False
        listed = accounts.join(_shown(api, app_id, {"status": shorter}), on=_KEY, how="semi").height
        if listed != (accounts.height if shorter == new else 0):
            return False
    return True


def _is_sample_as_sent(api: LumosApi, app_id: str, sent: pl.DataFrame, pick: random.Random) -> bool:
    pages = AppPages(api, app_id)
    total = pages.first().total
    if total is None or total < sent.height:
        return False
    every = range(1, -(-total // PAGE_SIZE) + 1)
    numbers: Sequence[int] = pick.sample(every, min(SAMPLE_PAGES, len(every)))
    for number in numbers:
        rows = pages.page(number).rows
        shown = pl.DataFrame(
            [(one, status) for _, one, status, _ in rows],
            schema={_KEY: pl.String(), "status": pl.String()},
            orient="row",
        )
        known = shown.join(sent, on=_KEY, how="left", suffix="_sent")
        is_fine = pl.col("status").is_null() | pl.col("status").eq_missing(pl.col("status_sent"))
        is_gone = pl.col("status_sent").is_null() & pl.col("status").is_in(GONE)
        if known.filter(~(is_fine & pl.col("status_sent").is_not_null()) & ~is_gone).height:
            return False
    return True

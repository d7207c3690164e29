"""Sends the accounts of an app, reads them back, and says where the two differ."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from loaders.lumos.client import Check, LumosApi
from loaders.lumos.pages import AppPages, ShownRows
from loaders.lumos.responses import not_lumos
from schemas.statuses import GONE

_UPLOAD = "/accounts/upload"


def submit_accounts(api: LumosApi, body: Path, *, check: Check) -> str:
    """The id of the job that takes the upload in `body`, a file with the whole request.

    `check` is called before each attempt; it raises where nothing more may be sent.

    Raises:
        BusyError: as `check` raises it.
        LumosUnavailableError: Lumos could not be reached; the upload may have been taken.
        LumosRefusedError: Lumos refused the upload.
        StateError: the file cannot be read.
    """
    answer = api.post_file(_UPLOAD, body, check=check)
    job_id = answer.get("job_id") if isinstance(answer, dict) else None
    if not isinstance(job_id, str) or not job_id:
        raise not_lumos(f"POST {_UPLOAD}")
    return job_id


def read_accounts(
    api: LumosApi, app_id: str, *, on_page: Callable[[int, int], None] | None = None
) -> pl.DataFrame:
    """The accounts that Lumos holds for an app, in its order.

    Args:
        api: the Lumos API.
        app_id: the app.
        on_page: told after each page how many accounts are read, and how many there are; as many
            as are read where Lumos tells no total.

    Returns:
        One row an account: unique_identifier, status and email, String; null where Lumos tells
        none.

    Raises:
        LumosUnavailableError: Lumos could not be reached.
        LumosRefusedError: Lumos refused a page, or answered in another shape.
        ReadBackError: the pages do not make one whole list.
    """
    pages = AppPages(api, app_id, on_page)
    shown = ShownRows()
    for numbers, rows in pages.chunks():
        shown.take(numbers, rows)
    return shown.up_to(pages.page_count).sort("page", maintain_order=True).drop("page")


def compare_with_app(
    api: LumosApi,
    app_id: str,
    sent: pl.DataFrame,
    *,
    on_page: Callable[[int, int], None] | None = None,
) -> pl.DataFrame:
    """Where Lumos holds something else than was sent: compared as its pages come, and let go.

    The result is that of `compare_accounts` on `read_accounts`; of an account as it should be, two
    numbers are kept.

    Raises:
        LumosUnavailableError: as `read_accounts`.
        LumosRefusedError: as `read_accounts`.
        ReadBackError: as `read_accounts`.
    """
    places = sent.select("unique_identifier", sent_status="status").with_row_index("place")
    is_as_sent = pl.col("place").is_not_null() & (
        pl.col("status").is_null() | pl.col("status").eq_missing(pl.col("sent_status"))
    )
    tells_none = True
    as_sent, others = ShownRows(), ShownRows()
    pages = AppPages(api, app_id, on_page)
    for numbers, rows in pages.chunks():
        tells_none = tells_none and rows["status"].null_count() == rows.height
        placed = rows.join(places, on="unique_identifier", how="left")
        as_sent.take(numbers, placed.filter(is_as_sent).select("page", "place"))
        others.take(numbers, placed.filter(~is_as_sent))
    last = pages.page_count
    return _differences_left(
        sent, as_sent.up_to(last)["place"], others.up_to(last), tells_none=tells_none
    )


def _differences_left(
    sent: pl.DataFrame, as_sent: pl.Series, others: pl.DataFrame, *, tells_none: bool
) -> pl.DataFrame:
    """The differences, where the rows of `sent` at the places `as_sent` were found as they are.

    What Lumos holds twice, once as it was sent and once not, is a difference still.
    """
    place = pl.int_range(pl.len(), dtype=pl.UInt32)
    is_left = ~place.is_in(as_sent.implode()) | place.is_in(others["place"].implode())
    return compare_accounts(sent.filter(is_left), others, tells_none=tells_none)


def compare_accounts(
    sent: pl.DataFrame, held: pl.DataFrame, *, tells_none: bool | None = None
) -> pl.DataFrame:
    """Where Lumos holds something else than was sent.

    Args:
        sent: unique_identifier, status.
        held: unique_identifier, status, as `read_accounts` returns them. A status that Lumos does
            not tell (null) is no difference; nor is an account that was not sent and that Lumos
            shows as gone, or may, since it tells no status of any.
        tells_none: whether Lumos tells no status of any; by default as `held` has it.

    Returns:
        One row a difference: unique_identifier, sent_status, found_status, difference (`missing`,
        `other status`, `not sent`), all String, sorted by unique_identifier. A status is null where
        there is none, or the account was not sent or not found.
    """
    key = "unique_identifier"
    both = sent.select(key, sent_status="status", is_sent=True).join(
        held.select(key, found_status="status", is_found=True), on=key, how="full", coalesce=True
    )
    if tells_none is None:
        tells_none = held["status"].null_count() == held.height
    is_gone = pl.col("found_status").is_in(GONE).fill_null(value=tells_none)
    difference = (
        pl.when(pl.col("is_found").is_null())
        .then(pl.lit("missing"))
        .when(pl.col("is_sent").is_null() & ~is_gone)
        .then(pl.lit("not sent"))
        .when(
            pl.col("is_sent").is_not_null()
            & pl.col("found_status").is_not_null()
            & pl.col("sent_status").ne_missing(pl.col("found_status"))
        )
        .then(pl.lit("other status"))
    )
    return (
        both.with_columns(difference=difference)
        .filter(pl.col("difference").is_not_null())
        .select(key, "sent_status", "found_status", "difference")
        .sort(key, "found_status")
    )

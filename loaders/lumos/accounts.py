"""Sends the accounts of an app, reads them back, and says where the two differ."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from loaders.lumos.client import Check, LumosApi, Params
from loaders.lumos.responses import not_lumos
from schemas.errors import ReadBackError
from schemas.statuses import GONE

_UPLOAD = "/accounts/upload"
_PATH = "/accounts"
_PAGE_SIZE = 100
_PAGES_A_CHUNK = 500

_ACCOUNT = {
    "id": pl.String(),
    "unique_identifier": pl.String(),
    "status": pl.String(),
    "email": pl.String(),
}


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
    reading = _Reading(app_id)
    while not reading.is_whole:
        params: Params = {
            "app_id": app_id,
            "page": reading.page_count + 1,
            "size": _PAGE_SIZE,
        }
        reading.add(api.get(_PATH, params))
        if on_page is not None:
            on_page(reading.read_count, reading.total)
    return reading.accounts()


class _Reading:
    """The pages read so far."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._chunks = [pl.DataFrame(schema=_ACCOUNT)]
        self._rows: list[tuple[str, str | None, str | None, str | None]] = []
        self._first_ids: set[str] = set()
        self.page_count = 0
        self.read_count = 0
        self.total = 0
        self.is_whole = False

    def add(self, answer: object) -> None:
        items, total = _checked_page(answer, self._app_id)
        is_short = len(items) < _PAGE_SIZE
        self.page_count += 1
        self.read_count += len(items)
        self.total = self.read_count if total is None else total
        # Where no total is told, the pages go on until one is not full.
        self.is_whole = is_short if total is None else self.read_count >= total
        if self.total < self.read_count:
            raise _broken(self, "Lumos now tells of fewer accounts than it has shown")
        if is_short and not self.is_whole:
            raise _broken(self, f"page {self.page_count} is short")
        if items and items[0]["id"] in self._first_ids:
            raise _broken(self, f"page {self.page_count} was shown before")
        self._first_ids.update(item["id"] for item in items[:1])
        self._rows.extend(
            (item["id"], item.get("unique_identifier"), item.get("status"), item.get("email"))
            for item in items
        )
        if self.page_count % _PAGES_A_CHUNK == 0:
            self._keep_rows()

    def _keep_rows(self) -> None:
        self._chunks.append(pl.DataFrame(self._rows, schema=_ACCOUNT, orient="row"))
        self._rows = []

    def accounts(self) -> pl.DataFrame:
        self._keep_rows()
        accounts = pl.concat(self._chunks)
        if accounts["id"].n_unique() != accounts.height:
            raise _broken(self, "an account was shown on two pages")
        return accounts.drop("id")


def _checked_page(answer: object, app_id: str) -> tuple[list[dict[str, Any]], int | None]:
    """The page's accounts, and how many there are in all; None where Lumos does not tell."""
    items = answer.get("items") if isinstance(answer, dict) else None
    total = answer.get("total", "") if isinstance(answer, dict) else None
    if not isinstance(items, list) or not isinstance(total, int | None):
        raise not_lumos(f"GET {_PATH}")
    if not all(_is_account(item) for item in items) or len(items) > _PAGE_SIZE:
        raise not_lumos(f"GET {_PATH}")
    if any(item.get("app_id", app_id) != app_id for item in items):
        raise ReadBackError(f"GET {_PATH}: Lumos showed accounts of another app")
    return items, total


def _is_account(item: object) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("id"), str)
        and isinstance(item.get("unique_identifier"), str | None)
        and isinstance(item.get("status"), str | None)
        and isinstance(item.get("email"), str | None)
    )


def _broken(reading: _Reading, reason: str) -> ReadBackError:
    return ReadBackError(
        f"GET {_PATH}: the accounts could not be read back whole ({reading.read_count} read of"
        f" {reading.total}): {reason}; something else may be changing the app: run again"
    )


def compare_accounts(sent: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Where Lumos holds something else than was sent.

    Args:
        sent: unique_identifier, status.
        held: unique_identifier, status, as `read_accounts` returns them. A status that Lumos does
            not tell (null) is no difference; nor is an account that was not sent and that Lumos
            shows as gone, or may, since it tells no status of any.

    Returns:
        One row a difference: unique_identifier, sent_status, found_status, difference (`missing`,
        `other status`, `not sent`), all String, sorted by unique_identifier. A status is null where
        there is none, or the account was not sent or not found.
    """
    key = "unique_identifier"
    both = sent.select(key, sent_status="status", is_sent=True).join(
        held.select(key, found_status="status", is_found=True), on=key, how="full", coalesce=True
    )
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

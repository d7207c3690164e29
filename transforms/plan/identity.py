"""Who is who: e-mail addresses that changed hands, and ids that are one person's in two spellings.

Lumos tells people apart by e-mail address, so an address that moves takes access with it.
"""

import polars as pl

from schemas.plan import LOOKALIKES
from schemas.statuses import CAN_LOG_IN
from transforms.plan.matched import Matched

_ID = "integration_specific_id"


def _folded(emails: pl.Series) -> pl.Series:
    """The addresses as they are compared: without regard to case."""
    return emails.str.to_lowercase()


def changed_emails(
    now: pl.DataFrame, before: pl.DataFrame, differences: pl.DataFrame
) -> pl.DataFrame:
    """`now` and `before` (row numbers) and `email` of the accounts that have another address."""
    rows = differences.filter(pl.col("fields").list.contains("email")).select("now", "before")
    return (
        rows.with_columns(
            _folded(now["email"].gather(rows["now"])).alias("email"),
            _folded(before["email"].gather(rows["before"])).alias("email_before"),
        )
        .filter(pl.col("email") != pl.col("email_before"))
        .drop("email_before")
    )


def swapped_emails(
    now: pl.DataFrame, before: pl.DataFrame, accounts: Matched, changed: pl.DataFrame
) -> pl.Series:
    """The ids of the accounts whose address is now one that another account had.

    A service account may take its owner's address while the owner keeps it, and so may a new
    account; a new account may also take that of one that is gone, or closed and blank.
    """
    added = pl.DataFrame(
        {
            "now": accounts.added.cast(pl.UInt32),
            "email": _folded(now["email"].gather(accounts.added)),
        }
    ).with_columns(is_new=pl.lit(value=True))
    takers = pl.concat(
        [changed.select(pl.col("now").cast(pl.UInt32), "email"), added], how="diagonal"
    )
    if takers.is_empty():  # most nights, and it spares folding every address
        return pl.Series("integration_specific_id", dtype=pl.String)
    owners = _owners(now, before, accounts, takers)
    is_service = now["account_type"].gather(takers["now"]).eq_missing("service")
    taken = takers.with_columns(is_service=is_service).join(owners, on="email", how="inner")
    may_share = pl.col("is_service") | pl.col("is_new").fill_null(value=False)
    rows = taken.filter(~may_share | pl.col("is_dispossessed"))["now"]
    return now["integration_specific_id"].gather(rows.sort())


def _owners(
    now: pl.DataFrame, before: pl.DataFrame, accounts: Matched, takers: pl.DataFrame
) -> pl.DataFrame:
    """The addresses in `takers` that accounts had before: `email` and `is_dispossessed`.

    An owner is dispossessed who is there still, under another address, or under none and can log
    in.
    """
    owners = pl.DataFrame(
        {"email": _folded(before["email"]), "row": accounts.now_of_before.cast(pl.UInt32)}
    ).join(takers, on="email", how="semi")
    email_now = _folded(now["email"].gather(owners["row"]))
    can_log_in = now["user_status"].gather(owners["row"]).is_in(CAN_LOG_IN)
    is_other = (email_now != owners["email"]).fill_null(can_log_in)
    is_there = owners["row"].is_not_null()
    marked = owners.with_columns(
        (is_other.fill_null(value=False) & is_there).alias("is_dispossessed")
    )
    return marked.group_by("email").agg(pl.col("is_dispossessed").any())


def lookalikes(now: pl.DataFrame, before: pl.DataFrame, accounts: Matched) -> pl.DataFrame:
    """`LOOKALIKES`: removed and added accounts that look like one person, by removed id."""
    if accounts.removed.is_empty() or accounts.added.is_empty():
        return pl.DataFrame(schema=LOOKALIKES)
    gone = before.select(_ID, "email").select(pl.all().gather(accounts.removed))
    new = now.select(_ID, "email").select(pl.all().gather(accounts.added))
    pairs = [
        _paired(gone, new, _folded_id(), "id"),
        _paired(gone, new, pl.col("email").str.to_lowercase(), "e-mail"),
    ]
    return pl.concat(pairs).unique(["removed", "added"], keep="first").sort("removed", "added")


def _paired(gone: pl.DataFrame, new: pl.DataFrame, key: pl.Expr, alike: str) -> pl.DataFrame:
    """Who is gone beside who is new under the same key: the first by id, of several."""
    left = gone.select(key.alias("key"), removed=_ID)
    right = new.select(key.alias("key"), added=_ID).group_by("key").agg(pl.col("added").min())
    return left.join(right, on="key").select("removed", "added", pl.lit(alike).alias("alike"))


def _folded_id() -> pl.Expr:
    """An id without what a spreadsheet or a new driver does to it: case, blanks, zeros, form."""
    text = pl.col(_ID).str.normalize("NFKC").str.to_lowercase()
    return text.str.replace_all(r"[\s\p{Cf}]", "").str.replace(r"^0+(.)", "$1")

"""Who is who: e-mail addresses that changed hands, and ids that are one person's in two spellings.

Lumos tells people apart by e-mail address, so an address that moves takes access with it.
"""

import polars as pl

from schemas.plan import LOOKALIKES
from schemas.statuses import CAN_LOG_IN
from transforms.plan.matched import Matched

_ID = "integration_specific_id"
_NAMES = ("given_name", "family_name")
_NAMED = "\0"
"""Before the names of an account that has no address: no address begins with it."""


def told_by(accounts: pl.DataFrame) -> pl.Series:
    """What tells each account's person: the address or, without one, both names; case apart.

    Null where it has neither.
    """
    names = pl.concat_str(pl.lit(_NAMED), *_NAMES, separator=" ")
    return accounts.select(pl.coalesce("email", names).str.to_lowercase()).to_series()


def _person_at(accounts: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """The address and the names at those rows."""
    return accounts.select("email", *_NAMES).select(pl.all().gather(rows))


def changed_people(
    now: pl.DataFrame, before: pl.DataFrame, differences: pl.DataFrame
) -> pl.DataFrame:
    """`now` and `before` (row numbers) of the accounts that are somebody else by what they say.

    `told_by` is what tells them now where that is another than before; null of those that have
    their address still, and both names are others.
    """
    is_meant = pl.col("fields").list.set_intersection(["email", *_NAMES]).list.len() > 0
    rows = differences.filter(is_meant).select("now", "before")
    new, old = (_person_at(frame, rows[side]) for frame, side in ((now, "now"), (before, "before")))
    both = pl.DataFrame({"new": told_by(new), "old": told_by(old)})
    is_same_kind = pl.col("new").str.starts_with(_NAMED) == pl.col("old").str.starts_with(_NAMED)
    is_other = both.select(is_same_kind & (pl.col("new") != pl.col("old"))).to_series()
    renamed = [new[name].str.to_lowercase() != old[name].str.to_lowercase() for name in _NAMES]
    is_renamed = (renamed[0] & renamed[1]).fill_null(value=False)
    is_other = is_other.fill_null(value=False)
    shown = both.select(pl.when(is_other).then("new").alias("told_by"))
    return rows.hstack(shown).filter(is_other | is_renamed)


def swapped_emails(
    now: pl.DataFrame, before: pl.DataFrame, accounts: Matched, changed: pl.DataFrame
) -> pl.Series:
    """The ids of the accounts whose address is now one that another account had.

    A service account may take its owner's address while the owner keeps it, and so may a new
    account; a new account may also take that of one that is gone, or closed and blank. Without an
    address the same is asked of names, which two people may share.
    """
    came = told_by(_person_at(now, accounts.added))
    added = pl.DataFrame({"now": accounts.added.cast(pl.UInt32), "told_by": came}).with_columns(
        is_new=pl.lit(value=True)
    )
    others = changed.select(pl.col("now").cast(pl.UInt32), "told_by")
    takers = pl.concat([others, added], how="diagonal").drop_nulls("told_by")
    if takers.is_empty():  # most nights, and it spares folding every address
        return pl.Series("integration_specific_id", dtype=pl.String)
    owners = _owners(now, before, accounts, takers)
    is_service = now["account_type"].gather(takers["now"]).eq_missing("service")
    taken = takers.with_columns(is_service=is_service).join(owners, on="told_by", how="inner")
    is_namesake = pl.col("told_by").str.starts_with(_NAMED)
    may_share = pl.col("is_service") | pl.col("is_new").fill_null(value=False) | is_namesake
    rows = taken.filter(~may_share | pl.col("is_dispossessed"))["now"]
    return now["integration_specific_id"].gather(rows.sort())


def _owners(
    now: pl.DataFrame, before: pl.DataFrame, accounts: Matched, takers: pl.DataFrame
) -> pl.DataFrame:
    """What in `takers` told accounts before: `told_by` and `is_dispossessed`.

    An owner is dispossessed who is there still, under another address, or under none and can log
    in.
    """
    owners = pl.DataFrame(
        {"told_by": told_by(before), "row": accounts.now_of_before.cast(pl.UInt32)}
    ).join(takers, on="told_by", how="semi")
    told_now = told_by(_person_at(now, owners["row"]))
    has_kept_kind = told_now.str.starts_with(_NAMED) == owners["told_by"].str.starts_with(_NAMED)
    can_log_in = now["user_status"].gather(owners["row"]).is_in(CAN_LOG_IN)
    is_other = (told_now != owners["told_by"]).zip_with(
        has_kept_kind.fill_null(value=False), can_log_in
    )
    is_there = owners["row"].is_not_null()
    marked = owners.with_columns(
        (is_other.fill_null(value=False) & is_there).alias("is_dispossessed")
    )
    return marked.group_by("told_by").agg(pl.col("is_dispossessed").any())


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

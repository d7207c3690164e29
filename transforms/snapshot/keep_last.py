"""A rejected row is never a removal: every last accepted record that it may have been is kept.

A reject whose key can be read keeps the record of that key. One whose key cannot be read may be any
record that is missing now, so all of those are kept, and the run says so.
"""

from dataclasses import dataclass, replace

import polars as pl

from schemas.raw import RawTable
from schemas.snapshot import Snapshot
from schemas.tables import ASSOCIATIONS
from transforms.associations.pairs import row_numbers
from transforms.tables.conform import NO_RECORD, Conformed
from transforms.tables.rejects import TableCount


@dataclass(frozen=True, slots=True)
class CarriedForward:
    """Last accepted records carried forward.

    Attributes:
        records: in any order.
        for_unreadable: how many of them are kept only because some reject's key cannot be read.
    """

    records: pl.DataFrame
    for_unreadable: int


def kept_records(
    last: pl.DataFrame, current: pl.DataFrame, keys: pl.Series, guessed: pl.Series, key: list[str]
) -> CarriedForward:
    """The records of `last` that rejects keep, none of which is in `current`.

    Args:
        last: the last accepted table.
        current: the keys of the accepted records of this read.
        keys: rejects' keys as `key_text` writes them; null where a key cannot be read.
        guessed: keys of rows that could not even be split into columns: right if they name a record
            of `last` that is missing now, else unreadable.
        key: the key's columns.
    """
    guesses = guessed.filter(guessed.ne_missing(NO_RECORD))
    wanted = pl.concat([keys, guesses]).drop_nulls().implode()
    named = last.filter(key_expression(key).is_in(wanted))
    # Both sides cut down first: to look for a few in a million takes fifty times as long.
    named = _missing(named, current.join(named, on=key, how="semi"), key)
    kept_keys = named.select(key_expression(key)).to_series().implode()
    if not _has_null(keys, key) and guesses.is_in(kept_keys).fill_null(value=False).all():
        return CarriedForward(named, 0)
    missing = _missing(last, current, key)
    return CarriedForward(missing, missing.height - named.height)


def _missing(last: pl.DataFrame, current: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The records of `last` that are not in `current`."""
    return last.join(current, on=key, how="anti")


def _has_null(keys: pl.Series, key: list[str]) -> bool:
    """Whether one of `keys` cannot be read: it, or a part of it, is null."""
    parts = keys.to_frame()
    if len(key) > 1:
        form = pl.Struct(dict.fromkeys(key, pl.String()))
        parts = keys.filter(keys.ne_missing(NO_RECORD)).str.json_decode(form).struct.unnest()
    return any(part.null_count() for part in parts)


def keep_last(
    last: pl.DataFrame, now: Conformed, table: RawTable, key: list[str]
) -> CarriedForward:
    """What the rejects of `table` keep of `last`; those the reader found hold guessed keys."""
    certain = now.rejects.join(table.rejects, on=["file", "row"], how="anti")
    if not now.rejects.height:
        return CarriedForward(last.clear(), 0)
    return kept_records(last, now.of_records(key), certain["key"], table.rejects["key"], key)


def count_carried(count: TableCount, kept: CarriedForward) -> TableCount:
    """`count`, and how many records were kept."""
    return replace(count, kept=kept.records.height)


def key_expression(key: list[str]) -> pl.Expr:
    """The key as `key_text` writes it, for records known to be well-formed."""
    if len(key) == 1:
        return pl.col(key[0])
    return pl.struct(key).struct.json_encode()


def kept_pairs(last: Snapshot, keys: pl.Series, accounts: pl.Series) -> pl.DataFrame:
    """The associations of `last` (`GRANTS`) that rejects keep.

    Args:
        last: the last accepted snapshot.
        keys: rejected associations' keys; null, or null within, where it cannot be read.
        accounts: ids of accounts that keep all they held: their own rows say what that is.
    """
    grants = last.grants
    if not keys.len() and not accounts.len():
        return grants.clear()
    ids = last.accounts["integration_specific_id"]
    of_kept = grants["account"].is_in(row_numbers(accounts, ids).drop_nulls().implode())
    if not keys.len():
        return grants.filter(of_kept)
    parts = _parts_of(keys)
    if parts.select(pl.all_horizontal(_IS_UNREADABLE)).to_series().any():
        return grants
    return grants.filter(of_kept | _named_pairs(last, parts))


def has_unreadable(keys: pl.Series) -> bool:
    """Whether a rejected association may be several: its account or entitlement is not readable."""
    return bool(_parts_of(keys).select(pl.any_horizontal(_IS_UNREADABLE)).to_series().any())


def _parts_of(keys: pl.Series) -> pl.DataFrame:
    """The keys' parts (`ASSOCIATIONS`); an entitlement of an unreadable resource is unreadable."""
    parts = keys.str.json_decode(pl.Struct(ASSOCIATIONS)).struct.unnest()
    is_placed = pl.col("integration_specific_resource_id").is_not_null()
    return parts.with_columns(pl.when(is_placed).then(_ENTITLEMENT).alias(_ENTITLEMENT))


_ENTITLEMENT = "integration_specific_entitlement_id"
_IS_UNREADABLE = pl.col("account_id", _ENTITLEMENT).is_null()


def _named_pairs(last: Snapshot, parts: pl.DataFrame) -> pl.Series:
    """A mask over `last.grants`: pairs that keys name; an unreadable part of a key names any."""
    grants = last.grants
    keys = last.entitlements.select(
        pl.col("integration_specific_id").alias(_ENTITLEMENT), "integration_specific_resource_id"
    )
    numbered = parts.select(
        account=row_numbers(parts["account_id"], last.accounts["integration_specific_id"]),
        entitlement=row_numbers(parts.select(keys.columns), keys),
        any_account=pl.col("account_id").is_null(),
        any_entitlement=pl.col(_ENTITLEMENT).is_null(),
    )
    # A part that is null names no pair: those of `last` have both.
    exact = grants.select(
        pl.struct("account", "entitlement").is_in(
            numbered.select(pl.struct("account", "entitlement")).to_series().implode()
        )
    ).to_series()
    of_account = numbered.filter("any_entitlement")["account"].drop_nulls()
    of_entitlement = numbered.filter("any_account")["entitlement"].drop_nulls()
    return (
        exact
        | grants["account"].is_in(of_account.implode())
        | grants["entitlement"].is_in(of_entitlement.implode())
    )

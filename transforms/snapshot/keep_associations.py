"""Associations that rejects keep: of the pairs they name, or of any that they may be."""

from dataclasses import dataclass, replace

import polars as pl

from schemas.snapshot import Snapshot
from schemas.tables import ASSOCIATIONS, KEPT, ONE_FIELD
from transforms.associations.pairs import row_numbers
from transforms.snapshot.keep_last import UNREADABLE, KeptBefore, as_kept, has_new_line
from transforms.tables.conform import NO_RECORD, key_text

_ENTITLEMENT = "integration_specific_entitlement_id"
_UNREAD = pl.lit(UNREADABLE)
NAMED = "rejected"
"""Why an association is kept that a reject names."""
_IS_UNREADABLE = pl.col("account_id", _ENTITLEMENT).is_null()


@dataclass(frozen=True, slots=True)
class AssociationRejects:
    """What rejected associations may be.

    Attributes:
        keys: of those to go by: null, or null within, where they cannot be read.
        lines: the text of those that cannot be read, with every number of a line a 0.
        before: keys that are kept on for them; `keys` has them no more.
    """

    keys: pl.Series
    lines: pl.Series
    before: pl.Series


def to_association_rejects(
    rejects: pl.DataFrame, accounts: pl.Series, before: KeptBefore
) -> AssociationRejects:
    """What `rejects` of associations may be, after what was kept `before`.

    A line of one field names the `accounts` whose id is a word of it, with all they hold, and no
    one else.
    """
    is_one = rejects["code"] == ONE_FIELD
    rejects, of_one = rejects.filter(~is_one), rejects.filter(is_one)
    rejects = rejects.filter(pl.col("key").ne_missing(NO_RECORD))
    keys = pl.concat([rejects["key"], _named_accounts(of_one, accounts)])
    parts = _parts_of(rejects["key"])
    is_unreadable = parts.select(pl.any_horizontal(_IS_UNREADABLE)).to_series()
    unread = rejects.filter(is_unreadable)
    text = pl.col("value").fill_null("")
    line = pl.when(pl.col("key").is_null()).then(text.str.replace_all(r"\d+", "0")).otherwise(text)
    lines = unread.select(pl.concat_str(pl.col("key").fill_null(""), line).alias("line"))["line"]
    if not lines.len() or has_new_line(lines, before.lines):
        return AssociationRejects(keys, lines, before.keys.clear())
    read = pl.concat([rejects.filter(~is_unreadable)["key"], _named_accounts(of_one, accounts)])
    return AssociationRejects(read, lines, before.keys)


def _named_accounts(lines: pl.DataFrame, accounts: pl.Series) -> pl.Series:
    if not lines.height:  # most nights, and it spares hashing every account's id
        return pl.Series("key", dtype=pl.String)
    words = lines["value"].str.replace_all(r"[\s;,|:\"]+", " ").str.split(" ").explode()
    named = words.filter(words.is_in(accounts.implode())).unique(maintain_order=True)
    parts = dict.fromkeys(ASSOCIATIONS) | {"account_id": named}
    keys = pl.DataFrame(parts, schema=ASSOCIATIONS)
    return key_text(keys, list(ASSOCIATIONS)).alias("key")


def kept_pairs(last: Snapshot, rejects: AssociationRejects) -> pl.DataFrame:
    """The associations of `last` (`GRANTS`) that rejected associations keep."""
    grants = last.grants
    keys = pl.concat([rejects.keys, rejects.before.alias("key")])
    if not keys.len():
        return grants.clear()
    parts = _parts_of(keys)
    if parts.select(pl.all_horizontal(_IS_UNREADABLE)).to_series().any():
        return grants
    return grants.filter(_named_pairs(last, parts))


def pairs_of_accounts(last: Snapshot, accounts: pl.Series) -> pl.DataFrame:
    """The associations of `last` (`GRANTS`) of accounts by id."""
    rows = row_numbers(accounts, last.accounts["integration_specific_id"]).drop_nulls()
    return last.grants.filter(pl.col("account").is_in(rows.implode()))


def kept_association_rows(
    last: Snapshot, pairs: pl.DataFrame, rejects: AssociationRejects
) -> pl.DataFrame:
    """What is kept of the associations as `KEPT`, `since` left open; `pairs` are of `last`."""
    if not pairs.height and not rejects.lines.len():
        return pl.DataFrame(schema=KEPT)
    parts = _parts_of(rejects.keys)
    whole = parts.filter(~pl.any_horizontal(_IS_UNREADABLE))
    is_named = _named_pairs(replace(last, grants=pairs), whole)
    entitlements = last.entitlements.select(pl.all().gather(pairs["entitlement"]))
    keys = pl.DataFrame(
        {
            "account_id": last.accounts["integration_specific_id"].gather(pairs["account"]),
            _ENTITLEMENT: entitlements["integration_specific_id"],
            "integration_specific_resource_id": entitlements["integration_specific_resource_id"],
        },
        schema=ASSOCIATIONS,
    )
    records = key_text(keys, list(ASSOCIATIONS)).to_frame("key").with_columns(is_named.alias("n"))
    records = records.select("key", reason=pl.when("n").then(pl.lit(NAMED)).otherwise(_UNREAD))
    lines = rejects.lines.to_frame("line").with_columns(reason=_UNREAD)
    return as_kept("associations", pl.concat([records, lines], how="diagonal"))


def _parts_of(keys: pl.Series) -> pl.DataFrame:
    """The keys' parts (`ASSOCIATIONS`); an entitlement of an unreadable resource is unreadable."""
    parts = keys.str.json_decode(pl.Struct(ASSOCIATIONS)).struct.unnest()
    is_placed = pl.col("integration_specific_resource_id").is_not_null()
    return parts.with_columns(pl.when(is_placed).then(_ENTITLEMENT).alias(_ENTITLEMENT))


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

"""`list_custom_attributes_schema`: which further columns of the accounts are attributes."""

import polars as pl

from schemas.tables import ACCOUNTS, ROW


def with_attributes(
    accounts: pl.DataFrame, schema: pl.DataFrame, named: frozenset[str]
) -> tuple[pl.DataFrame, list[str]]:
    """The accounts with the attributes that `schema` names, under its names, and warnings.

    A column that it does not name is left out, unless the source file itself names it.
    """
    of_accounts = schema.filter(pl.col("customized_type").str.to_lowercase() == "account")
    wanted = {name.lower(): name for name in of_accounts["name"].drop_nulls().to_list()}
    further = [c for c in accounts.columns if c not in ACCOUNTS and c != ROW and c not in named]
    kept = {column: wanted[column.lower()] for column in further if column.lower() in wanted}
    left_out = [column for column in further if column not in kept]
    absent = sorted(set(wanted.values()) - set(kept.values()) - set(accounts.columns))
    warnings = []
    if left_out:
        warnings.append(
            "list_accounts: columns that list_custom_attributes_schema does not name are left "
            f"out: {', '.join(left_out)}"
        )
    if absent:
        warnings.append(
            f"list_custom_attributes_schema: names {', '.join(absent)}, which list_accounts does "
            "not return"
        )
    return accounts.drop(left_out).rename(kept), warnings

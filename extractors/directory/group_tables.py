"""Groups as entitlements, and who holds them as associations."""

from dataclasses import dataclass, replace

import polars as pl

from extractors.directory.account_fields import Cells
from extractors.directory.entries import Entries, text_column
from extractors.directory.members import Effective, Members, paths_of, to_effective
from schemas.raw import PATH, RawTable
from schemas.tables import REJECTS, ROW

GROUP_TYPE = "Group"


@dataclass(frozen=True, slots=True)
class GroupTexts:
    """The texts of each group: its id, its name, its description."""

    ids: Cells
    labels: Cells
    descriptions: Cells


def to_entitlements(texts: GroupTexts, count: int, origin: str) -> RawTable:
    """Makes a row for each of the first `count` groups, in the order in which they were read."""
    rows = pl.DataFrame(
        [
            _rows(count),
            text_column("entitlement_type", [GROUP_TYPE] * count),
            text_column("integration_specific_id", texts.ids[:count]),
            text_column("label", texts.labels[:count]),
            text_column("description", texts.descriptions[:count]),
        ]
    )
    return to_raw_table("entitlements", rows, origin)


def to_associations(
    account_ids: pl.Series, texts: GroupTexts, effective: Effective, origin: str
) -> RawTable:
    """Makes a row for each account in a group, with the `path` through other groups to it."""
    labels = [label or "" for label in texts.labels]
    group_ids = text_column("group", texts.ids)
    rows = pl.DataFrame(
        [
            _rows(effective.links.height),
            account_ids.gather(effective.links["account"]).alias("account_id"),
            group_ids.gather(effective.links["group"]).alias("integration_specific_entitlement_id"),
            paths_of(effective, labels).alias(PATH),
        ]
    )
    return to_raw_table("associations", rows, origin)


def effective_of(members: Members, count: int, *, nested: bool) -> Effective:
    """Returns the links to the first `count` groups; with `nested`, also those through others."""
    inside = members.inside()
    effective = to_effective(members.direct(), inside if nested else inside.clear())
    return replace(effective, links=effective.links.filter(pl.col("group") < count))


def describe(texts: Cells, remarks: list[str]) -> Cells:
    """Returns each description with a remark in brackets; null where there is neither."""
    described: Cells = []
    for text, remark in zip(texts, remarks, strict=True):
        parts = [part for part in (text, f"({remark})" if remark else None) if part]
        described.append(" ".join(parts) or None)
    return described


def group_labels(groups: Entries, cells: Cells) -> Cells:
    """Returns each group's name; its DN where it has none."""
    return [cell or dn for cell, dn in zip(cells, groups.dns, strict=True)]


def to_raw_table(name: str, rows: pl.DataFrame, origin: str) -> RawTable:
    """Returns the table of `rows`, none of which was rejected."""
    return RawTable(name, rows, pl.DataFrame(schema=REJECTS), rows.height, origin)


def _rows(count: int) -> pl.Series:
    return pl.int_range(1, count + 1, dtype=pl.UInt32, eager=True).alias(ROW)

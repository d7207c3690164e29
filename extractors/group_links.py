"""Who holds a group through other groups: on row numbers alone, whatever cycles there are."""

from dataclasses import dataclass

import polars as pl

LINKS = {"account": pl.UInt32(), "group": pl.UInt32()}
"""A row for each account that is in a group; each once."""

NESTED = {"group": pl.UInt32(), "member": pl.UInt32()}
"""A row for each group that is a member of another one."""

REACHED = {"group": pl.UInt32(), "member": pl.UInt32(), "via": pl.UInt32(), "depth": pl.UInt32()}
"""A row for each group inside another, however deep: `via` is the next group on the way in."""


@dataclass(frozen=True, slots=True)
class Effective:
    """Membership with everything that groups in groups add.

    Attributes:
        links: `LINKS`, and `through`: the group that the account is in itself, null where that is
            `group`. By account, then group.
        reached: `REACHED`: the way from each group to each one inside it.
        deepest: how many groups lie below one another at most; 0 where none is in another.
    """

    links: pl.DataFrame
    reached: pl.DataFrame
    deepest: int


def to_effective(direct: pl.DataFrame, nested: pl.DataFrame) -> Effective:
    """`direct` (`LINKS`) and what follows from `nested` (`NESTED`).

    An account that is in a group by several ways has the shortest, of those the one through the
    group that comes first; one that is in it itself has that.
    """
    reached = reached_groups(nested)
    inherited = (
        direct.rename({"group": "through"})
        .join(reached, left_on="through", right_on="member")
        .select("account", "group", "through", "depth")
    )
    itself = direct.select(
        "account",
        "group",
        pl.lit(None, pl.UInt32).alias("through"),
        pl.lit(0, pl.UInt32).alias("depth"),
    )
    links = (
        pl.concat([itself, inherited])
        .sort("account", "group", "depth", "through")
        .unique(["account", "group"], keep="first", maintain_order=True)
    )
    deepest = reached["depth"].max() if reached.height else 0
    return Effective(links.select(*LINKS, "through"), reached, int(str(deepest)))


def reached_groups(nested: pl.DataFrame) -> pl.DataFrame:
    """The groups inside each group by the shortest way (`REACHED`); none is inside itself."""
    steps = nested.filter(pl.col("group") != pl.col("member")).unique().sort("group", "member")
    ways = steps.select(
        "group", "member", pl.col("member").alias("via"), pl.lit(1, pl.UInt32).alias("depth")
    )
    found, newest = [ways], ways
    known = ways.select("group", "member")
    while newest.height:
        further = newest.join(
            steps.rename({"group": "member", "member": "next"}), on="member"
        ).select("group", pl.col("next").alias("member"), "via", pl.col("depth") + 1)
        newest = (
            further.filter(pl.col("group") != pl.col("member"))
            .join(known, on=["group", "member"], how="anti")
            .sort("group", "member", "via")
            .unique(["group", "member"], keep="first", maintain_order=True)
        )
        known = pl.concat([known, newest.select("group", "member")])
        found.append(newest)
    return pl.concat(found)


def paths_of(effective: Effective, labels: list[str]) -> pl.Series:
    """The way each link takes through the groups, outermost first: `Staff > Admins`; else null."""
    ends = effective.links.select("group", "through").unique().drop_nulls("through")
    via = {
        (group, member): step
        for group, member, step in effective.reached.select("group", "member", "via").iter_rows()
    }
    text = []
    for group, member in ends.iter_rows():
        way = [group]
        while way[-1] != member:
            way.append(via[way[-1], member])
        text.append(" > ".join(labels[one] for one in way))
    told = ends.with_columns(pl.Series("path", text, dtype=pl.String))
    joined = effective.links.join(told, on=["group", "through"], how="left", maintain_order="left")
    return joined["path"]

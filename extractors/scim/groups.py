"""Groups as rows, and who is in which: members matched to users, then to groups, in memory.

Members carry neither `type` nor `$ref` unless the client that wrote them sent these, deleted people
stay among them, and `groups` of users is often never filled (seen with scim2-server and scimmy).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from extractors.directory.members import Effective, to_effective
from extractors.scim.documents import TWICE, id_of, items_of, text_of
from extractors.scim.users import reference_of
from extractors.text_rows import rows_frame

GROUPS = {"id": pl.String(), "label": pl.String()}
"""A row for each group."""

MEMBERS = {"group": pl.String(), "member": pl.String(), "kind": pl.String()}
"""A row for each member that a group names; `kind` is `group` where it says that it is one."""


@dataclass(frozen=True, slots=True)
class GroupRows:
    """What a page of groups became.

    Attributes:
        groups: `GROUPS`.
        members: `MEMBERS`.
        twice: ids of groups in which one name stands twice, each with its JSON; they have no row.
    """

    groups: pl.DataFrame
    members: pl.DataFrame
    twice: list[tuple[str, str]]


def groups_to_rows(resources: Sequence[dict[str, Any]]) -> GroupRows:
    """Makes rows of a page of groups."""
    twice = [group for group in resources if TWICE in group]
    groups = [group for group in resources if TWICE not in group] if twice else resources
    named = [
        (id_of(group["id"]), text_of(group.get("displayname")) or id_of(group["id"]))
        for group in groups
    ]
    members = [row for group in groups for row in _members(group)]
    return GroupRows(
        rows_frame(GROUPS, named),
        rows_frame(MEMBERS, members),
        [(id_of(group["id"]), json.dumps(group)) for group in twice],
    )


def _members(group: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    group_id = id_of(group["id"])
    for item in items_of(group.get("members")):
        yield group_id, reference_of(item) or "", _kind_of(item)


def _kind_of(item: Any) -> str:  # noqa: ANN401 - JSON holds anything
    """Returns `group` for a member that says that it is one, by its type or its address."""
    if not isinstance(item, dict):
        return ""
    kind, address = (str(item.get(name) or "").lower() for name in ("type", "$ref"))
    return "group" if kind == "group" or (not kind and "/groups/" in address) else ""


@dataclass(frozen=True, slots=True)
class Memberships:
    """Who is in which group, by row numbers.

    Attributes:
        effective: with what groups in groups add.
        unmatched_count: members that are neither a user nor a group: how many there are.
        unmatched_times: how often they are named.
    """

    effective: Effective
    unmatched_count: int
    unmatched_times: int


def to_memberships(
    user_ids: pl.Series, group_ids: pl.Series, members: pl.DataFrame, claims: pl.DataFrame,
    *, nested: bool,
) -> Memberships:  # fmt: skip
    """Returns who is in which group, by what groups and users say of it.

    Args:
        user_ids: each once; row numbers are positions here.
        group_ids: likewise.
        members: `MEMBERS`.
        claims: groups that users name themselves (`user`, `group`).
        nested: whether members of a group in a group are in the outer one, too.
    """
    users, groups = _numbered(user_ids, "account"), _numbered(group_ids, "inside")
    outer = groups.rename({"inside": "group_row"})
    found = (
        members.join(outer, left_on="group", right_on="id")
        .join(users, left_on="member", right_on="id", how="left")
        .join(groups, left_on="member", right_on="id", how="left")
        # Of an id that both have, the user is meant, unless the member says that it is a group.
        .with_columns(
            account=pl.when((pl.col("kind") != "group") | pl.col("inside").is_null()).then(
                "account"
            )
        )
    )
    claimed = claims.join(outer, left_on="group", right_on="id").join(
        users, left_on="user", right_on="id"
    )
    links = pl.concat(
        part.select("account", group="group_row").drop_nulls() for part in (found, claimed)
    )
    inside = found.filter(pl.col("account").is_null()).select(group="group_row", member="inside")
    unmatched = found.filter(pl.col("account").is_null() & pl.col("inside").is_null())
    inside = inside.drop_nulls().unique(maintain_order=True)
    effective = to_effective(
        links.unique(maintain_order=True), inside if nested else inside.clear()
    )
    return Memberships(effective, unmatched["member"].n_unique(), unmatched.height)


def _numbered(ids: pl.Series, name: str) -> pl.DataFrame:
    numbers = pl.int_range(0, ids.len(), dtype=pl.UInt32, eager=True).alias(name)
    return pl.DataFrame([ids.alias("id"), numbers])

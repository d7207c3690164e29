"""What a database's accounts are put together from, and when they cannot be."""

import polars as pl
import pytest

from extractors.sql.incremental.merge import UncertainError, put_together, unreported

KEY = "integration_specific_id"


def rows(**ids: str | None) -> pl.DataFrame:
    """Accounts: each id and its email."""
    return pl.DataFrame(
        {KEY: list(ids), "email": list(ids.values())},
        schema={KEY: pl.String, "email": pl.String},
        strict=True,
    )


def ids(*found: str | None) -> pl.Series:
    return pl.Series(KEY, found, dtype=pl.String)


def swept(*found: str | None) -> pl.DataFrame:
    """The ids that there are, without a status."""
    return ids(*found).to_frame()


BEFORE = rows(a="a@x", b="b@x", c=None)


def test_each_id_of_the_sweep_has_its_row_from_the_update_or_else_from_before():
    merged = put_together(swept("d", "c", "a"), rows(a="new", d="", b="gone"), BEFORE, KEY)
    assert merged.rows.equals(rows(d="", c=None, a="new"))
    assert (merged.changed, merged.gone) == (2, 1)


def test_an_update_may_have_its_columns_in_another_order_and_case():
    updated = rows(b="new").select(pl.col("email").alias("EMAIL"), pl.col(KEY).alias(KEY.upper()))
    merged = put_together(swept("a", "b", "c"), updated, BEFORE, KEY)
    assert merged.rows.equals(rows(a="a@x", b="new", c=None))


TWICE = pl.concat([BEFORE, rows(b="again")])


NAMELESS = pl.concat([BEFORE, rows(a="x").with_columns(pl.lit(None, pl.String).alias(KEY))])


@pytest.mark.parametrize(
    ("listed", "updated", "before", "reason"),
    [
        (swept("a", "d"), rows(a="x"), BEFORE, "1 ids are new"),
        (swept("a", "a"), rows(), BEFORE, "list_accounts: 1 rows have an id that another"),
        (swept("a", None), rows(), BEFORE, "list_accounts: 1 rows have no id"),
        (swept("a"), TWICE, BEFORE, "list_updated_accounts: 1 rows have an id that another"),
        (swept("a"), NAMELESS, BEFORE, "list_updated_accounts: 1 rows have no id"),
        (swept("a"), rows(), TWICE, "memory: 1 rows have an id that another"),
        (swept("a"), rows(), NAMELESS, "memory: 1 rows have no id"),
        (swept("a"), rows().select(KEY), BEFORE, "other columns"),
        (swept("a"), rows().with_columns(team=pl.lit("x")), BEFORE, "other columns"),
        (swept("a"), rows().rename({"email": "mail"}), BEFORE, "other columns"),
        (swept("a"), rows().with_columns(EMAIL=pl.lit("x")), BEFORE, "other columns"),
    ],
)
def test_what_does_not_add_up_is_not_put_together(
    listed: pl.DataFrame, updated: pl.DataFrame, before: pl.DataFrame, reason: str
):
    with pytest.raises(UncertainError, match=reason):
        put_together(listed, updated, before, KEY)


@pytest.mark.parametrize(("changed", "is_uncertain"), [(200, False), (201, True)])
def test_where_more_than_a_fifth_changed_everything_is_read(changed: int, is_uncertain: bool):
    before = rows(**{f"a{n}": "old" for n in range(1000)})
    updated = rows(**{f"a{n}": "new" for n in range(changed)}, **{f"z{n}": "" for n in range(500)})
    listed, before = (
        before.select(KEY),
        pl.concat([before, rows(**{f"z{n}": "" for n in range(500)})]),
    )
    if is_uncertain:
        with pytest.raises(UncertainError, match="201 of 1,000 accounts changed"):
            put_together(listed, updated, before, KEY)
    else:
        assert put_together(listed, updated, before, KEY).changed == changed


def test_a_status_that_was_not_told_to_have_changed_is_that_of_the_sweep():
    before = rows(a="a@x", b="b@x", c=None).with_columns(state=pl.Series(["A", "A", None]))
    updated = rows(b="new").with_columns(state=pl.Series(["A"]))
    listed = swept("c", "b", "a").with_columns(state=pl.Series(["A", "L", "L"]))
    merged = put_together(listed, updated, before, KEY)
    # what was told was read later than the sweep, where the database has no snapshot
    assert merged.rows["state"].to_list() == ["A", "A", "L"]
    assert merged.rows["email"].to_list() == [None, "new", "a@x"]
    assert merged.unreported == 2


def test_an_updated_id_that_was_never_listed_is_a_doubt_and_a_warning():
    with pytest.raises(UncertainError, match="2 ids that list_accounts does not have") as caught:
        put_together(swept("a", "b", "c"), rows(A="new", b="x", **{"c ": ""}), BEFORE, KEY)
    assert caught.value.is_warning


def test_changes_that_were_not_told_are_counted():
    now = rows(a="other", b="told", c=None, d="new")
    assert unreported(now, ids("b"), BEFORE, KEY) == 1
    assert unreported(now, ids("a", "b"), BEFORE, KEY) == 0
    assert unreported(rows(a="a@x", b="b@x", c=""), ids(), BEFORE, KEY) == 1
    assert unreported(BEFORE[::-1], ids(), BEFORE, KEY) == 0
    assert unreported(now.with_columns(team=pl.lit("x")), ids(), BEFORE, KEY) == 0

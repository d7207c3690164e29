"""A transform of one's own: rows in, rows out, each accounted for by its number."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from flows.run.context import RunContext, Transform
from flows.run.own_transform import apply_transforms, to_transforms
from flows.run.read import transform
from loaders.archive.archive import open_archive
from loaders.ledger.engine import to_engine
from loaders.ledger.ledger import Ledger
from schemas.errors import ConfigError, FunctionError, SourceUnavailableError
from schemas.raw import Raw
from schemas.settings import Settings
from schemas.source_file.file import Source, to_source
from schemas.tables import ROW
from tests.unit.builders import account, raw, raw_table, source_file

FILE = "app: {name: X}\nsource: {kind: csv, accounts: a.csv}\n"
READ = raw([account("a"), account("b"), account("c")])


def source(more: str = "") -> Source:
    return to_source(FILE + more, "x", "sources/x.yaml")


@pytest.fixture
def context(tmp_path: Path) -> RunContext:
    settings = Settings(
        api_url="", api_token=None, state=tmp_path, ledger="sqlite://", archive=str(tmp_path),
        retention=source().file.upload.poll.give_up_after, workspace=tmp_path,
    )  # fmt: skip
    return RunContext(
        settings, Ledger(to_engine(f"sqlite:///{tmp_path}/ledger.db")), open_archive(str(tmp_path))
    )


def applied(context: RunContext, function: Transform, read: Raw = READ) -> Raw:
    return apply_transforms(source(), replace(context, transforms={"accounts": function}), read)


def numbers(read: Raw) -> list[int]:
    return read.accounts.rows[ROW].to_list()


def test_the_function_gets_the_rows_as_they_were_read_with_their_numbers(context: RunContext):
    seen: list[pl.DataFrame] = []
    applied(context, lambda rows: seen.append(rows) or rows)
    [rows] = seen
    assert rows.equals(READ.accounts.rows)
    assert rows[ROW].to_list() == [2, 3, 4]


def test_rows_that_are_dropped_are_counted_and_told(context: RunContext):
    read = applied(context, lambda rows: rows.filter(pl.col("integration_specific_id") != "b"))
    assert numbers(read) == [2, 4]
    assert (read.accounts.read_count, read.accounts.dropped_count) == (3, 1)
    [warning] = read.warnings
    assert warning.startswith("accounts.csv: the transform test_own_transform:test_rows_that_are")
    assert warning.endswith(" dropped 1 of 3 rows")


def test_every_row_stays_accounted_for(context: RunContext):
    read = raw(
        raw_table("accounts", [account("a"), account("a"), account("b"), account(" ")], ["?"])
    )
    own = replace(context, transforms={"accounts": lambda rows: rows.filter(pl.col(ROW) != 4)})
    count = transform(source(), own, read, None).counts["accounts"]
    found = (count.read, count.dropped, count.accepted, count.merged, count.rejected)
    assert found == (5, 1, 1, 1, 2)
    assert count.read == count.dropped + count.accepted + count.merged + count.rejected


def test_associations_that_are_dropped_are_counted_too(context: RunContext):
    named = {"account_id": "a", "integration_specific_entitlement_id": "r"}
    read = raw([account("a")], associations=[named, {**named, "account_id": "b"}])
    own = replace(context, transforms={"associations": lambda rows: rows.head(1)})
    count = transform(source(), own, read, None).counts["associations"]
    assert (count.read, count.dropped, count.accepted, count.rejected) == (2, 1, 1, 0)


def test_nothing_is_told_where_nothing_is_dropped(context: RunContext):
    read = applied(context, lambda rows: rows.with_columns(pl.col("email").str.to_uppercase()))
    assert (read.warnings, read.accounts.dropped_count) == ((), 0)
    assert read.accounts.rows["email"].to_list() == ["A@EXAMPLE.COM"] * 3


def test_what_it_returns_becomes_text_in_the_order_of_the_source(context: RunContext):
    def badged(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.with_columns(badge=pl.col(ROW) * 1.5, **{ROW: pl.col(ROW).cast(pl.Int64)}).sort(
            ROW, descending=True
        )

    rows = applied(context, badged).accounts.rows
    assert rows["badge"].to_list() == ["3", "4.5", "6"]
    assert (rows[ROW].to_list(), rows[ROW].dtype) == ([2, 3, 4], pl.UInt32())


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda rows: rows.drop(ROW), "lost the column 'source row'"),
        (lambda rows: rows.with_columns(pl.lit("x").alias(ROW)), "changed the column 'source row'"),
        (lambda rows: rows.with_columns(pl.lit(None, pl.UInt32).alias(ROW)), "changed the column"),
        (lambda rows: pl.concat([rows, rows]), "returned rows more than once"),
        (lambda rows: rows.with_columns(pl.col(ROW) + 1), "returned rows that it was not given"),
        (lambda rows: rows.lazy(), "returned a LazyFrame, not a polars DataFrame"),
        (lambda rows: None, "returned a NoneType, not a polars DataFrame"),
        (
            lambda rows: rows.with_columns(x=pl.lit([1])),
            "returned a frame whose column 'x' is List",
        ),
        (lambda rows: rows["nothing"], "raised ColumnNotFoundError at"),
    ],
)
def test_what_cannot_be_accounted_for_is_refused_in_one_line(
    context: RunContext, function: Callable[[pl.DataFrame], object], said: str
):
    with pytest.raises(FunctionError) as error:
        applied(context, function)  # type: ignore[arg-type]
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_error_of_ours_passes(context: RunContext):
    def failing(_rows: pl.DataFrame) -> pl.DataFrame:
        raise SourceUnavailableError("the list of leavers cannot be reached")

    with pytest.raises(SourceUnavailableError, match=r"^the list of leavers"):
        applied(context, failing)


def test_a_file_names_one_and_what_goes_wrong_is_told_with_its_line(
    context: RunContext, tmp_path: Path
):
    (tmp_path / "changing.py").write_text(
        "def first(rows): return rows.head(1)\ndef bad(rows): return rows[0, 99]\n", "utf-8"
    )
    read = apply_transforms(source("transform: changing:first\n"), context, READ)
    assert numbers(read) == [2]
    assert read.warnings == ("accounts.csv: the transform changing:first dropped 2 of 3 rows",)
    for more, line in (
        (
            "transform: changing:bad\n",
            "sources/x.yaml:3: transform: changing:bad raised IndexError",
        ),
        (
            "transform:\n  accounts: changing:bad\n",
            "sources/x.yaml:4: transform.accounts: changing:bad",
        ),
        ("transform: changing:no\n", "sources/x.yaml:3: transform: no function no in changing.py"),
        (
            "transform: {resources: changing:first}\n",
            "sources/x.yaml:3: transform.resources: the source",
        ),
    ):
        with pytest.raises((ConfigError, FunctionError)) as error:
            apply_transforms(source(more), context, READ)
        assert str(error.value).startswith(line)


def test_a_file_and_a_program_do_not_both_name_one(context: RunContext, tmp_path: Path):
    (tmp_path / "changing.py").write_text("def first(rows): return rows.head(1)\n", "utf-8")
    own = replace(context, transforms={"accounts": lambda rows: rows})
    with pytest.raises(ConfigError, match="the file names one, and the program hands over another"):
        apply_transforms(source("transform: changing:first\n"), own, READ)


@pytest.mark.parametrize("given", [None, {}])
def test_no_transform_is_none(given: Mapping[str, Transform] | None):
    assert to_transforms(given) == {}


def test_one_function_is_that_of_the_accounts_and_a_table_must_be_one():
    assert list(to_transforms(lambda rows: rows)) == ["accounts"]
    with pytest.raises(ConfigError, match="transform: no table 'groups'; one of accounts, "):
        to_transforms({"groups": lambda rows: rows})


def test_a_dropped_row_does_not_make_room_for_rejects(context: RunContext):
    from transforms.plan.guards import check_guards
    from transforms.plan.plan import to_plan

    rows = [account(f"a{n}") for n in range(200)] + [account(f"b{n}", email="@") for n in range(2)]
    own = replace(context, transforms={"accounts": lambda found: found.tail(52)})
    made = transform(source(), own, raw(rows), None)
    breaches = check_guards(to_plan(made.snapshot, None), made.counts, source_file().guards)
    assert [str(one) for one in breaches] == ["max_rejected_rows: 2 of 52 accounts, allowed 1 (1%)"]

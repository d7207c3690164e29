"""Plans, outcomes and rejects as a person reads them in a terminal."""

import polars as pl

from flows.cli.output import Output
from flows.sync.held import bearing_text, what_to_do
from flows.sync.order import Outcome
from flows.sync.plan import Planned
from flows.sync.summary import plan_tallies
from flows.sync.verdict import Verdict
from schemas.source_file.file import Source
from transforms.tables.rejects import TableCount

_FATES = ("read", "dropped", "merged", "rejected", "kept")
_CHANGES = ("before", "after", "added", "changed", "removed")

SHOWN = 10
"""Rows of changes and kinds of rejects that a terminal shows; `--json` has all."""

PLACES = 3
"""Places that are shown of each kind of reject."""


def show_outcome(source: Source, outcome: Outcome, output: Output) -> None:
    """What came of a sync, and what to type where a person must decide."""
    run, planned = outcome.run, outcome.planned
    for run_id in outcome.recovered:
        output.line(f"{source.name}: run {run_id} had been cut off; it was recovered first.")
    show_plan(source.name, planned, output)
    if run.state == "held":
        output.line(f"{source.name}: held as run {run.run_id}; nothing was uploaded.", "bold red")
        show_verdict(planned.verdict, output)
        for line in what_to_do(source.name, run.run_id, planned.verdict, outcome.origin.option):
            output.line(f"  {line}")
    elif run.state == "unchanged":
        output.line(
            f"{source.name}: nothing has changed; nothing was sent (upload.unchanged: skip)."
        )
    else:
        output.line(
            f"{source.name}: done as run {run.run_id}: {planned.plan.accounts.after} accounts are "
            f"in the app (job {run.job_ids[-1]})."
        )
        if planned.verdict.breaches:
            show_verdict(planned.verdict, output)


def show_verdict(verdict: Verdict, output: Output) -> None:
    """The guards that the plan breaks, and what a person decided of it before."""
    for breach in verdict.breaches:
        output.line(f"  {breach}")
    if verdict.decision is not None:
        output.line(f"  {bearing_text(verdict)}")


def show_plan(
    name: str, planned: Planned, output: Output, paths: pl.DataFrame | None = None
) -> None:
    """The plan in tables: counts, the guards, then what changes, then what was rejected.

    What names an account is shown at a terminal alone.

    With `paths`, also through which groups an association comes.
    """
    plan = planned.plan
    fates = [(table, *_fates(count)) for table, count in planned.normalized.counts.items()]
    output.table(f"{name}: the rows that were read", ("table", *_FATES), fates)
    tables = ("accounts", "entitlements", "associations")
    output.table(
        f"{name}: the plan, against {planned.against}",
        ("table", *_CHANGES),
        [(table, *(getattr(getattr(plan, table), one) for one in _CHANGES)) for table in tables],
    )
    _show_tallies(planned, output)
    show_guards(planned, output)
    if not plan.is_first and output.is_terminal:
        _show_lookalikes(planned, output)
        _show_changes(planned, output, paths)
    show_rejects(planned.normalized.rejects, output)


def _fates(count: TableCount) -> tuple[int, ...]:
    return tuple(getattr(count, fate) for fate in _FATES)


def _show_tallies(planned: Planned, output: Output) -> None:
    for title, text in plan_tallies(planned.plan):
        output.line(f"{title}: {text}")
    for warning in planned.normalized.warnings:
        output.line(f"note: {warning}", "yellow")
    output.line("")


def show_guards(planned: Planned, output: Output) -> None:
    """What the plan has of what the guards bound, and, to a person, the first of what is too many.

    A first run has nothing that a guard of changes counts.
    """
    told = planned.told
    if told:
        rows = [
            (one.guard, one.found, f"{one.base} {one.of or one.table}", one.allowed, one.limit)
            for one in told
        ]
        columns = ("guard", "counted", "of", "allowed", "limit")
        output.table("what the guards count", columns, rows)
    if output.is_terminal:
        first = {one.guard: one.ids for one in told if one.is_broken and one.ids}
        for guard, ids in first.items():
            output.line(f"{guard}: {', '.join(ids[:SHOWN])}", "red")
        output.line("")


def _show_lookalikes(planned: Planned, output: Output) -> None:
    pairs = planned.plan.lookalikes
    if pairs.height:
        title = _titled("gone and new, but alike", pairs.height)
        output.table(title, pairs.columns, pairs.head(SHOWN).rows())


def _show_changes(planned: Planned, output: Output, paths: pl.DataFrame | None) -> None:
    changes = planned.plan.account_changes
    if changes.height:
        # Removals first: they are what a person must see.
        order = changes.sort(pl.col("change") != "removed", maintain_order=True).head(SHOWN)
        rows = [
            (account, change, ", ".join(fields), before, after)
            for account, change, fields, before, after in order.iter_rows()
        ]
        title = _titled("accounts that change", changes.height)
        output.table(title, ("account", "change", "fields", "status before", "status after"), rows)
    associations = planned.plan.association_changes
    if associations.height:
        order = associations.sort(pl.col("change") != "removed", maintain_order=True).head(SHOWN)
        title = _titled("associations that change", associations.height)
        named = _named(order, planned, paths)
        output.table(title, named.columns, named.rows())


def _named(
    associations: pl.DataFrame, planned: Planned, paths: pl.DataFrame | None
) -> pl.DataFrame:
    """The changes under short names, with what an entitlement is called where its id is no name.

    `paths` say through which groups an account holds what it was not given itself.
    """
    catalogue = planned.normalized.snapshot.entitlements
    called = catalogue.select(
        pl.col("integration_specific_id").alias("integration_specific_entitlement_id"),
        "integration_specific_resource_id",
        "label",
    )
    labelled = associations.join(called, on=called.columns[:2], how="left", maintain_order="left")
    if paths is not None:
        labelled = with_paths(labelled, paths)
    names = {
        "account_id": "account",
        "integration_specific_entitlement_id": "entitlement",
        "integration_specific_resource_id": "resource",
    }
    is_plain = labelled["label"] == labelled["integration_specific_entitlement_id"]
    shown = labelled.drop("label") if is_plain.fill_null(value=True).all() else labelled
    return shown.rename(names)


def with_paths(associations: pl.DataFrame, paths: pl.DataFrame) -> pl.DataFrame:
    """`associations` with `through`: the groups between account and entitlement; null for none."""
    key = ["account_id", "integration_specific_entitlement_id"]
    through = paths.rename({"path": "through"})
    return associations.join(through, on=key, how="left", maintain_order="left")


def show_rejects(rejects: pl.DataFrame, output: Output) -> None:
    """What was rejected and why, rows first, with the first few places; no value is shown.

    At a terminal a place has the id and the login, too.
    """
    for is_cell, title in ((False, "rejected rows"), (True, "rejected cells, whose rows stand")):
        of_kind = rejects.filter(pl.col("is_cell") == is_cell)
        if not of_kind.height:
            continue
        places = of_kind.with_columns(place=_places(of_kind, names=output.is_terminal))
        grouped = places.group_by("table", "column", "reason", maintain_order=True).agg(
            pl.len().alias("rows"), pl.col("place").head(PLACES).str.join(", ")
        )
        rows = grouped.select("rows", "table", "column", "reason", "place").head(SHOWN).rows()
        count = of_kind.height if is_cell else of_kind.select("table", "file", "row").n_unique()
        columns = ("rows", "table", "column", "reason", "the first of them")
        output.table(f"{title}: {count}", columns, rows)


def _places(rejects: pl.DataFrame, *, names: bool) -> pl.Series:
    """Where each stands: file and line, with `names` its id and what it is called."""
    line = pl.concat_str("file", pl.lit(":"), "row")
    if not names:
        return rejects.select(line).to_series()
    called = pl.when(pl.col("name") != pl.col("key")).then(pl.col("name"))
    who = pl.concat_str("key", called, separator=" ", ignore_nulls=True)
    return rejects.select(
        pl.when(who != "").then(line + " (" + who + ")").otherwise(line)
    ).to_series()


def _titled(title: str, total: int) -> str:
    return f"{title}: {total}" if total <= SHOWN else f"{title}: {total}, the first {SHOWN}"

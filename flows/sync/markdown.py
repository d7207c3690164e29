"""A plan in Markdown: counts, guards and reasons, for whoever it is shared with. No row, no id."""

import re

import polars as pl

from flows.sync.plan import Planned
from flows.sync.summary import plan_tallies
from transforms.tables.rejects import rejected_row_count

_MARKUP = re.compile(r"([\\`*\[\]<>|])")
_MOST_REASONS = 100
"""Kinds of rejects that are listed: a file of a thousand columns may have a thousand."""


def plain(text: str) -> str:
    """The text as Markdown shows it: on one line, and nothing in it is markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def plan_lines(planned: Planned) -> list[str]:
    """What was read and what changes, table by table; then tallies, guards and rejects."""
    plan, counts = planned.plan, planned.normalized.counts
    lines = [
        "| table | before | after | added | changed | removed | dropped | rejected rows | kept |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for table in ("accounts", "entitlements", "associations"):
        changes, count = getattr(plan, table), counts.get(table)
        dropped, rejected, kept = (
            (count.dropped, count.rejected, count.kept) if count else (0, 0, 0)
        )
        lines.append(
            f"| {table} | {changes.before} | {changes.after} | {changes.added} | {changes.changed} "
            f"| {changes.removed} | {dropped} | {rejected} | {kept} |"
        )
    rejects = reject_lines(planned.normalized.rejects)
    return ["", *lines, "", *_tallies(planned), *_guards(planned), *rejects]


def _tallies(planned: Planned) -> list[str]:
    tallies = plan_tallies(planned.plan)
    return [*(f"- {title.capitalize()}: {plain(text)}" for title, text in tallies), ""]


def _guards(planned: Planned) -> list[str]:
    """The guards of which the plan has something: counts alone."""
    told = planned.told
    if not told:
        return []
    return [
        "",
        "## Guards",
        "",
        "| guard | counted | of | allowed |",
        "| --- | ---: | --- | --- |",
        *(
            f"| {plain(one.guard)} | {one.found} | {one.base} {plain(one.of or one.table or '')} "
            f"| {one.allowed} ({plain(one.limit)}) |"
            for one in told
        ),
    ]


def reject_lines(rejects: pl.DataFrame) -> list[str]:
    """What was rejected, by table, column and reason."""
    if not rejects.height:
        return []
    grouped = rejects.group_by("table", "column", "reason", maintain_order=True).len()
    tables = rejects["table"].unique(maintain_order=True)
    total = sum(rejected_row_count(rejects, table) for table in tables)
    cells = int(rejects["is_cell"].sum())
    more = grouped.height - _MOST_REASONS
    return [
        "",
        f"## Rejected rows: {total}; cells whose rows stand: {cells}",
        "",
        "| table | column | reason | rows |",
        "| --- | --- | --- | ---: |",
        *(
            f"| {table} | {plain(column or '')} | {plain(reason)} | {number} |"
            for table, column, reason, number in grouped.head(_MOST_REASONS).iter_rows()
        ),
        *([f"\n{more} more kinds of them."] if more > 0 else []),
    ]

"""The command `preview`: a plan to look at, to share, or to take away as files."""

import os
from collections.abc import Callable
from pathlib import Path

from flows.cli.output import Output, log_to_stderr
from flows.cli.plan.markdown import to_markdown
from flows.cli.plan.view import show_plan, show_verdict, with_paths
from flows.report.hashes import sharing_key
from flows.run.context import open_context
from flows.run.settings import read_settings
from flows.run.workspace import choose_sources
from flows.sync.plan import Planned, Preview, preview_source
from flows.sync.summary import breach_summary, plan_summary, run_counts
from schemas.errors import ConfigError, GuardError, raise_as
from schemas.snapshot import associations_of
from transforms.upload.import_csv import to_import_table


def preview_command(
    workspace: Path, name: str, *, out: Path | None, as_markdown: bool, as_json: bool
) -> int:
    """Shows what a sync of the source would do; 3 where a guard would hold it, else 0.

    Raises:
        IngestError: the source cannot be read whole, or not under its file.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    source = choose_sources(settings.workspace, [name], every=False)[0]
    with (
        output.progress() as progress,
        open_context(
            settings, with_lumos=settings.api_token is not None, progress=progress
        ) as context,
    ):
        preview = preview_source(source, context)
    planned = preview.planned
    if as_markdown:
        output.text(to_markdown(source.name, planned, sharing_key(settings.state)))
    else:
        show_plan(source.name, planned, output, preview.paths)
        _show_verdict(preview, output)
    if out is not None:
        for line in write_tables(preview, out):
            output.note(line)
    output.document(preview_document(preview))
    if planned.verdict.is_held:
        output.error(f"{source.name}: a sync would be {planned.verdict}")
    return GuardError.exit_code if planned.verdict.is_held else 0


def preview_document(preview: Preview) -> dict[str, object]:
    """The preview as JSON: counts, changes by key, rejects by file and line, the verdict."""
    planned = preview.planned
    plan, associations = planned.plan, planned.plan.association_changes
    if preview.paths is not None:
        associations = with_paths(associations, preview.paths)
    return {
        "source": preview.source.name,
        "base_run_id": planned.base.run_id if planned.base else None,
        "counts": run_counts(planned.normalized, plan),
        "plan": plan_summary(plan, planned.verdict),
        "changes": {
            "accounts": plan.account_changes.to_dicts(),
            "entitlements": plan.entitlement_changes.to_dicts(),
            "associations": associations.to_dicts(),
        },
        "guards": guards_document(planned),
        "lookalikes": plan.lookalikes.to_dicts(),
        "rejects": planned.normalized.rejects.drop("value").to_dicts(),
        "warnings": list(planned.normalized.warnings),
    }


def guards_document(planned: Planned) -> list[dict[str, object]]:
    """What the guards count, with the first ids of it."""
    return [
        {**breach_summary(one), "is_broken": one.is_broken, "ids": list(one.ids)}
        for one in planned.told
    ]


def _show_verdict(preview: Preview, output: Output) -> None:
    verdict = preview.planned.verdict
    if verdict.is_held:
        output.line(
            f"{preview.source.name}: a guard would hold this; a sync would upload nothing.",
            "bold red",
        )
        show_verdict(verdict, output)
    elif verdict.breaches:
        output.line(f"{preview.source.name}: a person approved this; a sync carries it out.")
        show_verdict(verdict, output)
    else:
        output.line(
            f"{preview.source.name}: the guards let this pass; nothing was uploaded.", "green"
        )


def write_tables(preview: Preview, folder: Path) -> list[str]:
    """Writes the tables as Parquet and the import file as CSV, 0600; a line for each file.

    Raises:
        ConfigError: the folder cannot be written to.
    """
    return raise_as(
        lambda: _write_tables(preview, folder),
        {
            OSError: lambda error: ConfigError(
                f"--out {folder}: {error.strerror or 'cannot be written to'}"
            )
        },
    )


def _write_tables(preview: Preview, folder: Path) -> list[str]:
    planned = preview.planned
    snapshot = planned.normalized.snapshot
    tables = {
        "accounts": snapshot.accounts,
        "entitlements": snapshot.entitlements,
        "resources": snapshot.resources,
        "associations": associations_of(snapshot),
        "rejects": planned.normalized.rejects.drop("value"),
    }
    if preview.paths is not None:
        tables["paths"] = preview.paths
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = []
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        _write(path, table.write_parquet)
        lines.append(f"{path}: {table.height} rows")
    imported, path = to_import_table(snapshot), folder / "lumos-import.csv"
    _write(path, imported.rows.write_csv)
    delimiter = (
        f"delimiter used inside a cell: {imported.delimiter}"
        if imported.delimiter
        else "no delimiter is free: names hold every one of ; | ~ ^"
    )
    lines.append(f"{path}: {imported.rows.height} rows for Lumos's import dialogue; {delimiter}")
    return lines


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a new private file; never one that others could read meanwhile."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    write(path)

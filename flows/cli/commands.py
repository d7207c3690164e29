"""The commands as they are typed, with their options; a module of its own carries out each."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

# Options that every command has.

Workspace = Annotated[
    Path, typer.Option("--workspace", "-w", metavar="DIR", help="The folder with `sources/*.yaml`.")
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")
]
Unused = Annotated[
    Path, typer.Option("--workspace", "-w", metavar="DIR", help="Not needed: no workspace is read.")
]
Jobs = Annotated[
    int, typer.Option("--jobs", "-j", metavar="N", min=1, help="Sources at work at once.")
]
Submit = Annotated[
    bool,
    typer.Option("--submit", help="Hand it to the workers of the deployments; do not wait for it."),
]
HERE = Path()
JOBS = 4


def check(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Sources; all without any.")
    ] = None,
    privileges: Annotated[
        bool,
        typer.Option(
            "--privileges",
            help="Say what the account of each database could write, if it were let.",
        ),
    ] = False,
    account: Annotated[
        str | None,
        typer.Option(
            "--account", metavar="ID", help="Read this one account, by each database's get_account."
        ),
    ] = None,
    fresh: Annotated[
        str | None,
        typer.Option(
            "--fresh",
            metavar="DURATION",
            help="Only ask the ledger which sources were not accepted for so long; exit 1 then.",
        ),
    ] = None,
    jobs: Jobs = JOBS,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Read the source files, probe each source and the Lumos API; upload nothing.

    Example: `lumos-ingest check hr`, `lumos-ingest check hr --privileges`, `lumos-ingest check
    --fresh 26h` for a monitor
    """
    if fresh is not None:
        from flows.cli.schedules.fresh import fresh_command

        longest = _duration(fresh, "--fresh")
        raise typer.Exit(fresh_command(workspace, sources or [], longest, as_json=as_json))
    from flows.cli.check import DatabaseLook, check_command

    look = DatabaseLook(privileges=privileges, account_id=account)
    raise typer.Exit(check_command(workspace, sources or [], look, jobs=jobs, as_json=as_json))


def _duration(text: str, option: str) -> timedelta:
    from schemas.source_file.quantities import to_duration

    try:
        return to_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option}: {error}") from None


def preview(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Write the tables there: Parquet, and Lumos's CSV."
        ),
    ] = None,
    markdown: Annotated[
        bool,
        typer.Option(
            "--markdown", help="Print a plan for sharing: ids are hashes, no value of a row."
        ),
    ] = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Show what a sync would do now: rejects, changes, and the guards' verdict. Upload nothing.

    Exits 3 where a guard would hold the upload. Example: `lumos-ingest preview hr --out plan/`
    """
    from flows.cli.plan.preview import preview_command

    if markdown and as_json:
        raise typer.BadParameter("--markdown and --json: choose one")
    raise typer.Exit(
        preview_command(workspace, source, out=out, as_markdown=markdown, as_json=as_json)
    )


def sync(  # noqa: PLR0913, PLR0917 - one parameter an option
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Sources, in this order.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every source of the workspace.")] = False,
    allow_removals: Annotated[
        bool,
        typer.Option(
            "--allow-removals",
            help="Approve the plan that is held, and carry it out now if it is still the same.",
        ),
    ] = False,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="DATE", help="Read the source's exports of that day."),
    ] = None,
    from_archive: Annotated[
        str | None,
        typer.Option(
            "--from-archive", metavar="RUN", help="Upload the snapshot of an accepted run again."
        ),
    ] = None,
    submit: Submit = False,
    jobs: Jobs = JOBS,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Bring each source's app in Lumos to what the source says now.

    A plan that a guard stops is kept, uploads nothing, and exits 3.
    Example: `lumos-ingest sync hr` or `lumos-ingest sync --all`
    """
    from flows.cli.sync import sync_command
    from flows.sync.origin import SyncOptions, to_origin

    options = SyncOptions(allow_removals, to_origin(as_of, from_archive))
    if submit:
        from flows.cli.schedules.submit import submit_sync

        raise typer.Exit(
            submit_sync(workspace, sources or [], options, every=every, as_json=as_json)
        )
    raise typer.Exit(
        sync_command(workspace, sources or [], options, every=every, jobs=jobs, as_json=as_json)
    )


def serve(
    jobs: Jobs = JOBS,
    metrics: Annotated[
        int | None,
        typer.Option(
            "--metrics",
            metavar="PORT",
            min=0,
            max=65535,
            help="Serve metrics for Prometheus on this port of this machine; 0: any free one.",
        ),
    ] = None,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Sync each source when its schedule says so, until Ctrl-C. What was missed is made up for.

    Example: `lumos-ingest serve`
    """
    from flows.cli.schedules.serve import serve_command

    raise typer.Exit(serve_command(workspace, jobs=jobs, metrics_port=metrics, as_json=as_json))


def deploy(
    prune: Annotated[
        bool,
        typer.Option("--prune", help="Remove what it made before and has no source any more."),
    ] = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Register the schedules with the Prefect server at PREFECT_API_URL, as prefect.yaml says them.

    Writes prefect.yaml, and keeps what you change there. Example: `lumos-ingest deploy --prune`
    """
    from flows.cli.schedules.deploy import deploy_command

    raise typer.Exit(deploy_command(workspace, prune=prune, as_json=as_json))


def stop_worker(
    pool: Annotated[
        str | None,
        typer.Option("--pool", metavar="NAME", help="The work pool; that of prefect.yaml if none."),
    ] = None,
    wait: Annotated[
        str, typer.Option("--wait", metavar="DURATION", help="How long to wait for its runs.")
    ] = "3h",
    keep_paused: Annotated[
        bool, typer.Option("--keep-paused", help="Leave the pool paused, for all its workers.")
    ] = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Stop this machine's Prefect workers, once the runs they have at work have ended.

    The pool is paused meanwhile. Example: `lumos-ingest stop-worker --wait 2h`
    """
    from flows.cli.schedules.stop_worker import stop_worker_command

    longest = _duration(wait, "--wait")
    raise typer.Exit(
        stop_worker_command(workspace, pool, longest, keep_paused=keep_paused, as_json=as_json)
    )


# What brings activity records to Lumos: `activity`, `backfill`.


def activity(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]...", help="Sources, in this order.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every source that has a block activity.")
    ] = False,
    submit: Submit = False,
    jobs: Jobs = JOBS,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Send each source's activity records since its watermark: who used what, when.

    Example: `lumos-ingest activity hr` or `lumos-ingest activity --all`
    """
    if submit:
        from flows.cli.schedules.submit import submit_activity

        raise typer.Exit(submit_activity(workspace, sources or [], every=every, as_json=as_json))
    from flows.cli.activity import activity_command

    raise typer.Exit(
        activity_command(workspace, sources or [], every=every, jobs=jobs, as_json=as_json)
    )


def backfill(  # noqa: PLR0913, PLR0917 - one parameter an option
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source.")],
    since: Annotated[str, typer.Option("--since", metavar="T", help="From this date or time on.")],
    until: Annotated[str, typer.Option("--until", metavar="T", help="Before this date or time.")],
    window: Annotated[
        str, typer.Option("--window", metavar="DURATION", help="How much goes in one run.")
    ] = "1d",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be sent; send nothing.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Send also the windows that are done.")
    ] = False,
    submit: Submit = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Send the activity of a past time, window by window; one that was cut off goes on.

    The watermark stays where it is. Example:
    `lumos-ingest backfill hr --since 2026-01-01 --until 2026-07-01 --window 7d`
    """
    borders = (since, until, window)
    if submit:
        from flows.cli.schedules.submit import submit_backfill

        raise typer.Exit(
            submit_backfill(
                workspace, source, borders, again=again, is_dry=dry_run, as_json=as_json
            )
        )
    from flows.cli.backfill import backfill_command

    raise typer.Exit(
        backfill_command(workspace, source, borders, again=again, is_dry=dry_run, as_json=as_json)
    )


# What only tells: `runs`, `report`, `why`.


def runs(
    source: Annotated[
        str | None, typer.Argument(metavar="[SOURCE]", help="Only this source's runs.")
    ] = None,
    run: Annotated[
        str | None,
        typer.Argument(metavar="[RUN]", help="Only this run, in full; the beginning of its id."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="At most so many; without it 20, and all with --json."),
    ] = None,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """List what happened, newest first, and what waits for a person.

    Example: `lumos-ingest runs hr --json` or `lumos-ingest runs hr 20261123T0200`
    """
    from flows.cli.runs.listing import runs_command

    raise typer.Exit(runs_command(workspace, source, run, limit, as_json=as_json))


def report(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN]", help="The beginning of its id; or a source: its newest run."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="An index over all sources, and the pages it leads to.")
    ] = False,
    ids: Annotated[
        bool, typer.Option("--ids", help="Ids and names in clear; without it, keyed hashes.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write it there, not into the state folder."),
    ] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Open it in a browser.")] = False,
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Write a run as one HTML page that needs nothing else, and print its path.

    Example: `lumos-ingest report 20261123T0200 --ids --open` or `lumos-ingest report --all`
    """
    from flows.cli.runs.report import ReportOptions, report_command

    if (run is None) != every:
        raise typer.BadParameter("name a run, or say --all" if run is None else "RUN or --all")
    options = ReportOptions(ids, out, is_opened)
    raise typer.Exit(report_command(workspace, run, options, as_json=as_json))


def why(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="The source.")],
    account: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="The account's id, or its e-mail address.")
    ],
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Tell an account's history: when it came, what changed, by which run, and why it is as it is.

    From ledger and archive alone: neither the source nor Lumos is asked. Example:
    `lumos-ingest why hr a0007`
    """
    from flows.cli.runs.why import why_command

    raise typer.Exit(why_command(workspace, source, account, as_json=as_json))


# What a person decides: `approve`, `reject`, `abandon`.

DecidedRunId = Annotated[
    str, typer.Argument(metavar="RUN", help="The run, as `runs` lists it; its beginning will do.")
]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept with the decision.")
]


def approve(
    run: DecidedRunId, reason: Reason, workspace: Workspace = HERE, as_json: Json = False
) -> None:
    """Let a held plan through: the next sync carries it out, if the source still gives that plan.

    Example: `lumos-ingest approve 20261123T020004Z-3fa1c2 --reason "the Lyon site has closed"`
    """
    from flows.cli.runs.decide import decide_command

    raise typer.Exit(decide_command(workspace, "approve", run, reason, as_json=as_json))


def reject(
    run: DecidedRunId, reason: Reason, workspace: Workspace = HERE, as_json: Json = False
) -> None:
    """Refuse a held plan, or take its approval back.

    Example: `lumos-ingest reject 20261123T020004Z-3fa1c2 --reason "half the export is missing"`
    """
    from flows.cli.runs.decide import decide_command

    raise typer.Exit(decide_command(workspace, "reject", run, reason, as_json=as_json))


def abandon(
    run: DecidedRunId, reason: Reason, workspace: Workspace = HERE, as_json: Json = False
) -> None:
    """Give up on a run whose job never ends; what its app holds is in doubt until the next one.

    Example: `lumos-ingest abandon 20261123T020004Z-3fa1c2 --reason "stuck for a day"`
    """
    from flows.cli.runs.decide import decide_command

    raise typer.Exit(decide_command(workspace, "abandon", run, reason, as_json=as_json))


# What only tells of the file: `schema`.


def repair(
    reason: Annotated[
        str, typer.Option("--reason", metavar="WHY", help="Why, for those who come after.")
    ],
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Take ledger and archive as they are, where one is older than the other, or another's.

    Every app is in doubt then: its next plan is compared with what Lumos holds too. Example:
    `lumos-ingest repair --reason "the ledger is of Sunday's backup"`
    """
    from flows.cli.repair import repair_command

    raise typer.Exit(repair_command(workspace, reason, as_json=as_json))


def init(workspace: Workspace = HERE, as_json: Json = False) -> None:
    """Lay out a workspace: its folders, a `.gitignore`, and `.env` for the token.

    What is there stays as it is. Example: `lumos-ingest init -w identities`
    """
    from flows.cli.init import init_command

    raise typer.Exit(init_command(workspace, as_json=as_json))


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The source's name.")],
    origin: Annotated[
        str,
        typer.Option("--from", metavar="PATH-OR-URL", help="An export of accounts, or a URL."),
    ],
    workspace: Workspace = HERE,
    as_json: Json = False,
) -> None:
    """Write a commented source file, proposed from what an export or a URL shows.

    Example: `lumos-ingest new hr --from exports/hr.csv`, then `lumos-ingest preview hr`
    """
    from flows.cli.new.command import new_command

    raise typer.Exit(new_command(workspace, name, origin, as_json=as_json))


def schema(
    documents: Annotated[
        bool,
        typer.Option("--documents", help="That of the documents which --json prints."),
    ] = False,
    _workspace: Unused = HERE,
    _as_json: Json = False,
) -> None:
    """Print the JSON Schema of a source file, for editors. Needs no workspace, and is JSON always.

    Example: `lumos-ingest schema > source.schema.json`
    """
    import json

    from flows.cli.documents import documents_schema
    from schemas.source_file.file import SourceFile

    content = documents_schema() if documents else SourceFile.model_json_schema()
    sys.stdout.write(json.dumps(content, indent=2) + "\n")


# What needs no Lumos: `demo`, `sandbox`.


def demo(
    _workspace: Unused = HERE,
    as_json: Json = False,
) -> None:
    """Sync the example sources into a sandbox, twice: a plan, a held guard, a kept reject.

    Needs no set-up, no workspace, no network; leaves nothing behind. Example: `lumos-ingest demo`
    """
    from flows.cli.stand_in.demo import demo_command

    raise typer.Exit(demo_command(as_json=as_json))


def sandbox(  # noqa: PLR0913, PLR0917 - one parameter an option
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 8765,
    db: Annotated[
        Path | None,
        typer.Option(
            "--db", metavar="FILE", help="Keep its data in this SQLite file of the workspace."
        ),
    ] = None,
    token: Annotated[
        str, typer.Option("--token", help="The bearer token it wants.")
    ] = "lsk_sandbox",  # noqa: S107 - the stand-in's own, public
    uploads: Annotated[
        Literal["snapshot", "merge"],
        typer.Option(
            "--uploads", help="Whether accounts missing from an upload are gone, or stay."
        ),
    ] = "snapshot",
    job_seconds: Annotated[
        float, typer.Option("--job-seconds", min=0, help="How long a job takes.")
    ] = 0.5,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault", help="Do this wrong, such as `429=2*3`, `500@/accounts`, `job_fails`."
        ),
    ] = None,
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", metavar="DIR", help="Where a relative --db lies.")
    ] = HERE,
    as_json: Json = False,
) -> None:
    """Run a local stand-in for the Lumos API until Ctrl-C; its page shows apps, accounts and jobs.

    Example: `lumos-ingest sandbox --port 8765 --fault 429=2`
    """
    from flows.cli.stand_in.sandbox import SandboxOptions, sandbox_command

    options: SandboxOptions = {
        "db": None if db is None else workspace / db,
        "token": token,
        "uploads": uploads,
        "job_seconds": job_seconds,
        "faults": fault or [],
    }
    raise typer.Exit(sandbox_command(host, port, options, as_json=as_json))

"""The command `check`: is everything in place for a sync? Reads little, uploads nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import polars as pl

from extractors.activity import probe_activity
from extractors.read import probe_source, read_account, read_privileges
from flows.activity.job import activity_app, activity_of, no_activity_app
from flows.cli.output import Output, log_to_stderr
from flows.cli.runs.waits import Waiting, waiting_plans
from flows.notices.notify import check_channels
from flows.run.app_identity import app_of
from flows.run.consistency import check_consistent
from flows.run.context import no_such_app, open_context, to_lumos_api, utc_now
from flows.run.own_transform import load_transforms
from flows.run.secrets import to_resolver
from flows.run.settings import read_settings
from flows.run.side_by_side import Slots, side_by_side
from flows.run.summary import run_summary
from flows.run.workspace import pick_sources
from flows.schedule.due import due_after
from flows.schedule.timetable import schedules_of
from loaders.lumos.apps import check_category, find_app
from loaders.lumos.client import LumosApi
from schemas.errors import IngestError, SourceFormatError
from schemas.raw import Probe, RawTable
from schemas.settings import Settings
from schemas.source_file.file import Source, SourceFile, located
from schemas.source_file.kinds.sql_source import SqlSource
from schemas.source_file.secrets import Resolve
from schemas.tables import REJECTS, ROW
from transforms.activity.columns import activity_use
from transforms.activity.where import meant, unasked_results
from transforms.tables.columns import accounts_with_wanted_names, table_with_wanted_names
from transforms.tables.mapping import UNUSED, accounts_use, misspelt, use_of

# What `check` can say of a source's columns: the mapping against a table without a row.


def column_notes(file: SourceFile, probe: Probe) -> list[str]:
    """What a person should know of the columns that are there.

    Raises:
        SourceFormatError: one that the source file names is not.
    """
    table = probed_table(probe)
    if probe.columns is None:
        return []
    if probe.table != "accounts":
        mappings = {
            "entitlements": file.entitlement_columns,
            "resources": file.resource_columns,
            "associations": file.association_columns,
        }
        mapping = mappings[probe.table]
        use_of(table_with_wanted_names(table, mapping), mapping, {}, frozenset())
        return []
    table = accounts_with_wanted_names(table, file)
    use = accounts_use(table, file)
    names = ", ".join(map(repr, use.unused))
    notes = [f"{UNUSED}: {names}"] if names else []
    return [f"{probe.origin}: {note}" for note in (*notes, *misspelt(use, file))]


def probed_table(probe: Probe) -> RawTable:
    """The probed table without a row."""
    columns = dict.fromkeys(probe.columns or (), pl.String())
    rows = pl.DataFrame(schema={**columns, ROW: pl.UInt32()})
    return RawTable(probe.table, rows, pl.DataFrame(schema=REJECTS), 0, probe.origin)


# What `check` looks at where a source has activity: its source, its columns, its app.


def look_at_activity(source: Source, settings: Settings, notebook: "Notebook") -> None:
    """Writes down what is in place of the activity's source, and what a person is asked of it.

    The accounts' own times come with the accounts.

    Raises:
        SourceError: it cannot be read under the source file.
        ConfigError: the source file names what cannot be.
    """
    origin = source.file.activity_origin
    if origin is None:
        notebook.facts.append("activity: the accounts' last login and last activity")
        return
    workspace, resolve = settings.workspace, to_resolver(settings.workspace)
    activity = activity_of(source)
    probes = probe_activity(origin, workspace, shape=activity.shape, now=utc_now(), resolve=resolve)
    for probe in probes:
        table = table_with_wanted_names(probed_table(probe), activity.columns, activity.asked)
        use = activity_use(table, activity.columns)
        meant(table, activity)
        notebook.facts.append(f"{probe.table}: {probe.origin}, {probe.said}")
        results = unasked_results(use.unused, activity.asked)
        if results:
            notebook.notes.append(
                f"{probe.origin}: does {' or '.join(map(repr, results))} say whether an attempt "
                "succeeded? One that failed is sent as well, unless activity.where names the words "
                "that mean success"
            )
    if not probes:
        notebook.facts.append("activity: the database takes its query")


def check_activity_app(source: Source, api: LumosApi) -> None:
    """Raises unless the app the activity was seen in is in Lumos, or is the source's own.

    Raises:
        ConfigError: it is not.
        LumosError: Lumos could not be asked.
    """
    app = activity_app(source)
    if app != source.file.app and find_app(api, app) is None:
        raise no_activity_app(source)


# What `check` can say of a database beyond its columns: what could be written, one account.

_MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class DatabaseLook:
    """What else is asked of a database.

    Attributes:
        privileges: whether to say what its account could write.
        account_id: the account to read by `get_account`; None reads none.
    """

    privileges: bool = False
    account_id: str | None = None


class Notebook(Protocol):
    """Where it is written down: what is in place, what a person should know, what is wrong."""

    facts: list[str]
    notes: list[str]
    problems: list[IngestError]


def look_closer(
    source: Source, workspace: Path, resolve: Resolve, look: DatabaseLook, notebook: Notebook
) -> None:
    """Writes down what `look` asks of a database; of another kind of source, nothing.

    Raises:
        IngestError: the database does not answer, or has not just one such account.
    """
    database = source.file.source
    if not isinstance(database, SqlSource):
        return
    if database.queries.list_updated_accounts is not None and database.delta is None:
        notebook.notes.append(
            "list_updated_accounts is read where the source says delta; this one says nothing of it"
        )
    if look.privileges:
        _look_at_privileges(read_privileges(database, workspace, resolve=resolve), notebook)
    if look.account_id is not None:
        account = read_account(
            database,
            workspace,
            look.account_id,
            resolve=resolve,
            named=source.file.named,
        )
        if account.read_count != 1:
            raise SourceFormatError(
                f"{account.origin}: returned {account.read_count} rows for this id, not one"
            )
        cells = (column for column in account.rows if column.name != ROW)
        filled = ", ".join(column.name for column in cells if not column.has_nulls())
        notebook.facts.append(f"{account.origin}: the account is there; filled: {filled}")


def _look_at_privileges(writable: tuple[str, ...] | None, notebook: Notebook) -> None:
    if writable is None:
        notebook.notes.append("what the account could write cannot be told of this database")
    elif not writable:
        notebook.facts.append("the account can write nothing")
    else:
        more = len(writable) - _MOST_LISTED
        rest = f"; and {more} more" if more > 0 else ""
        notebook.notes.append(
            f"the account could write: {'; '.join(writable[:_MOST_LISTED])}{rest}: an account that "
            "can only read is enough"
        )


NO_LOOK = DatabaseLook()
EXPORTS = frozenset({"csv", "ldif"})
"""The kinds of source whose rows lie in files, and cost no server anything."""


@dataclass(slots=True)
class Findings:
    """What a check found out about one source, or about the Lumos API.

    Attributes:
        subject: the source's name, or `lumos`.
        facts: what is in place.
        notes: what a person should know.
        problems: the errors, each with one line.
        waiting: the held plan that waits for a person; None for none.
    """

    subject: str
    facts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[IngestError] = field(default_factory=list)
    waiting: Waiting | None = None

    def attempt(self, look: Callable[[], object]) -> bool:
        """Whether `look` found nothing wrong; what it found wrong is kept."""
        try:
            look()
        except IngestError as error:
            self.problems.append(error)
            return False
        return True

    @property
    def exit_code(self) -> int:
        """0, or the worst of the problems': a wrong source file before a failure."""
        return max((problem.exit_code for problem in self.problems), default=0)


def check_command(
    workspace: Path,
    names: list[str],
    look: DatabaseLook = NO_LOOK,
    *,
    jobs: int = 1,
    as_json: bool,
) -> int:
    """Checks the named sources, or all; 0, 1 (something failed) or 2 (a file or setting is wrong).

    So many sources are looked at side by side as `jobs` says.

    Raises:
        ConfigError: the workspace is wrong, or a source that is named is not in it.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    sources, broken = pick_sources(settings.workspace, names, every=not names)
    lumos, api = check_lumos(settings)
    state, plans = _check_state(settings)
    looks = [partial(check_source, source, settings, api, look) for source in sources]
    checked = [findings for findings in side_by_side(looks, Slots(jobs))[0] if findings]
    checked += [Findings(name, problems=[problem]) for name, problem in broken.items()]
    if api is not None:
        api.close()
    for findings in checked:
        findings.waiting = plans.get(findings.subject)
    every = [lumos, state, *checked]
    for findings in every:
        _show(findings, output)
    output.document(
        {
            "lumos": _document(lumos),
            "state": _document(state),
            "sources": {
                findings.subject: {**_document(findings), "waits": _waits(findings.waiting)}
                for findings in checked
            },
        }
    )
    return max(findings.exit_code for findings in every)


def _document(findings: Findings) -> dict[str, object]:
    return {
        "ok": not findings.problems,
        "facts": findings.facts,
        "notes": findings.notes,
        "problems": [line for problem in findings.problems for line in problem.lines],
    }


def _waits(waiting: Waiting | None) -> dict[str, Any] | None:
    if waiting is None:
        return None
    return run_summary(waiting.run, waiting.decision, waiting.waits)


def check_lumos(settings: Settings) -> tuple[Findings, LumosApi | None]:
    """Whether the Lumos API answers to this token; the client where it does."""
    findings = Findings("lumos")
    apis: list[LumosApi] = []

    def look() -> None:
        api = to_lumos_api(settings)
        apis.append(api)
        api.get("/users/current")
        findings.facts.append(f"{settings.api_url} answers, and takes the token")

    if findings.attempt(look):
        return findings, apis[0]
    for api in apis:
        api.close()
    return findings, None


def _check_state(settings: Settings) -> tuple[Findings, dict[str, Waiting]]:
    """Whether ledger and archive can be used, and which held plans wait there, by source."""
    findings = Findings("state")
    plans: dict[str, Waiting] = {}

    def look() -> None:
        with open_context(settings, with_lumos=False) as context:
            plans.update(waiting_plans(context.ledger, context.now()))
            findings.facts.append(f"{settings.state}: ledger and archive can be used")

    findings.attempt(look)
    return findings, plans


def check_source(
    source: Source, settings: Settings, api: LumosApi | None, look: DatabaseLook = NO_LOOK
) -> Findings:
    """Whether the source can be read under its file, and its app be found.

    The rows of exports are judged too; those of a server are left to a preview.
    """
    findings = Findings(source.name)

    def attempt(look: Callable[[], object], under: str = "source") -> bool:
        return findings.attempt(lambda: located(source, look, under))

    columns: list[bool] = []
    if attempt(lambda: columns.append(_look_at_source(source, settings, findings))):
        resolve = to_resolver(settings.workspace)
        attempt(lambda: look_closer(source, settings.workspace, resolve, look, findings))
    if columns == [True] and source.file.source.kind in EXPORTS:
        from flows.cli.values import look_at_values

        attempt(lambda: look_at_values(source, settings, findings))
    if api is not None:
        findings.attempt(lambda: _look_for_app(source, api, settings, findings))
    if source.file.activity is not None:
        attempt(lambda: look_at_activity(source, settings, findings), source.file.activity_key)
        if api is not None:
            findings.attempt(lambda: check_activity_app(source, api))
    findings.attempt(lambda: check_channels(source, settings, to_resolver(settings.workspace)))
    for duty, schedule in schedules_of([source]).items():
        next_at = due_after(schedule, utc_now()).astimezone(ZoneInfo(schedule.timezone))
        findings.facts.append(
            f"{duty.kind} is due next at {next_at:%Y-%m-%d %H:%M %Z}, under serve"
        )
    return findings


def _look_at_source(source: Source, settings: Settings, findings: Findings) -> bool:
    """Whether each table can be read under the file; what is wrong with one is no other's."""
    probes = probe_source(
        source.file.source,
        settings.workspace,
        now=utc_now(),
        resolve=to_resolver(settings.workspace),
        named=source.file.named,
    )
    transforms = load_transforms(source, settings.workspace)
    is_well = True
    for probe in probes:
        findings.facts.append(f"{probe.table}: {probe.origin}, {probe.said}")
        if probe.table not in transforms:
            is_well &= findings.attempt(partial(_note_columns, source.file, probe, findings))
    findings.facts.extend(
        f"{table}: {own.name} changes the rows; columns are compared with what it returns"
        for table, own in transforms.items()
    )
    return is_well


def _note_columns(file: SourceFile, probe: Probe, findings: Findings) -> None:
    findings.notes.extend(column_notes(file, probe))


def _look_for_app(source: Source, api: LumosApi, settings: Settings, findings: Findings) -> None:
    app = source.file.app
    with open_context(settings, with_lumos=False) as context:
        findings.attempt(lambda: check_consistent(source.name, context))
        app_id = app_of(source, replace(context, api=api))
    if app_id is not None:
        findings.facts.append(f"app {app.name or app_id} is in Lumos")
    elif app.create is not None:
        check_category(api, app.create.category)
        findings.facts.append(f"app {app.name} is not in Lumos yet; the first sync makes it")
    else:
        findings.problems.append(no_such_app(source))


def _show(findings: Findings, output: Output) -> None:
    verdict = "wrong" if findings.problems else "ok"
    output.line(f"{findings.subject}: {verdict}", "bold red" if findings.problems else "bold green")
    for fact in findings.facts:
        output.line(f"  {fact}")
    for note in findings.notes:
        output.line(f"  note: {note}", "yellow")
    if findings.waiting:
        output.line(f"  waits: {findings.waiting.text}", "yellow")
    for problem in findings.problems:
        for line in problem.lines:
            output.error(f"{findings.subject}: {line}")

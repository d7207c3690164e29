"""The command `check`: is everything in place for a sync? Reads little, uploads nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from extractors.read import probe_source
from flows.checking_activity import activity_facts, check_activity_app
from flows.checking_columns import column_notes
from flows.console import Output, log_to_stderr
from flows.database_checks import DatabaseLook, look_closer
from flows.ends import no_such_app
from flows.locating import located
from flows.secrets import to_resolver
from flows.settings import read_settings
from flows.tools import open_tools, to_lumos_api, utc_now
from flows.workspace import pick_sources
from loaders.apps import check_category, find_app
from loaders.lumos_api import LumosApi
from schemas.errors import IngestError
from schemas.settings import Settings
from schemas.source_file import Source

NO_LOOK = DatabaseLook()


@dataclass(slots=True)
class Findings:
    """What a check found out about one source, or about the Lumos API.

    Attributes:
        subject: the source's name, or `lumos`.
        facts: what is in place.
        notes: what a person should know.
        problems: the errors, each with one line.
    """

    subject: str
    facts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[IngestError] = field(default_factory=list)

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
    workspace: Path, names: list[str], look: DatabaseLook = NO_LOOK, *, as_json: bool
) -> int:
    """Checks the named sources, or all; 0, 1 (something failed) or 2 (a file or setting is wrong).

    Raises:
        ConfigError: the workspace is wrong, or a source that is named is not in it.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    settings = read_settings(workspace)
    sources, broken = pick_sources(settings.workspace, names, every=not names)
    lumos, api = check_lumos(settings)
    state = _check_state(settings)
    checked = [check_source(one, settings, api, look) for one in sources]
    checked += [Findings(name, problems=[problem]) for name, problem in broken.items()]
    if api is not None:
        api.close()
    findings = [lumos, state, *checked]
    for one in findings:
        _show(one, output)
    output.document(
        {
            "lumos": _document(lumos),
            "state": _document(state),
            "sources": {one.subject: _document(one) for one in checked},
        }
    )
    return max(one.exit_code for one in findings)


def _document(findings: Findings) -> dict[str, object]:
    return {
        "ok": not findings.problems,
        "facts": findings.facts,
        "notes": findings.notes,
        "problems": [str(problem) for problem in findings.problems],
    }


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


def _check_state(settings: Settings) -> Findings:
    findings = Findings("state")

    def look() -> None:
        with open_tools(settings, with_lumos=False):
            findings.facts.append(f"{settings.state}: ledger and archive can be used")

    findings.attempt(look)
    return findings


def check_source(
    source: Source, settings: Settings, api: LumosApi | None, look: DatabaseLook = NO_LOOK
) -> Findings:
    """Whether the source can be read under its file, and its app be found; no row is judged."""
    findings = Findings(source.name)

    def attempt(look: Callable[[], object], under: str = "source") -> bool:
        return findings.attempt(lambda: located(source, look, under))

    if attempt(lambda: _look_at_source(source, settings, findings)):
        resolve = to_resolver(settings.workspace)
        attempt(lambda: look_closer(source, settings.workspace, resolve, look, findings))
    if api is not None:
        findings.attempt(lambda: _look_for_app(source, api, findings))
    if source.file.activity is not None:
        attempt(
            lambda: findings.facts.extend(activity_facts(source, settings)),
            source.file.activity_key,
        )
        if api is not None:
            findings.attempt(lambda: check_activity_app(source, api))
    if source.file.schedule is not None:
        findings.notes.append(
            f"{source.path}: schedule is read, but this version does not act on it"
        )
    return findings


def _look_at_source(source: Source, settings: Settings, findings: Findings) -> None:
    probes = probe_source(
        source.file.source,
        settings.workspace,
        now=utc_now(),
        resolve=to_resolver(settings.workspace),
        named=source.file.named,
    )
    for probe in probes:
        findings.facts.append(f"{probe.table}: {probe.origin}, {probe.said}")
        findings.notes.extend(column_notes(source.file, probe))


def _look_for_app(source: Source, api: LumosApi, findings: Findings) -> None:
    app = source.file.app
    app_id = find_app(api, app)
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
    for problem in findings.problems:
        output.note(f"lumos-ingest: {findings.subject}: {problem}")

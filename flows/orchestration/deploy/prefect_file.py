"""The file prefect.yaml: written from the source files, and what people change in it stays."""

import hashlib
import io
import os
import re
import socket
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from flows.orchestration.deploy.entries import ENTRYPOINTS, MARK, FlowName, Located, to_entry
from flows.schedule.timetable import Duty, schedules_of
from schemas.errors import ConfigError, raise_as
from schemas.source_file.blocks import Schedule
from schemas.source_file.file import Source

FILE = "prefect.yaml"
POOL = "lumos"
"""The work pool that a new file names, and that `deploy` makes where it is not there."""

_HEAD = f"""\
# Written by `lumos-ingest deploy` from sources/*.yaml, and yours to edit: what you change stays.
# An entry without `{MARK}` is your own; `prefect deploy` registers that.
"""
_STEP = "prefect.deployments.steps.set_working_directory"
_WATCHDOG_CRON = "*/5 * * * *"
_VARIABLE = re.compile(r"\{\{\s*\$([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


@dataclass(frozen=True, slots=True)
class PrefectFile:
    """A prefect.yaml, as it is written with what the source files say now.

    Attributes:
        path: where it lies.
        name: what the workspace is called on a server.
        located: lumos-ingest's entries, with those of sources that are gone.
        notes: what a person should know of what they changed, one line each.
        text: the whole file.
        is_new: whether there was none.
    """

    path: Path
    name: str
    located: list[Located]
    notes: list[str]
    text: str
    is_new: bool


def read_prefect_file(
    workspace: Path, sources: list[Source], unreadable: Collection[str] = ()
) -> PrefectFile:
    """The workspace's prefect.yaml with what the source files say now; nothing is written yet.

    Args:
        workspace: the folder with `sources/`.
        sources: its good sources.
        unreadable: the names of those whose file is wrong now: their entries stay as they are.

    Raises:
        ConfigError: the file cannot be read, or says what cannot be; with its line.
    """
    path = workspace / FILE
    text = _text_of(path)
    document = _load(text) if text is not None else _new_file(workspace)
    notes = _take_up(document, workspace, sources)
    name = str(document.get("name") or default_name(workspace))
    written = _dump(document)
    located = _entries(_load(written))
    _check_names(located)
    here = {source.name for source in sources} | set(unreadable)
    notes += _notes_on_folders(located, workspace, here)
    return PrefectFile(path, name, located, notes, written, text is None)


def write(file: PrefectFile) -> bool:
    """Writes the file, whole or not at all; whether it was not so already.

    Raises:
        ConfigError: it cannot be written.
    """
    if not file.is_new and file.path.read_text("utf-8") == file.text:
        return False
    beside = file.path.with_name(f".{FILE}.{os.getpid()}")

    def replace() -> None:
        beside.write_text(file.text, "utf-8")
        beside.chmod(0o644)
        beside.replace(file.path)

    raise_as(
        replace,
        {OSError: lambda error: ConfigError(f"{file.path}: cannot be written: {error.strerror}")},
    )
    return True


def without(file: PrefectFile, names: Collection[str]) -> PrefectFile:
    """The file without the entries of those full names."""
    document = _load(file.text)
    entries = document["deployments"]
    for number in reversed(range(len(entries))):
        mark = _mark_of(entries[number])
        if mark is not None and f"{mark.get('flow')}/{entries[number].get('name')}" in names:
            del entries[number]
    located = [one for one in file.located if one.entry.full_name not in names]
    return PrefectFile(file.path, file.name, located, [], _dump(document), file.is_new)


def default_name(workspace: Path) -> str:
    """What a workspace is called: its folder, and what tells it from others of that name."""
    digest = hashlib.sha256(f"{socket.gethostname()}:{workspace}".encode()).hexdigest()
    return f"{workspace.name or 'workspace'}-{digest[:6]}"


def pool_of(workspace: Path) -> str:
    """The work pool that the workspace's prefect.yaml defines for all; its usual name if none.

    Raises:
        ConfigError: the file cannot be read.
    """
    text = _text_of(workspace / FILE)
    document = _load(text) if text is not None else _new_file(workspace)
    entries = document.get("deployments") or []
    pools = [(entry.get("work_pool") or {}).get("name") for entry in entries if _mark_of(entry)]
    return str(next((name for name in pools if name), POOL))


# What is written.


def _new_file(workspace: Path) -> CommentedMap:
    name = default_name(workspace)
    document = _load(_HEAD + "name: new\npull: []\ndefinitions: {}\ndeployments: []\n")
    document["name"] = name
    document["pull"] = CommentedSeq([{_STEP: _flow_map({"directory": str(workspace)})}])
    pool = CommentedMap({"name": POOL, "job_variables": CommentedMap({"env": _flow_map({})})})
    pool.yaml_set_anchor("pool", always_dump=True)
    document["definitions"] = CommentedMap({"pool": pool})
    document["deployments"] = CommentedSeq()
    _append(document, workspace, "nightly", name, None, None)
    watched = Schedule(cron=_WATCHDOG_CRON, timezone="UTC")
    _append(document, workspace, "watchdog", name, None, watched)
    _append(document, workspace, "decide", name, None, None)
    return document


def _take_up(document: CommentedMap, workspace: Path, sources: list[Source]) -> list[str]:
    """Brings the entries up to what the source files say; returns what was left as it is."""
    if not isinstance(document.get("deployments"), list):
        document["deployments"] = CommentedSeq()
    notes: list[str] = []
    schedules = schedules_of(sources)
    for duty in _duties(sources):
        schedule = schedules.get(duty)
        entry = _entry_of(document, duty)
        if entry is None:
            _append(document, workspace, duty.kind, duty.source, duty.source, schedule)
        else:
            note = _update_schedule(entry, duty, schedule)
            notes += [note] if note else []
    return notes


def _duties(sources: list[Source]) -> list[Duty]:
    """What there is a deployment for: without a schedule too, which `nightly` runs."""
    found = [Duty(source.name, "sync") for source in sources]
    found += [Duty(source.name, "activity") for source in sources if source.file.activity]
    return sorted(found)


def _append(
    document: CommentedMap,
    workspace: Path,
    flow: FlowName,
    name: str,
    source: str | None,
    schedule: Schedule | None,
) -> None:
    mark: dict[str, Any] = {"flow": flow}
    parameters: dict[str, Any] = {"workspace": _workspace_of(document, workspace)}
    if source is not None:
        mark |= {"source": source}
        parameters = {"source": source, **parameters}
        if schedule is not None:
            mark |= {"cron": schedule.cron, "timezone": schedule.timezone}
    entry = CommentedMap({
        "name": name,
        MARK: _flow_map(mark),
        "entrypoint": ENTRYPOINTS[flow],
        "tags": _flow_seq(["lumos-ingest"]),
        "parameters": _flow_map(parameters),
    })  # fmt: skip
    if flow != "watchdog":
        entry["concurrency_limit"] = _flow_map({"limit": 1, "collision_strategy": "ENQUEUE"})
    entry["schedules"] = _schedule_seq(schedule, flow)
    entry["work_pool"] = _pool_of(document)
    document["deployments"].append(entry)


def _update_schedule(entry: CommentedMap, duty: Duty, schedule: Schedule | None) -> str | None:
    """Writes the source file's schedule, unless a person changed the one that stands there."""
    mark = entry[MARK]
    before = (str(mark["cron"]), str(mark.get("timezone", "UTC"))) if "cron" in mark else None
    now = (schedule.cron, schedule.timezone) if schedule else None
    written = [
        (str(one.get("cron", "")), str(one.get("timezone", "UTC")))
        for one in entry.get("schedules") or []
        if isinstance(one, Mapping)
    ]
    stands = written[0] if len(written) == 1 else None
    is_edited = len(written) > 1 or stands not in {before, now}
    if is_edited:
        if before == now:
            return None
        return (
            f"{FILE}: {duty.source}: {duty.kind}: its schedules were changed here, and stay; "
            f"sources/{duty.source}.yaml has {now[0] + ' ' + now[1] if now else 'none'} now"
        )
    for key in ("cron", "timezone"):
        mark.pop(key, None)
    if now is not None:
        mark["cron"], mark["timezone"] = now
    if now is None or not written:
        entry["schedules"] = _schedule_seq(schedule, duty.kind)
    elif stands != now:
        entry["schedules"][0]["cron"], entry["schedules"][0]["timezone"] = now
    return None


def _schedule_seq(schedule: Schedule | None, slug: str) -> CommentedSeq:
    if schedule is None:
        return _flow_seq([])
    written = {"cron": schedule.cron, "timezone": schedule.timezone, "slug": slug}
    return CommentedSeq([_flow_map(written)])


def _pool_of(document: CommentedMap) -> CommentedMap:
    """The work pool of a new entry: the one defined for all, else that of the first entry."""
    definitions = document.get("definitions")
    written = [definitions.get("pool")] if isinstance(definitions, Mapping) else []
    written += [one.get("work_pool") for one in document["deployments"] if _mark_of(one)]
    known = (one for one in written if isinstance(one, CommentedMap))
    return next(known, CommentedMap({"name": POOL}))


def _workspace_of(document: CommentedMap, workspace: Path) -> str:
    """The folder that the other entries work in, where the workers are; else this one."""
    for entry in document["deployments"]:
        if _mark_of(entry) is not None:
            return str((entry.get("parameters") or {}).get("workspace") or workspace)
    return str(workspace)


def _flow_map(values: Mapping[str, Any]) -> CommentedMap:
    made = CommentedMap(values)
    made.fa.set_flow_style()
    return made


def _flow_seq(values: list[Any]) -> CommentedSeq:
    made = CommentedSeq(values)
    made.fa.set_flow_style()
    return made


# What is read.


def _text_of(path: Path) -> str | None:
    def read() -> str | None:
        return path.read_text("utf-8-sig") if path.exists() else None

    return raise_as(
        read,
        {
            OSError: lambda error: ConfigError(f"{FILE}: cannot be read: {error.strerror}"),
            UnicodeDecodeError: lambda _: ConfigError(f"{FILE}: is not text in UTF-8"),
        },
    )


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _load(text: str) -> CommentedMap:
    def problem(error: YAMLError) -> ConfigError:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        return ConfigError(f"{FILE}{line}: is no YAML: {getattr(error, 'problem', None) or 'read'}")

    loaded = raise_as(lambda: _yaml().load(text), {YAMLError: problem})
    if loaded is None:
        loaded = CommentedMap()
    if not isinstance(loaded, CommentedMap):
        raise ConfigError(f"{FILE}: should be keys and values")
    return loaded


def _dump(document: CommentedMap) -> str:
    out = io.StringIO()
    _yaml().dump(document, out)
    return out.getvalue()


def _entries(document: CommentedMap) -> list[Located]:
    pull = plain(document.get("pull"))
    found = []
    for entry in document["deployments"]:
        if _mark_of(entry) is None:
            continue
        place = f"{FILE}:{entry.lc.line + 1}"
        written = plain(entry)
        if "pull" not in written and pull is not None:
            written["pull"] = pull
        found.append(Located(to_entry(_with_variables(written, place), place), place))
    return found


def _mark_of(entry: Any) -> Mapping[str, Any] | None:  # noqa: ANN401 - whatever the file holds
    mark = entry.get(MARK) if isinstance(entry, Mapping) else None
    return mark if isinstance(mark, Mapping) else None


def _entry_of(document: CommentedMap, duty: Duty) -> CommentedMap | None:
    for entry in document["deployments"]:
        mark = _mark_of(entry)
        if (
            mark
            and isinstance(entry, CommentedMap)
            and (mark.get("flow"), mark.get("source")) == (duty.kind, duty.source)
        ):
            return entry
    return None


def plain(value: Any) -> Any:  # noqa: ANN401 - whatever the file holds
    """The value without what ruamel remembers of how it was written."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value


def _with_variables(value: Any, place: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """The value with `{{ $NAME }}` filled in from the environment, as Prefect does.

    Raises:
        ConfigError: such a variable is not set; Prefect would take it for empty.
    """
    if isinstance(value, dict):
        return {key: _with_variables(one, place) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_variables(one, place) for one in value]

    def filled(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise ConfigError(f"{place}: the environment has no variable {match[1]}")
        return os.environ[match[1]]

    return _VARIABLE.sub(filled, value) if isinstance(value, str) else value


def _check_names(located: list[Located]) -> None:
    """Of two entries with one name, a server keeps the last, without a word.

    Raises:
        ConfigError: there are two.
    """
    seen: dict[str, str] = {}
    keys: list[tuple[str, Callable[[Located], str]]] = [
        ("the name", lambda one: one.entry.full_name),
        (MARK, lambda one: f"{one.entry.flow} of {one.entry.lumos_ingest.source}"),
    ]
    for what, key_of in keys:
        for one in located:
            key = key_of(one)
            if f"{what} {key}" in seen:
                first = seen[f"{what} {key}"]
                raise ConfigError(f"{one.place}: {what}: {key} is at {first} already: keep one")
            seen[f"{what} {key}"] = one.place


def _notes_on_folders(located: list[Located], workspace: Path, names: Collection[str]) -> list[str]:
    """That runs work in a folder other than this one, which may be meant, or a copy's mistake."""
    folders = {
        str(one.entry.parameters["workspace"])
        for one in located
        if one.entry.lumos_ingest.source in {*names, None}
    }
    others = sorted(folders - {str(workspace)})
    return [f"{FILE}: runs work in {folder}, as it says; this is {workspace}" for folder in others]

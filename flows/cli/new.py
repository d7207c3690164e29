"""The command `new`: a commented source file, proposed from what an export or a URL shows."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import yaml
from rich.prompt import Prompt

from extractors.read import read_source
from flows.cli.output import Output, log_to_stderr
from flows.run.workspace import read_source_file
from schemas.errors import ConfigError, IngestError, SourceFormatError, SourceIncompleteError
from schemas.raw import RawTable
from schemas.source_file.kinds.csv_source import CsvSource
from schemas.statuses import UPLOAD_STATUSES
from schemas.tables import ROW
from transforms.tables.proposal import Proposal, to_proposal

_DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d([-_.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?:\d{4}|\d{6})?(?!\d)"
)
_FOOTER = r"(?i)^(?:grand )?totals?\b|^(?:report )?generated\b|^copyright\b|^confidential\b"
_FOOTER_RULE = "^(?i:(grand )?totals?|(report )?generated|copyright|confidential)\\b"
_MOST_SKIPPED = 8
_LEAST_GOOD = 0.4
_TRIES: tuple[dict[str, object], ...] = (
    {},
    {"separator": ";"},
    {"separator": ","},
    {"separator": "tab"},
    {"separator": "|"},
    {"separator": "||"},
    {"blank": ("\\N",)},
    {"escape": "\\"},
    {"header": False},
    {"header": False, "blank": ("\\N",)},
    {"header": False, "escape": "\\", "quote": "none"},
)
_SKELETONS = {
    "ldap": "kind: ldap\n  host: {host}\n  protocol: {protocol}\n"
    "  username: cn=reader,dc=example,dc=org\n"
    "  password: {{env: {env}_PASSWORD}}\n  base_dn: dc=example,dc=org",
    "scim": "kind: scim\n  url: {url}\n  token: {{env: {env}_TOKEN}}",
    "sql": "kind: sql\n  url: {url}\n  username: reader\n  password: {{env: {env}_PASSWORD}}\n"
    "  discover: {engine}    # the database's own accounts; for an application's, write queries:",
}
_ENGINES = {"postgresql": "postgresql", "postgres": "postgresql", "mysql": "mysql",
            "mariadb": "mysql", "mssql": "mssql", "oracle": "oracle", "snowflake": "snowflake",
            "databricks": "databricks", "mongodb": "mongodb"}  # fmt: skip


def new_command(workspace: Path, name: str, origin: str, *, as_json: bool) -> int:
    """Writes `sources/NAME.yaml`; 0.

    Raises:
        ConfigError: the file is there already, or nothing can be proposed from `origin`.
        SourceError: the export cannot be read.
    """
    output = Output(as_json=as_json)
    log_to_stderr(verbose=False)
    target = workspace / "sources" / f"{name}.yaml"
    if target.exists() or target.with_suffix(".yml").exists():
        raise ConfigError(f"{target}: is there already: choose another name, or edit it")
    if "://" in origin:
        text, found = _skeleton(name, origin), ["what to log in with is a guess: see source"]
    else:
        text, found = _of_export(workspace, name, origin, ask=sys.stdin.isatty() and not as_json)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    try:
        read_source_file(target, workspace)
    except ConfigError:
        target.unlink()
        raise
    output.line(f"{target.relative_to(workspace)} is written. See what it says, and then type:")
    output.line(f"lumos-ingest preview {name}")
    for doubt in found:
        output.line(f"- {doubt}")
    output.document({"source": name, "path": str(target), "doubts": found})
    return 0


def _skeleton(name: str, url: str) -> str:
    scheme = url.partition(":")[0].partition("+")[0].removeprefix("jdbc:").lower()
    env = re.sub(r"\W", "_", name).upper()
    url = re.sub(r"//[^/?#]*@", "//", url)
    if scheme in {"ldap", "ldaps"}:
        host = url.partition("://")[2].partition("/")[0].partition(":")[0]
        body = _SKELETONS["ldap"].format(host=host, protocol=scheme, env=env)
    elif scheme in _ENGINES:
        body = _SKELETONS["sql"].format(url=_quoted(url), engine=_ENGINES[scheme], env=env)
    elif scheme in {"http", "https"}:
        body = _SKELETONS["scim"].format(url=_quoted(url), env=env)
    else:
        raise ConfigError(f"{scheme}://: nothing is known of such a URL: see docs/source-file.md")
    return f"{_app(name)}\nsource:\n  {body}\n"


def _app(name: str) -> str:
    return f"app:\n  name: {_quoted(name)}    # the app's exact name in Lumos\n"


def _of_export(workspace: Path, name: str, origin: str, *, ask: bool) -> tuple[str, list[str]]:
    path = Path(origin)
    absolute = path if path.is_absolute() else workspace / path
    if not absolute.exists() and path.exists():
        absolute = path.resolve()
    if not absolute.is_file():
        raise ConfigError(f"{origin}: no such file: --from is an export, or a URL")
    inside = absolute.resolve()
    if inside.is_relative_to(workspace.resolve()):
        shown = inside.relative_to(workspace.resolve()).as_posix()
    else:
        shown = str(inside)
    table, options, warnings = _read(workspace, shown)
    made = to_proposal(table)
    if ask:
        _ask(made)
    age = datetime.now(UTC) - datetime.fromtimestamp(inside.stat().st_mtime, UTC)
    lines = [_app(name), *_source_lines(shown, options, warnings, age, made)]
    return "\n".join([*lines, *_mapping_lines(made, table)]) + "\n", _told(made)


def _read(workspace: Path, path: str) -> tuple[RawTable, dict[str, object], tuple[str, ...]]:
    """The export read in the first way that makes a table of it, and how.

    Raises:
        SourceError: none does.
    """
    problem: IngestError | None = None
    for skipped in range(_MOST_SKIPPED):
        for tried in _TRIES if skipped == 0 else _TRIES[:1]:
            options = {**tried, **({"skip_lines": skipped} if skipped else {})}
            source = CsvSource.model_validate(
                {"kind": "csv", "accounts": path, "max_age": None, **options}
            )
            try:
                raw = read_source(source, workspace, now=datetime.now(UTC))
            except (SourceFormatError, SourceIncompleteError) as error:
                problem = problem or error
                continue
            if _is_good(raw.accounts, has_header=options.get("header") is not False):
                return raw.accounts, options, raw.warnings
    raise problem or SourceFormatError(f"{path}: no table of accounts can be seen in it")


def _is_good(table: RawTable, *, has_header: bool) -> bool:
    columns = [name for name in table.rows.columns if name != ROW]
    looks_like_data = has_header and any("@" in name for name in columns)
    is_mostly_rows = table.rows.height >= _LEAST_GOOD * max(table.read_count, 1)
    return len(columns) > 1 and is_mostly_rows and not looks_like_data


def _ask(made: Proposal) -> None:
    for word, meaning in made.statuses.items():
        if meaning is None:
            choices = [*UPLOAD_STATUSES[1:6], "DEPROVISIONED", "skip"]
            answer = Prompt.ask(f"What status is {word or '(blank)'!r}?", choices=choices)
            made.statuses[word] = None if answer == "skip" else answer


def _source_lines(
    path: str,
    options: dict[str, object],
    warnings: tuple[str, ...],
    age: timedelta,
    made: Proposal,
) -> list[str]:
    folder, slash, file = path.rpartition("/")
    lines = [
        "source:",
        "  kind: csv",
        f"  accounts: {_quoted(folder + slash + _DATE.sub('*', file))}",
    ]
    if any("Windows-1252" in warning for warning in warnings):
        lines.append("  encoding: windows-1252    # it is not UTF-8; is this right?")
    lines += [f"  {key}: {_flow(value)}" for key, value in options.items()]
    if age > timedelta(hours=36):
        lines.append(
            "  max_age: null    # this export is old; leave this line out for a nightly one"
        )
    if made.secrets:
        lines.append(f"# Left out, called like secrets: {', '.join(map(_quoted, made.secrets))}")
    return lines


def _mapping_lines(made: Proposal, table: RawTable) -> list[str]:
    lines = ["", "columns:"]
    for field, how in made.columns.items():
        if field != "user_status":
            lines.append(f"  {field}: {_flow(how)}")
    lines += _status_lines(made)
    if made.attributes:
        lines += ["attributes:", *(f"  {_quoted(one)}: {_quoted(one)}" for one in made.attributes)]
    if made.entitlements:
        lines += ["entitlements:", *(f"  - {_flow(item)}" for item in made.entitlements)]
    texts = table.rows.select(pl.concat_str(pl.exclude(ROW).fill_null(""), separator=","))
    footers = pl.concat([texts.to_series(), table.rejects["value"]])
    if footers.str.contains(_FOOTER).any():
        lines += ["leave_out:", f"  - {{line: {_quoted(_FOOTER_RULE)}}}"]
    if made.doubts:
        lines += ["", "# For you to decide:", *(f"# - {doubt}" for doubt in _told(made))]
    return lines


def _status_lines(made: Proposal) -> list[str]:
    how = made.columns.get("user_status")
    if not isinstance(how, dict):
        return ["  # user_status: {constant: ACTIVE}    # if every account can log in"]
    known = {word: status for word, status in made.statuses.items() if status is not None}
    lines = ["  user_status:", f"    column: {_flow(how['column'])}"]
    lines.append(f"    values: {_flow(known)}")
    lines += [
        f"    # {_quoted(word)} is a reject until you say here what it means"
        for word, status in made.statuses.items()
        if status is None
    ]
    return lines


def _told(made: Proposal) -> list[str]:
    unknown = sum(status is None for status in made.statuses.values())
    more = [f"{unknown} words of the status have no meaning yet"] if unknown else []
    return [*made.doubts, *more]


def _flow(value: object) -> str:
    """A value on one line, as YAML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(one)}: {_flow(of)}" for one, of in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    # As an item of a list, so that it is quoted for wherever it may stand.
    text = yaml.safe_dump([value], default_flow_style=True, width=10_000, allow_unicode=True)
    return text.strip().removeprefix("[").removesuffix("]")


def _quoted(text: str) -> str:
    return _flow(text)

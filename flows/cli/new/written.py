"""A source file as it is written: what is wanted, its lines, and what a person has to decide."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import yaml
from pydantic import SecretStr
from rich.prompt import Prompt

from flows.run.secrets import to_resolver
from flows.run.settings import environment_of
from schemas.raw import RawTable
from schemas.source_file.secrets import Resolve, Secret
from schemas.tables import ROW
from transforms.tables.proposal import Proposal

_FOOTER = r"(?i)^(?:grand )?totals?\b|^(?:report )?generated\b|^copyright\b|^confidential\b"
_FOOTER_RULE = "^(?i:(grand )?totals?|(report )?generated|copyright|confidential)\\b"
_USERINFO = re.compile(r"(?<=//)(?P<user>[^/?#@:]*)(?::(?P<password>[^/?#]*))?@")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a source file is wanted for.

    Attributes:
        workspace: the workspace.
        name: the source's name.
        origin: a path or a URL.
        asks: whether a person can be asked.
    """

    workspace: Path
    name: str
    origin: str
    asks: bool

    def variable(self, what: str) -> str:
        """Returns the name of the environment's variable that is to hold a secret."""
        return f"{re.sub(r'[^A-Za-z0-9]', '_', self.name).upper()}_{what}"


@dataclass(frozen=True, slots=True)
class Written:
    """What a source file says after its app.

    Attributes:
        lines: its lines.
        doubts: what a person has to decide, a line each.
    """

    lines: list[str]
    doubts: list[str]


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks while a source is looked at; nothing of it but the name is written.

    Attributes:
        url: without who logs in.
        username: None where nobody said.
        variable: the environment's variable that is to hold the password.
        secret: the password; None where nobody said.
        workspace: where other secrets are.
    """

    url: str
    username: str | None
    variable: str
    secret: SecretStr | None
    workspace: Path

    @property
    def resolve(self) -> Resolve:
        """Fetches the password, as it was typed or is in the environment."""
        others, own = to_resolver(self.workspace), self.secret

        def fetch(secret: Secret) -> SecretStr:
            return own if own is not None and secret.env == self.variable else others(secret)

        return fetch


def to_login(wanted: Wanted, what: str, *, needs_name: bool = True) -> Login:
    """Returns who asks: as the URL has it, else the environment, else the person.

    Args:
        wanted: the source.
        what: what the variable's name ends in: `PASSWORD`, `TOKEN`.
        needs_name: whether a name belongs to it.
    """
    written = _USERINFO.search(wanted.origin)
    url = _USERINFO.sub("", wanted.origin, count=1)
    user = unquote(written["user"]) if written else ""
    variable = wanted.variable(what)
    in_url = unquote(written["password"] or "") if written else ""
    secret = in_url or environment_of(wanted.workspace, os.environ).get(variable, "")
    if wanted.asks and needs_name and not user:
        user = Prompt.ask("Who logs in? (empty: nobody)", default="", show_default=False)
    if wanted.asks and not secret and (user or not needs_name):
        secret = Prompt.ask(f"{what.capitalize()} (not written)", password=True, default="")
    return Login(
        url, user or None, variable, SecretStr(secret) if secret else None, wanted.workspace
    )


def app_lines(app: str) -> list[str]:
    """Returns the block `app`."""
    return ["app:", f"  name: {flow(app)}    # the app's exact name in Lumos"]


def not_seen(problem: Exception, login: Login) -> str:
    """Returns what to say where nothing could be looked at."""
    what = f"; set {login.variable} and try anew" if login.secret is None else ""
    return f"it could not be looked at ({problem}): what to read there is a guess{what}"


def mapping_lines(made: Proposal, table: RawTable) -> list[str]:
    """Returns the blocks that say what the columns mean."""
    lines = ["", "columns:"]
    for field, how in made.columns.items():
        if field != "user_status":
            lines.append(f"  {field}: {flow(how)}")
    lines += _status_lines(made)
    if made.attributes:
        lines += ["attributes:", *(f"  {flow(one)}: {flow(one)}" for one in made.attributes)]
    if made.entitlements:
        lines += ["entitlements:", *(f"  - {flow(item)}" for item in made.entitlements)]
    texts = table.rows.select(pl.concat_str(pl.exclude(ROW).fill_null(""), separator=","))
    footers = pl.concat([texts.to_series(), table.rejects["value"]])
    if footers.str.contains(_FOOTER).any():
        lines += ["leave_out:", f"  - {{line: {flow(_FOOTER_RULE)}}}"]
    return lines


def doubt_lines(doubts: list[str]) -> list[str]:
    """Returns what a person has to decide, as comments."""
    return ["", "# For you to decide:", *(f"# - {doubt}" for doubt in doubts)] if doubts else []


def _status_lines(made: Proposal) -> list[str]:
    how = made.columns.get("user_status")
    if not isinstance(how, dict):
        return ["  # user_status: {constant: ACTIVE}    # if every account can log in"]
    known = {word: status for word, status in made.statuses.items() if status is not None}
    lines = ["  user_status:", f"    column: {flow(how['column'])}"]
    lines.append(f"    values: {flow(known)}")
    lines += [
        f"    # {flow(word)} is a reject until you say here what it means"
        for word, status in made.statuses.items()
        if status is None
    ]
    return lines


def doubts_of(made: Proposal) -> list[str]:
    """Returns what a person has to decide of a proposal."""
    unknown = sum(status is None for status in made.statuses.values())
    more = [f"{unknown} words of the status have no meaning yet"] if unknown else []
    return [*made.doubts, *more]


def flow(value: object) -> str:
    """A value on one line, as YAML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(one)}: {flow(of)}" for one, of in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(flow, value)) + "]"
    # As an item of a list, so that it is quoted for wherever it may stand.
    text = yaml.safe_dump([value], default_flow_style=True, width=10_000, allow_unicode=True)
    return text.strip().removeprefix("[").removesuffix("]")

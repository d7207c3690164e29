"""What a run works with: ledger, archive and the Lumos API of a workspace, and the clock."""

import getpass
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import sleep
from typing import Any

import polars as pl

from flows.run.secrets import to_resolver
from flows.run.workspace import choose_sources
from loaders.archive.archive import Archive, open_archive
from loaders.ledger.ledger import Ledger, open_ledger
from loaders.lumos.client import LumosApi
from schemas.errors import ConfigError, StateError, raise_as
from schemas.notices import Deliver
from schemas.settings import Settings
from schemas.source_file.file import Source
from schemas.source_file.secrets import Resolve, no_secrets

Transform = Callable[[pl.DataFrame], pl.DataFrame]
"""A function of a person's own: a table's raw rows in, the rows to go on with out."""


def utc_now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def always() -> None:
    """The check of a run that nobody stops."""


def quiet(_stage: str, _done: int, _total: int) -> None:
    """A progress callback for where nobody looks."""


@dataclass(frozen=True, slots=True)
class RunContext:
    """What the stages work with; what varies in a test is here.

    Attributes:
        settings: the workspace's.
        ledger: open.
        archive: open.
        api: open; None for a command that does not need Lumos.
        now: the clock, UTC.
        sleep: waits for seconds.
        resolve: fetches the secrets that source files name.
        progress: told (stage, how much is done, of how much; 0 where that is not known).
        may_send: raises where a person has stopped the run; asked as its leases are.
        transforms: what a program puts between reading and judging, by table.
        link: the address at which a person sees the run; "" for none.
        deliver: tells people how runs end; None leaves it to apprise.
    """

    settings: Settings
    ledger: Ledger
    archive: Archive
    api: LumosApi | None = None
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = sleep
    resolve: Resolve = no_secrets
    progress: Callable[[str, int, int], None] = quiet
    may_send: Callable[[], None] = always
    transforms: Mapping[str, Transform] = field(default_factory=dict)
    link: str = ""
    deliver: Deliver | None = None

    def source(self, name: str) -> Source:
        """Returns the workspace's source of that name.

        Raises:
            ConfigError: there is none, or its file is wrong.
        """
        return choose_sources(self.settings.workspace, [name], every=False)[0]

    def sources(self) -> list[Source]:
        """Returns all sources of the workspace, by name.

        Raises:
            ConfigError: there are none, or one's file is wrong.
        """
        return choose_sources(self.settings.workspace, [], every=True)


@contextmanager
def open_context(
    settings: Settings,
    *,
    with_lumos: bool = True,
    progress: Callable[[str, int, int], None] = quiet,
    sleep: Callable[[float], None] = sleep,
) -> Iterator[RunContext]:
    """Ledger, archive and the Lumos API of a workspace, closed at the end.

    Raises:
        ConfigError: no token, or an address that cannot be one.
        StateError: the state folder, the ledger or the archive cannot be used.
    """
    make_state_folder(settings)
    api = to_lumos_api(settings, sleep) if with_lumos else None
    with open_ledger(settings.ledger) as ledger, api or nullcontext():
        yield RunContext(
            settings,
            ledger,
            open_archive(settings.archive),
            api,
            sleep=sleep,
            resolve=to_resolver(settings.workspace),
            progress=progress,
        )


def to_lumos_api(settings: Settings, sleep: Callable[[float], None] = sleep) -> LumosApi:
    """The client of the Lumos API; nothing is sent yet. Its pauses are slept by `sleep`.

    Raises:
        ConfigError: no token, or an address that cannot be one.
    """
    if settings.api_token is None:
        raise ConfigError(
            "LUMOS_API_TOKEN is not set: put it into the environment, or into .env in the workspace"
        )
    return LumosApi(settings.api_url, settings.api_token, sleep=sleep)


def make_state_folder(settings: Settings) -> None:
    """Makes the state folder, 0700, or takes others' rights away from it.

    Raises:
        StateError: it cannot be made.
    """

    def make() -> None:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.state.chmod(0o700)

    raise_as(
        make,
        {
            OSError: lambda error: StateError(
                f"{settings.state}: the state folder cannot be used: {error.strerror}"
            )
        },
    )


# Who runs this, and what it runs against: cheap to load, for commands that need no stage.


def lumos_of(context: RunContext) -> LumosApi:
    """The Lumos API of `context`; a command that comes here has opened it."""
    if context.api is None:
        raise ConfigError("this needs the Lumos API: set LUMOS_API_TOKEN")
    return context.api


def actor() -> str:
    """Who runs this: `user@host`; the user's number where it has no name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def no_such_app(source: Source) -> ConfigError:
    """The error of a source whose app is not in Lumos and may not be made."""
    return ConfigError(
        f"{source.path}: app.name: Lumos has no app of this exact name; correct it, or say under "
        "app.create how it may be made"
    )


# How a stage is run: at once, in this process, or as whatever a flow makes of it.

Step = Callable[[str, Callable[[], Any]], Any]
"""Runs a stage by name: `step("extract", stage)` returns what `stage()` returns."""


def at_once(_name: str, stage: Callable[[], Any]) -> Any:  # noqa: ANN401 - a stage's own type
    """The step of a command that a person types: in this process, with no server to wait for."""
    return stage()

"""What a run works with: ledger, archive and the Lumos API of a workspace, and the clock."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from time import sleep

from flows.secrets import to_resolver
from loaders.archive import Archive, open_archive
from loaders.ledger import Ledger, open_ledger
from loaders.lumos_api import LumosApi
from schemas.errors import ConfigError, StateError
from schemas.secrets import Resolve, no_secrets
from schemas.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def utc_now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC)


def quiet(_stage: str, _done: int, _total: int) -> None:
    """A progress callback for where nobody looks."""


@dataclass(frozen=True, slots=True)
class Tools:
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
    """

    settings: Settings
    ledger: Ledger
    archive: Archive
    api: LumosApi | None = None
    now: Callable[[], datetime] = utc_now
    sleep: Callable[[float], None] = sleep
    resolve: Resolve = no_secrets
    progress: Callable[[str, int, int], None] = quiet


@contextmanager
def open_tools(
    settings: Settings,
    *,
    with_lumos: bool = True,
    progress: Callable[[str, int, int], None] = quiet,
) -> Iterator[Tools]:
    """Ledger, archive and the Lumos API of a workspace, closed at the end.

    Raises:
        ConfigError: no token, or an address that cannot be one.
        StateError: the state folder, the ledger or the archive cannot be used.
    """
    make_state_folder(settings)
    api = to_lumos_api(settings) if with_lumos else None
    with open_ledger(settings.ledger) as ledger, api or nullcontext():
        yield Tools(
            settings,
            ledger,
            open_archive(settings.archive),
            api,
            resolve=to_resolver(settings.workspace),
            progress=progress,
        )


def to_lumos_api(settings: Settings) -> LumosApi:
    """The client of the Lumos API; nothing is sent yet.

    Raises:
        ConfigError: no token, or an address that cannot be one.
    """
    if settings.api_token is None:
        raise ConfigError(
            "LUMOS_API_TOKEN is not set: put it into the environment, or into .env in the workspace"
        )
    return LumosApi(settings.api_url, settings.api_token)


def make_state_folder(settings: Settings) -> None:
    """Makes the state folder, 0700, or takes others' rights away from it.

    Raises:
        StateError: it cannot be made.
    """
    reason = None
    try:
        settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.state.chmod(0o700)
    except OSError as error:
        reason = error.strerror
    if reason:
        raise StateError(f"{settings.state}: the state folder cannot be used: {reason}")

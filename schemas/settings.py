"""Where Lumos is, and where this workspace's state lies."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one workspace, read once.

    Attributes:
        api_url: the Lumos API, without a slash at the end.
        api_token: the bearer token; None where it is not set, which only a command that needs Lumos
            minds.
        state: the folder of everything this workspace keeps, 0700.
        ledger: a SQLAlchemy URL.
        archive: a folder, or an object-store URL such as `s3://bucket/prefix`.
        retention: how long the archive keeps what no later run needs; the last accepted snapshot
            stays.
        workspace: the folder with `sources/`.
        notify: apprise's URLs of who is told how runs end; None for nobody.
    """

    api_url: str
    api_token: SecretStr | None
    state: Path
    ledger: str
    archive: str
    retention: timedelta
    workspace: Path
    notify: SecretStr | None = None

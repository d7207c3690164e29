"""Who runs this, and what it runs against: cheap to load, for commands that need no stage."""

import getpass
import os
import socket

from flows.tools import Tools
from loaders.lumos_api import LumosApi
from schemas.errors import ConfigError
from schemas.source_file import Source


def lumos_of(tools: Tools) -> LumosApi:
    """The Lumos API of `tools`; a command that comes here has opened it."""
    if tools.api is None:
        raise ConfigError("this needs the Lumos API: set LUMOS_API_TOKEN")
    return tools.api


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

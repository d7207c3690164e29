"""Keeps libraries from writing into a log what is nobody's business: bodies, addresses, headers."""

import logging

_LEAST = {
    "httpcore": logging.WARNING,  # headers, byte for byte
    "httpx": logging.WARNING,  # the address of each request
    "urllib3": logging.ERROR,  # the path, which is the secret of a webhook
    "sqlalchemy.engine": logging.WARNING,  # rows
    "asyncssh": logging.WARNING,  # names of files, and of who logs in
}
"""The level from which on the lines of a library are taken, whatever the root logger says."""


def keep_libraries_quiet() -> None:
    """Raises the level of libraries whose lines quote what they carry; never lowers one."""
    for name, least in _LEAST.items():
        below = [one for one in logging.Logger.manager.loggerDict if one.startswith(f"{name}.")]
        children = [one for one in map(logging.getLogger, below) if one.level]
        for logger in (logging.getLogger(name), *children):
            logger.setLevel(max(logger.level, least))

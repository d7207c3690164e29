"""The state folder: for its owner alone, and told where it was not, or leads elsewhere."""

import logging
import os
import stat
from pathlib import Path

from schemas.errors import StateError, raise_as

_log = logging.getLogger(__name__)

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def make_state_folder(state: Path, me: int | None = None) -> None:
    """Makes the state folder, 0700, or takes others' rights away from it, and says so.

    `me` is the number of the user that it has to belong to; None means whoever runs this.

    Raises:
        StateError: it cannot be made, or it or the link in its place is somebody else's.
    """
    raise_as(
        lambda: _make(state, os.geteuid() if me is None else me),
        {
            OSError: lambda error: StateError(
                f"{state}: the state folder cannot be used: {error.strerror}"
            )
        },
    )


def _make(state: Path, me: int) -> None:
    if state.is_symlink():
        _check_owner(state, state.lstat(), me, "the link in place of the state folder")
        _log.warning(
            "%s: the state folder is a symbolic link to %s: if that is meant, name that folder in "
            "LUMOS_INGEST_STATE",
            state, state.resolve(),
        )  # fmt: skip
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = state.stat()
    _check_owner(state, found, me, "the state folder")
    open_to = stat.S_IMODE(found.st_mode) & _OTHERS
    state.chmod(0o700)
    if open_to & _OTHERS_WRITE:
        _log.warning(
            "%s: others could write to the state folder (mode %o) until now: make sure that all in "
            "it is yours",
            state, stat.S_IMODE(found.st_mode),
        )  # fmt: skip
    elif open_to:
        _log.warning(
            "%s: others could look into the state folder (mode %o) until now; it is 700 again",
            state, stat.S_IMODE(found.st_mode),
        )  # fmt: skip


def _check_owner(state: Path, found: os.stat_result, me: int, what: str) -> None:
    """Raises StateError unless it is of whoever runs this, or of root, who can do all anyway."""
    if found.st_uid not in {me, 0}:
        raise StateError(
            f"{state}: {what} belongs to user {found.st_uid}, not to you: name one of your own in "
            "LUMOS_INGEST_STATE"
        )

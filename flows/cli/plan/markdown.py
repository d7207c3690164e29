"""A plan for sharing: Markdown in which every key is a keyed hash, so that it names no one."""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from flows.sync.markdown import plan_lines
from flows.sync.plan import Planned
from schemas.errors import StateError, raise_as

_KEY_FILE = "sharing.key"
_KEY_BYTES = 32
_SHOWN = 200


def sharing_key(state: Path) -> bytes:
    """The workspace's own key for hashes, made once, 0600: one id, one hash, in every plan.

    One that is not whole is made anew: ids under a key that anyone can guess are no secret.

    Raises:
        StateError: it can neither be read nor made.
    """
    path = state / _KEY_FILE

    def read_key() -> bytes:
        if not path.exists() or len(path.read_bytes()) != _KEY_BYTES:
            _make_key(path)
        return path.read_bytes()

    return raise_as(
        read_key,
        {
            OSError: lambda error: StateError(
                f"{path}: the key for hashed ids cannot be used: {error.strerror}"
            )
        },
    )


def _make_key(path: Path) -> None:
    """Makes the file whole or not at all; the temporary one beside it is 0600 from the start."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def hashed(key: bytes, text: str) -> str:
    """What stands for `text` in a shared plan: the first 12 hex digits of an HMAC-SHA-256."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:12]


def to_markdown(source_name: str, planned: Planned, key: bytes) -> str:
    """The plan as Markdown; no id, name, address or value of a row is in it."""
    lines = [
        f"# Plan for {source_name}",
        "",
        f"Against {planned.against}. Verdict: {planned.verdict}.",
        *plan_lines(planned),
    ]
    if not planned.plan.is_first:
        lines += [*_lookalikes(planned, key), *_changes(planned, key)]
    return "\n".join(lines).rstrip() + "\n"


def _lookalikes(planned: Planned, key: bytes) -> list[str]:
    """Accounts that are gone and new, and look like one person, under their hashes."""
    pairs = planned.plan.lookalikes
    if not pairs.height:
        return []
    lines = ["", "## Gone and new, alike", "", "| removed | added | alike |", "| --- | --- | --- |"]
    return [
        *lines,
        *(
            f"| `{hashed(key, removed)}` | `{hashed(key, added)}` | {alike} |"
            for removed, added, alike in pairs.head(_SHOWN).iter_rows()
        ),
    ]


def _changes(planned: Planned, key: bytes) -> list[str]:
    """The accounts that change, each under its hash; the first `_SHOWN` of them."""
    changes = planned.plan.account_changes
    if not changes.height:
        return []
    lines = [
        "",
        "## Accounts",
        "",
        "| account | change | fields | status |",
        "| --- | --- | --- | --- |",
    ]
    for account, change, fields, before, after in changes.head(_SHOWN).iter_rows():
        status = f"{before} → {after}" if before and after and before != after else after or before
        lines.append(f"| `{hashed(key, account)}` | {change} | {', '.join(fields)} | {status} |")
    if changes.height > _SHOWN:
        lines.append(f"\n{changes.height - _SHOWN} more accounts change.")
    return lines

"""A plan for sharing: Markdown in which every key is a keyed hash, so that it names no one."""

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from flows.sync.plan import Planned
from flows.sync.summary import plan_tallies
from schemas.errors import StateError, raise_as
from transforms.tables.rejects import rejected_row_count

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
    plan, counts = planned.plan, planned.normalized.counts
    lines = [
        f"# Plan for {source_name}",
        "",
        f"Against {planned.against}. Verdict: {planned.verdict}.",
        "",
        "| table | before | after | added | changed | removed | dropped | rejected rows | kept |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for table in ("accounts", "entitlements", "associations"):
        changes, count = getattr(plan, table), counts.get(table)
        dropped, rejected, kept = (
            (count.dropped, count.rejected, count.kept) if count else (0, 0, 0)
        )
        lines.append(
            f"| {table} | {changes.before} | {changes.after} | {changes.added} | {changes.changed} "
            f"| {changes.removed} | {dropped} | {rejected} | {kept} |"
        )
    lines += ["", *_tallies(planned), *_guards(planned), *_rejects(planned)]
    if not plan.is_first:
        lines += [*_lookalikes(planned, key), *_changes(planned, key)]
    return "\n".join(lines).rstrip() + "\n"


def _tallies(planned: Planned) -> list[str]:
    tallies = plan_tallies(planned.plan)
    return [*(f"- {title.capitalize()}: {text}" for title, text in tallies), ""]


def _guards(planned: Planned) -> list[str]:
    """The guards of which the plan has something: counts alone."""
    told = planned.told
    if not told:
        return []
    lines = [
        "",
        "## Guards",
        "",
        "| guard | counted | of | allowed |",
        "| --- | ---: | --- | --- |",
    ]
    return [
        *lines,
        *(
            f"| {one.guard} | {one.found} | {one.base} {one.of or one.table} "
            f"| {one.allowed} ({one.limit}) |"
            for one in told
        ),
    ]


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


def _rejects(planned: Planned) -> list[str]:
    rejects = planned.normalized.rejects
    if not rejects.height:
        return []
    rows = rejects.group_by("table", "column", "reason", maintain_order=True).len().rows()
    tables = rejects["table"].unique(maintain_order=True)
    total = sum(rejected_row_count(rejects, table) for table in tables)
    cells = int(rejects["is_cell"].sum())
    lines = [
        "",
        f"## Rejected rows: {total}; cells whose rows stand: {cells}",
        "",
        "| table | column | reason | rows |",
        "| --- | --- | --- | ---: |",
    ]
    return [
        *lines,
        *(f"| {table} | {column or ''} | {reason} | {n} |" for table, column, reason, n in rows),
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

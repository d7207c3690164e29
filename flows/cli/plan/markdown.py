"""A plan for sharing: Markdown in which every key is a keyed hash, so that it names no one."""

from flows.report.hashes import hashed
from flows.sync.markdown import plan_lines
from flows.sync.plan import Planned

_SHOWN = 200


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

"""A run in numbers and words that may be shown, logged and kept: no id, no value of a row."""

from dataclasses import asdict

from flows.sync.verdict import Verdict
from schemas.plan import Breach, Changes, Plan
from transforms.snapshot.snapshot import Normalized


def run_counts(normalized: Normalized, plan: Plan | None = None) -> dict[str, int]:
    """Flat counts of a run: rows by table and fate, then the plan's changes by table."""
    counts = {
        f"{table}_{fate}": number
        for table, count in normalized.counts.items()
        for fate, number in asdict(count).items()
    }
    if plan is None:
        return counts
    for table, changes in _tables(plan).items():
        counts |= {
            f"{table}_{kind}": getattr(changes, kind) for kind in ("added", "changed", "removed")
        }
        counts[f"{table}_total"] = changes.after
    counts["accounts_deactivated"] = plan.deactivated
    return counts


def read_summary(normalized: Normalized) -> dict[str, object]:
    """What shows that the read was whole, and what a person should know of it, as JSON holds it."""
    return {"proof": list(normalized.proof), "warnings": list(normalized.warnings)}


def plan_summary(plan: Plan, verdict: Verdict) -> dict[str, object]:
    """The plan without its frames, and the guards' verdict."""
    return {
        "is_first": plan.is_first,
        "is_empty": plan.is_empty,
        **{table: asdict(changes) for table, changes in _tables(plan).items()},
        "deactivated": plan.deactivated,
        "by_status": plan.by_status,
        "status_flips": plan.status_flips,
        "changed_fields": plan.changed_fields,
        "attributes_added": list(plan.attributes_added),
        "attributes_removed": list(plan.attributes_removed),
        "fields_filled": list(plan.fields_filled),
        "fields_emptied": list(plan.fields_emptied),
        "verdict": verdict_summary(verdict),
    }


def plan_tallies(plan: Plan) -> list[tuple[str, str]]:
    """What a plan has beside its counts, as (title, text); without what is empty."""
    tallies = (
        ("accounts by status", plan.by_status),
        ("status changes", plan.status_flips),
        ("fields that changed", plan.changed_fields),
    )
    names = (
        ("attributes that are new", plan.attributes_added),
        ("attributes that are gone", plan.attributes_removed),
        ("fields that no account had before", plan.fields_filled),
        ("fields that no account has any more", plan.fields_emptied),
    )
    lines = [
        (title, ", ".join(f"{name} {count}" for name, count in tally.items()))
        for title, tally in tallies
    ]
    lines += [(title, ", ".join(labels)) for title, labels in names]
    return [(title, text) for title, text in lines if text]


def verdict_summary(verdict: Verdict) -> dict[str, object]:
    """The verdict as JSON holds it."""
    return {
        "verdict": "held" if verdict.is_held else "pass",
        "breaches": [breach_summary(breach) for breach in verdict.breaches],
        "approves_run": verdict.approves_run,
        "stale_approval_of": verdict.stale_approval_of,
        "text": str(verdict),
    }


def breach_summary(breach: Breach) -> dict[str, object]:
    """A breach as JSON holds it: counts alone, no id."""
    summary = asdict(breach)
    del summary["ids"]
    return summary


def _tables(plan: Plan) -> dict[str, Changes]:
    return {
        "accounts": plan.accounts,
        "entitlements": plan.entitlements,
        "associations": plan.associations,
    }

"""The top of a run's page: what happened in a sentence, why, and what a person may type now."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Literal, assert_never

from flows.report.guards import to_line
from flows.run.summary import time_text
from loaders.ledger.ledger import Ledger
from schemas.guards import is_approvable
from schemas.run import Decision, Run, RunKind

Tone = Literal["good", "warn", "bad", "calm"]
"""How a state is coloured; its word always stands beside it."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person may do: in words, and as it is typed."""

    words: str
    command: str


@dataclass(frozen=True, slots=True)
class Headline:
    """What happened, at a glance.

    Attributes:
        tone: how good that is.
        state: the state in a word or two.
        sentence: what happened.
        reasons: why, a line each.
        advice: what to type, in order; none where there is nothing to do.
    """

    tone: Tone
    state: str
    sentence: str
    reasons: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """A run among the others of its source.

    Attributes:
        run: the run.
        decisions: what people decided of it, newest first.
        later: the source's later sync that came furthest; None where none came further.
        carried_out_by: the run that carries out its plan, or has; None where none does.
        now: the moment at which that is so, UTC.
    """

    run: Run
    decisions: tuple[Decision, ...]
    later: Run | None
    carried_out_by: Run | None
    now: datetime

    @property
    def decision(self) -> Decision | None:
        """The decision that holds."""
        return self.decisions[0] if self.decisions else None


def to_standing(run: Run, others: list[Run], decisions: list[Decision], now: datetime) -> Standing:
    """How the run stands; `others` are its source's runs, newest first."""
    began = [one.run_id for one in others].index(run.run_id)
    further = (
        one
        for one in others[:began]
        if one.kind == "sync" and one.state not in {"failed", "reading"}
    )
    carrying = (
        one
        for one in others
        if one.approves_run_id == run.run_id and one.state not in {"failed", "reading"}
    )
    return Standing(run, tuple(decisions), next(further, None), next(carrying, None), now)


def to_headline(standing: Standing) -> Headline:
    """What happened in the run, why, and what to type."""
    run = standing.run
    match run.state:
        case "held":
            return _held(standing)
        case "failed":
            return _failed(run)
        case "reading":
            return Headline(
                "calm",
                "at work",
                "It reads its source; nothing is sent yet.",
                advice=(
                    Advice(
                        "If its process is gone, the next run ends it and starts afresh",
                        again(run),
                    ),
                ),
            )
        case "planned" | "submitted":
            return _under_way(run)
        case "unchanged":
            return Headline("good", "unchanged", "Nothing was new; nothing was sent.")
        case "done":
            return _done(run)
        case never:
            assert_never(never)


def again(run: Run) -> str:
    """How a run of that kind is started."""
    if run.kind == "sync":
        return f"lumos-ingest sync {run.source}"
    if run.kind == "activity":
        return f"lumos-ingest activity {run.source}"
    since, until = (f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else "…" for at in (run.since, run.until))
    return f"lumos-ingest backfill {run.source} --since {since} --until {until}"


def _held(standing: Standing) -> Headline:
    run, decision = standing.run, standing.decision
    reasons = tuple(to_line(seen) for seen in run.breaches) or (run.error or "",)
    if standing.carried_out_by is not None:
        other = standing.carried_out_by.run_id
        sentence = f"Held, then approved by a person; run {other} carries it out."
        return Headline("calm", "held, approved", sentence, reasons)
    if standing.later is not None:
        other = f"run {standing.later.run_id} ({standing.later.state})"
        sentence = f"Held; nothing was uploaded. It waits no more: {other} came after it."
        return Headline("calm", "held", sentence, reasons)
    sentence = "Held for a person. Nothing was uploaded: Lumos keeps what it had."
    if decision is None:
        return Headline("warn", "held", sentence, reasons, tuple(choices(run)))
    when = f"by {decision.actor} on {time_text(decision.decided_at)}"
    if decision.decision != "approve":
        sentence = f"Rejected {when}. Nothing was uploaded: mend the source, and sync again."
        return Headline("calm", "rejected", sentence, reasons, (Advice("Again", again(run)),))
    if decision.has_lapsed(standing.now):
        sentence = f"Held; its approval {when} has lapsed. Nothing was uploaded."
        advice = Advice("Hold what the source says now, and decide on that", again(run))
        return Headline("warn", "approval lapsed", sentence, reasons, (advice,))
    sentence = f"Approved {when}, until {time_text(decision.lapses_at)}, and not carried out yet."
    carry_out = Advice("Carry it out, if the source still gives that plan", again(run))
    reject = Advice("Take the approval back", f'lumos-ingest reject {run.run_id} --reason "…"')
    return Headline("warn", "approved", sentence, reasons, (carry_out, reject))


def choices(run: Run) -> Iterator[Advice]:
    """What may be done about a held plan on which nobody has decided."""
    yield Advice("See whom it concerns", f"lumos-ingest report {run.run_id} --ids --open")
    yield Advice("See what the source says now", f"lumos-ingest preview {run.source}")
    never = sorted({seen.guard for seen in run.breaches if not is_approvable(seen.guard)})
    if never:
        keys = ", ".join(f"guards.{key}" for key in never)
        words = f"No one may approve it: mend the source, or change {keys} in its file, and sync"
        yield Advice(words, again(run))
        return
    yield Advice(
        "If it is right, let it through", f'lumos-ingest approve {run.run_id} --reason "…"'
    )
    yield Advice("and carry it out at once", again(run))
    yield Advice("If it is wrong, refuse it", f'lumos-ingest reject {run.run_id} --reason "…"')


def _failed(run: Run) -> Headline:
    reasons = (run.error or "It ended without a word.",)
    look = Advice("See what is in place and what is not", f"lumos-ingest check {run.source}")
    advice = (look, Advice("Once that is mended, again", again(run)))
    if run.kind != "sync":
        some = f"{len(run.job_ids)} jobs were given to Lumos" if run.job_ids else "Nothing was sent"
        return Headline("bad", "failed", f"Failed. {some}.", reasons, advice)
    if run.content_hash is None:
        sentence = "Failed. Nothing was uploaded: Lumos keeps what it had."
    else:
        sentence = (
            "Failed after its upload may have been sent: what the app holds is in doubt until the "
            "next accepted run."
        )
    return Headline("bad", "failed", sentence, reasons, advice)


def _under_way(run: Run) -> Headline:
    job = f", job {run.job_ids[-1]}" if run.job_ids else ""
    return Headline(
        "warn" if run.error else "calm",
        "under way",
        f"Its upload is under way{job}.",
        (run.error,) if run.error else (),
        (
            Advice("If its process is gone, the next run goes on with it", again(run)),
            Advice(
                "If its job never ends, give it up",
                f'lumos-ingest abandon {run.run_id} --reason "…"',
            ),
        ),
    )


def _done(run: Run) -> Headline:
    counts = run.counts
    if run.kind != "sync":
        sent = counts.get("activity_sent", 0)
        return Headline("good", "accepted", f"Accepted: {sent:,} activity records were sent.")
    total = counts.get("accounts_total", 0)
    in_app = f"{total:,} account is" if total == 1 else f"{total:,} accounts are"
    by = " after a person approved it" if run.approves_run_id else ""
    first = "The first run into this app. " if run.base_run_id is None else ""
    sentence = f"{first}Accepted{by}: {in_app} in the app."
    reasons = tuple(to_line(seen) for seen in run.breaches)
    return Headline("good", "accepted", sentence, reasons, tuple(_after(run)))


def _after(run: Run) -> Iterator[Advice]:
    """What a person may want of an accepted run."""
    yield Advice("How an account came to be as it is", f"lumos-ingest why {run.source} ACCOUNT")
    if run.base_run_id is not None:
        yield Advice(
            "Should it have been wrong: back to what was accepted before",
            f"lumos-ingest sync {run.source} --from-archive {run.base_run_id}",
        )


def failed_last(ledger: Ledger, source: str, kind: RunKind) -> list[Run]:
    """The source's newest runs of that kind that failed, one after the other, newest first."""
    ended = (run for run in ledger.runs(source) if run.kind == kind and run.ended_at)
    return list(takewhile(lambda run: run.state == "failed", ended))

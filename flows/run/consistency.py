"""Whether ledger and archive are of one workspace and of one time; a person's repair where not.

Every run is in the ledger before anything of it is in the archive, and what an accepted run left is
in the archive before it is accepted. So each tells when the other is older, or another's: the
archive by runs that the ledger does not know, the ledger by an accepted run that the archive lacks.
"""

from dataclasses import dataclass

from flows.run.context import RunContext, actor
from loaders.ledger.repairs import repair, unknown_runs
from schemas.errors import ConfigError, StateError
from schemas.run import Run

WAY_ON = (
    "restore the other of the two to the same time; or, where that cannot be, take both as they "
    "are: lumos-ingest repair --reason WHY"
)


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair took in.

    Attributes:
        adopted: how many runs of the archive the ledger did not know.
        ended: how many runs were under way by the ledger, and are ended.
    """

    adopted: int
    ended: int


def check_consistent(source: str, context: RunContext) -> None:
    """Raises unless the ledger knows every run of the source that the archive has.

    Raises:
        StateError: it does not: it is older than the archive, or another's.
    """
    unknown = _unknown(source, context)
    if unknown:
        raise StateError(
            f"the archive has {len(unknown)} runs of {source} that the ledger "
            f"{context.ledger.name} does not know, the newest {unknown[-1]}: the ledger is older "
            f"than the archive, or another workspace's; {WAY_ON}"
        )


def check_archived(base: Run, context: RunContext) -> bool:
    """Whether the archive has what the accepted run left; False only where a repair came since.

    Raises:
        StateError: it has not: it is older than the ledger, or another's.
    """
    if base.run_id in context.archive.saved_runs(base.source):
        return True
    if context.ledger.is_repaired(base.app_id or ""):
        return False
    raise StateError(
        f"the archive lacks run {base.run_id} of {base.source}, which the ledger "
        f"{context.ledger.name} has as the last accepted one: the archive is older than the "
        f"ledger, or another workspace's; {WAY_ON}"
    )


def repair_state(context: RunContext, reason: str) -> Repaired:
    """Takes ledger and archive as they are, from now on; every app is in doubt.

    Raises:
        ConfigError: no reason is given.
        StateError: one of them cannot be used.
    """
    if not reason.strip():
        raise ConfigError("--reason: say why, for those who come after")
    names = {run.source for run in context.ledger.runs()} | {one.name for one in context.sources()}
    found = [(name, run_id) for name in sorted(names) for run_id in _unknown(name, context)]
    ended = repair(context.ledger, found, actor(), reason, context.now())
    return Repaired(len(found), ended)


def _unknown(source: str, context: RunContext) -> list[str]:
    # The archive first: a run that begins meanwhile is in the ledger by then.
    archived = context.archive.saved_runs(source)
    return unknown_runs(context.ledger, source, archived)

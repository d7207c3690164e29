"""Preview: everything a sync does up to the upload.

Nothing is written but what `--out` asks for.
"""

from dataclasses import dataclass
from functools import partial

from flows.guarding import judge
from flows.publishing import accepted_snapshot, content_hash
from flows.stages import Planned, extract, transform
from flows.workspace import Tools
from schemas.source_file import Source
from transforms.guards import check_guards
from transforms.plan import to_plan


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan that was only looked at, and what it was read from."""

    source: Source
    planned: Planned


def preview_source(source: Source, tools: Tools) -> Preview:
    """What a sync of `source` would do now, against the source's last accepted snapshot.

    Lumos is not asked, so on a first run what the app holds already is not compared.

    Raises:
        IngestError: the source cannot be read whole, or not under its file.
    """
    base = tools.ledger.accepted_run(source.name)
    last = accepted_snapshot(base, tools)
    normalized = transform(source, tools, extract(source, tools), last)
    plan = to_plan(normalized.snapshot, last)
    breaches = check_guards(plan, normalized.counts, source.file.guards)
    verdict = judge(breaches, None, base, partial(content_hash, normalized.snapshot))
    return Preview(source, Planned(normalized, base, plan, verdict))

"""The first two stages: a source's rows, whole, and the snapshot that they describe."""

import logging

from extractors.read import read_source
from flows.locating import located
from flows.remembering import recalled, remember
from flows.tools import Tools
from schemas.raw import Raw
from schemas.run import Run
from schemas.snapshot import Snapshot, empty_snapshot
from schemas.source_file import Source
from transforms.snapshot import Normalized, to_snapshot

_log = logging.getLogger(__name__)


def extract(
    source: Source, tools: Tools, base: Run | None = None, run_id: str | None = None
) -> Raw:
    """The source's rows, whole.

    The reader goes on from what the accepted run `base` left, and leaves the same with `run_id`.

    Raises:
        SourceError: it could not be read whole.
        ConfigError: the file names what cannot be.
    """
    tools.progress("reading the source", 0, 0)
    remembered = recalled(source, base, tools)
    raw = located(
        source,
        lambda: read_source(
            source.file.source,
            tools.settings.workspace,
            now=tools.now(),
            sleep=tools.sleep,
            resolve=tools.resolve,
            named=source.file.named,
            id_columns={"accounts": source.file.columns.integration_specific_id.column or ""},
            remembered=remembered,
        ),
    )
    if run_id is not None and raw.remembered is not None:
        remember(source, run_id, raw.remembered, tools)
    for proof in raw.proof:
        _log.info("%s: read %s", source.name, proof)
    return raw


def transform(source: Source, tools: Tools, raw: Raw, last: Snapshot | None) -> Normalized:
    """The snapshot that the rows describe, and what became of every row.

    Raises:
        SourceFormatError: the columns are not as the file says.
    """
    tools.progress("checking the rows", 0, 0)
    keeps = source.file.rejected_rows == "keep_last" and last is not None
    normalized = to_snapshot(
        raw, source.file, last if keeps and last else empty_snapshot(), tools.now()
    )
    for table, count in normalized.counts.items():
        _log.info(
            "%s: %s: %d read, %d accepted, %d merged, %d rejected, %d kept",
            source.name, table, count.read, count.accepted, count.merged, count.rejected,
            count.kept,
        )  # fmt: skip
    for warning in normalized.warnings:
        _log.warning("%s: %s", source.name, warning)
    return normalized

"""What others import, who write flows, readers and transforms of their own: docs/own-flows.md.

Names are loaded where they are asked for: `import lumos_ingest` loads neither polars nor Prefect.
"""

from types import ModuleType
from typing import TYPE_CHECKING

from lumos_ingest.rooms import check_rooms

if TYPE_CHECKING:
    from extractors.python.frames import raw_of
    from extractors.python.request import ReadRequest
    from flows.activity.order import Sending
    from flows.run.context import RunContext
    from flows.sync.order import Outcome
    from flows.sync.plan import Preview
    from lumos_ingest.calls import backfill, open_workspace, preview, send_activity, sync
    from schemas.errors import (
        BusyError,
        CancelledError,
        ConfigError,
        ContractError,
        FunctionError,
        GuardError,
        IngestError,
        JobFailedError,
        JobTimeoutError,
        LumosError,
        LumosRefusedError,
        LumosUnavailableError,
        PrefectServerError,
        ReadBackError,
        SourceError,
        SourceFormatError,
        SourceIncompleteError,
        SourceStaleError,
        SourceUnavailableError,
        StateError,
    )
    from schemas.raw import Raw, RawTable, ReaderState
    from schemas.source_file.file import Source

__all__ = [
    "BusyError",
    "CancelledError",
    "ConfigError",
    "ContractError",
    "FunctionError",
    "GuardError",
    "IngestError",
    "JobFailedError",
    "JobTimeoutError",
    "LumosError",
    "LumosRefusedError",
    "LumosUnavailableError",
    "Outcome",
    "PrefectServerError",
    "Preview",
    "Raw",
    "RawTable",
    "ReadBackError",
    "ReadRequest",
    "ReaderState",
    "RunContext",
    "Sending",
    "Source",
    "SourceError",
    "SourceFormatError",
    "SourceIncompleteError",
    "SourceStaleError",
    "SourceUnavailableError",
    "StateError",
    "backfill",
    "open_workspace",
    "preview",
    "raw_of",
    "send_activity",
    "sync",
]


def __getattr__(name: str) -> object:
    """Returns a name of the surface, loaded the first time that it is asked for.

    Raises:
        ImportError: a package of somebody else's stands where one of our own should.
        AttributeError: the surface has no such name.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    check_rooms()
    globals()[name] = found = getattr(_origin_of(name), name)
    return found


def _origin_of(name: str) -> ModuleType:
    """Returns the module that has `name`; none is loaded that it does not need."""
    if name.endswith("Error"):
        from schemas import errors

        return errors
    if name in {"Raw", "RawTable", "ReaderState"}:
        from schemas import raw

        return raw
    if name == "Source":
        from schemas.source_file import file

        return file
    if name == "ReadRequest":
        from extractors.python import request

        return request
    if name == "raw_of":
        from extractors.python import frames

        return frames
    from lumos_ingest import calls

    return calls


def __dir__() -> list[str]:
    return __all__

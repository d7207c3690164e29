"""A source of kind `python`: a function of one's own reads it."""

from copy import deepcopy
from datetime import datetime
from pathlib import Path

from extractors.python.frames import check_raw
from extractors.python.function import OwnFunction, load_function
from extractors.python.request import ReadRequest, to_fetcher
from schemas.errors import FunctionError
from schemas.raw import Probe, Raw, ReaderState
from schemas.source_file.kinds.python_source import PythonSource
from schemas.source_file.secrets import Resolve

_KEY = "source.read"


def read_python_source(
    source: PythonSource,
    workspace: Path,
    *,
    now: datetime,
    resolve: Resolve,
    state: ReaderState | None = None,
    id_column: str = "",
) -> Raw:
    """Calls the function, and returns the read that it returns.

    `id_column` is the column that accounts have their id from.

    Raises:
        ConfigError: there is no such function.
        FunctionError: it failed, or returned what is no read.
        SourceIncompleteError: it returned less, or more, than its own proof says.
        IngestError: as the function raised it.
    """
    function = _load(source, workspace)
    options = deepcopy(source.options)
    request = ReadRequest(options, workspace, now, to_fetcher(resolve, options), state)
    raw = function.call(request)
    if not isinstance(raw, Raw):
        raise function.error(
            f"returned a {type(raw).__name__}, not Raw: end it with return raw_of(accounts=…, "
            "proof=…)"
        )
    problem = None
    try:
        check_raw(raw, id_column)
    except FunctionError as error:
        problem = str(error)
    if problem:
        raise function.error(f"returned a Raw that cannot be used: {problem}")
    return raw


def probe_python_source(source: PythonSource, workspace: Path) -> tuple[Probe, ...]:
    """Finds the function; it is not called, so its columns are not known.

    Raises:
        ConfigError, FunctionError: as `read_python_source`.
    """
    function = _load(source, workspace)
    return (Probe("accounts", function.name, "is there; only a read calls it", None),)


def _load(source: PythonSource, workspace: Path) -> OwnFunction:
    return load_function(source.read, workspace, _KEY, "a ReadRequest")

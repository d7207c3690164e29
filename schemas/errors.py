"""Every error a user can cause or must act on, as one tree.

The leaf is chosen by what the reader of the message does next. A message names table, column,
check, count, path, status or job id; never a row, a value of one, or a secret.

What a program decides by is an attribute of the error; the message is for people alone, and is
never parsed.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

_Result = TypeVar("_Result")


class IngestError(Exception):
    """A failure with one clear line. Anything else that escapes is a bug and is never retried.

    Attributes:
        key: the key of the source file, or the query, that it is about, with dots between its
            parts; the line begins with it. None where it is about none.
        run_id: the run that it ended or held; None where no run had begun.
        lines: each of several things that are wrong, a line each; else its one line alone.
        retryable: whether trying again may help.
        exit_code: the command's.
    """

    retryable = False
    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        key: str | None = None,
        run_id: str | None = None,
        lines: tuple[str, ...] = (),
    ) -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key
        self.run_id = run_id
        self.lines = lines or (str(self),)


class ConfigError(IngestError):
    """A source file, an option or the environment is wrong; the message says file, line, key."""

    exit_code = 2


class SourceError(IngestError):
    """The source did not give what was asked of it."""


class SourceUnavailableError(SourceError):
    """The source could not be reached or opened; trying again may help."""

    retryable = True


class SourceIncompleteError(SourceError):
    """The source answered, but not with everything.

    Never uploaded: what is missing would be removed.
    """


class SourceStaleError(SourceError):
    """The source gave something older than what was accepted, or dated ahead of the clock."""


class SourceFormatError(SourceError):
    """The source answered, but not as agreed: fix the source or the file that describes it."""


class ContractError(IngestError):
    """Rows break a canonical table, and the source file says that this fails the run."""


class FunctionError(IngestError):
    """A function of a person's own failed, or returned what it may not: mend the function."""


class GuardError(IngestError):
    """The plan is well-formed but implausible: a person decides."""

    exit_code = 3


class BusyError(IngestError):
    """Another run is at work on the same app."""

    retryable = True


class CancelledError(BusyError):
    """A person stopped the run: it sends nothing more, and leaves what it sent to the next one."""


class StateError(IngestError):
    """The ledger or the archive cannot be used: unreachable, full, or not as it was left."""


class PrefectServerError(IngestError):
    """The Prefect server did not do what was asked of it, or does not do what it should."""

    retryable = True


class LumosError(IngestError):
    """The Lumos API did not do what was asked of it."""


class LumosUnavailableError(LumosError):
    """Unreachable, 429 or 5xx.

    `retry_after_s` is the pause the API asked for, in seconds; None where it named none.
    """

    retryable = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LumosRefusedError(LumosError):
    """The API refused the request (401, 403, 404, 413, 422): fix the token, the app or the rows.

    `status` is the HTTP status, None where the refusal was ours (an app that does not exist by that
    name).
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class JobFailedError(LumosError):
    """Lumos took the upload, then its job failed. Lumos gives no reason."""


class JobTimeoutError(LumosError):
    """The job still ran at the deadline. The next run goes on waiting for it."""


class ReadBackError(LumosError):
    """The job ended well, but the app does not hold what was sent."""


def raise_as(
    work: Callable[[], _Result],
    to_error: Mapping[type[Exception], Callable[[Any], IngestError]],
) -> _Result:
    """Returns what `work` returns; an error of a library, or of the system, becomes one of ours.

    Ours is raised once the other has been handled, so that nothing is chained to it: the text of
    an outside error may quote a row or a secret. The first entry that fits an error makes ours.

    Raises:
        IngestError: as `to_error` makes it.
    """
    try:
        return work()
    except tuple(to_error) as error:
        ours = next(make(error) for kind, make in to_error.items() if isinstance(error, kind))
    raise ours

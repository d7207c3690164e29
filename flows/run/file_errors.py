"""What is wrong with a source file and shows only once its source is met: with file and line."""

from collections.abc import Callable
from typing import TypeVar

from schemas.errors import ConfigError, FunctionError, raise_as
from schemas.source_file.file import Source

T = TypeVar("T")


def located(source: Source, work: Callable[[], T], under: str = "source") -> T:
    """What `work`, which reads what stands under the key `under`, returns.

    Raises:
        ConfigError, FunctionError: as `work` raised it, with the source's file, and the line of
            the key it is of.
        IngestError: as `work` raised it.
    """
    return raise_as(
        work,
        {
            ConfigError: lambda error: source.located(error, under),
            FunctionError: lambda error: source.located(error, under),
        },
    )

"""A target: what takes bytes, what usual ones look like, and the words of its format."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.errors import IngestError

LARGEST = 1 << 15
"""Of an input, bytes: what is slow here is slow for its shape, not for its size."""


@dataclass(frozen=True, slots=True)
class Target:
    """One way into the program.

    Attributes:
        name: what it is called for.
        read: reads an input; an error of ours is a right end, any other is a find.
        seeds: small inputs as they should be.
        tokens: what such inputs are made of, and what does harm elsewhere.
    """

    name: str
    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    tokens: tuple[bytes, ...]

    def try_on(self, data: bytes) -> None:
        """Reads an input; what is no error of ours goes through."""
        try:
            self.read(data)
        except IngestError as error:
            if "\n" in str(error):
                raise AssertionError("an error has more than one line") from error

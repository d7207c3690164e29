"""Names of columns as headers write them: found in any case, and never guessed between two."""

from collections.abc import Collection


class AmbiguousColumnError(ValueError):
    """Two columns differ by case only, and neither is written as it is wanted.

    Attributes:
        names: the columns, in the header's order.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__("columns differ by case only")
        self.names = names


def column_named(wanted: str, present: Collection[str]) -> str | None:
    """Returns the column of that name: as it is written, else the only one that is so in any case.

    None where there is none.

    Raises:
        AmbiguousColumnError: several are so, and none is written just so.
    """
    if wanted in present:
        return wanted
    alike = tuple(name for name in present if name.casefold() == wanted.casefold())
    if len(alike) > 1:
        raise AmbiguousColumnError(alike)
    return alike[0] if alike else None

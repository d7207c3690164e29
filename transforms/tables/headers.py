"""Which of a header's names are those that the source file and Lumos want, whatever their case."""

from collections.abc import Collection, Iterable
from functools import partial
from itertools import chain, product

from schemas.errors import SourceFormatError, raise_as
from schemas.headers import AmbiguousColumnError, column_named
from schemas.source_file.columns import Strict


def names_in(mapping: Strict) -> set[str]:
    """Returns the source's columns that a mapping names."""
    origins = (getattr(mapping, name) for name in type(mapping).model_fields)
    return {column for origin in origins if origin is not None for column in origin.sources}


def canonical_names(mapping: Strict) -> list[str]:
    """Returns the fields that a mapping leaves to the column of their own name."""
    return [name for name in type(mapping).model_fields if getattr(mapping, name) is None]


def renamed_columns(
    present: list[str], named: Collection[str], canonical: Iterable[str], origin: str
) -> dict[str, str]:
    """Returns by wanted name the column that is it but for its case, where none is just so.

    Wanted are the columns that the source file names, and canonical names. What the file names for
    one thing is not taken for another whose name is alike.

    Raises:
        SourceFormatError: two columns differ by case only, and neither is as it is wanted.
    """
    free = [column for column in present if column not in named]
    renamed: dict[str, str] = {}
    for wanted, candidates in chain(product(sorted(named), [present]), product(canonical, [free])):
        if wanted in present:
            continue
        column = raise_as(
            partial(column_named, wanted, candidates),
            {AmbiguousColumnError: lambda error: _ambiguous(origin, error)},
        )
        if column is not None:
            renamed[wanted] = column
    return renamed


def _ambiguous(origin: str, error: AmbiguousColumnError) -> SourceFormatError:
    names = " and ".join(map(repr, error.names))
    return SourceFormatError(
        f"{origin}: the columns {names} differ by case only: rename one, or name the one that is "
        "meant just as it is written"
    )

"""What is odd in a snapshot that no rule refuses: cells cut off, a role NULL, joined names."""

import polars as pl

from schemas.errors import SourceFormatError
from schemas.raw import RawTable
from schemas.snapshot import Snapshot
from schemas.source_file.file import SourceFile
from schemas.tables import ENTITLEMENT_KEY
from transforms.tables.vocabulary import NOTHING, SHOWN, is_showable

CUTS = (255, 1024, 2000, 4000, 32767)
"""Where databases and spreadsheets cut text: VARCHAR, GROUP_CONCAT, NVARCHAR, VARCHAR2, Excel."""

_SHARE = 3
"""One cell in so many, at least, has just the length of a cut where cells are cut."""

_SEPARATORS = (";", ",", "|", "/", "\n", " ")


def cut_warnings(accounts: RawTable, file: SourceFile) -> tuple[str, ...]:
    """What to say of columns of text whose cells are cut off.

    Raises:
        SourceFormatError: cells of entitlements are: what they hold beyond the cut would be taken
            away, and the last piece would be an entitlement that nobody has.
    """
    held = {one.column for one in file.entitlements if one.column is not None}
    used = sorted(held | file.named_columns)
    cuts = {name: _cut_at(accounts.rows[name]) for name in used if name in accounts.rows.columns}
    for name, cut in cuts.items():
        if cut and name in held:
            raise SourceFormatError(
                f"{accounts.origin}: the column {name!r} of entitlements is cut off at {cut} "
                "characters: export it whole, or a row an entitlement"
            )
    return tuple(
        f"{accounts.origin}: the column {name!r} looks cut off at {cut} characters"
        for name, cut in cuts.items()
        if cut
    )


def _cut_at(cells: pl.Series) -> int | None:
    """The length that a third of the cells that are not blank have, and none exceeds."""
    sizes = cells.str.len_bytes()
    longest = sizes.max()
    if not isinstance(longest, int) or longest < CUTS[0]:
        return None
    for lengths in (cells.str.len_chars(), sizes):
        most = lengths.max()
        if most in CUTS and (lengths == most).sum() * _SHARE >= (lengths > 0).sum():
            return int(str(most))
    return None


def entitlement_warnings(
    snapshot: Snapshot, last: Snapshot, of_two_types: pl.DataFrame
) -> tuple[str, ...]:
    """What to say of entitlements that are none, are two in one, or are of two types."""
    catalogue = snapshot.entitlements
    is_nothing = pl.col("label").str.strip_chars().str.to_lowercase().is_in(NOTHING)
    nothing = catalogue.filter(is_nothing)["label"].unique().sort().to_list()
    warnings = [
        f"an entitlement is called {name!r}: if that means none, have the source leave it blank"
        for name in nothing
    ]
    joined = _joined(catalogue, last.entitlements)
    if joined:
        shown = ", ".join(repr(name) for name in joined[:SHOWN] if is_showable(name))
        warnings.append(
            f"{len(joined)} entitlements that were never seen before are known ones joined"
            f"{': ' + shown if shown else ''}: check the separator, and names that have it in them"
        )
    for entitlement_id, types in (
        of_two_types.head(SHOWN).select(ENTITLEMENT_KEY[0], "types").rows()
    ):
        name = repr(entitlement_id) if is_showable(entitlement_id) else "an id"
        warnings.append(
            f"{name} is an id of several types of entitlement ({types}): nobody can say which is "
            "held; give one of the columns a prefix"
        )
    return tuple(warnings)


def _joined(catalogue: pl.DataFrame, last: pl.DataFrame) -> list[str]:
    """Labels of new entitlements that are two or more known ones with a separator between them."""
    new = catalogue.join(last, on=ENTITLEMENT_KEY, how="anti")
    known = pl.concat([catalogue["label"], last["label"]]).unique()
    found: set[str] = set()
    for separator in _SEPARATORS:
        parted = new.filter(pl.col("label").str.contains(separator, literal=True))
        if not parted.height:
            continue
        pieces = parted.select(
            "label", piece=pl.col("label").str.split(separator).list.eval(_stripped())
        )
        of = (
            pieces.explode("piece")
            .group_by("label")
            .agg(pl.len().alias("count"), pl.col("piece").is_in(known.implode()).all().alias("all"))
        )
        found |= set(of.filter(pl.col("all") & (pl.col("count") > 1))["label"])
    return sorted(found)


def _stripped() -> pl.Expr:
    stripped = pl.element().str.strip_chars()
    return stripped.filter(stripped != "")

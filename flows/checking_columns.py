"""What `check` can say of a source's columns: the mapping against a table without a row."""

import polars as pl

from schemas.raw import Probe, RawTable
from schemas.source_file import SourceFile
from schemas.tables import REJECTS, ROW
from transforms.column_use import accounts_use, misspelt, use_of


def column_notes(file: SourceFile, probe: Probe) -> list[str]:
    """What a person should know of the columns that are there.

    Raises:
        SourceFormatError: one that the source file names is not.
    """
    table = probed_table(probe)
    if probe.table != "accounts":
        mappings = {
            "entitlements": file.entitlement_columns,
            "resources": file.resource_columns,
            "associations": file.association_columns,
        }
        use_of(table, mappings[probe.table], {}, frozenset())
        return []
    use = accounts_use(table, file)
    names = ", ".join(map(repr, use.unused))
    notes = [f"columns the source file does not name: {names}"] if names else []
    return [f"{probe.origin}: {one}" for one in (*notes, *misspelt(use, file))]


def probed_table(probe: Probe) -> RawTable:
    """The probed table without a row."""
    rows = pl.DataFrame(schema={name: pl.String() for name in probe.columns} | {ROW: pl.UInt32()})
    return RawTable(probe.table, rows, pl.DataFrame(schema=REJECTS), 0, probe.origin)

"""A file read block by block holds the rows that it holds when it is read at once."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.delimited.file import layout_of
from extractors.delimited.rows import row_batches, to_rows
from extractors.exports.export import Export
from extractors.zones.zones import DropZones
from schemas.errors import SourceFormatError
from schemas.source_file.kinds.csv_source import ActivitySource

CELL = st.one_of(
    st.text("ab0é", max_size=6),
    st.text('a,"\n', max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"'),
)
LINE = st.one_of(
    st.lists(CELL, min_size=3, max_size=3).map(",".join),
    st.sampled_from(["", " ", "a,b", "a,b,c,d", "at,who,what", 'x,"y"z,1']),
)
OPTIONS = ActivitySource(
    kind="csv", activity="log.csv", max_age=None, encoding="utf-8", separator=","
)


@given(st.lists(LINE, min_size=1, max_size=20), st.integers(1, 60), st.booleans())
@settings(deadline=None)
def test_blocks_of_any_size_hold_the_rows_of_the_whole(lines: list[str], size: int, ended: bool):
    with TemporaryDirectory() as name:
        folder = Path(name)
        content = "\n".join(["at,who,what", *lines]) + ("\n" if ended else "")
        (folder / "log.csv").write_text(content, "utf-8", newline="")
        with DropZones(OPTIONS, folder) as zones:
            zone, key = zones.place("log.csv", "activity")
            [file] = zone.matches(key)
            try:
                layout = layout_of(Export("activity", file, zone), OPTIONS, folder)
                whole = to_rows(layout.text, layout.dialect, layout.structure, folder)
            except SourceFormatError:
                return
            (folder / "parsed").unlink(missing_ok=True)
            parts = list(row_batches(layout.text, layout.dialect, layout.structure, folder, size))
    assert pl.concat([whole.clear(), *parts]).equals(whole)

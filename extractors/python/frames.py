"""What a reader of one's own hands over: `raw_of` plain frames, and what is asked of any `Raw`."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import polars as pl

from extractors.python.text import NotTextError, to_text_columns
from schemas.errors import FunctionError, SourceIncompleteError
from schemas.raw import TABLES, Raw, RawTable, ReaderState
from schemas.tables import REJECTS, ROW


def raw_of(  # noqa: PLR0913 - one argument a table
    *,
    accounts: pl.DataFrame,
    entitlements: pl.DataFrame | None = None,
    resources: pl.DataFrame | None = None,
    associations: pl.DataFrame | None = None,
    proof: str | Iterable[str] = (),
    total: int | None = None,
    warnings: Iterable[str] = (),
    taken_at: datetime | None = None,
    state: ReaderState | None = None,
) -> Raw:
    """Returns a whole read made of plain frames: rows numbered from 1, counted, values as text.

    Whole numbers become digits, floats and decimals digits without exponent or trailing zeros,
    booleans `true` and `false`, dates and times ISO 8601 (in UTC where they have a zone), bytes
    lower-case hex. Text is never changed: `00012` stays `00012`. Null is "there is none".

    Args:
        accounts: one row an account, columns under the source's own names; at least one row.
        entitlements: one row an entitlement; None where the source keeps none apart.
        resources: one row a resource, likewise.
        associations: one row an account and entitlement it holds, likewise.
        proof: what shows that nothing is missing, in words: "42 of 42 pages"; one text or several.
            Where it says how many of how many, that is compared with what is handed over.
        total: how many accounts the source itself says that it has; a proof by itself.
        warnings: what a person should know about the read.
        taken_at: when the data were made, with a zone; now where it is not given.
        state: what the next read wants to find in its request, once this run is accepted.

    Raises:
        FunctionError: no proof, something that is no frame, or a column that cannot be text.
        SourceIncompleteError: no account: an empty snapshot is never uploaded; or fewer or more
            than the total, or the proof, says.
    """
    given = dict(zip(TABLES, (accounts, entitlements, resources, associations), strict=True))
    tables = {name: _to_table(name, frame) for name, frame in given.items() if frame is not None}
    if "accounts" not in tables:
        raise FunctionError("raw_of: accounts is None: hand over a polars DataFrame")
    proofs = (proof,) if isinstance(proof, str) else tuple(proof)
    if total is not None:
        proofs = (*proofs, f"{tables['accounts'].read_count} of {total} accounts")
    raw = Raw(
        accounts=tables["accounts"],
        entitlements=tables.get("entitlements"),
        resources=tables.get("resources"),
        associations=tables.get("associations"),
        taken_at=taken_at or datetime.now(UTC),
        proof=proofs,
        warnings=tuple(warnings),
        state=state,
    )
    check_raw(raw)
    return raw


def _to_table(name: str, frame: pl.DataFrame) -> RawTable:
    if not isinstance(frame, pl.DataFrame):
        raise FunctionError(f"raw_of: {name} is a {type(frame).__name__}, not a polars DataFrame")
    if ROW in frame.columns:
        raise FunctionError(
            f"raw_of: {name} has a column {ROW!r}, which is the number of a row here: rename it"
        )
    problem = None
    try:
        text = to_text_columns(frame)
    except NotTextError as error:
        problem = str(error)
    if problem:
        raise FunctionError(f"raw_of: {name}: {problem}")
    rows = text.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias(ROW))
    return RawTable(name, rows, pl.DataFrame(schema=REJECTS), frame.height, name)


def check_raw(raw: Raw, id_column: str = "") -> None:
    """Raises unless the read can be gone on with: a person may have made it by hand.

    `id_column` is the column that accounts have their id from; empty where it is not known.

    Raises:
        FunctionError: it has no proof, or a part of it is not of its form.
        SourceIncompleteError: it has no account, or not as many as its proof says.
    """
    if not raw.proof or not all(isinstance(one, str) and one.strip() for one in raw.proof):
        raise FunctionError(
            "the read has no proof: say what shows that nothing is missing, such as "
            'proof="42 of 42 pages"'
        )
    if raw.taken_at.tzinfo is None:
        raise FunctionError("taken_at has no zone: datetime.now(UTC) has one")
    for name in TABLES:
        table = getattr(raw, name)
        if table is not None or name == "accounts":
            _check_table(name, table)
    if not raw.accounts.read_count:
        raise SourceIncompleteError(
            "the read has no account, and an empty snapshot is never uploaded"
        )
    for proof in raw.proof:
        _check_count(proof, raw, id_column)
    if raw.state is not None:
        _check_state(raw.state)


_COUNT = re.compile(r"(?<![\w.,])(\d[\d,_]*) of (\d[\d,_]*)(?: ([a-z]+))?(?!\w)", re.IGNORECASE)
_PEOPLE = frozenset(
    f"{word}{end}"
    for word in ("account", "user", "identitie", "employee", "person", "member", "login")
    for end in ("", "s")
) | {"people", "identity"}
_ROWS = frozenset({"", "row", "rows", "record", "records", "line", "lines", "entry", "entries"})


def _check_count(proof: str, raw: Raw, id_column: str) -> None:
    """Raises where a proof says how many of how many, and that is not what there is.

    Of accounts each counts once, however many rows it has: a page that came twice hides another.
    What is counted under another word (pages, files) is compared with its own number alone.
    """
    tables = {name: getattr(raw, name) for name in TABLES}
    counts = {name: table.read_count for name, table in tables.items() if table is not None}
    for came, there, word in _COUNT.findall(proof):
        came_count, there_count = (int(text.strip(",_").replace(",", "")) for text in (came, there))
        if came_count != there_count:
            raise SourceIncompleteError(f"{came_count:,} of {there_count:,} came: run again")
        noun = word.lower()
        if noun in _PEOPLE:
            given = {_account_count(raw, id_column)}
        elif f"{noun}s" in counts or noun in counts:
            given = {counts[noun if noun in counts else f"{noun}s"]}
        else:
            given = {*counts.values(), sum(counts.values())} if noun in _ROWS else {there_count}
        if there_count not in given:
            raise SourceIncompleteError(
                f"the proof says {there_count:,} {noun}".rstrip()
                + f", and {min(given):,} came: not everything came, or something twice: run again"
            )


def _account_count(raw: Raw, id_column: str) -> int:
    rows = raw.accounts.rows
    if id_column not in rows.columns:
        return raw.accounts.read_count
    return rows[id_column].n_unique() + raw.accounts.read_count - rows.height


def _check_table(name: str, table: object) -> None:
    if not isinstance(table, RawTable) or table.name != name:
        raise FunctionError(f"{name} is no RawTable of that name: make it with raw_of")
    problem = _problem_of(table)
    if problem:
        raise FunctionError(f"{name}: {problem}: make it with raw_of")


def _problem_of(table: RawTable) -> str | None:
    """Returns what keeps the rows from being judged and counted; None where nothing does."""
    schema = table.rows.schema
    if schema.get(ROW) != pl.UInt32 or table.rows[ROW].n_unique() < table.rows.height:
        return f"the column {ROW!r} does not number its rows, UInt32, each once"
    if len(schema) == 1:
        return "it has no column"
    if any(dtype != pl.String for column, dtype in schema.items() if column != ROW):
        return "not every column is text"
    if table.rejects.schema != pl.Schema(REJECTS):
        return "its rejects are not of their form"
    rejected_count = table.rejects.select("file", "row").n_unique()
    if table.read_count != table.rows.height + rejected_count or table.dropped_count:
        return "read_count is not its rows and rejects together"
    return None


def _check_state(state: object) -> None:
    if not isinstance(state, ReaderState) or not (
        _are(state.marks, str) and _are(state.frames, pl.DataFrame)
    ):
        raise FunctionError("state is no ReaderState of texts and frames by name")


def _are(values: object, kind: type) -> bool:
    return isinstance(values, Mapping) and all(
        isinstance(name, str) and isinstance(value, kind) for name, value in values.items()
    )

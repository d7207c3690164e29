"""What the expressions of a source file say, row by row; what cannot be told has its reason."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

from schemas.source_file.activity import EVENT_OF, EventTypeColumn
from schemas.source_file.columns import (
    AccountTypeColumn,
    Case,
    Condition,
    StatusColumn,
    TextColumn,
    TimeColumn,
    group_index,
    parts_of,
)
from schemas.statuses import CAN_LOG_IN, STATUS_OF
from schemas.tables import UNREADABLE_MARK, Reason
from transforms.tables.moments.times import is_placeholder, to_utc
from transforms.tables.vocabulary import NOTHING

NO_MATCH = Reason("no_match", "does not fit the pattern")
NO_CASE = Reason("no_case", "is none of the cases, and no else is stated")
UNTOLD = Reason("untold_condition", "depends on a cell that cannot be read")
CONTRADICTS = Reason(
    "contradicts_else", "says that the account is shut, and no case names the word: add a case"
)
STANDS_FOR_NOTHING = Reason("stands_for_nothing", "a template's cell is a word for nothing")
REASONS = {
    reason.code: str(reason)
    for reason in (NO_MATCH, NO_CASE, UNTOLD, CONTRADICTS, STANDS_FOR_NOTHING)
}

NEVER_ASKED = datetime(1, 1, 1, tzinfo=UTC)
"""The time for tables whose fields may ask for none."""

_YES = frozenset({"y", "yes", "true", "t", "1", "x", "on"})
_SHUT = (
    r"(?i)\b(?:not active|inactive|disabled|deactivated|suspended|terminated|deleted|locked|blocked"
    r"|expired|revoked|closed|archived|removed|former|retired|deprovisioned|banned|leaver)\b"
)
_DENIED = r"(?i)\b(?:not|never|no|non)\b"
_DATE_ALONE = r"^(?:\d{4}-\d{2}-\d{2}|\d{8})$"
_CLOCK = ("%H", "%I", "%M", "%T", "%R", "%c", "%s", "%+", "%X", "%r", "epoch", "excel")
_OVER = 9999


@dataclass(frozen=True, slots=True)
class Text:
    """What an expression says, row by row.

    Attributes:
        values: null where it says nothing, or cannot be told.
        faults: the code of why it cannot be told, else null; None where nothing is at fault.
    """

    values: pl.Series
    faults: pl.Series | None = None


def to_text(rows: pl.DataFrame, origin: TextColumn, now: datetime, *, verbatim: bool) -> Text:
    """What `origin` says of each of the raw `rows`; trimmed unless `verbatim`, as ids are.

    Words are mapped as it says; a status is an empty text, not null, where nothing says one.
    """
    text = _unmapped(rows, origin, now, verbatim=verbatim)
    values = text.values if verbatim else mapped(text.values, origin)
    if text.faults is None:
        return Text(values)
    absent = "" if isinstance(origin, StatusColumn | EventTypeColumn) else None
    return Text(values.set(text.faults.is_not_null(), absent), text.faults)


def _unmapped(rows: pl.DataFrame, origin: TextColumn, now: datetime, *, verbatim: bool) -> Text:
    if origin.constant is not None:
        text = pl.Series([origin.constant], dtype=pl.String)
        return Text(text.new_from_index(0, rows.height))
    if origin.template is not None:
        return _of_template(rows, origin.template, verbatim=verbatim)
    if origin.first:
        return _first_of(rows, origin.first, now, verbatim=verbatim)
    if origin.cases:
        return _of_cases(rows, origin, now, verbatim=verbatim)
    cells = cells_of(rows, origin.column or "", verbatim=verbatim)
    if origin.pattern is None:
        return Text(cells)
    return _of_pattern(cells, origin.pattern, origin.group, verbatim=verbatim)


def _inner(rows: pl.DataFrame, origin: TextColumn, now: datetime, *, verbatim: bool) -> Text:
    """What a part of another expression says; null, not empty, where it says nothing."""
    text = to_text(rows, origin, now, verbatim=verbatim)
    return Text(_blank_as_null(text.values), text.faults)


def mapped(text: pl.Series, origin: TextColumn) -> pl.Series:
    """`text` by the words that `origin` maps, and those that are known."""
    match origin:
        case StatusColumn():
            return _by_table(text.fill_null(""), origin.values, STATUS_OF)
        case EventTypeColumn():
            return _by_table(text.fill_null(""), origin.meanings, EVENT_OF)
        case AccountTypeColumn():
            kinds = {"user": "user", "service": "service"}
            return _by_table(text, dict(origin.values), kinds)
        case _:
            return text


def _by_table(text: pl.Series, written: dict[str, str], known: dict[str, str]) -> pl.Series:
    """Each text by the file's own table, else by the known words, else as it is; in any case.

    A word that the file writes in two cases, with two meanings, is meant as it is written.
    """
    words = {word.casefold(): meaning for word, meaning in (known | written).items()}
    table = {
        word: written.get(word, words.get(word.casefold(), word))
        for word in text.unique().drop_nulls().to_list()
    }
    changed = {word: meaning for word, meaning in table.items() if word != meaning}
    return text.replace(changed) if changed else text


def cells_of(rows: pl.DataFrame, column: str, *, verbatim: bool) -> pl.Series:
    """The cells of a column; blank ones are null."""
    cells = rows[column]
    return _blank_as_null(cells if verbatim else cells.str.strip_chars())


def _blank_as_null(text: pl.Series) -> pl.Series:
    is_blank = text == ""
    return text.set(is_blank, None) if is_blank.any() else text


def _no_faults(height: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, height)


def _fault(mask: pl.Series, reason: Reason) -> pl.Series | None:
    """`reason`'s code where the mask is true; None where it never is."""
    if not mask.any():
        return None
    return _no_faults(mask.len()).scatter(mask.arg_true(), reason.code)


def _of_pattern(cells: pl.Series, pattern: str, group: str | None, *, verbatim: bool) -> Text:
    found = cells.str.extract(pattern, group_index(pattern, group))
    index = (found.is_null() & cells.is_not_null()).arg_true()
    values = found if verbatim else found.str.strip_chars()
    values = _blank_as_null(values)
    if not index.len():
        return Text(values)
    # A group that a fitting cell lacks is nothing; a cell that does not fit is at fault.
    misfits = index.filter(~cells.gather(index).str.contains(pattern))
    if not misfits.len():
        return Text(values)
    return Text(values, _no_faults(cells.len()).scatter(misfits, NO_MATCH.code))


def _of_template(rows: pl.DataFrame, template: str, *, verbatim: bool) -> Text:
    parts, cells = parts_of(template), {}
    stands_for_nothing = pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    for _, column in parts:
        if column is None or column in cells:
            continue
        cells[column] = cells_of(rows, column, verbatim=verbatim)
        is_short = (cells[column].str.len_bytes() <= max(map(len, NOTHING))).fill_null(value=False)
        short = is_short.arg_true()
        words = cells[column].gather(short).str.strip_chars().str.to_lowercase()
        stands_for_nothing = stands_for_nothing.scatter(short.filter(words.is_in(NOTHING)), True)
    names = {column: f"{number}" for number, column in enumerate(cells)}
    frame = pl.DataFrame([cells[column].alias(name) for column, name in names.items()])
    pieces: list[pl.Expr] = []
    for text, column in parts:
        pieces += [pl.lit(text)] if text else []
        pieces += [pl.col(names[column])] if column is not None else []
    values = frame.select(pl.concat_str(pieces).alias("text")).to_series()
    at_fault = stands_for_nothing & values.is_not_null()
    return Text(values.set(at_fault, None), _fault(at_fault, STANDS_FOR_NOTHING))


def _first_of(
    rows: pl.DataFrame, origins: tuple[TextColumn, ...], now: datetime, *, verbatim: bool
) -> Text:
    """The first that has a value; one that cannot be told has one.

    But a cell that one pattern does not fit may fit the next one of the same column.
    """
    values, faults = _no_faults(rows.height), _no_faults(rows.height)
    any_fault = False
    of_column: str | None = None
    for origin in origins:
        here = _inner(rows, origin, now, verbatim=verbatim)
        is_pattern = origin.pattern is not None
        goes_on = is_pattern and origin.column == of_column
        is_open = values.is_null() & (
            (faults.is_null() | (faults == NO_MATCH.code)) if goes_on else faults.is_null()
        )
        if not is_open.any():
            break
        values = here.values.zip_with(is_open, values) if is_open.any() else values
        if any_fault or here.faults is not None:
            mine = here.faults if here.faults is not None else _no_faults(rows.height)
            faults = mine.zip_with(is_open, faults)
            any_fault = True
        of_column = origin.column if is_pattern else None
    return Text(values, faults if any_fault and faults.count() else None)


def _of_cases(rows: pl.DataFrame, origin: TextColumn, now: datetime, *, verbatim: bool) -> Text:
    """The first case that holds, if it is known that none before it does."""
    values, faults = _no_faults(rows.height), _no_faults(rows.height)
    is_open = pl.repeat(True, rows.height, dtype=pl.Boolean, eager=True)
    for case in origin.cases:
        holds, untold = _holds(rows, case, now)
        is_untold = is_open & untold
        if is_untold.any():
            faults = faults.scatter(is_untold.arg_true(), UNTOLD.code)
        is_here = is_open & holds & ~untold
        if is_here.any():
            values, faults = _put(
                values, faults, is_here, _inner(rows, case.then, now, verbatim=verbatim)
            )
        is_open &= ~(holds | untold)
    if is_open.any():
        if origin.otherwise is None:
            is_status = isinstance(origin, StatusColumn)
            rest = Text(values, _fault(is_open, NO_CASE) if is_status else None)
        else:
            rest = _inner(rows, origin.otherwise, now, verbatim=verbatim)
            if isinstance(origin, StatusColumn) and origin.otherwise.constant is not None:
                rest = _not_against(rows, origin, rest)
        values, faults = _put(values, faults, is_open, rest)
    return Text(values, faults if faults.count() else None)


def _put(
    values: pl.Series, faults: pl.Series, mask: pl.Series, of: Text
) -> tuple[pl.Series, pl.Series]:
    values = of.values.zip_with(mask, values)
    return values, faults if of.faults is None else of.faults.zip_with(mask, faults)


def _not_against(rows: pl.DataFrame, origin: TextColumn, rest: Text) -> Text:
    """`rest`, the `else` of a status, at fault where it is open and a cell says otherwise.

    A word that no case names may be a new one for an account that is shut: nobody has said that it
    means an open one.
    """
    status = STATUS_OF.get(((origin.otherwise and origin.otherwise.constant) or "").upper())
    if status not in CAN_LOG_IN:
        return rest
    against = pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    for condition in (one for case in origin.cases for one in case.when if one.words):
        cells = rows[condition.column].str.strip_chars()
        words = cells.unique().drop_nulls()
        shut = words.str.contains(_SHUT) & ~(
            words.str.contains(_DENIED) & ~words.str.contains(r"(?i)\bnot active\b")
        )
        known = {word.casefold() for word in condition.words}
        if known & _YES:
            shut |= words.str.to_lowercase().is_in(list(_YES))
        open_words = [word for word in words.filter(shut).to_list() if word.casefold() not in known]
        if open_words:
            against |= cells.is_in(open_words).fill_null(value=False)
    if not against.any():
        return rest
    return Text(rest.values.set(against, None), _fault(against, CONTRADICTS))


def _holds(rows: pl.DataFrame, case: Case, now: datetime) -> tuple[pl.Series, pl.Series]:
    """Two masks: the case holds; nobody can tell whether it does."""
    each = [_condition_holds(rows, condition, now) for condition in case.when]
    holds, untold = each[0]
    for also, also_untold in each[1:]:
        is_false = ~(holds | untold) | ~(also | also_untold)
        holds, untold = holds & also, (untold | also_untold) & ~is_false
    return holds, untold


def _condition_holds(
    rows: pl.DataFrame, condition: Condition, now: datetime
) -> tuple[pl.Series, pl.Series]:
    cells = rows[condition.column].str.strip_chars().fill_null("")
    if not condition.words:
        return _time_holds(cells, condition, now)
    wanted = [word.strip().casefold() for word in condition.words]
    words = cells.unique().to_list()
    known = [word for word in words if word.casefold() in wanted]
    unread = [word for word in words if UNREADABLE_MARK in word]
    none = pl.repeat(False, rows.height, dtype=pl.Boolean, eager=True)
    return (cells.is_in(known) if known else none, cells.is_in(unread) if unread else none)


def _time_holds(
    cells: pl.Series, condition: Condition, now: datetime
) -> tuple[pl.Series, pl.Series]:
    never = {word.casefold() for word in condition.never} | {""}
    origin = TimeColumn.model_construct(
        column=condition.column, format=condition.format, timezone=condition.timezone
    )
    words = cells.unique()
    is_word = pl.Series([word.casefold() in never for word in words.to_list()], dtype=pl.Boolean)
    text = words.filter(~is_word)
    at = pl.DataFrame(
        {"text": text, "at": to_utc(text, origin), "alone": _is_date_alone(text, condition)}
    )
    # The year 9999 is no end; 1970 and 0000-00-00 are none either, but nobody has said so.
    is_odd = is_placeholder(pl.col("text"), pl.col("at")) & (pl.col("at").dt.year() < _OVER)
    untold = at.select(pl.col("at").is_null() | is_odd).to_series()
    moment = _moment(condition.before or condition.after or "", condition.timezone, now)
    in_zone = pl.col("at").dt.convert_time_zone(condition.timezone)
    ends = pl.when("alone").then(in_zone.dt.offset_by("1d")).otherwise(in_zone)
    ends = ends.dt.convert_time_zone("UTC")
    holds = ends <= moment if condition.before is not None else pl.col("at") > moment
    told = at.select(holds.fill_null(value=False)).to_series() & ~untold
    return cells.is_in(text.filter(told).implode()), cells.is_in(text.filter(untold).implode())


def _is_date_alone(text: pl.Series, condition: Condition) -> pl.Series:
    if condition.format is None:
        return text.str.contains(_DATE_ALONE)
    alone = not any(code in condition.format for code in _CLOCK)
    return pl.repeat(alone, text.len(), dtype=pl.Boolean, eager=True)


def _moment(written: str, zone: str, now: datetime) -> datetime:
    if written == "now":
        return now
    return datetime.combine(date.fromisoformat(written), time(), ZoneInfo(zone)).astimezone(UTC)


# Times: of one column, of the first of several, or the newest of several.


def to_time(rows: pl.DataFrame, origin: TimeColumn) -> tuple[pl.Series, pl.Series]:
    """The times that `origin` says, UTC, and a mask of those that cannot be read (null then)."""
    if origin.column is not None:
        text = time_text(rows[origin.column], origin)
        times = to_utc(text, origin)
        return times, times.is_null() & text.is_not_null()
    if origin.template is not None:
        return _time_of_template(rows, origin, origin.template)
    each = [to_time(rows, one) for one in (*origin.first, *origin.newest)]
    times, unread = each[0]
    for also, also_unread in each[1:]:
        if origin.first:
            is_open = times.is_null() & ~unread
            times, unread = also.zip_with(is_open, times), also_unread.zip_with(is_open, unread)
        else:
            unread |= also_unread
            pair = pl.DataFrame({"one": times, "other": also})
            times = pair.select(pl.max_horizontal("one", "other")).to_series()
    return times.set(unread, None), unread


def _time_of_template(
    rows: pl.DataFrame, origin: TimeColumn, template: str
) -> tuple[pl.Series, pl.Series]:
    """As `to_time`, of several columns; where one alone is blank, the time cannot be read."""
    parts = parts_of(template)
    names = dict.fromkeys(column for _, column in parts if column is not None)
    cells = {name: time_text(rows[name], origin) for name in names}
    frame = pl.DataFrame([cell.alias(str(number)) for number, cell in enumerate(cells.values())])
    place = {name: pl.col(str(number)) for number, name in enumerate(cells)}
    pieces: list[pl.Expr] = []
    for text, column in parts:
        pieces += [pl.lit(text)] if text else []
        pieces += [place[column]] if column is not None else []
    times = to_utc(frame.select(pl.concat_str(pieces).alias("time")).to_series(), origin)
    is_said = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    return times, times.is_null() & is_said


def time_text(cells: pl.Series, origin: TimeColumn) -> pl.Series:
    """The text of times; null where a cell is blank, or a word for no time."""
    text = _blank_as_null(cells.str.strip_chars())
    if not origin.never:
        return text
    words = [word.strip().lower() for word in origin.never]
    return text.set(text.str.to_lowercase().is_in(words).fill_null(value=False), None)

"""How a canonical field is filled: by a column, or by a small closed set of expressions of columns.

A constant, a template, a pattern, the first of several, cases; and for times, their format.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator
from pydantic import model_validator as check_model
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.statuses import STATUS_OF

_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|[{}]")
_NOW = "now"


class Strict(BaseModel):
    """A part of a source file: frozen, and a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Condition(Strict):
    """What a cell must say: `{column: locked, is: [Y]}`, `{column: end_date, before: now}`."""

    column: str = Field(min_length=1, description="The source's column.")
    words: tuple[str, ...] = Field((), alias="is", description="One of these words, in any case.")
    before: str | None = Field(
        None,
        description="A time before this: `now`, or a date such as 2026-01-31. A cell with a date "
        "alone is before now once its day is over; a blank one is not.",
    )
    after: str | None = Field(None, description="A time after this, likewise.")
    format: str | None = Field(None, description="Of the time, as under last_login.")
    timezone: str = Field("UTC", description="The zone of times that name none.")
    never: tuple[str, ...] = Field((), description="Words for no time, in any case.")

    @check_model(mode="after")
    def _check_one_test(self) -> Self:
        tests = [bool(self.words), self.before is not None, self.after is not None]
        if sum(tests) != 1:
            raise ValueError("say one of is, before and after")
        if self.words and {"format", "timezone", "never"} & self.model_fields_set:
            raise ValueError("format, timezone and never go with before and after")
        check_format(self.format)
        return self

    @field_validator("before", "after")
    @classmethod
    def _check_moment(cls, written: str | None) -> str | None:
        if written is not None and not re.fullmatch(r"now|\d{4}-\d{2}-\d{2}", written):
            raise ValueError("write now, or a date such as 2026-01-31")
        return written

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        return check_zone(name)


class Case(Strict):
    """What a field is where a condition holds, or all of a list: `{when: …, then: SUSPENDED}`."""

    when: tuple[Condition, ...] = Field(
        min_length=1, description="A condition, or a list of conditions that must all hold."
    )
    then: "TextColumn" = Field(description="The word that the field is then, or an expression.")

    @field_validator("when", mode="before")
    @classmethod
    def _accept_one(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return [written] if isinstance(written, dict) else written

    @field_validator("then", mode="before")
    @classmethod
    def _accept_a_word(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"constant": written} if isinstance(written, str) else written


class TextColumn(Strict):
    """A field of text: `email: work_email`, `[mail, upn]`, or one of the expressions below."""

    column: str | None = Field(None, min_length=1, description="The source's column.")
    constant: str | None = Field(None, min_length=1, description="The same text for every row.")
    template: str | None = Field(
        None,
        min_length=1,
        description="A text with columns in it: `{login}@corp.example`. Where one of them is "
        "blank, there is nothing. A brace is written twice.",
    )
    pattern: str | None = Field(
        None,
        min_length=1,
        description="Of a column, the part that a regular expression (Rust's) finds. A cell that "
        "it does not fit is a reject.",
    )
    group: str | None = Field(
        None, description="Which part, by name or number; the only one where there is one."
    )
    first: tuple[Self, ...] = Field(
        (), description="The first of these that has a value; also written as a list alone."
    )
    cases: tuple[Case, ...] = Field(
        (), description="`{when: …, then: …}`: the first whose condition holds."
    )
    otherwise: Self | None = Field(
        None,
        alias="else",
        description="What it is where no case holds: a word, or an expression. Without it, a "
        "status is a reject, and anything else is blank.",
    )

    @check_model(mode="before")
    @classmethod
    def _accept_a_plain_name(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if isinstance(written, list):
            return {"first": written}
        return {"column": written} if isinstance(written, str) else written

    @field_validator("otherwise", mode="before")
    @classmethod
    def _accept_a_word(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        return {"constant": written} if isinstance(written, str) else written

    @check_model(mode="after")
    def _check_one_origin(self) -> Self:
        origins = (self.column, self.constant, self.template, self.first, self.cases)
        if sum(origin not in {None, ()} for origin in origins) != 1:
            raise ValueError("name a column, a constant, a template, first or cases, one of them")
        if self.pattern is not None and self.column is None:
            raise ValueError("a pattern goes with a column")
        if self.group is not None and self.pattern is None:
            raise ValueError("group goes with a pattern")
        if self.otherwise is not None and not self.cases:
            raise ValueError("else goes with cases")
        if self.pattern is not None:
            group_index(self.pattern, self.group)
        if self.template is not None and not any(name for _, name in parts_of(self.template)):
            raise ValueError("a template names a column, as in {login}@corp.example")
        return self

    @property
    def is_plain(self) -> bool:
        """Whether it is a column as it stands, or a constant."""
        return self.pattern is None and (self.column is not None or self.constant is not None)

    @property
    def sources(self) -> tuple[str, ...]:
        """The source's columns that it reads, each once."""
        names = [self.column] if self.column is not None else []
        if self.template is not None:
            names += [name for _, name in parts_of(self.template) if name]
        for one in self.first:
            names += one.sources
        for case in self.cases:
            names += [condition.column for condition in case.when]
            names += case.then.sources
        if self.otherwise is not None:
            names += self.otherwise.sources
        return tuple(dict.fromkeys(names))

    @property
    def has_moment(self) -> bool:
        """Whether a condition in it asks for a time."""
        conditions = [condition for case in self.cases for condition in case.when]
        asks = any(not condition.words for condition in conditions)
        return asks or any(one.has_moment for one in self._inner)

    @property
    def constants(self) -> tuple[str, ...]:
        """The constants in it, wherever they stand."""
        own = () if self.constant is None else (self.constant,)
        return (*own, *(text for one in self._inner for text in one.constants))

    @property
    def _inner(self) -> list["TextColumn"]:
        """The expressions that it is made of."""
        inner: list[TextColumn] = [*self.first, *(case.then for case in self.cases)]
        return inner if self.otherwise is None else [*inner, self.otherwise]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"type": "string", "description": "The source's column."}
        several = {"type": "array", "description": "The first of these that has a value."}
        doc = (cls.__doc__ or "").strip()
        return {"anyOf": [name, several, handler(core_schema)], "description": doc}


Case.model_rebuild()


class StatusColumn(TextColumn):
    """The account's status: `{column: state, values: {A: ACTIVE, L: SUSPENDED}}`."""

    values: dict[str, str] = Field(
        default_factory=dict,
        description="The source's value: Lumos's status. Lumos's own words need no entry.",
    )

    @field_validator("values")
    @classmethod
    def _check_statuses(cls, values: dict[str, str]) -> dict[str, str]:
        unknown = sorted({status for status in values.values() if status.upper() not in STATUS_OF})
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no status; one of {', '.join(STATUS_OF)}")
        return {value: STATUS_OF[status.upper()] for value, status in values.items()}

    @check_model(mode="after")
    def _check_constants(self) -> Self:
        words = {word.casefold() for word in self.values}
        for constant in self.constants:
            if constant.upper() not in STATUS_OF and constant.casefold() not in words:
                raise ValueError(f"{constant!r} is no status; one of {', '.join(STATUS_OF)}")
        return self


class AccountTypeColumn(TextColumn):
    """The account's type, `user` or `service`: a column (any case), values, or a constant."""

    values: dict[str, Literal["user", "service"]] = Field(
        default_factory=dict, description="The source's value: user or service."
    )

    @check_model(mode="after")
    def _check_constants(self) -> Self:
        if not set(self.constants) <= {"user", "service", *self.values}:
            raise ValueError("an account's type is user or service")
        return self


_TIME_KEYS = ("format", "timezone", "locale", "never")


class TimeColumn(Strict):
    """A time: a column in ISO 8601, one with its format and zone, or one of several columns."""

    column: str | None = Field(None, min_length=1, description="The source's column.")
    first: tuple[Self, ...] = Field(
        (), description="The first of these that has a value; also written as a list alone."
    )
    newest: tuple[Self, ...] = Field((), description="The newest of these.")
    template: str | None = Field(
        None, min_length=1, description="A time in several columns: `{date} {time}`."
    )
    format: str | None = Field(
        None,
        description="strftime codes; `epoch`, `epoch_ms`, `epoch_us` or `epoch_ns` for numbers, "
        "`excel` or `excel_1904` "
        "for the days of a spreadsheet; without it, ISO 8601 and its like.",
    )
    timezone: str | None = Field(
        None, description="The zone of times that name none; without it such a time is no time."
    )
    locale: str | None = Field(
        None, description="The language of months' and days' names: `de`, `fr`, `pt-BR`."
    )
    never: tuple[str, ...] = Field(
        (), description="Words for no time, such as `Never logged in`, in any case."
    )
    unusable: Literal["blank", "reject"] = Field(
        "blank",
        description="What an account with a time that cannot be, or be read, is: without that "
        "time, counted and told; or a reject.",
    )

    @check_model(mode="before")
    @classmethod
    def _accept_a_plain_name(cls, written: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if isinstance(written, list):
            return {"first": written}
        if not isinstance(written, dict):
            return {"column": written} if isinstance(written, str) else written
        # What is said of several is said of each of them.
        said = {key: written[key] for key in _TIME_KEYS if key in written}
        several = {key: written[key] for key in ("first", "newest") if key in written}
        for key, items in several.items():
            if isinstance(items, list):
                each = [{"column": one, **said} if isinstance(one, str) else one for one in items]
                several[key] = each
        return {**written, **several}

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str | None) -> str | None:
        return None if name is None else check_zone(name)

    @field_validator("locale")
    @classmethod
    def _check_locale(cls, name: str | None) -> str | None:
        return None if name is None else check_locale(name)

    @check_model(mode="after")
    def _check_format(self) -> Self:
        origins = (self.column is not None, self.template is not None, self.first, self.newest)
        if sum(map(bool, origins)) != 1:
            raise ValueError("name a column, a template, first or newest, one of them")
        if self.template is not None and not any(name for _, name in parts_of(self.template)):
            raise ValueError("a template names columns, as in {date} {time}")
        check_format(self.format)
        if self.locale is not None and "%" not in (self.format or ""):
            raise ValueError("locale goes with a format of strftime codes")
        is_zoned = (self.format or "epoch").startswith("epoch") or names_zone(self.format)
        if not is_zoned and self.timezone is None:
            raise ValueError("a format without %z needs a timezone, such as Europe/Paris or UTC")
        return self

    @property
    def is_plain(self) -> bool:
        """Whether it is one column."""
        return self.column is not None

    @property
    def sources(self) -> tuple[str, ...]:
        """The source's columns that it reads, each once."""
        names = [self.column] if self.column is not None else []
        if self.template is not None:
            names += [name for _, name in parts_of(self.template) if name]
        for one in (*self.first, *self.newest):
            names += one.sources
        return tuple(dict.fromkeys(names))

    def in_zone(self, zone: str) -> Self:
        """Returns it with `zone` for times that name none, where it says of none itself."""
        inner = {
            "first": tuple(one.in_zone(zone) for one in self.first),
            "newest": tuple(one.in_zone(zone) for one in self.newest),
        }
        return self.model_copy(update={**inner, "timezone": self.timezone or zone})

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        name = {"type": "string", "description": "The source's column, in ISO 8601 with a zone."}
        several = {"type": "array", "description": "The first of these that has a value."}
        doc = (cls.__doc__ or "").strip()
        return {"anyOf": [name, several, handler(core_schema)], "description": doc}


def check_format(written: str | None) -> None:
    """Raises unless `written` is a format of times.

    Raises:
        ValueError: it is none.
    """
    if written is None:
        return
    if not re.search("%|^epoch(_ms|_us|_ns)?$|^excel(_1904)?$", written):
        raise ValueError(
            "write strftime codes, such as %d/%m/%Y, or epoch, epoch_ms, epoch_us, epoch_ns, excel"
        )
    if re.search(r"(?<!\.)%f", written):
        raise ValueError("write %f after a dot, as in %S.%f: the digits of a fraction")


def parts_of(template: str) -> list[tuple[str, str | None]]:
    """The parts of a template in order: a text, and the column that follows it, null at the end.

    Raises:
        ValueError: a brace that stands alone.
    """
    parts: list[tuple[str, str | None]] = []
    text, end = "", 0
    for place in _PLACE.finditer(template):
        text += template[end : place.start()]
        end = place.end()
        if place[1] is not None:
            parts.append((text, place[1]))
            text = ""
        elif len(place[0]) == 1:
            raise ValueError("a brace stands alone: write it twice, or close it")
        else:
            text += place[0][0]
    return [*parts, (text + template[end:], None)]


def group_index(pattern: str, group: str | None) -> int:
    """The number of the group of a regular expression (Rust's) that is meant.

    Raises:
        ValueError: no such expression, or no such group.
    """
    names: list[str] | None = None
    try:
        names = list(pl.Series([""], dtype=pl.String).str.extract_groups(pattern).struct.fields)
    except pl.exceptions.PolarsError:
        names = None
    if names is None:
        raise ValueError("is no regular expression (of Rust's regex, without lookaround)")
    if group is None:
        if len(names) != 1:
            raise ValueError("name the group that is meant, group: …: the pattern has not just one")
        return 1
    numbers = {str(number): number for number in range(1, len(names) + 1)}
    known = numbers | {name: number for number, name in enumerate(names, 1)}
    if group not in known:
        raise ValueError(f"the pattern has no group {group!r}")
    return known[group]


def is_pattern(label: str) -> bool:
    """Whether polars would read `label` as a pattern of columns, so that no column can have it."""
    return label == "*" or (label.startswith("^") and label.endswith("$"))


def names_zone(pattern: str | None) -> bool:
    """Whether times in the strftime `pattern` carry their own offset."""
    return pattern is not None and any(code in pattern for code in ("%z", "%:z", "%#z", "%+"))


def check_locale(name: str) -> str:
    """`name`, if it is a language that Unicode's CLDR knows.

    Raises:
        ValueError: it is none.
    """
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415 - only where one is named

    try:
        Locale.parse(name.replace("-", "_"))
        is_known = True
    except (UnknownLocaleError, ValueError):
        is_known = False
    if not is_known:
        raise ValueError(f"{name!r} is no language that is known; write one such as de or pt-BR")
    return name


def check_zone(name: str) -> str:
    """`name`, if it is a zone of the IANA database.

    Raises:
        ValueError: it is none.
    """
    known = True
    try:
        ZoneInfo(name)
        # polars carries a database of its own, without `localtime` and the like.
        pl.Series(dtype=pl.Datetime("us")).dt.replace_time_zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, pl.exceptions.ComputeError):
        known = False
    if not known:
        raise ValueError(f"{name!r} is no time zone; write one such as Europe/Paris or UTC")
    return name


@dataclass(frozen=True, slots=True)
class Named:
    """What a source file names of the accounts.

    Attributes:
        columns: the source's columns.
        fields: the fields of an account that it says how to fill.
        status_columns: those of the columns that its status goes by; none where it names none.
    """

    columns: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    status_columns: frozenset[str] = frozenset()

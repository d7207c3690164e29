"""What a table of accounts seems to mean: a first mapping, by the names and the content of columns.

Nothing of a row is in a proposal beyond the distinct words of a status, of a time that is none, and
of columns that are an entitlement each.
"""

import re
import unicodedata
from dataclasses import dataclass, field

import polars as pl

from schemas.contracts import EMAIL
from schemas.raw import RawTable
from schemas.source_file.columns import TimeColumn
from schemas.statuses import STATUS_OF
from schemas.tables import ROW
from transforms.tables.mapping import names_secret
from transforms.tables.moments.times import to_utc
from transforms.tables.vocabulary import is_vocabulary, names_among

_NAMES = {
    "integration_specific_id": r"(?:employee|user|account|person|worker|staff|member|associate|emp)"
    r"(?:id|no|nr|number|num|code|key)?|id|uid|guid|objectid|login|username|samaccountname|userid",
    "email": r".*(?:e?mail).*|upn|userprincipalname",
    "given_name": r"(?:legal|preferred)?(?:first|given|fore)(?:name)?(?:required)?|vorname|prenom",
    "family_name": r"(?:legal)?(?:last|family|sur|second)(?:name)?(?:required)?|nachname|nom",
    "username": r"login|username|userlogin|samaccountname|accountname",
    "user_status": r"(?:user|account|employee|employment|position)?(?:status|state)(?:readonly)?"
    r"|(?:is)?(?:active|enabled|accountenabled|disabled|locked|suspended|inactive|deleted)",
    "last_login": r"last(?:login|logon|signin|seen|access|use|used|loggedin).*|.*lastlogin.*|seen",
}
_FULL_NAME = r"(?:full|display|user|worker|employee)?name|worker|realname|fullname"
_ENDS = r".*(?:termination|leaving|end|expiry|expiration|exit)(?:date|on|at)|.*(?:validto|enddate)"
_ROLES = r"(?:app)?(?:roles?|groups?|permissions?|entitlements?|licen[cs]es?|teams?|profiles?)"
_FACTS = r".*(?:2fa|mfa|billing|enabled|active|locked|verified).*|(?:is|has).*"
"""Columns of yes and no that say something of the account, and are nothing that it holds."""
_SHUT_IF_TRUE = r"(?:is)?(?:disabled|locked|suspended|inactive|deleted)"
_OPEN_IF_TRUE = r"(?:is)?(?:active|(?:account)?enabled)"
_LAST_FIRST = r"^(?<family>[^,]+), (?<given>.+)$"
_FIRST_LAST = r"^(?<given>\S+) (?<family>.+?)(?: \(\w+\))?$"

_MEANINGS = (
    dict.fromkeys(("active", "enabled", "true", "yes", "current", "working", "employed"), "ACTIVE")
    | dict.fromkeys(("inactive", "disabled", "suspended", "locked", "false", "no"), "SUSPENDED")
    | dict.fromkeys(("on-leave", "leave", "blocked"), "SUSPENDED")
    | dict.fromkeys(("terminated", "deactivated", "deleted", "left", "removed"), "DEPROVISIONED")
    | dict.fromkeys(("invited", "pending", "staged", "provisioned"), "STAGED")
)
_LETTERS_IF_NAMED = {"y": "ACTIVE", "1": "ACTIVE", "t": "ACTIVE"} | dict.fromkeys(
    ("n", "0", "f"), "SUSPENDED"
)
"""What letters mean in a column called `active` or `enabled`; in another, nobody can tell."""
_HELD = frozenset(["x", "yes", "y", "true", "1", "t"])
_NOT_HELD = frozenset(["", "no", "n", "false", "0", "f", "-"])
_FORMATS = (
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p",
    "%d %b %Y", "%d-%b-%Y", "%Y%m%d%H%M%S", "%d.%m.%Y %H:%M:%S",
)  # fmt: skip
_SEPARATORS = (";", "|", ",")
_MOST_WORDS, _MOST_TIMES_WORDS, _ENOUGH = 12, 3, 0.8


@dataclass(slots=True)
class Proposal:
    """What a table seems to mean.

    Attributes:
        columns: by field: what fills it, as a source file has it.
        statuses: by word of the status column: what it seems to mean; null where nobody can tell.
        attributes: columns that may be attributes.
        entitlements: items of `entitlements`.
        secrets: columns that are called like a secret: left out.
        doubts: what a person should decide, one line each.
    """

    columns: dict[str, object] = field(default_factory=dict)
    statuses: dict[str, str | None] = field(default_factory=dict)
    attributes: list[str] = field(default_factory=list)
    entitlements: list[dict[str, object]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def to_proposal(table: RawTable) -> Proposal:
    """Returns what the table of accounts seems to mean."""
    cells = table.rows.drop(ROW).select(pl.all().str.strip_chars().fill_null(""))
    made = Proposal(secrets=[name for name in cells.columns if names_secret(name)])
    free = [name for name in cells.columns if name not in made.secrets]
    free = _take_people(cells, free, made)
    free = _take_status(cells, free, made)
    free = _take_times(cells, free, made)
    free = _take_entitlements(cells, free, made)
    made.attributes = [name for name in free if cells[name].n_unique() * 2 < max(cells.height, 2)]
    return made


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).casefold()
    return re.sub(r"[^a-z0-9]", "", plain)


def _named(columns: list[str], field: str) -> list[str]:
    return [name for name in columns if re.fullmatch(_NAMES[field], _letters(name))]


def _filled(cells: pl.Series) -> float:
    return float((cells != "").sum()) / max(cells.len(), 1)


def _share(cells: pl.Series, pattern: str) -> float:
    """The share of the cells that are not blank which a pattern fits; 0 where all are blank."""
    there = cells.filter(cells != "")
    return float(there.str.contains(pattern).sum()) / there.len() if there.len() else 0.0


def _take_people(cells: pl.DataFrame, free: list[str], made: Proposal) -> list[str]:
    emails = [name for name in free if _share(cells[name], EMAIL) >= _ENOUGH]
    emails.sort(key=lambda name: (name not in _named(free, "email"), -_filled(cells[name])))
    if emails:
        is_enough = _filled(cells[emails[0]]) == 1 or len(emails) == 1
        made.columns["email"] = emails[0] if is_enough else emails
    identity = _identity(cells, free, emails)
    if identity is None:
        made.doubts.append("no column is filled and different in every row: which is the id?")
    else:
        made.columns["integration_specific_id"] = identity
        if cells[identity].n_unique() < cells.height:
            made.doubts.append(f"{identity!r} is there more than once: see several_rows")
    for name in ("given_name", "family_name", "username"):
        candidates = [
            one
            for one in _named(free, name)
            if one not in {identity, *emails}
            and (name != "username" or _share(cells[one], r"\s") < 1 - _ENOUGH)
        ]
        if candidates:
            made.columns[name] = candidates[0]
    used = {identity, *emails, *(str(one) for one in made.columns.values())}
    if "family_name" not in made.columns:
        used |= _take_full_name(cells, [name for name in free if name not in used], made)
    return [name for name in free if name not in used]


def _identity(cells: pl.DataFrame, free: list[str], emails: list[str]) -> str | None:
    unique = [
        name
        for name in free
        if _filled(cells[name]) == 1 and cells[name].n_unique() == cells.height
    ]
    called_so = [
        name for name in _named(free, "integration_specific_id") if _filled(cells[name]) == 1
    ]
    called_so.sort(key=lambda name: (name not in unique, "id" not in _letters(name)))
    others = [name for name in unique if name in emails]
    last = [name for name in unique if _time_format(cells[name]) is None]
    # An id outlives an address: by name first, even where it is there twice, then by what it is.
    ranked = called_so + others + last
    return ranked[0] if ranked else None


def _take_full_name(cells: pl.DataFrame, free: list[str], made: Proposal) -> set[str]:
    names = [name for name in free if re.fullmatch(_FULL_NAME, _letters(name))]
    for name in names:
        for pattern in (_LAST_FIRST, _FIRST_LAST):
            if _share(cells[name], pattern) >= _ENOUGH:
                for part in ("given", "family"):
                    how = {"column": name, "pattern": pattern, "group": part}
                    made.columns.setdefault(f"{part}_name", how)
                return {name}
    return set()


def _take_status(cells: pl.DataFrame, free: list[str], made: Proposal) -> list[str]:
    ends = [name for name in free if re.fullmatch(_ENDS, _letters(name))]
    named = [
        name for name in _named(free, "user_status") if 1 <= cells[name].n_unique() <= _MOST_WORDS
    ]
    for other in [*named[1:], *ends]:
        made.doubts.append(f"{other!r} may say something of the status too: see cases")
    if not named:
        made.doubts.append("no column says a status: name it, or say {constant: ACTIVE}")
        return [name for name in free if name not in ends]
    column = named[0]
    meanings = {
        word: _meaning(word, _letters(column)) for word in cells[column].unique().sort().to_list()
    }
    unknown = [word for word, meaning in meanings.items() if meaning is None]
    hidden = _perhaps_names(cells, column, unknown)
    if hidden:
        made.doubts.append(
            f"{len(hidden)} words of {column!r} have no known meaning and may be people's names: "
            "none of them is written here"
        )
    made.statuses |= {word: is_of for word, is_of in meanings.items() if word not in hidden}
    made.columns["user_status"] = {"column": column}
    return [name for name in free if name not in {column, *named, *ends}]


def _perhaps_names(cells: pl.DataFrame, column: str, unknown: list[str]) -> set[str]:
    """Those of the unknown words of a status that may be people's names: not to be written down.

    All of them where most of the column is unknown and they are no vocabulary; else those that are
    part of another cell, such as a name or an address.
    """
    words = cells[column].filter(cells[column].is_in(unknown) & (cells[column] != ""))
    if words.len() * 2 > cells.height and not is_vocabulary(words):
        return set(unknown) - {""}
    naming = [name for name in cells.columns if cells[name].n_unique() * 2 >= cells.height]
    return names_among(words, cells.select(name for name in naming if name != column))


def _meaning(word: str, column: str) -> str | None:
    """What a word of a status seems to mean; None where nobody can tell."""
    plain = word.casefold().replace(" ", "-")
    if re.fullmatch(_SHUT_IF_TRUE, column):
        shut = {**dict.fromkeys(_HELD, "SUSPENDED"), **dict.fromkeys(_NOT_HELD, "ACTIVE")}
        return shut.get(plain)
    if re.fullmatch(_OPEN_IF_TRUE, column) and plain in _LETTERS_IF_NAMED:
        return _LETTERS_IF_NAMED[plain]
    return _MEANINGS.get(plain) or STATUS_OF.get(word.upper())


def _take_times(cells: pl.DataFrame, free: list[str], made: Proposal) -> list[str]:
    for name in _named(free, "last_login"):
        found = _time_format(cells[name])
        if found is None:
            continue
        formats, never = found
        how: dict[str, object] = {"column": name}
        if len(formats) > 1:
            made.doubts.append(
                f"{name!r} may be {' or '.join(formats)}: name one under last_login, as format"
            )
            return [one for one in free if one != name]
        if formats[0]:
            how["format"] = formats[0]
        if never:
            how["never"] = never
        if not _names_zones(cells[name], formats[0], never):
            how["timezone"] = "UTC"
            made.doubts.append(f"{name!r} names no zone: UTC is a guess")
        made.columns["last_login"] = how
        return [one for one in free if one != name]
    return free


def _names_zones(cells: pl.Series, form: str, never: list[str]) -> bool:
    times = cells.filter((cells != "") & ~cells.is_in(never)).unique()
    return not form and to_utc(times, TimeColumn(column="x")).null_count() == 0


def _time_format(cells: pl.Series) -> tuple[list[str], list[str]] | None:
    """The formats that fit all cells but for few words, and these words; "" is ISO 8601."""
    text = cells.filter(cells != "").unique()
    is_word = text.str.contains(r"^[A-Za-z][A-Za-z '/-]*$") | text.is_in(["-", "0"])
    never = text.filter(is_word).sort().to_list()
    times = text.filter(~is_word)
    if not times.len() or len(never) > _MOST_TIMES_WORDS:
        return None
    fitting = []
    for form in ("", *_FORMATS):
        column = TimeColumn(column="x", format=form or None, timezone="UTC")
        if to_utc(times, column).null_count() == 0:
            fitting.append(form)
            if not form:
                break
    return (fitting, never) if fitting else None


def _take_entitlements(cells: pl.DataFrame, free: list[str], made: Proposal) -> list[str]:
    facts = re.compile(_FACTS)
    matrix = [
        name for name in free if _is_matrix(cells[name]) and not facts.fullmatch(_letters(name))
    ]
    if len(matrix) > 1:
        words = cells.select(pl.concat_list(matrix).explode().unique()).to_series().to_list()
        made.entitlements.append(
            {
                "type": "Role",
                "columns": matrix,
                "held": sorted(word for word in words if word.casefold() in _HELD),
                "not_held": sorted(word for word in words if word.casefold() in _NOT_HELD),
            }
        )
    else:
        matrix = []
    lists = [name for name in free if re.fullmatch(_ROLES, _letters(name)) and name not in matrix]
    for name in lists:
        item: dict[str, object] = {"type": name, "column": name}
        if _share(cells[name], r"^\[") >= _ENOUGH:
            item["format"] = "json"
        else:
            counts = {one: cells[name].str.contains(one, literal=True).sum() for one in _SEPARATORS}
            most = max(counts, key=lambda one: counts[one])
            item["separator"] = most if counts[most] else ";"
        if len(lists) > 1:
            item["prefix"] = f"{_letters(name)}:"
        made.entitlements.append(item)
    return [name for name in free if name not in {*matrix, *lists}]


def _is_matrix(cells: pl.Series) -> bool:
    words = {word.casefold() for word in cells.unique().to_list()}
    return bool(words & _HELD) and words <= _HELD | _NOT_HELD

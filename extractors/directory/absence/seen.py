"""Which entries showed which attributes: what one showed, and does not now, may only be hidden."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from extractors.directory.dn import normal_dn
from extractors.directory.entries import Entries
from extractors.directory.locks import LOCKS
from extractors.directory.values import first_texts
from schemas.errors import SourceIncompleteError

STAMPS = ("entryCSN", "uSNChanged", "modifyTimestamp")
"""Attributes that change with the entry, the finest first."""

LINKS = frozenset(
    {
        "assistant",
        "managedby",
        "manager",
        "member",
        "owner",
        "roleoccupant",
        "secretary",
        "seealso",
        "uniquemember",
    }
)
"""Attributes, in lower case, that name entries, whatever the schema has of them.

What they name is deleted, renamed, moved or restored, and the entry that names it bears no trace:
Active Directory follows links by themselves; OpenLDAP's refint stamps nothing.
"""

_LOGINS = ("authTimestamp", "pwdLastSuccess")
_VOLATILE = frozenset(
    {
        "accountunlocktime",
        "authtimestamp",
        "lastlogontimestamp",
        "lockedbyintruder",
        "memberof",
        "msds-user-account-control-computed",
        "pwdaccountlockedtime",
        "pwdlastsuccess",
    }
)
"""Attributes, in lower case, that a server itself takes away and leaves the entry's stamp as it is.

OpenLDAP takes pwdAccountLockedTime away when a login succeeds (slapo-ppolicy of 2.6).
"""

_FEW = 3
"""Of entries that showed an attribute of no account's status: fewer may well have lost it."""

_DN, _STAMP, _LOGIN, _EMAIL, _MARK = "dn", "stamp", "login", "email", "@"


@dataclass(frozen=True, slots=True)
class Watch:
    """What is compared with the last accepted read.

    Attributes:
        where: what was searched, for messages.
        sort: `accounts` or `groups`, for messages.
        attributes: those that are compared.
        links: those of them, in lower case, that name other entries: where such an entry goes, a
            server takes its name away, and leaves the stamp as it is.
        stamps_tell: whether an entry's stamp changes with the entry, and not with the rights on it:
            in Active Directory it does with both.
    """

    where: str
    sort: str
    attributes: tuple[str, ...]
    links: frozenset[str]
    stamps_tell: bool


def seen_of(entries: Entries, attributes: Iterable[str]) -> pl.DataFrame:
    """Returns a row an entry: `dn`, normalized, `stamp`, `login`, and whether it shows each."""
    shown = [
        pl.Series(f"{_MARK}{name.lower()}", [cell is not None for cell in entries.cells(name)],
                  dtype=pl.Boolean)
        for name in dict.fromkeys(attributes)
    ]  # fmt: skip
    return pl.DataFrame(
        [
            pl.Series(_DN, [normal_dn(dn) for dn in entries.dns], dtype=pl.String),
            _first_of(entries, STAMPS).alias(_STAMP),
            _first_of(entries, _LOGINS).alias(_LOGIN),
            *shown,
        ]
    )


def with_addresses(
    seen: pl.DataFrame, entries: Entries, addresses: list[str | None]
) -> pl.DataFrame:
    """Returns what was seen with the e-mail that was chosen of those entries that have several."""
    cells = [
        address if len(values) > 1 else None
        for address, values in zip(addresses, entries.values("mail"), strict=True)
    ]
    return seen.with_columns(pl.Series(_EMAIL, cells, dtype=pl.String))


def addresses_before(seen: pl.DataFrame | None) -> dict[str, str]:
    """Returns by normalized DN the e-mail that was chosen of several in the last accepted read."""
    if seen is None or _EMAIL not in seen.columns:
        return {}
    return dict(seen.select(_DN, _EMAIL).drop_nulls().iter_rows())


def showed(seen: Mapping[str, pl.DataFrame], search: str, attribute: str) -> bool:
    """Whether any entry of the last accepted read showed the attribute."""
    column = f"{_MARK}{attribute.lower()}"
    frame = seen.get(search)
    return frame is not None and column in frame.columns and bool(frame[column].any())


def check_still_seen(now: pl.DataFrame, before: pl.DataFrame | None, watch: Watch) -> None:
    """Raises where entries showed an attribute in the last accepted read and hide it now.

    An entry that was not changed since, and shows less, hides it. Where that cannot be told, an
    attribute is hidden if nobody shows it any more: of a status's attributes where one did, of
    others where a few did.

    Raises:
        SourceIncompleteError: one is hidden.
    """
    if before is None:
        return
    both = now.join(before, on=_DN, suffix="_before")
    for name in watch.attributes:
        column = f"{_MARK}{name.lower()}"
        if column not in before.columns:
            continue
        lost = both.filter(pl.col(f"{column}_before") & ~pl.col(column))
        hidden = _hidden(lost, name, watch, is_shown=bool(now[column].any()))
        if hidden:
            raise _hidden_error(name, hidden, watch)


def _hidden(lost: pl.DataFrame, name: str, watch: Watch, *, is_shown: bool) -> int:
    """Returns how many of the entries that show the attribute no more must be hiding it."""
    is_same = pl.col(_STAMP) == pl.col(f"{_STAMP}_before")
    if watch.stamps_tell:
        proved = lost.filter(is_same.fill_null(value=False)).height
        if proved and name.lower() not in _VOLATILE | watch.links:
            return proved
        lost = lost.filter(is_same.fill_null(value=True))
    has_logged_in = pl.col(_LOGIN) != pl.col(f"{_LOGIN}_before").fill_null("")
    unexplained = lost.filter(~has_logged_in.fill_null(value=False)).height
    needed = 1 if name in LOCKS else _FEW
    return unexplained if not is_shown and unexplained >= needed else 0


def _hidden_error(name: str, count: int, watch: Watch) -> SourceIncompleteError:
    return SourceIncompleteError(
        f"{watch.where}: {count:,} {watch.sort} showed {name} in the last accepted read and do not "
        f"now: the reading account lost the right to read it: grant it read on {name}; if it was "
        f"taken off them in the directory, say so by let_go: [{name}]"
    )


def _first_of(entries: Entries, attributes: tuple[str, ...]) -> pl.Series:
    """Returns each entry's text of the first of the attributes that it has."""
    texts = [pl.Series(first_texts(entries, name), dtype=pl.String) for name in attributes]
    return pl.select(pl.coalesce(texts)).to_series() if len(entries) else pl.Series(dtype=pl.String)

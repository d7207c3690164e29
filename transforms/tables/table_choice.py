"""Which table of a database holds accounts, and which says who holds what: by their names alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.look import TableColumns

_PEOPLE = re.compile(
    r"users?|accounts?|employees?|people|persons?|members?|staff|logins?|contacts?|operators?|"
    r"workers?|colleagues?|agents?"
)
_ROLE = re.compile(
    r"roles?|permissions?|groups?|entitlements?|licen[cs]es?|teams?|profiles?|privileges?|rights?"
)
_EMAIL = re.compile(r".*e?mail.*|upn")
_ID = re.compile(r"id|uid|guid|login|username|.*(?:user|employee|account|person|staff)(?:id|no|nr)")
_NAME = re.compile(r"(?:first|given|last|family|sur|full|display)name")
_STATUS = re.compile(r".*(?:status|state)|(?:is)?(?:active|enabled|disabled|locked)")
_LABELS = ("name", "label", "title", "displayname", "code", "description")
_LEAST = 3


@dataclass(frozen=True, slots=True)
class Link:
    """A table that says who holds what.

    Attributes:
        table: the table.
        account: its column that names an account.
        entitlement: its column that names an entitlement.
        catalogue: the table of entitlements; None where the column's own value is all there is.
        key: the catalogue's column that `entitlement` names.
        label: the catalogue's column that says what it is called.
        kind: what such an entitlement is.
    """

    table: TableColumns
    account: str
    entitlement: str
    catalogue: TableColumns | None
    key: str
    label: str
    kind: str


def tables_of_accounts(tables: Sequence[TableColumns]) -> list[TableColumns]:
    """Returns the tables that may hold accounts, the likeliest first."""
    marked = [(_marks(table), table) for table in tables]
    good = [(marks, table) for marks, table in marked if marks >= _LEAST]
    return [table for _, table in sorted(good, key=lambda one: (-one[0], one[1].name))]


def links_of(accounts: TableColumns, tables: Sequence[TableColumns]) -> list[Link]:
    """Returns what says who of `accounts` holds what, the likeliest first: it names a catalogue."""
    links = (_link(table, accounts, tables) for table in tables if table != accounts)
    found = [link for link in links if link is not None]
    return sorted(found, key=lambda link: (link.catalogue is None, len(link.table.columns)))


def referred_column(accounts: TableColumns, name: str) -> str | None:
    """Returns the column of the accounts that a column of another table names by its own name."""
    plain = {_letters(column): column for column in accounts.columns}
    named = _letters(name)
    own = f"{_stem(accounts.name)}id"
    return plain.get(named) or plain.get("id") or plain.get(own)


def _marks(table: TableColumns) -> int:
    names = [_letters(column) for column in table.columns]
    if all(name.endswith("id") for name in names):
        return 0  # such a table only links others
    patterns = ((_EMAIL, 3), (_ID, 1), (_NAME, 2), (_STATUS, 1))
    marks = sum(worth for pattern, worth in patterns if any(map(pattern.fullmatch, names)))
    return marks + 3 * bool(_PEOPLE.fullmatch(_last_word(table.name)))


def _link(
    table: TableColumns, accounts: TableColumns, tables: Sequence[TableColumns]
) -> Link | None:
    account = next((one for one in table.columns if _names_account(one, accounts)), None)
    if account is None or _EMAIL.fullmatch(_letters(account)):
        return None
    for column in table.columns:
        stem = _letters(column).removesuffix("id").removesuffix("code").removesuffix("name")
        if column == account or not _ROLE.fullmatch(_last_word(stem)):
            continue
        kind = _last_word(stem).capitalize()
        for other in tables:
            if other in (table, accounts) or _stem(other.name) != _stem(stem):
                continue
            plain = {_letters(one): one for one in other.columns}
            key = plain.get(_letters(column)) or plain.get("id")
            labels = [plain[one] for one in (*_LABELS, f"{stem}name") if one in plain]
            if key is not None:
                return Link(table, account, column, other, key, (labels or [key])[0], kind)
        return Link(table, account, column, None, column, column, kind)
    return None


def _names_account(column: str, accounts: TableColumns) -> bool:
    name = _letters(column)
    people = name.removesuffix("id").removesuffix("no").removesuffix("name")
    return people == _stem(accounts.name) or bool(_PEOPLE.fullmatch(people))


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _last_word(name: str) -> str:
    """Returns the last of a name's words: `app_users` and `AppUsers` are `users`."""
    words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+", name)
    return words[-1].casefold() if words else ""


def _stem(name: str) -> str:
    """Returns the last word of a name in the singular."""
    word = _last_word(name)
    return f"{word[:-3]}y" if word.endswith("ies") else word.removesuffix("s")

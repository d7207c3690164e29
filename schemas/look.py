"""What a source has, for whoever writes a source file: tables, bases, resources."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from schemas.source_file.secrets import Secret


@dataclass(frozen=True, slots=True)
class TableColumns:
    """A table of a database.

    Attributes:
        schema: where it lies; empty for nowhere.
        name: its name.
        columns: its columns, in order.
    """

    schema: str
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DirectoryAddress:
    """Where a directory is, and who asks.

    Attributes:
        host: its host.
        port: None for the protocol's own.
        protocol: `ldap` or `ldaps`.
        username: who logs in; None asks as nobody.
        password: its place.
        base_dn: where to look; None for all that the server has.
    """

    host: str
    port: int | None
    protocol: Literal["ldap", "ldaps"]
    username: str | None = None
    password: Secret | None = None
    base_dn: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where entries of a directory lie.

    Attributes:
        base: the deepest entry that all of them lie below.
        counts: by the entry right above them: how many.
    """

    base: str
    counts: Counter[str]


@dataclass(frozen=True, slots=True)
class Directory:
    """What a directory has.

    Attributes:
        is_domain: whether it is an Active Directory.
        base_dn: its root, or the one asked for.
        people: where people lie.
        groups: likewise.
    """

    is_domain: bool
    base_dn: str
    people: Places
    groups: Places


@dataclass(frozen=True, slots=True)
class Resources:
    """What a SCIM service has, by its first users.

    Attributes:
        user_count: how many users there are; None where it tells no number.
        has_groups: whether it answers for groups.
        shows_active: whether every one of them has `active`.
        attributes: by label: the path of an attribute that one of them has.
    """

    user_count: int | None
    has_groups: bool
    shows_active: bool
    attributes: dict[str, str]

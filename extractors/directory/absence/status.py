"""What shows that an account which nothing shuts is open: that a lock would have been seen."""

from extractors.directory.absence.seen import STAMPS, showed
from extractors.directory.accounts import is_active_directory
from extractors.directory.accounts_ldap import status_attributes
from extractors.directory.entries import Entries
from extractors.directory.request import DirectoryRequest
from schemas.errors import SourceIncompleteError
from schemas.source_file.kinds.directory_source import ActiveDirectorySource, LdifSource

_USERS = "users"
_PERSON = b"user"
_EXPIRY = "accountExpires"
_MOST_NAMED = 3


def check_status_is_seen(
    request: DirectoryRequest, entries: Entries, where: str
) -> tuple[str, ...]:
    """Returns what to say of statuses that follow from nothing being there; `where` is for errors.

    Raises:
        SourceIncompleteError: what would show that an account is shut cannot have been seen.
    """
    if "user_status" not in request.account_fields.fields:
        return ()
    source = request.source
    if isinstance(source, ActiveDirectorySource) or is_active_directory(source):
        _check_expiry(entries, where)
        return ()
    attributes = status_attributes(source)
    if not attributes:
        return ()
    is_seen = any(
        entries.has(name) or showed(request.last_seen, _USERS, name) for name in attributes
    )
    if isinstance(source, LdifSource):
        return _of_an_export(request, entries, attributes, where, is_seen=is_seen)
    return _of_a_server(request, attributes, where, is_seen=is_seen)


def _check_expiry(entries: Entries, where: str) -> None:
    """Raises unless each person has an accountExpires: a domain gives one to each, even for never.

    Raises:
        SourceIncompleteError: one has none.
    """
    missing = sum(
        value is None and _PERSON in {name.lower() for name in classes}
        for value, classes in zip(
            entries.first(_EXPIRY), entries.values("objectClass"), strict=True
        )
    )
    if missing:
        raise SourceIncompleteError(
            f"{where}: {missing:,} of {len(entries):,} accounts show no {_EXPIRY}, which a domain "
            f"gives to each: grant the reading account read on {_EXPIRY}; a global catalogue has "
            "none, and an export must name it"
        )


def _of_an_export(
    request: DirectoryRequest,
    entries: Entries,
    attributes: tuple[str, ...],
    where: str,
    *,
    is_seen: bool,
) -> tuple[str, ...]:
    has_operational = any(entries.has(name) for name in STAMPS)
    before = request.last_seen.get(_USERS)
    if not has_operational and before is not None and before["stamp"].null_count() < before.height:
        raise SourceIncompleteError(
            f"{where}: has no operational attribute, and the last accepted export had: export it "
            "with them (of ldapsearch: '*' '+'), or nobody would be locked"
        )
    if is_seen or before is not None:
        return ()
    names = _named(attributes)
    if has_operational:
        return (f"no account shows {names}: all are taken for ACTIVE; say status_from",)
    text = (
        f"no account shows {names}, and the export has no operational attribute: all are taken for "
        "ACTIVE; export it with them (of ldapsearch: '*' '+'), or say status_from: none"
    )
    return (text,)


def _of_a_server(
    request: DirectoryRequest, attributes: tuple[str, ...], where: str, *, is_seen: bool
) -> tuple[str, ...]:
    if is_seen:
        return ()
    names = _named(attributes)
    known = request.known
    if known is None:
        raise SourceIncompleteError(
            f"{where}: no account shows {names}, and the reading account may not read the schema, "
            "so that nobody knows whether it would see one: grant it read on the subschema entry, "
            "or say status_from: none, which takes all for ACTIVE",
        )
    if request.last_seen:
        return ()
    there = _named(tuple(name for name in attributes if name.lower() in known))
    if not there:
        return (f"the directory has no {names}: all are taken for ACTIVE; see status_from",)
    text = (
        f"no account shows {there}: all are taken for ACTIVE; if somebody is shut, the reading "
        f"account lacks the right to read {there}"
    )
    return (text,)


def _named(attributes: tuple[str, ...]) -> str:
    """Returns the first few of the attributes, and whether there are more."""
    names = ", ".join(attributes[:_MOST_NAMED])
    return f"{names} or another lock" if len(attributes) > _MOST_NAMED else names

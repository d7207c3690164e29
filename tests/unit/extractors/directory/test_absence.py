"""What a directory showed and does not now may only be hidden, and then nobody is opened by it."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from extractors.directory.absence.seen import Watch, check_still_seen, seen_of
from extractors.directory.absence.status import check_status_is_seen
from extractors.directory.account_fields import to_requested_fields
from extractors.directory.entries import Entries, Values, to_entries
from extractors.directory.ldif.source import read_ldif_source
from extractors.directory.request import DirectoryRequest
from schemas.errors import ConfigError, SourceIncompleteError
from schemas.raw import LastRead, Raw
from schemas.source_file.columns import Named
from schemas.source_file.file import to_source
from schemas.source_file.kinds.directory_source import DirectorySource, LdapSource, LdifSource

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LOCKED = {"pwdAccountLockedTime": "000001010000Z"}
SHUT = {"nsAccountLock": "true"}


def entry(uid: str, csn: str | None = "1", **attributes: str) -> tuple[str, dict[str, Values]]:
    shown = attributes | ({} if csn is None else {"entryCSN": csn})
    return f"uid={uid},dc=x", {name: [value.encode()] for name, value in shown.items()}


def seen(*entries: tuple[str, dict[str, Values]], attributes: tuple[str, ...]) -> pl.DataFrame:
    return seen_of(to_entries(entries), attributes)


def watch(name: str, *, stamps_tell: bool = True, links: frozenset[str] = frozenset()) -> Watch:
    return Watch("there", "accounts", (name,), links, stamps_tell)


def check(
    name: str,
    before: list[tuple[str, dict[str, Values]]],
    now: list[tuple[str, dict[str, Values]]],
    **keys: Any,
) -> None:
    was, shown = seen(*before, attributes=(name,)), seen(*now, attributes=(name,))
    check_still_seen(shown, was, watch(name, **keys))


def test_an_entry_that_was_not_changed_and_shows_less_hides_it() -> None:
    before = [entry("a", **SHUT), entry("b", **SHUT)]
    with pytest.raises(SourceIncompleteError, match="2 accounts showed nsAccountLock in the last"):
        check("nsAccountLock", before, [entry("a"), entry("b")])
    with pytest.raises(SourceIncompleteError, match=r"1 accounts .* grant it read on nsAccountL"):
        check("nsAccountLock", before, [entry("a"), entry("b", **SHUT)])


def test_an_entry_that_was_changed_or_is_gone_hides_nothing() -> None:
    check("nsAccountLock", [entry("a", **SHUT)], [entry("a", csn="2")])
    check("nsAccountLock", [entry("a", **SHUT)], [entry("b")])
    check("nsAccountLock", [entry("a")], [entry("a", **SHUT)])


def test_a_lock_that_the_server_takes_away_itself_is_proved_by_another_lock() -> None:
    before = [entry("a", **LOCKED), entry("b")]
    check("pwdAccountLockedTime", before, [entry("a"), entry("b", **LOCKED)])
    with pytest.raises(SourceIncompleteError, match="1 accounts showed pwdAccountLockedTime"):
        check("pwdAccountLockedTime", before, [entry("a"), entry("b")])


def test_a_lock_that_a_login_took_away_was_not_hidden() -> None:
    before = [entry("a", **LOCKED)]
    check("pwdAccountLockedTime", before, [entry("a", pwdLastSuccess="20260101000000Z")])
    earlier = [entry("a", **LOCKED, authTimestamp="20260101000000Z")]
    with pytest.raises(SourceIncompleteError):
        check("pwdAccountLockedTime", earlier, [entry("a", authTimestamp="20260101000000Z")])


@pytest.mark.parametrize("count", [2, 3])
def test_without_stamps_a_few_must_have_lost_it_and_nobody_shows_it(count: int) -> None:
    ids = "abc"[:count]
    before = [entry(one, csn=None, mail="m") for one in ids]
    now = [entry(one, csn=None) for one in ids]
    check("mail", before, [*now[1:], entry("a", csn=None, mail="m")])
    if count < 3:
        check("mail", before, now)
    else:
        with pytest.raises(SourceIncompleteError, match="3 accounts showed mail"):
            check("mail", before, now)


def test_in_a_domain_stamps_tell_nothing() -> None:
    before = [entry(one, mail="m") for one in "abc"]
    with pytest.raises(SourceIncompleteError):
        check("mail", before, [entry(one, csn="2") for one in "abc"], stamps_tell=False)
    check("mail", before[:2], [entry(one) for one in "ab"], stamps_tell=False)


def test_a_link_that_a_server_takes_away_leaves_the_stamp() -> None:
    links = frozenset({"manager"})
    check("manager", [entry("a", manager="b")], [entry("a")], links=links)
    with pytest.raises(SourceIncompleteError):
        check("manager", [entry("a", manager="b")], [entry("a")])


def test_a_first_read_has_nothing_to_compare() -> None:
    check_still_seen(seen(entry("a"), attributes=("mail",)), None, watch("mail"))
    was = seen(entry("a", mail="m"), attributes=("mail",))
    check_still_seen(seen(entry("a"), attributes=("sn",)), was, watch("sn"))


LDAP = {
    "kind": "ldap",
    "host": "h",
    "base_dn": "dc=x",
    "authentication": "anonymous",
}


def request(source: DirectorySource, **keys: Any) -> DirectoryRequest:
    fields = to_requested_fields(Named(), None)
    return DirectoryRequest(
        source, fields, lambda _: Entries([], {}), "dc=x", "ldap://h", NOW, NOW, **keys
    )


def said(known: set[str] | None, *entries: tuple[str, dict[str, Values]], **keys: Any) -> str:
    source = LdapSource.model_validate(LDAP | keys)
    names = None if known is None else frozenset(known)
    notes = check_status_is_seen(request(source, known=names), to_entries(entries), "there")
    return "\n".join(notes)


def test_of_a_small_directory_without_a_lock_the_first_read_says_so() -> None:
    known = {"pwdaccountlockedtime", "shadowexpire"}
    text = said(known, entry("a"))
    assert "no account shows pwdAccountLockedTime, shadowExpire: all are taken for ACTIVE" in text
    assert not said(known, entry("a", **LOCKED))
    assert not said(known, entry("a"), status_from="none")


def test_a_schema_that_knows_no_lock_is_told_of() -> None:
    assert "the directory has no pwdAccountLockedTime, nsAcc" in said({"mail"}, entry("a"))


def test_without_a_schema_only_a_lock_that_is_seen_shows_that_others_would_be() -> None:
    with pytest.raises(SourceIncompleteError, match=r"may not read the schema.* status_from: none"):
        said(None, entry("a"))
    assert not said(None, entry("a", **SHUT))
    assert not said(None, entry("a"), status_from="none")


def test_what_was_seen_in_the_last_accepted_read_would_be_seen_now() -> None:
    source = LdapSource.model_validate(LDAP)
    last = {"users": seen(entry("gone", **SHUT), attributes=("nsAccountLock",))}
    made = request(source, known=None, last_seen=last)
    assert check_status_is_seen(made, to_entries([entry("a")]), "there") == ()


def export(folder: Path, *entries: str, last: Raw | None = None, **keys: Any) -> Raw:
    path = folder / "d.ldif"
    path.write_text("\n".join(entries) + "\n", "utf-8")
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))
    options = {"kind": "ldif", "file": "d.ldif", "id": "uid", "group_id": "cn", "groups": None}
    return read_ldif_source(
        LdifSource.model_validate(options | {"max_age": None} | keys),
        folder,
        to_requested_fields(Named(), ""),
        now=NOW,
        last_read=last.remembered if last else LastRead(),
    )


def user(uid: str, *lines: str) -> str:
    return "\n".join((f"dn: uid={uid},dc=x", "objectClass: person", f"uid: {uid}", *lines, ""))


STAMP = "modifyTimestamp: 20260101000000Z"


def test_an_export_without_operational_attributes_is_told_of_and_then_refused(
    tmp_path: Path,
) -> None:
    bare = export(tmp_path, user("a"))
    assert any("no operational attribute: all are taken for ACTIVE" in w for w in bare.warnings)
    assert not export(tmp_path, user("a"), last=bare).warnings
    whole = export(tmp_path, user("a", STAMP, "pwdAccountLockedTime: 000001010000Z"))
    assert whole.accounts.rows["user_status"].to_list() == ["SUSPENDED"]
    with pytest.raises(SourceIncompleteError, match="has no operational attribute, and the last"):
        export(tmp_path, user("a"), last=whole)
    healthy = export(tmp_path, user("a", STAMP))
    assert any("all are taken for ACTIVE; say status_from" in w for w in healthy.warnings)


def test_a_lockout_that_is_over_was_not_hidden(tmp_path: Path) -> None:
    """Such a lock comes with a mistyped password, and goes with the next login or by itself."""
    hour = "accountUnlockTime: 20260601010000Z"
    first = export(tmp_path, user("a", STAMP, hour), user("b", STAMP))
    export(tmp_path, user("a", STAMP), user("b", STAMP), last=first)

    good = "accountUnlockTime: 19700101000000Z"
    first = export(tmp_path, user("a", STAMP, good), user("b", STAMP))
    with pytest.raises(SourceIncompleteError, match="1 accounts showed accountUnlockTime"):
        export(tmp_path, user("a", STAMP), user("b", STAMP), last=first)


def test_a_group_whose_members_are_hidden_is_not_empty(tmp_path: Path) -> None:
    def group(name: str, *members: str, stamp: str = STAMP) -> str:
        lines = (f"dn: cn={name},dc=x", "objectClass: groupOfNames", f"cn: {name}", stamp)
        return "\n".join((*lines, *(f"member: uid={uid},dc=x" for uid in members), ""))

    groups: dict[str, Any] = {"groups": {}}
    people = user("a", STAMP), user("b", STAMP)
    first = export(tmp_path, *people, group("g", "a"), group("h", "b"), **groups)
    with pytest.raises(SourceIncompleteError, match="1 groups showed member in the last"):
        export(tmp_path, *people, group("g", "a"), group("h"), last=first, **groups)
    changed = group("h", stamp="modifyTimestamp: 20260102000000Z")
    export(tmp_path, *people, group("g", "a"), changed, last=first, **groups)
    # A server takes a deleted account out of its groups, and leaves their stamps as they are.
    export(tmp_path, people[0], group("g", "a"), group("h"), last=first, **groups)


def person(name: str, *lines: str) -> str:
    lines = (
        "objectCategory: person",
        "objectClass: user",
        "userAccountControl: 512",
        "objectGUID: 1234567890123456",
        *lines,
    )
    return "\n".join((f"dn: cn={name},dc=x", *lines, ""))


def test_a_person_of_a_domain_without_an_expiry_is_not_seen_whole(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"model": "active_directory"}
    never = "accountExpires: 0"
    assert export(tmp_path, person("a", never), person("b", never), **keys).accounts.read_count == 2
    with pytest.raises(SourceIncompleteError, match="1 of 2 accounts show no accountExpires"):
        export(tmp_path, person("a", never), person("b"), **keys)


@pytest.mark.parametrize("port", [3268, 3269])
def test_a_global_catalogue_is_refused(port: int) -> None:
    text = (
        "app: {name: X}\nsource: {kind: active_directory, host: h, base_dn: dc=x, "
        f"authentication: anonymous, port: {port}}}\n"
    )
    with pytest.raises(ConfigError, match=f"port {port} is the global catalogue"):
        to_source(text, "x", "sources/x.yaml")

"""What shuts an account out: which attribute of which server, and what its values mean.

A lockout that ends by itself is a fact beside the status, as in Active Directory: whoever mistyped
a password is no less an account of the company.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from extractors.directory.dn import normal_dn
from extractors.directory.entries import Entries
from extractors.directory.values import generalized_time_text, plain_text, whole_number

Meaning = Literal["open", "locked_out", "STAGED", "SUSPENDED", "DEPROVISIONED"]
"""What a value says: a status, that nothing is shut, or that a password's lockout will end."""

_RANKS: dict[Meaning, int] = {
    "open": 0, "locked_out": 1, "STAGED": 3, "SUSPENDED": 4, "DEPROVISIONED": 5,
}  # fmt: skip
_NOT_UNDERSTOOD = 2

_LONG = timedelta(days=30)
"""A lockout that lasts longer than this is no password's."""

_DAY_S = 86400
_FOR_GOOD = frozenset({"000001010000Z", "19700101000000Z"})
_NO_SHELLS = ("nologin", "false")


@dataclass(frozen=True, slots=True)
class Moment:
    """What a value is read by.

    Attributes:
        now: this moment, UTC.
        lockout: how long a lockout by a password policy lasts; None until somebody ends it.
    """

    now: datetime
    lockout: timedelta | None = None


Rule = Callable[[str, Moment], Meaning | None]
"""Reads a value, without its outer blanks; None for what it does not understand."""


def _flag(shut: Meaning = "SUSPENDED") -> Rule:
    words: dict[str, Meaning] = {"true": shut, "1": shut, "false": "open", "0": "open"}
    return lambda text, _: words.get(text.lower())


def _words(**meanings: Meaning) -> Rule:
    return lambda text, _: meanings.get(text.lower())


def _until(text: str, moment: Moment) -> Meaning | None:
    time = _time(text)
    return None if time is None else "SUSPENDED" if time <= moment.now else "open"


def _from(text: str, moment: Moment) -> Meaning | None:
    time = _time(text)
    return None if time is None else "STAGED" if time > moment.now else "open"


def _locked_until(text: str, moment: Moment) -> Meaning | None:
    """Reads 389's: a time, or 1970 for good (accountUnlockTime with passwordUnlock: off)."""
    if text in _FOR_GOOD:
        return "SUSPENDED"
    time = _time(text)
    return None if time is None else _lockout(time, moment.now)


def _locked_since(text: str, moment: Moment) -> Meaning | None:
    """Reads since when a policy locks; the policy says for how long (draft-behera-10, 5.3.3)."""
    if text in _FOR_GOOD or moment.lockout is None:
        return "SUSPENDED"
    time = _time(text)
    return None if time is None else _lockout(time + moment.lockout, moment.now)


def _lockout(end: datetime, now: datetime) -> Meaning:
    if end <= now:
        return "open"
    return "SUSPENDED" if end - now > _LONG else "locked_out"


def _days(text: str, moment: Moment) -> Meaning | None:
    """Reads the first day on which it is shut; -1 is never (shadow(5))."""
    day = whole_number(text.encode())
    today = int(moment.now.timestamp() // _DAY_S)
    return None if day is None else "SUSPENDED" if 0 <= day <= today else "open"


def _samba_flags(text: str, _: Moment) -> Meaning | None:
    """Reads `[UD         ]`: D is disabled, L locked out until Samba ends it."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    return "SUSPENDED" if "D" in text else "locked_out" if "L" in text else "open"


def _role(text: str, _: Moment) -> Meaning | None:
    """Reads 389's role of those who are inactivated; the server makes nsAccountLock of it."""
    is_shut = normal_dn(text).startswith(("cn=nsmanageddisabledrole,", "cn=nsdisabledrole,"))
    return "SUSPENDED" if is_shut else "open"


def _shell(text: str, _: Moment) -> Meaning | None:
    return "SUSPENDED" if text.rsplit("/", 1)[-1] in _NO_SHELLS else "open"


ROLE, POLICY = "nsRoleDN", "pwdPolicySubentry"
LOCKS: Mapping[str, Rule] = {
    "pwdAccountLockedTime": _locked_since,
    "nsAccountLock": _flag(),
    "shadowExpire": _days,
    "pwdStartTime": _from,
    "pwdEndTime": _until,
    "accountUnlockTime": _locked_until,
    ROLE: _role,
    "krbPrincipalExpiration": _until,
    "loginDisabled": _flag(),
    "loginExpirationTime": _until,
    "lockedByIntruder": _flag("locked_out"),
    "ds-pwp-account-disabled": _flag(),
    "ds-pwp-account-expiration-time": _until,
    "ds-pwp-account-activation-time": _from,
    "ibm-pwdAccountLocked": _flag(),
    "orclIsEnabled": _words(
        enabled="open", active="open", disabled="SUSPENDED", inactive="SUSPENDED"
    ),
    "orclActiveStartDate": _from,
    "orclActiveEndDate": _until,
    "sambaAcctFlags": _samba_flags,
    "inetUserStatus": _words(active="open", inactive="SUSPENDED", deleted="DEPROVISIONED"),
    "zimbraAccountStatus": _words(
        active="open",
        pending="STAGED",
        lockout="locked_out",
        maintenance="SUSPENDED",
        locked="SUSPENDED",
        closed="SUSPENDED",
    ),
    "midPointAccountStatus": _words(enabled="open", disabled="SUSPENDED"),
    "msDS-UserAccountDisabled": _flag(),
}
"""By attribute, in the order of its servers: docs/directories.md has the table and the sources."""

EXPIRIES = tuple(name for name, rule in LOCKS.items() if rule in {_until, _days})
"""Those of them that say until when an account is open."""

LOCKOUTS = ("pwdAccountLockedTime", "accountUnlockTime", "lockedByIntruder")
"""Those of them that a password mistyped sets, and that go by themselves or with the next login."""

SHELL, DURATION = "loginShell", "pwdLockoutDuration"
MAIL_ONLY = ("mailUserStatus",)
"""Attributes that shut a mailbox, and no account: told of, never a status."""

_OTHERS = {SHELL: _shell, "passwordExpirationTime": _until, "krbPasswordExpiration": _until}
_RULES = {name.lower(): rule for name, rule in {**LOCKS, **_OTHERS}.items()}


def read_locks(entries: Entries, attributes: tuple[str, ...], moments: list[Moment]) -> list[str]:
    """Returns what each entry's attributes say at its moment: `open`, `locked_out` or a status.

    The most closed of all; a value that is not understood is returned as it is, unless another says
    that the account is shut.
    """
    found: list[str] = ["open"] * len(entries)
    ranks = [0] * len(entries)
    for attribute in attributes:
        if not entries.has(attribute):
            continue
        rule = _RULES[attribute.lower()]
        for row, values in enumerate(entries.values(attribute)):
            for value in values:
                text = plain_text(value).strip()
                meaning = rule(text, moments[row])
                rank = _NOT_UNDERSTOOD if meaning is None else _RANKS[meaning]
                if rank > ranks[row]:
                    found[row] = meaning or f"{attribute}: {text}"
                    ranks[row] = rank
    return found


def lockouts_of(entries: Entries, policies: Entries) -> list[timedelta | None]:
    """Returns how long a lockout by the entry's password policy lasts; None where it does not end.

    The policy is the one that the entry names; else, for the server's default one is named nowhere,
    all have to say that it ends, and the longest counts.
    """
    by_dn = {
        normal_dn(dn): _duration(value)
        for dn, value in zip(policies.dns, policies.first(DURATION), strict=True)
    }
    ends = [one for one in by_dn.values() if one is not None]
    default = max(ends) if ends and len(ends) == len(by_dn) else None
    return [
        by_dn.get(normal_dn(plain_text(policy)), default) if policy is not None else default
        for policy in entries.first(POLICY)
    ]


def _duration(value: bytes | None) -> timedelta | None:
    seconds = None if value is None else whole_number(value)
    return timedelta(seconds=seconds) if seconds else None


def _time(text: str) -> datetime | None:
    written = generalized_time_text(text.encode())
    if written is None:
        return None
    return datetime.fromisoformat(f"{written[:19]}+00:00").astimezone(UTC)


def without_lockouts(entries: Entries, moments: list[Moment]) -> Entries:
    """Returns the entries without the locks that are mere lockouts: those come and go."""
    columns = dict(entries.columns)
    for name in LOCKOUTS:
        if entries.has(name):
            meanings = read_locks(entries, (name,), moments)
            columns[name.lower()] = [
                None if meaning in {"open", "locked_out"} else cell
                for meaning, cell in zip(meanings, entries.cells(name), strict=True)
            ]
    return replace(entries, columns=columns)

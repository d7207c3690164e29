"""Meanings of a directory's refusals: LDAP's result codes, and Active Directory's of a bind.

Codes: RFC 4511, appendix A; `data` codes: Microsoft's "Common Active Directory Bind Errors", read
2026-08. A server's own text may quote a person's DN and is never passed on.
"""

import re

_NAME = {
    1: "operationsError",
    2: "protocolError",
    3: "timeLimitExceeded",
    4: "sizeLimitExceeded",
    7: "authMethodNotSupported",
    8: "strongerAuthRequired",
    10: "referral",
    11: "adminLimitExceeded",
    12: "unavailableCriticalExtension",
    13: "confidentialityRequired",
    32: "noSuchObject",
    34: "invalidDNSyntax",
    48: "inappropriateAuthentication",
    49: "invalidCredentials",
    50: "insufficientAccessRights",
    51: "busy",
    52: "unavailable",
    53: "unwillingToPerform",
}

_MEANING = {
    1: "the server wants a username first, as Active Directory does, or cannot do this",
    2: "the server does not understand the request",
    3: "the server's time limit was hit: have it raised for this account",
    4: "the server's size limit was hit: have it raised for this account",
    7: "the server does not take this way of authentication: see authentication",
    8: "the server takes no bind without TLS: say protocol: ldaps or starttls",
    10: "the entries are on another server: name that one as host",
    11: "an administrative limit was hit: have it raised for this account, or set page_size",
    12: "the server does not support what is needed for reading page by page",
    13: "the server takes no bind without TLS: say protocol: ldaps or starttls",
    32: "there is no such entry, or this account may not see it: check the base",
    34: "no DN that the server understands",
    48: "this account cannot authenticate like this: see username and authentication",
    49: "the username or the password is wrong",
    50: "this account has no right to do this",
    51: "the server is busy: try again later",
    52: "the server is shutting down or cannot be reached: try again later",
    53: "the server refuses to do this (an empty password, a policy)",
}

_OF_BIND = {
    "525": "no such user in the domain: check username",
    "52e": "the username or the password is wrong",
    "530": "the account may not log in at this time of day",
    "531": "the account may not log in from this machine",
    "532": "the account's password has expired: set a new one",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the account must set a new password first",
    "775": "the account is locked out: it was tried with a wrong password too often",
}

BUSY = frozenset({51, 52})
"""Codes after which trying again may help."""

_DATA = re.compile(r"\bdata ([0-9a-f]{3,4})\b", re.IGNORECASE)


def result_text(code: int, server_text: str = "") -> str:
    """Returns the code, its name and meaning; of `server_text` only Active Directory's `data`."""
    name = _NAME.get(code, "an error of the server's")
    code_in_text = _DATA.search(server_text or "")
    data = code_in_text[1].lower() if code_in_text else ""
    if data in _OF_BIND:
        return f"{name} ({code}, data {data}): {_OF_BIND[data]}"
    return f"{name} ({code}): {_MEANING.get(code, 'see the log of the server')}"

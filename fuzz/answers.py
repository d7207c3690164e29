"""Targets that read what a service answers: LDAP messages as bytes, pages of SCIM."""

from contextlib import suppress

import httpx
from ldap3.utils.asn1 import decode_message_fast

from extractors.directory.ldap.protocol.ber import check_message, message_size
from extractors.directory.ldap.protocol.raw_entries import decode_entry
from extractors.scim.groups import groups_to_rows, to_memberships
from extractors.scim.listing import Lister, to_paging
from extractors.scim.login import Fixed
from extractors.scim.service import ScimService
from extractors.scim.users import ID, to_user_columns, users_to_rows
from fuzz.target import Target
from schemas.errors import SourceFormatError
from schemas.source_file.columns import Named
from schemas.source_file.kinds.scim_source import ScimSource

_SCIM = ScimSource.model_validate({"kind": "scim", "url": "https://idp.example/scim/v2"})
_SEPARATOR = b"\n--\n"
_MOST_ASKED = 50


def ber(data: bytes) -> None:
    """Messages of a directory, as the reader takes them off the line."""
    at = 0
    while at < len(data):
        size = message_size(data, at)
        if size is None or at + size > len(data):
            return
        message, at = data[at : at + size], at + size
        if decode_entry(message) is None:
            check_message(message)
            # ldap3 decodes what is no entry; `extractors.directory.ldap` guards it.
            with suppress(Exception):
                decode_message_fast(message)


class _Service:
    """Answers one page after the other, and at last the same one for good."""

    def __init__(self, pages: list[bytes]) -> None:
        self._pages, self.asked = pages, 0

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        page = self._pages[min(self.asked, len(self._pages) - 1)]
        self.asked += 1
        if self.asked > _MOST_ASKED:
            raise AssertionError("it asks a service on and on")
        return httpx.Response(200, content=page)


def scim(data: bytes) -> None:
    """Pages of users, then of groups, and who is in which."""
    client = httpx.Client(transport=httpx.MockTransport(_Service(data.split(_SEPARATOR))))
    with client, suppress(SourceFormatError):
        service = ScimService(_SCIM.url, client, Fixed(None), 1, _no_pause, lambda: 0.0)
        paging = to_paging(service, _SCIM.pagination, _SCIM.page_size, 1)
        columns = to_user_columns(_SCIM, Named(frozenset({"title", "emails.value"}), frozenset()))
        users = Lister(service, "/Users", users_to_rows(columns), paging).read()
        groups = Lister(service, "/Groups", groups_to_rows, paging).read()
        for people, teams in zip(users.pages, groups.pages, strict=False):
            ids = people.rows.frame[ID].unique(maintain_order=True)
            names = teams.rows.groups["id"].unique(maintain_order=True)
            members, claims = teams.rows.members, people.rows.claims
            to_memberships(ids, names, members, claims, nested=True)


def _no_pause(_seconds: float) -> None:
    """A service that is asked again is asked at once."""


_ENTRY = (
    bytes.fromhex("302a02010764250404636e3d61301d301b04046d61696c31130411") + b"ada1@team.example"
)
_CONFIG = b'{"patch": {"supported": true}, "pagination": {"cursor": true, "index": true}}'
_USERS = (
    b'{"totalResults": 1, "startIndex": 1, "itemsPerPage": 1, "Resources": [{"id": "u1", '
    b'"userName": "a", "active": true, "emails": [{"value": "a@x", "primary": true}], "groups": '
    b'[{"value": "g1"}], "roles": [{"value": "r", "display": "R"}]}]}'
)
_GROUPS = (
    b'{"totalResults": 1, "startIndex": 1, "Resources": [{"id": "g1", "displayName": "G", '
    b'"members": [{"value": "u1", "type": "User"}, {"value": "g1"}]}]}'
)
_WORDS = b'null true -1 1e400 [] {} "id" "ID" "totalResults": "nextCursor": "x" \\ud800'

ANSWER_TARGETS = (
    Target(
        "ber",
        ber,
        (
            _ENTRY,
            bytes.fromhex("300c02010165070a010004000400"),
            bytes.fromhex("30840000000c02010165070a010004000400"),
        ),
        (b"\x30", b"\x30\x84", b"\x04\x00", b"\x02\x01\x01", b"\x64", b"\x65", b"\x31\x00")
        + (b"\x84\xff\xff\xff\xff", b"\x88" + b"\xff" * 8, b"\x80", b"\xa0", b"\x1f", b"\x30\x7f"),
    ),
    Target(
        "scim",
        scim,
        (
            _SEPARATOR.join((_CONFIG, _USERS, _USERS, _GROUPS, _GROUPS)),
            _SEPARATOR.join((b"{}", _USERS, _USERS, _GROUPS, _GROUPS)),
        ),
        (_SEPARATOR, b"[" * 300, b'{"a":' * 300, b"9" * 5000, b"\0", b"\xff", *_WORDS.split()),
    ),
)

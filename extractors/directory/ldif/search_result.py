"""What ldapsearch writes of a search beside its entries: how it ended, how many, what it left.

Its plain output has `search:` and `result:`, that and the one with -L also `# numResponses:` after
the last page and `# numEntries:`, where there are any; -LL and -LLL say nothing (OpenLDAP 2.5.13).
"""

import re
from typing import Literal

from extractors.directory.ldap.protocol.result_codes import result_text
from schemas.errors import SourceFormatError, SourceIncompleteError

_HEADERS = (b"# extended LDIF", b"# LDAPv3")
_COUNT = re.compile(rb"# numEntries: ([0-9]{1,18})\Z")
_COOKIE = re.compile(rb"(?:# )?pagedresults: cookie=(.*)\Z")
_RESULT = re.compile(rb"result: ([0-9]{1,4})\b")
_KEYS = (b"search:", b"result:", b"ref:")


class SearchResult:
    """How the searches that an export was written by ended."""

    def __init__(self, name: str, referrals: Literal["refuse", "ignore"]) -> None:
        """Nothing was written yet; `name` is the file's, for messages.

        Args:
            name: the file's, for messages.
            referrals: whether an entry that lies on another server is an error.
        """
        self._name = name
        self._referrals = referrals
        self._is_open = False
        self._cookie = b""
        self._entries_count = 0

    def entry(self) -> None:
        """Counts an entry."""
        self._entries_count += 1

    def comment(self, number: int, line: bytes) -> None:
        """Takes a comment.

        Raises:
            SourceIncompleteError: it says that entries are missing.
        """
        if line.startswith(_HEADERS):
            self._is_open = True
        elif line.startswith(b"# numResponses: "):
            self._is_open = False
        elif line.startswith(b"# refldap"):
            self._referred(number)
        elif cookie := _COOKIE.match(line):
            self._cookie = cookie[1]
        elif count := _COUNT.match(line):
            self._check_count(number, int(count[1]))

    def record(self, lines: list[tuple[int, bytes]]) -> bool:
        """Whether the lines are such a record, and no entry.

        Raises:
            SourceIncompleteError: the search failed, or entries lie on another server.
            SourceFormatError: it ends with no number.
        """
        number, first = lines[0]
        if not first.startswith(_KEYS):
            return False
        if first.startswith(b"ref:"):
            self._referred(number)
            return True
        for number, line in lines:
            if cookie := _COOKIE.match(line):
                self._cookie = cookie[1]
            elif line.startswith(b"result:"):
                self._check_code(number, line)
        return True

    def check_end(self) -> None:
        """Raises unless each search that was begun has ended.

        Raises:
            SourceIncompleteError: one has not, or not with its last page.
        """
        if self._cookie:
            raise SourceIncompleteError(
                f"{self._name}: ends before the last page: export it with -E pr=1000/noprompt"
            )
        if self._is_open:
            raise SourceIncompleteError(
                f"{self._name}: ends without the result that ldapsearch writes: it was cut off"
            )

    def _check_code(self, number: int, line: bytes) -> None:
        code = _RESULT.match(line)
        if code is None:
            raise SourceFormatError(f"{self._name}: line {number}: a result without its number")
        if int(code[1]):
            raise SourceIncompleteError(
                f"{self._name}: line {number}: the search ended with {result_text(int(code[1]))}"
            )

    def _check_count(self, number: int, stated: int) -> None:
        if stated != self._entries_count:
            raise SourceIncompleteError(
                f"{self._name}: line {number}: ldapsearch states {stated:,} entries and "
                f"{self._entries_count:,} are there: the export was cut off, or changed"
            )
        self._entries_count = 0

    def _referred(self, number: int) -> None:
        if self._referrals == "refuse":
            raise SourceIncompleteError(
                f"{self._name}: line {number}: entries lie on another server, and are not in the "
                "export: export them from there, or leave their part of the tree out (-b)"
            )

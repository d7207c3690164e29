"""LDAP filters (RFC 4515), parsed and checked before a server sees them."""

import re
from dataclasses import dataclass

from schemas.errors import ConfigError, raise_as

_DEEPEST = 100
_ATTRIBUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+)(?:;[A-Za-z0-9-]+)*")
_EXTENSIBLE = re.compile(
    r"(?P<attribute>[A-Za-z0-9.;-]*)(?P<dn>:dn)?(?::(?P<rule>[A-Za-z0-9.-]+))?:=", re.IGNORECASE
)
_OPERATORS = ("=", ">=", "<=", "~=")
_ESCAPED = re.compile(rb"\\([0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter, or a part of one.

    Attributes:
        operator: `&`, `|`, `!` over `parts`; `=`, `>=`, `<=`, `~=` with one value; `=*` with none;
            `substring` with first, middle and last values, empty where there is none; `:=`.
        attribute: the attribute it is about, as it is written.
        values: what it is compared with, unescaped.
        rule: the matching rule of `:=`.
        parts: what `&`, `|` and `!` are over.
    """

    operator: str
    attribute: str = ""
    values: tuple[bytes, ...] = ()
    rule: str = ""
    parts: tuple["Filter", ...] = ()


def to_filter(text: str, key: str) -> Filter:
    """Parses a filter; outer brackets may be left out.

    Raises:
        ConfigError: it is none; with the character at which it goes wrong. `key` is the key of the
            source file that it stands under.
    """
    stripped = text.strip()
    written = stripped if stripped.startswith("(") else f"({stripped})"
    moved = 0 if stripped.startswith("(") else 1
    parser = _Parser(written)

    def wrong(reason: _WrongError) -> ConfigError:
        at = max(1, parser.at + 1 - moved)
        return ConfigError(f"at character {at} of the filter: {reason}", key=key)

    return raise_as(parser.whole, {_WrongError: wrong})


def in_brackets(text: str) -> str:
    """Returns the filter as servers take it."""
    stripped = text.strip()
    return stripped if stripped.startswith("(") else f"({stripped})"


class _WrongError(Exception):
    """What is wrong; the parser knows where."""


class _Parser:
    """Where in a filter's text we are."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> Filter:
        parsed = self.filter(0)
        if self.at < len(self.text):
            raise _WrongError("more follows the closing bracket")
        return parsed

    def filter(self, depth: int) -> Filter:
        if depth > _DEEPEST:
            raise _WrongError(f"brackets in brackets, more than {_DEEPEST} deep")
        self._expect("(")
        self._skip_spaces()
        operator = self.text[self.at : self.at + 1]
        if operator in {"&", "|", "!"}:
            self.at += 1
            parts = self._parts(depth)
            if operator == "!" and len(parts) != 1:
                raise _WrongError("! takes one filter")
            parsed = Filter(operator, parts=tuple(parts))
        else:
            parsed = self._item()
        self._expect(")")
        return parsed

    def _parts(self, depth: int) -> list[Filter]:
        parts = []
        self._skip_spaces()
        while self.text[self.at : self.at + 1] == "(":
            parts.append(self.filter(depth + 1))
            self._skip_spaces()
        return parts

    def _item(self) -> Filter:
        extensible = _EXTENSIBLE.match(self.text, self.at)
        if extensible:
            self.at = extensible.end()
            if not (extensible["attribute"] or extensible["rule"]):
                raise _WrongError("neither an attribute nor a matching rule before :=")
            value = self._value()
            return Filter(":=", extensible["attribute"], (value,), extensible["rule"] or "")
        name = _ATTRIBUTE.match(self.text, self.at)
        if not name:
            raise _WrongError("an attribute, or one of & | !, is expected")
        self.at = name.end()
        self._skip_spaces()
        for operator in _OPERATORS:
            if self.text.startswith(operator, self.at):
                self.at += len(operator)
                return self._compared(name[0], operator)
        raise _WrongError("one of = >= <= ~= is expected")

    def _compared(self, attribute: str, operator: str) -> Filter:
        written = self._written()
        if "*" in written and operator != "=":
            raise _WrongError("* goes with = only; write \\2a for the character itself")
        pieces = [_unescape(piece) for piece in self._checked(written).split("*")]
        if len(pieces) == 1:
            return Filter(operator, attribute, (pieces[0],))
        if not any(pieces):
            return Filter("=*", attribute)
        return Filter("substring", attribute, tuple(pieces))

    def _value(self) -> bytes:
        return _unescape(self._checked(self._written()))

    def _written(self) -> str:
        ends = re.compile(r"[()]").search(self.text, self.at)
        return self.text[self.at : ends.start() if ends else len(self.text)]

    def _checked(self, written: str) -> str:
        """`written`, and the place moved to its end; to a backslash that escapes nothing."""
        wrong = re.search(r"\\(?![0-9A-Fa-f]{2})", written)
        if wrong:
            self.at += wrong.start()
            raise _WrongError("a backslash takes two hexadecimal digits; write \\5c for itself")
        self.at += len(written)
        return written

    def _expect(self, sign: str) -> None:
        self._skip_spaces()
        if self.text[self.at : self.at + 1] != sign:
            raise _WrongError(f"{sign} is expected")
        self.at += 1

    def _skip_spaces(self) -> None:
        while self.text[self.at : self.at + 1] in {" ", "\t", "\n"}:
            self.at += 1


def _unescape(written: str) -> bytes:
    return _ESCAPED.sub(lambda escape: bytes.fromhex(escape[1].decode()), written.encode())

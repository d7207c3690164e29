"""LDAP filters applied to entries in memory, for an export that no server answers for.

Values are compared as directories compare nearly all of theirs: without case, spaces put together;
DNs in their normal form; numbers as numbers where both are.
"""

from collections.abc import Callable

from extractors.directory.dn import normal_dn
from extractors.directory.filter import Filter
from extractors.directory.ldap.protocol.raw_entries import Attributes
from extractors.directory.values import whole_number
from schemas.errors import ConfigError

Match = Callable[[Attributes], bool]
_ALL_BITS, _ANY_BIT = "1.2.840.113556.1.4.803", "1.2.840.113556.1.4.804"
_IN_CHAIN = "1.2.840.113556.1.4.1941"


def to_match(condition: Filter) -> Match:
    """Returns what tells whether attributes, under names in lower case, fit the filter.

    Raises:
        ConfigError: a rule that only a server can apply.
    """
    match condition.operator:
        case "&":
            parts = [to_match(part) for part in condition.parts]
            return lambda entry: all(part(entry) for part in parts)
        case "|":
            parts = [to_match(part) for part in condition.parts]
            return lambda entry: any(part(entry) for part in parts)
        case "!":
            part = to_match(condition.parts[0])
            return lambda entry: not part(entry)
        case _:
            return _to_item(condition)


def _to_item(condition: Filter) -> Match:
    match condition.operator:
        case "=*":
            name = condition.attribute.lower()
            return lambda entry: name == "objectclass" or bool(entry.get(name))
        case ":=":
            return _by_rule(condition)
        case "substring":
            return _substring(condition)
        case _:
            return _compared(condition)


def _compared(condition: Filter) -> Match:
    name, value = condition.attribute.lower(), condition.values[0]
    if condition.operator in {"=", "~="}:
        return _equal(name, value)
    is_less = condition.operator == "<="

    def is_beyond(candidate: bytes) -> bool:
        mine, other = whole_number(candidate), whole_number(value)
        if mine is not None and other is not None:
            return mine <= other if is_less else mine >= other
        return (
            _folded(candidate) <= _folded(value)
            if is_less
            else _folded(candidate) >= _folded(value)
        )

    return lambda entry: any(is_beyond(candidate) for candidate in entry.get(name, ()))


def _equal(name: str, value: bytes) -> Match:
    text = _folded(value)
    as_dn = normal_dn(text) if "=" in text else None
    is_category = name == "objectcategory" and as_dn is None

    def is_equal(candidate: bytes) -> bool:
        if candidate == value:
            return True
        folded = _folded(candidate)
        if is_category:  # `person` for CN=Person,CN=Schema,… ([MS-ADTS] 3.1.1.3.1.3.5)
            folded = folded.partition("=")[2].partition(",")[0]
        elif as_dn is not None and "=" in folded:
            return normal_dn(folded) == as_dn
        return folded == text

    return lambda entry: any(is_equal(candidate) for candidate in entry.get(name, ()))


def _substring(condition: Filter) -> Match:
    name = condition.attribute.lower()
    first, *middle, last = [_folded(value) for value in condition.values]

    def has_pieces(candidate: bytes) -> bool:
        text = _folded(candidate)
        if not text.startswith(first):
            return False
        at = len(first)
        for piece in middle:
            start = text.find(piece, at)
            if start < 0:
                return False
            at = start + len(piece)
        return len(text) - len(last) >= at and text.endswith(last)

    return lambda entry: any(has_pieces(candidate) for candidate in entry.get(name, ()))


def _by_rule(condition: Filter) -> Match:
    name, value = condition.attribute.lower(), condition.values[0]
    bits = whole_number(value)
    if condition.rule in {_ALL_BITS, _ANY_BIT} and name and bits is not None:
        all_bits = condition.rule == _ALL_BITS

        def has_bits(candidate: bytes) -> bool:
            common = (whole_number(candidate) or 0) & bits
            return common == bits if all_bits else bool(common)

        return lambda entry: any(has_bits(candidate) for candidate in entry.get(name, ()))
    rule = "memberOf in chain" if condition.rule == _IN_CHAIN else f"the rule {condition.rule}"
    raise ConfigError(f"{rule} in a filter needs a server: an LDIF export has none", key="source")


def _folded(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "surrogateescape").casefold().split())

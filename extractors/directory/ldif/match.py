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


def to_match(wanted: Filter) -> Match:
    """Whether attributes, under names in lower case, are what the filter wants.

    Raises:
        ConfigError: a rule that only a server can apply.
    """
    match wanted.operator:
        case "&":
            parts = [to_match(part) for part in wanted.parts]
            return lambda entry: all(part(entry) for part in parts)
        case "|":
            parts = [to_match(part) for part in wanted.parts]
            return lambda entry: any(part(entry) for part in parts)
        case "!":
            part = to_match(wanted.parts[0])
            return lambda entry: not part(entry)
        case _:
            return _to_item(wanted)


def _to_item(wanted: Filter) -> Match:
    match wanted.operator:
        case "=*":
            name = wanted.attribute.lower()
            return lambda entry: name == "objectclass" or bool(entry.get(name))
        case ":=":
            return _by_rule(wanted)
        case "substring":
            return _substring(wanted)
        case _:
            return _compared(wanted)


def _compared(wanted: Filter) -> Match:
    name, value = wanted.attribute.lower(), wanted.values[0]
    if wanted.operator in {"=", "~="}:
        return _equal(name, value)
    is_less = wanted.operator == "<="

    def is_beyond(found: bytes) -> bool:
        mine, other = whole_number(found), whole_number(value)
        if mine is not None and other is not None:
            return mine <= other if is_less else mine >= other
        return _folded(found) <= _folded(value) if is_less else _folded(found) >= _folded(value)

    return lambda entry: any(is_beyond(found) for found in entry.get(name, ()))


def _equal(name: str, value: bytes) -> Match:
    wanted = _folded(value)
    as_dn = normal_dn(wanted) if "=" in wanted else None
    is_category = name == "objectcategory" and as_dn is None

    def is_equal(found: bytes) -> bool:
        if found == value:
            return True
        folded = _folded(found)
        if is_category:  # `person` for CN=Person,CN=Schema,… ([MS-ADTS] 3.1.1.3.1.3.5)
            folded = folded.partition("=")[2].partition(",")[0]
        elif as_dn is not None and "=" in folded:
            return normal_dn(folded) == as_dn
        return folded == wanted

    return lambda entry: any(is_equal(found) for found in entry.get(name, ()))


def _substring(wanted: Filter) -> Match:
    name = wanted.attribute.lower()
    first, *middle, last = [_folded(value) for value in wanted.values]

    def has_pieces(found: bytes) -> bool:
        text = _folded(found)
        if not text.startswith(first):
            return False
        at = len(first)
        for piece in middle:
            start = text.find(piece, at)
            if start < 0:
                return False
            at = start + len(piece)
        return len(text) - len(last) >= at and text.endswith(last)

    return lambda entry: any(has_pieces(found) for found in entry.get(name, ()))


def _by_rule(wanted: Filter) -> Match:
    name, value = wanted.attribute.lower(), wanted.values[0]
    bits = whole_number(value)
    if wanted.rule in {_ALL_BITS, _ANY_BIT} and name and bits is not None:
        all_bits = wanted.rule == _ALL_BITS

        def has_bits(found: bytes) -> bool:
            common = (whole_number(found) or 0) & bits
            return common == bits if all_bits else bool(common)

        return lambda entry: any(has_bits(found) for found in entry.get(name, ()))
    said = "memberOf in chain" if wanted.rule == _IN_CHAIN else f"the rule {wanted.rule}"
    raise ConfigError(f"{said} in a filter needs a server: an LDIF export has none", key="source")


def _folded(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "surrogateescape").casefold().split())

r"""One form for all spellings of a DN (RFC 4514), folded as RFC 4518 says: case, spaces, NFKC.

In the normal form a comma divides RDNs and nothing else, types are lower case and names rather
than numbers, and every character that has to be escaped is escaped as its bytes, `\2c`.
"""

import re
import unicodedata

from schemas.errors import ConfigError

_NAMES = {
    "2.5.4.3": "cn",
    "2.5.4.4": "sn",
    "2.5.4.5": "serialnumber",
    "2.5.4.6": "c",
    "2.5.4.7": "l",
    "2.5.4.8": "st",
    "2.5.4.9": "street",
    "2.5.4.10": "o",
    "2.5.4.11": "ou",
    "2.5.4.12": "title",
    "2.5.4.42": "givenname",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationqualifier",
    "2.5.4.46": "dnqualifier",
    "2.5.4.65": "pseudonym",
    "0.9.2342.19200300.100.1.1": "uid",
    "0.9.2342.19200300.100.1.3": "mail",
    "0.9.2342.19200300.100.1.25": "dc",
    "1.2.840.113549.1.9.1": "email",
    "commonname": "cn",
    "surname": "sn",
    "countryname": "c",
    "localityname": "l",
    "stateorprovincename": "st",
    "s": "st",
    "streetaddress": "street",
    "organizationname": "o",
    "organizationalunitname": "ou",
    "gn": "givenname",
    "userid": "uid",
    "rfc822mailbox": "mail",
    "domaincomponent": "dc",
    "emailaddress": "email",
    "e": "email",
}
_WORD = r"[!$-*\-./0-9:=?@A-Z\[\]\^_`a-z{|}~]+"
_PLAIN_PART = rf"(?:cn|ou|dc|uid|o|l|c|st|CN|OU|DC|UID|O|L|C|ST)={_WORD}(?: {_WORD})*"
_PLAIN = rf"^{_PLAIN_PART}(?:,{_PLAIN_PART})*$"
_IS_PLAIN = re.compile(_PLAIN.removesuffix("$") + r"\Z").match
_PART = re.compile(
    r"""\s*+(?P<type>[A-Za-z][A-Za-z0-9-]*+|(?:[oO][iI][dD]\.)?[0-9]++(?:\.[0-9]++)*+)\s*+=\s*+
    (?: (?P<hex>\#(?:[0-9A-Fa-f]{2})++)\s*+
      | "(?P<quoted>(?:[^"\\]|\\[0-9A-Fa-f]{2}|\\[ "\#+,;<=>\\/])*+)"\s*+
      | (?P<bare>(?!\#)(?:[^"\\,;+]|\\[0-9A-Fa-f]{2}|\\[ "\#+,;<=>\\/])*+)
    )(?P<end>[,;+]|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile('^#|[\\x00-\\x1f",;+<>\\\\\\x7f\ud800-\udfff]')
_TEXT_TAGS = frozenset({0x04, 0x0C, 0x13, 0x16})  # octets, UTF-8, printable, IA5
_ROUNDS = 8


def normal_dn(dn: str) -> str:
    """Returns the normal form; what is no DN is returned as it is, and so equals no DN.

    Applied to a normal form, it changes nothing.
    """
    if _IS_PLAIN(dn):
        return dn.lower()
    parts = _parts(dn)
    return dn if parts is None else ",".join("+".join(sorted(rdn)) for rdn in parts)


def rdn_values(dn: str) -> dict[str, str]:
    """Returns the values of a DN's own name by their types in normal form, as they are written."""
    values: dict[str, str] = {}
    at, end = 0, "+"
    while end == "+":
        part = _PART.match(dn, at)
        if part is None:
            return {}
        values[normal_type(part["type"])] = _ESCAPED.sub(
            _unescaped, part["quoted"] or part["bare"] or ""
        ).strip()
        at, end = part.end(), part["end"]
    return values


def is_below(dn: str, base: str) -> bool:
    """Whether a normal form is `base`, another one, or lies below it."""
    return not base or dn == base or dn.endswith(f",{base}")


def check_dn(dn: str, key: str) -> None:
    """Raises unless it is a DN.

    Raises:
        ConfigError: it is none; `key` is the key of the source file that it stands under.
    """
    if _parts(dn) is None:
        raise ConfigError("is no DN: write it like ou=People,dc=example,dc=org", key=key)


def _parts(dn: str) -> list[list[str]] | None:
    """Returns the RDNs, each as its normal `type=value` parts; None for what is no DN."""
    if not dn.strip():
        return []
    rdns: list[list[str]] = [[]]
    at, end = 0, ","
    while end:
        part = _PART.match(dn, at)
        if part is None:
            return None
        rdns[-1].append(f"{normal_type(part['type'])}={_value(part)}")
        at, end = part.end(), part["end"]
        if end and end != "+":
            rdns.append([])
    return rdns


def normal_type(written: str) -> str:
    """Returns the one name of an attribute: lower case, no number, no second name."""
    name = written.lower().removeprefix("oid.")
    return _NAMES.get(name, name)


def _value(part: re.Match[str]) -> str:
    if part["hex"] is None:
        text = _ESCAPED.sub(_unescaped, part["quoted"] or part["bare"] or "")
    else:
        octets = bytes.fromhex(part["hex"][1:])
        content = _content(octets)
        if content is None:
            return part["hex"].lower()
        text = content.decode("utf-8", "surrogateescape")
    return _TO_ESCAPE.sub(_as_bytes, _folded(text))


def _content(octets: bytes) -> bytes | None:
    """Returns the text that a BER value in hexadecimal is; None where it is no text."""
    if len(octets) < 2 or octets[0] not in _TEXT_TAGS:  # noqa: PLR2004 - a tag and a length
        return None
    count = octets[1] & 0x7F if octets[1] > 0x7F else 0  # noqa: PLR2004 - X.690, 8.1.3
    start = 2 + count
    length = int.from_bytes(octets[2:start], "big") if count else octets[1]
    return octets[start:] if start + length == len(octets) and octets[1] != 0x80 else None  # noqa: PLR2004


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1] is None:
        return str(escape[2])
    return bytes.fromhex(escape[1].replace("\\", "")).decode("utf-8", "surrogateescape")


def _folded(text: str) -> str:
    """Returns the value as it is compared: without its case, outer spaces, and doubled ones."""
    for _ in range(_ROUNDS):
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        folded = " ".join(folded.split())
        if folded == text:
            break
        text = folded
    return text


def _as_bytes(special: re.Match[str]) -> str:
    octets = special[0].encode("utf-8", "surrogateescape")
    return "".join(f"\\{octet:02x}" for octet in octets)

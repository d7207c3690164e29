"""The attributes that a source file names, looked up in the directory's own schema."""

import difflib
import re

from ldap3 import Connection

from extractors.directory.account_fields import is_secret
from extractors.directory.ldap.protocol.forest import root_dse
from extractors.directory.ldap.protocol.search import read_values
from extractors.directory.values import plain_text
from schemas.errors import ConfigError, SourceFormatError

_NAMES = re.compile(r"\bNAME (?:'([^']+)'|\( *([^)]*)\))")
_USAGE = re.compile(r"\bUSAGE (?!userApplications)")
_COLLECTIVE = re.compile(r"\bCOLLECTIVE\b")
_SYNTAX = re.compile(r"\bSYNTAX '?([0-9.]+)")
_DN_SYNTAXES = frozenset({"1.3.6.1.4.1.1466.115.121.1.12", "1.3.6.1.4.1.1466.115.121.1.34"})
_SUP = re.compile(r"\bSUP ([A-Za-z0-9.;-]+)")


def check_known(connection: Connection, names: tuple[str, ...]) -> frozenset[str] | None:
    """Returns the attributes of the schema, in lower case, after a look for each of `names`.

    None where the reading account may not see the schema; then nothing is checked.

    Raises:
        ConfigError: one derives from a password's attribute.
        SourceFormatError: one is not there.
    """
    parents = _types(_definitions(connection))
    if not parents:
        return None
    for name in names:
        plain = name.split(";")[0].lower()
        if plain not in parents:
            close = difflib.get_close_matches(plain, parents, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise SourceFormatError(f"the directory's schema has no attribute {name!r}{hint}")
        if any(is_secret(attribute) for attribute in _lineage(plain, parents)):
            raise ConfigError(
                f"the attribute {name} is a password by the directory's schema: it is "
                "never read; take it out of columns and attributes",
                key="source",
            )
    return frozenset(parents)


def _lineage(name: str, parents: dict[str, str | None]) -> list[str]:
    """Returns the attribute, and all that it derives from."""
    line: list[str] = []
    step: str | None = name
    while step is not None and step not in line:
        line.append(step)
        step = parents.get(step)
    return line


def unkept_attributes(connection: Connection) -> frozenset[str]:
    """Returns the attributes, in lower case, that change without their entry's being modified.

    By the schema, where it can be read: those that the server itself keeps, those that entries
    have in common (RFC 3671), and those that name other entries.
    """
    texts, unkept = _definitions(connection), set[str]()
    parents, syntaxes = _types(texts), dict[str, str]()
    for text in texts:
        names = [name.lower() for name in _names(text)]
        syntax = _SYNTAX.search(text)
        if syntax is not None:
            syntaxes |= dict.fromkeys(names, syntax[1])
        if _USAGE.search(text) or _COLLECTIVE.search(text):
            unkept.update(names)
    for name in parents:
        if any(syntaxes.get(above) in _DN_SYNTAXES for above in _lineage(name, parents)):
            unkept.add(name)
    return frozenset(unkept)


def _types(texts: list[str]) -> dict[str, str | None]:
    """Returns by name in lower case the attribute it derives from."""
    parents: dict[str, str | None] = {}
    for text in texts:
        above = _SUP.search(text)
        parents |= {name.lower(): above[1].lower() if above else None for name in _names(text)}
    return parents


def _names(text: str) -> list[str]:
    named = _NAMES.search(text)
    if named is None:
        return []
    return re.findall(r"'([^']+)'", named[2]) if named[2] else [named[1]]


def _definitions(connection: Connection) -> list[str]:
    """Returns the attributes' definitions (RFC 4512, 4.1.2), as the server writes them."""
    where = root_dse(connection, "subschemaSubentry")
    if where is None:
        return []
    values = read_values(connection, where, "attributeTypes", "(objectClass=subschema)")
    return [plain_text(value) for value in values]

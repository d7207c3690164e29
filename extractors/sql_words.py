"""A database's own words of an error, as far as they can quote no row."""

import re

from extractors.sql_code_tables import Meaning
from extractors.sql_codes import Code, fatal_words, odbc_state

_SAFE: frozenset[Meaning] = frozenset(
    {"missing", "privilege", "typo", "write", "login", "database"}
)
_OF_A_FILE = re.compile("unable to open|file is not a database|database is locked")
_NAMED = re.compile(
    r"""(?:["'`\[]|: |\b(?:name|table|column|view|function|procedure|schema) (?!or\b))"""
    r"""["'`]?(\w[\w$#.]*)""",
    re.IGNORECASE,
)
"""Where a database's message names a thing: after a quote, a colon or what kind of thing it is."""


def safe_words(error: Exception, code: Code, engine: str) -> str:
    """The database's own words for an object, a login or a typo, where no row can have been read.

    Empty for another error, whose words may quote a value that the statement itself has.
    """
    if engine in {"sqlite", "duckdb"}:
        text = str(error).splitlines()[0] if str(error) else ""
        return text if _OF_A_FILE.match(text) else ""
    return _words(error, engine) if code.meaning in _SAFE else ""


def named(error: Exception, code: Code, sql: str) -> str:
    """The first thing that the database names and the statement, too; empty where there is none.

    Where rows are read, its message may quote one whatever its code: PostgreSQL's
    `mail::regclass`, a function that sets MYSQL_ERRNO, SQLite's MATCH. What stands in the
    statement is no row's.
    """
    said = str(error.args[-1]) if error.args else ""
    for name in _NAMED.findall(said) if code.meaning in _SAFE else ():
        for part in (name.strip("."), name.strip(".").rpartition(".")[2]):
            if found := re.search(rf"(?<!\w){re.escape(part)}(?!\w)", sql, re.IGNORECASE):
                return found.group()
    return ""


def _words(error: Exception, engine: str) -> str:
    diag = getattr(error, "diag", None)
    if diag is not None:
        return diag.message_primary or fatal_words(str(error))
    if engine == "postgresql":
        return ""
    if odbc_state(error) is None and engine in {"mysql", "mariadb"}:
        return str(error.args[-1])
    line = str(error.args[-1]).split("\n")[0]
    if engine == "oracle":
        return line
    found = re.search(r"\]([^\]\[]+?)(?: \(\d+\).*)?$", line)
    return found.group(1) if found else ""

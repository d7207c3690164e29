"""What a database refuses, in one line of ours: its code, and its text only where that is safe.

A database's own text may quote a row or a bound value, whatever its code. It is passed on only
while logging in or preparing; afterwards, no more of it than stands in the statement itself.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from extractors.sql.errors.codes import Code, Meaning, code_of, fatal_text, odbc_state
from extractors.sql.errors.connection import CERTIFICATE_WANTED, why_no_login
from schemas.errors import (
    ConfigError,
    IngestError,
    SourceFormatError,
    SourceIncompleteError,
    SourceUnavailableError,
    raise_as,
)

T = TypeVar("T")

_LONGEST_TEXT = 200
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
_HUNG_UP = re.compile(r"error (2006|2013)$")
"""How a MySQL that does not trust our certificate ends the login, where its alert comes too late:
in TLS 1.3 a client is done with the handshake before the server has looked at its certificate.
"""


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What is done with a database, for the message of what it complains of.

    Attributes:
        engine: the database's kind.
        errors: what its driver raises.
        where: the capability, or the server while logging in.
        is_login: whether this is still the login.
        sql: the statement, without the values that are bound; empty where none has been sent.
        is_only_prepared: whether the server only looks at the statement and reads no row.
        shows_certificate: whether we show the server a certificate of ours.
        key: the key of the source file that `where` is, if it is one.
    """

    engine: str
    errors: tuple[type[Exception], ...]
    where: str
    is_login: bool = False
    sql: str = ""
    is_only_prepared: bool = False
    shows_certificate: bool = False
    key: str | None = None


def translate_errors(context: ErrorContext, ask: Callable[[], T]) -> T:
    """Returns what `ask` returns; the driver's errors become ours, and are not chained to them.

    Raises:
        ConfigError: the login is refused, or the certificate; trying again would lock an account.
        SourceUnavailableError: the server cannot be reached.
        SourceIncompleteError: the connection was lost or the statement did not end.
        SourceFormatError: the server refuses the statement.
    """

    def to_error(error: Exception) -> IngestError:
        return to_source_error(error, context)

    return raise_as(ask, dict.fromkeys(context.errors, to_error))


def to_source_error(error: Exception, context: ErrorContext) -> IngestError:
    """Makes the error of ours that `error` amounts to."""
    code = code_of(error, context.engine)
    refusal = why_no_login(str(error)) if context.is_login else None
    if context.shows_certificate and _HUNG_UP.search(code.text):
        refusal = CERTIFICATE_WANTED
    ours: IngestError
    if refusal is None:
        reason = _reason(error, code, context)
        ours = error_of(context.where, code.meaning, reason, is_login=context.is_login)
    else:
        ours = ConfigError(f"{context.where}: {refusal} ({code.text})")
    ours.key = context.key
    return ours


def _reason(error: Exception, code: Code, context: ErrorContext) -> str:
    """Returns the code, and what can be told with it."""
    if context.is_login or context.is_only_prepared:
        text = _cut(safe_text(error, code, context.engine))
        return f"{code.text}: {text}" if text else code.text
    name = named(error, code, context.sql)
    return f"{code.text}, at {name}" if name else code.text


def error_of(where: str, meaning: Meaning, reason: str, *, is_login: bool) -> IngestError:
    """Makes the error for a meaning, whatever driver it came by: what, where, and what to do.

    Args:
        where: the capability, or the server while logging in.
        meaning: what went wrong.
        reason: the code, and text that can quote no row.
        is_login: whether no query had been sent yet.
    """
    if is_login and meaning == "timeout":
        meaning = "lost"
    if meaning in {"lost", "busy"}:
        return _lost(where, reason, is_login=is_login, is_busy=meaning == "busy")
    if meaning in _ENDINGS:
        kind, text = _ENDINGS[meaning]
        return kind(f"{where}: {text.format(reason)}")
    if is_login:
        return SourceUnavailableError(
            f"{where}: no connection ({reason}): check the url or the dsn"
        )
    advice = _ADVICE.get(meaning, "look at the query and at the server's log")
    return SourceFormatError(f"{where}: refused ({reason}): {advice}")


_ENDINGS: dict[Meaning, tuple[type[IngestError], str]] = {
    "login": (
        ConfigError,
        (
            "the login is refused ({}): check username, password and that the account may log in "
            "from here, secured as it is (tls)"
        ),
    ),
    "database": (
        ConfigError,
        "there is no such database, or the account may not use it ({}): check its name",
    ),
    "host": (SourceUnavailableError, "the host's name is not known ({}): check its spelling"),
    "write": (ConfigError, "refused ({}): only reads are allowed"),
    "tls": (
        ConfigError,
        (
            "no secured connection ({}): name the server's authority, tls: {{ca_file: …}}; or say "
            "tls: {{mode: unverified}} or {{mode: none}} if that is meant"
        ),
    ),
    "conflict": (
        SourceIncompleteError,
        "ended by the database for a conflict with a write ({}): run again",
    ),
    "timeout": (
        SourceIncompleteError,
        "cancelled before it ended ({}): make the query faster, or raise statement_timeout",
    ),
    "truncated": (
        SourceIncompleteError,
        "a value was cut short ({}): select less of that column",
    ),
}

_ADVICE: dict[Meaning, str] = {
    "missing": "check the name, and the schema it is in",
    "privilege": "grant the account the right to read it, and every row of it (BYPASSRLS)",
    "typo": "correct the query",
    "encoding": "a text in the rows is not valid in the database's encoding: mend it there",
    "data": "a value in the rows, or a bound one, does not fit the query's own conversion",
}


def _lost(where: str, reason: str, *, is_login: bool, is_busy: bool) -> IngestError:
    if is_busy:
        kind = SourceUnavailableError if is_login else SourceIncompleteError
        return kind(f"{where}: the database is out of a resource or stops ({reason}): run again")
    if is_login:
        return SourceUnavailableError(
            f"{where}: cannot be reached ({reason}): check host and port, and that the server is up"
        )
    return SourceIncompleteError(
        f"{where}: the connection was lost before the last row ({reason}): run again"
    )


def safe_text(error: Exception, code: Code, engine: str) -> str:
    """Returns the database's own text, where it can be of an object, a login or a typo alone.

    Empty for another error, whose text may quote a value that the statement itself has.
    """
    if engine in {"sqlite", "duckdb"}:
        text = str(error).splitlines()[0] if str(error) else ""
        return text if _OF_A_FILE.match(text) else ""
    return _own_text(error, engine) if code.meaning in _SAFE else ""


def named(error: Exception, code: Code, sql: str) -> str:
    """Returns the first thing that the database names and the statement, too; empty for none.

    Where rows are read, its message may quote one whatever its code: PostgreSQL's
    `mail::regclass`, a function that sets MYSQL_ERRNO, SQLite's MATCH. What stands in the
    statement is no row's.
    """
    text = str(error.args[-1]) if error.args else ""
    for name in _NAMED.findall(text) if code.meaning in _SAFE else ():
        for part in (name.strip("."), name.strip(".").rpartition(".")[2]):
            if match := re.search(rf"(?<!\w){re.escape(part)}(?!\w)", sql, re.IGNORECASE):
                return match.group()
    return ""


def _own_text(error: Exception, engine: str) -> str:
    diag = getattr(error, "diag", None)
    if diag is not None:
        return diag.message_primary or fatal_text(str(error))
    if engine == "postgresql":
        return ""
    if odbc_state(error) is None and engine in {"mysql", "mariadb"}:
        return str(error.args[-1])
    line = str(error.args[-1]).split("\n")[0]
    if engine == "oracle":
        return line
    match = re.search(r"\]([^\]\[]+?)(?: \(\d+\).*)?$", line)
    return match.group(1) if match else ""


def _cut(text: str) -> str:
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= _LONGEST_TEXT else line[: _LONGEST_TEXT - 1] + "…"


def driver_errors(module: Any) -> tuple[type[Exception], ...]:  # noqa: ANN401 - any DBAPI module
    """Returns what a DBAPI module raises, and what the network raises below it."""
    return (module.Error, OSError, UnicodeError)

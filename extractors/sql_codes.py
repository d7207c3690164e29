"""Codes of databases' errors: SQLSTATE or the vendor's own, and what each means to us."""

import re
from dataclasses import dataclass
from typing import Literal

Meaning = Literal[
    "login", "tls", "lost", "timeout", "truncated", "missing", "privilege", "typo", "write",
    "data", "conflict", "encoding", "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Code:
    """An error's code as text, such as `SQLSTATE 42P01`, and its meaning."""

    text: str
    meaning: Meaning


_SQLSTATES: tuple[tuple[str, Meaning], ...] = (
    ("28", "login"), ("3D000", "login"), ("08", "lost"), ("57P", "lost"), ("53300", "lost"),
    ("57014", "timeout"), ("HYT", "timeout"), ("25P03", "timeout"), ("25P04", "timeout"),
    ("55P03", "timeout"), ("01004", "truncated"), ("40", "conflict"),
    ("22021", "encoding"), ("42P01", "missing"),
    ("42703", "missing"), ("3F000", "missing"), ("42883", "missing"), ("42S02", "missing"),
    ("42S22", "missing"), ("42501", "privilege"), ("42601", "typo"), ("42", "typo"),
    ("25006", "write"), ("22", "data"), ("P0001", "data"),
)  # fmt: skip

_NUMBERS: dict[str, dict[Meaning, tuple[int, ...]]] = {
    "mysql": {
        "login": (1044, 1045, 1049, 1130, 1251, 1698, 1862, 1820),
        "tls": (2026, 3159),
        "lost": (1053, 1040, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2005, 2006, 2013, 2055),
        "timeout": (1317, 1205, 1969, 3024),
        "missing": (1146, 1054, 1305, 1109, 1305),
        "privilege": (1142, 1143, 1227, 1370),
        "typo": (1064, 1052, 1055, 1248, 1222),
        "write": (1792, 1290),
        "truncated": (1260, 1301, 1406),
        "conflict": (1213,),
    },
    "oracle": {
        "login": (1017, 28000, 28001, 1045),
        "tls": (28759, 29024, 28860),
        "lost": (3113, 3114, 3135, 12154, 12170, 12505, 12514, 12541, 12545, 28, 1089, 1012, 12547),
        "timeout": (1013, 3136, 3156),
        "missing": (942, 904, 4043, 6550),
        "privilege": (1031, 41900),
        "typo": (900, 903, 905, 906, 907, 911, 918, 923, 933, 936, 972),
        "write": (1456,),
        "conflict": (1555, 8177),
        "truncated": (1406, 22835),
    },
    "mssql": {
        "login": (18456, 18452, 4060, 18470, 18487, 18488),
        "missing": (208, 207, 2812, 4121),
        "privilege": (229, 230, 916),
        "typo": (102, 156, 105, 170, 209),
        "timeout": (1222, 3617),
        "write": (3906,),
        "conflict": (1205, 3960),
    },
    "snowflake": {
        "login": (250001, 251005, 390100, 390101, 390144),
        "lost": (250003, 250005, 290404),
        "timeout": (630, 604, 603),
        "missing": (2003, 904, 2043),
        "privilege": (3001,),
        "typo": (1003,),
    },
}
_NUMBERS["mariadb"] = _NUMBERS["mysql"]

_SAFE: frozenset[Meaning] = frozenset({"missing", "privilege", "typo", "write", "login"})
_SAFE_TEXT = re.compile(
    r'^(no such |near "|ambiguous column|attempt to write a readonly|unable to open|file is not a '
    r"database|database is locked|Referenced column|Table with name|Catalog Error|Binder Error|"
    r"Parser Error)",
)


def code_of(error: Exception, engine: str) -> Code:
    """The code that `error` carries, and what it means."""
    text = str(error)
    state = getattr(error, "sqlstate", None) or _odbc_state(error)
    number = _number(error, engine)
    meaning = _meaning_of_number(number, engine) or _meaning_of_state(state)
    if meaning in {None, "lost", "other", "login"} and _is_about_tls(text):
        meaning = "tls"
    if engine in {"sqlite", "duckdb"}:
        return _of_embedded(error, text)
    fatal = _fatal(text) if engine == "postgresql" and not state else ""
    if fatal and meaning != "tls":
        return Code("FATAL", "lost" if _PASSING.search(fatal) else "login")
    said = f"SQLSTATE {state}" if state else ""
    if number is not None and engine in _NUMBERS:
        said = f"{said}, {_vendor(engine)} {number}".removeprefix(", ")
    return Code(said or type(error).__name__, meaning or _by_type(error))


def safe_words(error: Exception, code: Code, engine: str) -> str:
    """The database's own words where they can quote no row; empty otherwise."""
    if engine in {"sqlite", "duckdb"}:
        text = str(error).splitlines()[0] if str(error) else ""
        return text if _SAFE_TEXT.match(text) else ""
    if code.meaning not in _SAFE:
        return ""
    diag = getattr(error, "diag", None)
    if diag is not None:
        return diag.message_primary or _fatal(str(error))
    if engine in {"mysql", "mariadb"} and len(error.args) > 1:
        return str(error.args[1])
    if engine == "oracle":
        return str(error).splitlines()[0]
    found = re.search(r"\]([^\]\[]+?)(?: \(\d+\).*)?$", str(error.args[-1]).split("\n")[0])
    return found.group(1) if found else ""


_PASSING = re.compile("starting up|shutting down|recovery|too many|reserved for|remaining")
"""What a PostgreSQL says that will let us in later."""


def _fatal(text: str) -> str:
    """What a PostgreSQL server said when it did not let us in: libpq gives no code for that."""
    found = re.search(r"FATAL: +(.+)", text)
    return found.group(1) if found else ""


def _meaning_of_state(state: str | None) -> Meaning | None:
    if not state:
        return None
    found = [(code, meaning) for code, meaning in _SQLSTATES if state.startswith(code)]
    return max(found, key=lambda one: len(one[0]))[1] if found else "other"


def _meaning_of_number(number: int | None, engine: str) -> Meaning | None:
    for meaning, numbers in _NUMBERS.get(engine, {}).items():
        if number in numbers:
            return meaning
    return None


def _by_type(error: Exception) -> Meaning:
    """Without a code: what never reached the server, or was cut off from it."""
    if isinstance(error, UnicodeError):
        return "data"
    return "lost" if isinstance(error, OSError) or _is_connection_text(str(error)) else "other"


def _of_embedded(error: Exception, text: str) -> Code:
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    meanings: tuple[tuple[str, Meaning], ...] = (
        ("interrupt", "timeout"), ("no such", "missing"), ("Catalog Error", "missing"),
        ("Referenced column", "missing"), ("readonly", "write"), ("read-only", "write"),
        ("syntax error", "typo"), ("unable to open", "lost"), ("Cannot open file", "lost"),
        ("not a database", "lost"), ("Conversion Error", "data"), ("Invalid Input Error", "data"),
        ("ambiguous", "typo"), ("Binder Error", "typo"), ("malformed", "data"),
    )  # fmt: skip
    for part, meaning in meanings:
        if part.lower() in text.lower():
            return Code(name, meaning)
    return Code(name, "other")


def _odbc_state(error: Exception) -> str | None:
    first = error.args[0] if error.args else None
    is_state = isinstance(first, str) and re.fullmatch(r"[0-9A-Z]{5}", first)
    return first if is_state else None


def _number(error: Exception, engine: str) -> int | None:
    first = error.args[0] if error.args else None
    if isinstance(first, int) and not isinstance(error, OSError):
        return first
    full = re.search(r"ORA-(\d{5})|DPY-(\d{4})", str(error)) if engine == "oracle" else None
    if full:
        return int(full.group(1) or full.group(2))
    found = re.search(r"\((\d+)\)", str(error.args[-1])) if _odbc_state(error) else None
    if found:
        return int(found.group(1))
    code = getattr(error, "errno", None)
    return code if isinstance(code, int) and engine == "snowflake" else None


def _vendor(engine: str) -> str:
    return {"oracle": "ORA", "mssql": "error", "snowflake": "error"}.get(engine, "error")


def _is_about_tls(text: str) -> bool:
    return bool(re.search(r"\bSSL\b|\bTLS\b|certificate|sslmode|sslrootcert", text, re.IGNORECASE))


def _is_connection_text(text: str) -> bool:
    return bool(
        re.search(
            r"connection|connect to|server closed|could not translate|resolve|timeout expired",
            text,
            re.IGNORECASE,
        )
    )

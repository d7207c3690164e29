"""Codes of databases' errors: SQLSTATE or the vendor's own, and what each means to us."""

import re
from collections.abc import Container
from dataclasses import dataclass
from typing import Literal

Meaning = Literal[
    "login", "database", "tls", "host", "lost", "busy", "timeout", "truncated", "missing",
    "privilege", "typo", "write", "data", "conflict", "encoding", "other",
]  # fmt: skip

SQLSTATES: tuple[tuple[str, Meaning], ...] = (
    ("28", "login"), ("3D", "database"), ("08", "lost"), ("57P", "lost"), ("57", "busy"),
    ("53", "busy"), ("58", "busy"), ("70100", "timeout"),
    ("57014", "timeout"), ("HYT", "timeout"), ("25P03", "timeout"), ("25P04", "timeout"),
    ("55P03", "timeout"), ("01004", "truncated"), ("40", "conflict"),
    ("22021", "encoding"), ("42P01", "missing"),
    ("42703", "missing"), ("3F000", "missing"), ("42883", "missing"), ("42S02", "missing"),
    ("42S22", "missing"), ("42704", "missing"), ("42501", "privilege"), ("42502", "privilege"),
    ("42601", "typo"), ("42", "typo"), ("37000", "typo"), ("S0", "typo"),
    ("25006", "write"), ("22", "data"),
)  # fmt: skip

NUMBERS: dict[str, dict[Meaning, Container[int]]] = {
    "mysql": {
        "login": (1044, 1045, 1130, 1251, 1698, 1862, 1820),
        "database": (1049,),
        "tls": (2026, 3159),
        "lost": (1053, 1040, 1158, 1159, 1160, 1161, 1927, 2002, 2003, 2005, 2006, 2013, 2055),
        "timeout": (1317, 1205, 1969, 3024),
        "missing": (1146, 1054, 1305, 1109),
        "privilege": (1142, 1143, 1227, 1370),
        "typo": (1064, 1052, 1055, 1060, 1248, 1222),
        "write": (1792, 1290),
        "truncated": (1260, 1301, 1406),
        "conflict": (1213, 1412),  # 1412: the table was emptied or altered after the snapshot
        "other": (1105, 1644),  # what a function makes up: its text may quote a row
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
        "conflict": (1555, 8177, 1410, 1466, 8103),
        "truncated": (1406, 22835),
    },
    "mssql": {
        "login": (18456, 18452, 18470, 18487, 18488),
        "database": (4060,),
        "missing": (208, 207, 2812, 4121),
        "privilege": (229, 230, 916),
        "typo": (102, 156, 105, 170, 209, 8156),
        "timeout": (1222, 3617),
        "write": (3906,),
        "conflict": (1205, 3960, 3961),
        "other": range(50_000, 2**31),  # what a procedure makes up
    },
    "snowflake": {
        "login": (250001, 251005, 390100, 390101, 390144),
        "lost": (250003, 250005, 290404),
        "timeout": (630, 604, 603),
        "missing": (2003, 904, 2043),
        "privilege": (3001,),
        "typo": (1003,),
    },
    # What SQLSTATE 08 also says of a login and of a database that is not there
    "db2": {"login": (30082, 1060, 1403, 30061, 1013), "lost": (30081, 1336, 1224, 1032, 1040)},
    "h2": {"database": (90013, 90146), "privilege": (90096,), "write": (90097,)},
}
NUMBERS |= {"mariadb": NUMBERS["mysql"], "sqlserver": NUMBERS["mssql"]}


@dataclass(frozen=True, slots=True)
class Code:
    """An error's code as text, such as `SQLSTATE 42P01`, and its meaning."""

    text: str
    meaning: Meaning


def code_of(error: Exception, engine: str) -> Code:
    """Returns the code that `error` carries, and what it means."""
    text = str(error)
    state = getattr(error, "sqlstate", None) or odbc_state(error) or _db2(error, "SQLSTATE")
    number = _number(error, engine)
    meaning = meaning_of(engine, state, number)
    if engine in {"sqlite", "duckdb"}:
        return _of_embedded(error, text)
    if meaning in {None, "lost"}:
        meaning = _meaning_of_text(text, engine) or meaning
    code = f"SQLSTATE {state}" if state else ""
    if number is not None and engine in NUMBERS:
        code = f"{code}, {_vendor(engine, text)} {number}".removeprefix(", ")
    reason = _NETWORK.search(text)
    name = reason.group().lower() if reason else type(error).__name__
    own_name = getattr(error, "error_name", None)  # Trino's, such as COLUMN_NOT_FOUND
    name = own_name if isinstance(own_name, str) and own_name.isascii() else name
    name = "FATAL" if fatal_text(text) else name
    return Code(code or name, meaning or _meaning_of_type(error))


def _vendor(engine: str, text: str) -> str:
    if engine != "oracle":
        return "error"
    return "ORA" if "ORA-" in text else "DPY"


_NETWORK = re.compile(
    "connection refused|no route to host|network is unreachable|timed out|timeout expired|"
    "connection reset|closed the connection unexpectedly|invalid response to SSL negotiation",
    re.IGNORECASE,
)
"""Why there is no connection, where that has no code: the system's or libpq's text."""
_UNKNOWN_HOST = re.compile(
    r"translate host name|resolve host|getaddrinfo|Name or service not known|Unknown .*server host",
    re.IGNORECASE,
)
"""A driver's text for a name that no name server knows."""
_PASSING = re.compile("starting up|shutting down|recovery|too many|reserved|remaining|terminating")
"""What a PostgreSQL says that will let us in later."""


def fatal_text(text: str) -> str:
    """Returns what a PostgreSQL server says where it lets nobody in: libpq has no code for it."""
    match = re.search(r"FATAL: +(.+)", text)
    return match.group(1) if match else ""


def _meaning_of_text(text: str, engine: str) -> Meaning | None:
    """Finds a meaning where there is no code, or one for any login that fails."""
    fatal = fatal_text(text) if engine in {"postgresql", ""} else ""
    if _UNKNOWN_HOST.search(text):
        return "host"
    if re.search("database .* does not exist", fatal):
        return "database"
    if fatal:
        return "lost" if _PASSING.search(fatal) else "login"
    return None


def meaning_of(engine: str, state: str | None, number: int | None) -> Meaning | None:
    """Returns what a SQLSTATE and a vendor's number mean; the number decides where it is known.

    Args:
        engine: the database's kind, `mysql` or `sqlserver` say.
        state: five characters; None or empty where the driver has none.
        number: the vendor's own; of either sign, None where there is none.
    """
    return _meaning_of_number(number, engine) or _meaning_of_state(state)


def _meaning_of_state(state: str | None) -> Meaning | None:
    if not state:
        return None
    known = [(len(code), meaning) for code, meaning in SQLSTATES if state.startswith(code)]
    return max(known)[1] if known else "other"


def _meaning_of_number(number: int | None, engine: str) -> Meaning | None:
    for meaning, numbers in NUMBERS.get(engine, {}).items():
        if number is not None and abs(number) in numbers:
            return meaning
    return None


def _meaning_of_type(error: Exception) -> Meaning:
    """Finds a meaning without a code: what never reached the server, or was cut off from it."""
    if isinstance(error, UnicodeError):
        return "data"
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "ProgrammingError" in kinds:  # PEP 249: what is wrong with the statement
        return "typo"
    return "lost" if isinstance(error, OSError) or _is_connection_text(str(error)) else "other"


def _of_embedded(error: Exception, text: str) -> Code:
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    meanings: tuple[tuple[str, Meaning], ...] = (
        ("interrupt", "timeout"), ("no such", "missing"), ("Catalog Error", "missing"),
        ("Referenced column", "missing"), ("readonly", "write"), ("read-only", "write"),
        ("syntax error", "typo"), ("unable to open", "lost"), ("Cannot open file", "lost"),
        ("not a database", "database"), ("not a valid DuckDB", "database"),
        ("Conversion Error", "data"), ("Invalid Input Error", "data"),
        ("ambiguous", "typo"), ("Binder Error", "typo"), ("malformed", "data"),
    )  # fmt: skip
    for part, meaning in meanings:
        if part.lower() in text.lower():
            return Code(name, meaning)
    return Code(name, "other")


def odbc_state(error: Exception) -> str | None:
    """Returns the SQLSTATE of an error of pyodbc's; None for another driver's."""
    first = error.args[0] if error.args else None
    is_state = isinstance(first, str) and re.fullmatch(r"[0-9A-Z]{5}", first)
    return first if is_state else None


def _db2(error: Exception, name: str) -> str | None:
    """Returns what IBM's driver ends its text with: `SQLSTATE=08001 SQLCODE=-30081`."""
    match = re.search(rf"{name}=-?(\w+)", str(error.args[0])) if error.args else None
    return match.group(1) if match else None


def _number(error: Exception, engine: str) -> int | None:
    first = error.args[0] if error.args else None
    if isinstance(first, int) and not isinstance(error, OSError):
        return first
    full = re.search(r"ORA-(\d{5})|DPY-(\d{4})", str(error)) if engine == "oracle" else None
    if full:
        return int(full.group(1) or full.group(2))
    if odbc_state(error):
        # The first of several complaints is the cause; its number comes after its text.
        numbers = re.findall(r"\((-?\d{1,7})\)", str(error.args[-1]).split("; [")[0])
        return int(numbers[-1]) if numbers else None
    sqlcode = _db2(error, "SQLCODE")
    if sqlcode:
        return int(sqlcode)
    code = getattr(error, "errno", None)
    return code if isinstance(code, int) and engine == "snowflake" else None


def _is_connection_text(text: str) -> bool:
    return bool(
        re.search(
            r"connection|connect to|server closed|resolve|timeout expired|"
            r"\bSSL\b",
            text,
            re.IGNORECASE,
        )
    )

"""A query's text cut into what is SQL and what is a literal, a quoted name or a comment."""

import re
from collections.abc import Iterator
from typing import Literal

Part = Literal["sql", "literal", "name", "comment"]

EXECUTED = ("/*!", "/*M!")
"""How a comment begins that MySQL and MariaDB execute."""

TSQL = {"mssql", "jtds", "sybase"}
"""Whose names stand in brackets, and whose statements need no semicolon between them."""

_BACKSLASHED = {"mysql": "'\"", "mariadb": "'\"", "databricks": "'\"", "snowflake": "'"}
"""The quotes within which a backslash escapes."""

_DOLLARED = {
    "postgresql": r"(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?",
    "duckdb": r"(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?",
    "redshift": r"\w*",
    "snowflake": "",
    "h2": "",
}
"""What may stand between the dollars that open a literal."""

_MYSQL = {"mysql", "mariadb"}
_COMMENTS = {
    **dict.fromkeys(_MYSQL, r"#|--(?=[\x00-\x20\x7f]|\Z)"),  # to MySQL, 5--1 is 6
    **dict.fromkeys(("h2", "snowflake"), "--|//"),
}
"""What opens a comment to the line's end."""

_NOT_IN_A_NAME = r"(?<![\w$\x80-\U0010ffff])"
_Q_QUOTED = r"(?<![\w$#])[nN]?[qQ]'(?:\[.*?\]|\{.*?\}|<.*?>|\(.*?\)|(?P<q>[^\s\[{<(]).*?(?P=q))'"

Parts = list[tuple[Part, str]]


def parts_of(text: str, engine: str) -> Iterator[tuple[Part, str]]:
    """Cuts `text` into parts, in order; joined they are `text`. `engine` says how it quotes."""
    yield from _cut(text, engine, _BACKSLASHED.get(engine, ""))


def readings_of(text: str, engine: str) -> list[Parts]:
    """Cuts `text` in every way that a server may take it: MySQL's go by their `sql_mode`."""
    escaped = _BACKSLASHED.get(engine, "")
    quotes = [escaped, "'", ""] if engine in _MYSQL and "\\" in text else [escaped]
    return [list(_cut(text, engine, escaped)) for escaped in quotes]


def _cut(text: str, engine: str, escaped: str) -> Iterator[tuple[Part, str]]:
    at = 0
    for quoted in _quoted(engine, escaped).finditer(text):
        if quoted.start() > at:
            yield "sql", text[at : quoted.start()]
        kind: Part = "literal"
        if quoted.lastgroup in {"name", "comment"}:
            kind = "name" if quoted.lastgroup == "name" else "comment"
        yield kind, quoted.group()
        at = quoted.end()
    if at < len(text):
        yield "sql", text[at:]


def bare(parts: Parts, engine: str) -> str:
    """Writes the parts for a parser: no comments, every literal '0', names of plain letters."""
    made = []
    for kind, part in parts:
        if kind == "comment":
            made.append(" ")
        elif kind == "literal":
            made.append("'0'")
        elif kind == "name":
            made.append(quoted_name(re.sub(r"\W", "_", part[1:-1]), engine))
        else:
            made.append(part.replace("--", "- -"))
    return "".join(made)


def without_end(text: str, engine: str) -> str:
    """Takes off the semicolons, blanks and comments that end `text`."""
    parts = list(parts_of(text, engine))
    while parts:
        kind, last = parts.pop()
        if kind == "comment" and not last.startswith(EXECUTED):
            continue
        kept = last.rstrip("; \t\r\n\f") if kind == "sql" else last
        if kept:
            parts.append((kind, kept))
            break
    return "".join(part for _, part in parts).lstrip()


def quoted_name(name: str, engine: str) -> str:
    """Writes `name` as the name of a column, in the very case in which it is written."""
    first, last = ("[", "]") if engine == "mssql" else ('"', '"')
    if engine in {"mysql", "mariadb", "databricks"}:
        first = last = "`"
    return f"{first}{name.replace(last, last * 2)}{last}"


def _quoted(engine: str, escaped: str) -> re.Pattern[str]:
    literals = [_between("'", escaped)]
    names = [] if engine in {"postgresql", "duckdb"} else [r"`(?:[^`]|``)*`"]
    (literals if '"' in escaped else names).append(_between('"', escaped))
    if engine in {"postgresql", "redshift"}:
        literals.insert(0, _NOT_IN_A_NAME + "[eE]" + _between("'", "'"))
    if engine == "databricks":
        literals.insert(0, rf"{_NOT_IN_A_NAME}[rR](?:'[^']*'|\"[^\"]*\")")
    if engine == "oracle":
        literals.insert(0, _Q_QUOTED)
    if engine in _DOLLARED:
        tag = _DOLLARED[engine]
        literals.append(rf"{_NOT_IN_A_NAME}\$(?P<tag>{tag})\$.*?\$(?P=tag)\$")
    if engine in TSQL:
        names.append(r"\[(?:[^\]]|\]\])*\]")
    begin = _COMMENTS.get(engine, "--")
    return re.compile(
        rf"(?P<comment>(?:{begin})[^\n]*|/\*.*?\*/)|(?P<name>{'|'.join(names)})"
        f"|(?P<literal>{'|'.join(literals)})",
        re.DOTALL,
    )


def _between(quote: str, escaped: str) -> str:
    if quote in escaped:
        return rf"{quote}(?:\\.|{quote}{quote}|[^{quote}\\])*{quote}"
    return f"{quote}(?:[^{quote}]|{quote}{quote})*{quote}"

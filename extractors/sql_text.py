"""A query's text cut into what is SQL and what is a literal, a quoted name or a comment."""

import re
from collections.abc import Iterator
from typing import Literal

Part = Literal["sql", "literal", "name", "comment"]

EXECUTED = ("/*!", "/*M!")
"""How a comment begins that MySQL and MariaDB execute."""

_BACKSLASHED = {"mysql", "mariadb", "snowflake", "databricks"}
_DOLLARED = {"postgresql", "snowflake", "duckdb"}


def parts_of(text: str, engine: str) -> Iterator[tuple[Part, str]]:
    """`text` in parts, in order; joined they are `text` again. `engine` says how it quotes."""
    at = 0
    for found in _quoted(engine).finditer(text):
        if found.start() > at:
            yield "sql", text[at : found.start()]
        kind: Part = "literal"
        if found.lastgroup in {"name", "comment"}:
            kind = "name" if found.lastgroup == "name" else "comment"
        yield kind, found.group()
        at = found.end()
    if at < len(text):
        yield "sql", text[at:]


def without_end(text: str, engine: str) -> str:
    """`text` without the semicolons, blanks and comments that end it."""
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
    """`name` as the name of a column, in the very case in which it is written."""
    first, last = ("[", "]") if engine == "mssql" else ('"', '"')
    if engine in {"mysql", "mariadb", "databricks"}:
        first = last = "`"
    return f"{first}{name.replace(last, last * 2)}{last}"


def _quoted(engine: str) -> re.Pattern[str]:
    plain = r"'(?:[^']|'')*'"
    backslashed = r"'(?:\\.|''|[^'\\])*'"
    literals = [backslashed if engine in _BACKSLASHED else plain]
    if engine == "postgresql":
        literals.insert(0, r"\b[eE]" + backslashed)
    dollared = r"|\$(?P<tag>[A-Za-z_]\w*|)\$.*?\$(?P=tag)\$" if engine in _DOLLARED else ""
    names = [r'"(?:[^"]|"")*"', r"`(?:[^`]|``)*`"]
    if engine == "mssql":
        names.append(r"\[(?:[^\]]|\]\])*\]")
    comments = [r"--[^\n]*", r"/\*.*?\*/"]
    if engine in {"mysql", "mariadb"}:
        comments.append(r"#[^\n]*")
    return re.compile(
        f"(?P<comment>{'|'.join(comments)})|(?P<name>{'|'.join(names)})"
        f"|(?P<literal>{'|'.join(literals)}{dollared})",
        re.DOTALL,
    )

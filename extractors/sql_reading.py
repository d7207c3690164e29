"""Whether a statement only reads: judged before it is sent, by its syntax tree or its words."""

import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from extractors.sql_text import EXECUTED, parts_of

DIALECTS = {
    "postgresql": "postgres",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "tsql",
    "oracle": "oracle",
    "snowflake": "snowflake",
    "databricks": "databricks",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
}
"""What sqlglot calls each engine; of others it reads what they have in common."""

_QUERIES = {"SELECT", "WITH", "VALUES", "TABLE", "FROM"}
_SHOWING = {"SHOW", "EXPLAIN", "DESCRIBE", "DESC"}
_PROCEDURES = {"CALL", "EXEC", "EXECUTE", "BEGIN", "DECLARE"}
_WRITES = {
    "INSERT", "UPDATE", "DELETE", "MERGE", "UPSERT", "INTO", "CREATE", "DROP", "ALTER", "TRUNCATE",
    "GRANT", "REVOKE", "COPY", "CALL", "EXEC", "EXECUTE", "LOCK", "UNLOAD", "ANALYZE", "ANALYSE",
    "DO", "COMMIT", "ROLLBACK", "VACUUM", "ATTACH", "HANDLER", "LOAD", "OUTFILE", "DUMPFILE",
}  # fmt: skip
_TSQL_WRITES = {
    "INSERT", "UPDATE", "DELETE", "MERGE", "DROP", "CREATE", "ALTER", "TRUNCATE", "EXEC", "EXECUTE",
    "GRANT", "REVOKE", "DENY", "INTO", "BACKUP", "RESTORE", "WRITETEXT", "UPDATETEXT", "KILL",
    "SHUTDOWN", "RECONFIGURE", "DBCC", "USE", "WAITFOR",
}  # fmt: skip
"""Reserved words of T-SQL: no name of a read is one of these unless it is quoted."""

_WRITING_NODES = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter,
    exp.TruncateTable, exp.Copy, exp.Into, exp.Lock, exp.Command, exp.Set, exp.Execute,
)  # fmt: skip


def first_word(text: str, engine: str) -> str:
    """The first word of the statement, in capitals; empty where there is none."""
    words = _words(text, engine)
    return words[0] if words else ""


def is_query(text: str, engine: str) -> bool:
    """Whether it is a SELECT or its like, so that it can stand in another as a subquery."""
    return first_word(text, engine) in _QUERIES


def is_procedure(text: str, engine: str) -> bool:
    """Whether it calls a procedure or is a block of statements: what it does cannot be seen."""
    return first_word(text, engine) in _PROCEDURES


def why_not_a_read(text: str, engine: str) -> str | None:
    """What makes `text` more than one reading statement; None where nothing does.

    Placeholders are values by then. A procedure is not judged here.
    """
    problem = _beginning(text, engine)
    if problem or first_word(text, engine) in _SHOWING:
        return problem or _by_words(text, engine)
    trees: list[exp.Expr | None] = []
    try:
        trees = list(sqlglot.parse(text, read=DIALECTS.get(engine)))
    except (SqlglotError, RecursionError):
        return _by_words(text, engine)
    return _by_trees([tree for tree in trees if tree is not None])


def is_ordered(text: str, engine: str) -> bool:
    """Whether it ends in an ORDER BY of its own; true where that cannot be told."""
    try:
        tree = sqlglot.parse_one(text, read=DIALECTS.get(engine))
    except (SqlglotError, RecursionError):
        return True
    return tree.args.get("order") is not None


def _beginning(text: str, engine: str) -> str | None:
    """What its words and comments alone give away."""
    word = first_word(text, engine)
    if not word:
        return "is no statement"
    if any(part.startswith(EXECUTED) for kind, part in parts_of(text, engine) if kind == "comment"):
        return "has a comment that the server would run (/*! … */)"
    if word not in _QUERIES | _SHOWING:
        return f"begins with {word}, which is no read"
    run_on = sorted(_TSQL_WRITES & set(_words(text, engine))) if engine == "mssql" else []
    if run_on:
        # T-SQL needs no semicolon between two statements, and sqlglot takes the second for a name.
        return f"has the word {run_on[0]}; write a name of that kind in brackets"
    return None


def _by_trees(trees: list[exp.Expr]) -> str | None:
    if len(trees) != 1:
        return f"is {len(trees)} statements; give one"
    if not isinstance(trees[0], exp.Query | exp.Values | exp.Table):
        return f"is a statement of type {type(trees[0]).__name__}, which is no read"
    for node in trees[0].walk():
        if isinstance(node, exp.Lock):
            return "locks rows (FOR UPDATE or its like)"
        if isinstance(node, exp.Into):
            return "writes its rows somewhere (INTO)"
        if isinstance(node, _WRITING_NODES):
            return f"has a part that writes ({type(node).__name__.upper()})"
    return None


def _by_words(text: str, engine: str) -> str | None:
    """For what cannot be parsed: no second statement, and no word that a write could need."""
    if ";" in _without_literals(text, engine):
        return "is more than one statement; give one"
    words = _words(text, engine)
    for before, word in zip(["", *words], words, strict=False):
        if word in _WRITES or (before, word) in {("FOR", "UPDATE"), ("FOR", "SHARE")}:
            return f"could not be parsed, and the word {word} may be a write"
    return None


def _words(text: str, engine: str) -> list[str]:
    bare = " ".join(part for kind, part in parts_of(text, engine) if kind == "sql")
    return re.findall(r"[A-Z_]\w*", bare.upper())


def _without_literals(text: str, engine: str) -> str:
    return "".join(part for kind, part in parts_of(text, engine) if kind in {"sql", "comment"})

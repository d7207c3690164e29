"""Whether a statement only reads: judged before it is sent, by its words or its syntax tree."""

import re

from extractors.sql_text import EXECUTED, parts_of

_QUERIES = {"SELECT", "WITH", "VALUES", "TABLE", "FROM"}
_SHOWING = {"SHOW", "EXPLAIN", "DESCRIBE", "DESC"}
_PROCEDURES = {"CALL", "EXEC", "EXECUTE", "BEGIN", "DECLARE"}
_WRITES = {
    "INSERT", "UPDATE", "DELETE", "MERGE", "UPSERT", "INTO", "CREATE", "DROP", "ALTER", "TRUNCATE",
    "GRANT", "REVOKE", "COPY", "CALL", "EXEC", "EXECUTE", "LOCK", "UNLOAD", "ANALYZE", "ANALYSE",
    "DO", "COMMIT", "ROLLBACK", "VACUUM", "ATTACH", "HANDLER", "LOAD", "OUTFILE", "DUMPFILE",
    "LOCKS",
}  # fmt: skip
_TSQL_WRITES = {
    "INSERT", "UPDATE", "DELETE", "MERGE", "DROP", "CREATE", "ALTER", "TRUNCATE", "EXEC", "EXECUTE",
    "GRANT", "REVOKE", "DENY", "INTO", "BACKUP", "RESTORE", "WRITETEXT", "UPDATETEXT", "KILL",
    "SHUTDOWN", "RECONFIGURE", "DBCC", "USE", "WAITFOR",
}  # fmt: skip
"""Reserved words of T-SQL: no name of a read is one of these unless it is quoted."""


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
    if _is_plain(text, engine):
        return None
    from extractors.sql_trees import why_no_read_by_tree

    judged, problem = why_no_read_by_tree(text, engine)
    return problem if judged else _by_words(text, engine)


def _is_plain(text: str, engine: str) -> bool:
    """Whether it is a lone SELECT without any word that a write, a lock or an INTO needs.

    Most are; sqlglot takes longer to load than they take to be judged.
    """
    words = set(_words(text, engine))
    return (
        first_word(text, engine) == "SELECT"
        and not words & (_WRITES | _TSQL_WRITES | {"FOR", "WITH", "SET"})
        and ";" not in _without_literals(text, engine)
    )


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

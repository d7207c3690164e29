"""Whether a statement only reads: judged before it is sent, by its words or its syntax tree."""

import re
from itertools import pairwise

from extractors.sql.statements.lexer import EXECUTED, TSQL, Parts, bare, parts_of, readings_of

_QUERIES = {"SELECT", "WITH", "VALUES", "TABLE", "FROM"}
_QUERIES_OF = {"duckdb": {"PIVOT", "UNPIVOT", "SUMMARIZE"}}
_SHOWING = {"SHOW", "EXPLAIN", "DESCRIBE", "DESC"}
_CALLS = {"CALL", "EXEC", "EXECUTE"}
_BLOCKS = {"BEGIN", "DECLARE"}
_HAVE_BLOCKS = {"oracle", "db2", "mariadb", "snowflake", "databricks", *TSQL}
"""Elsewhere BEGIN begins a transaction, and DECLARE a cursor."""

_KEEPS_EXPLAINED = {"oracle", "db2"}
"""Where EXPLAIN writes the plan into a table."""

_WRITES = {
    "INSERT", "UPDATE", "DELETE", "MERGE", "UPSERT", "INTO", "CREATE", "DROP", "ALTER", "TRUNCATE",
    "GRANT", "REVOKE", "COPY", "CALL", "EXEC", "EXECUTE", "LOCK", "UNLOAD", "ANALYZE", "ANALYSE",
    "DO", "COMMIT", "ROLLBACK", "VACUUM", "ATTACH", "HANDLER", "LOAD", "OUTFILE", "DUMPFILE",
    "LOCKS",
}  # fmt: skip
_TSQL_WRITES = {
    "INSERT", "UPDATE", "DELETE", "MERGE", "DROP", "CREATE", "ALTER", "TRUNCATE", "EXEC", "EXECUTE",
    "GRANT", "REVOKE", "DENY", "INTO", "BACKUP", "RESTORE", "WRITETEXT", "UPDATETEXT", "KILL",
    "SHUTDOWN", "RECONFIGURE", "DBCC", "USE", "WAITFOR", "SET", "REVERT", "SETUSER", "BEGIN",
    "COMMIT", "ROLLBACK", "SAVE", "TRAN", "TRANSACTION", "CHECKPOINT", "TRIGGER", "DECLARE", "IF",
    "WHILE", "GOTO", "RETURN", "PRINT", "RAISERROR", "OPEN", "CLOSE", "DEALLOCATE", "BULK", "LOAD",
    "DUMP", "RECEIVE", "CONVERSATION", "UPDLOCK", "XLOCK", "TABLOCKX",
}  # fmt: skip
"""Words of T-SQL that begin a statement, or lock: no name of a read is one unless it is quoted."""

_TSQL_WORD = re.compile(r"\d[\w.]*|(?:[^\W\d]|[@#])[\w@#$]*(?:\.+[^\W\d][\w@#$]*)*")
_TSQL_NUMBER = re.compile(r"0X[0-9A-F]*|\d+\.?\d*(?:E\d*)?")
_FILE = re.compile(r"\b(?:OUTFILE|DUMPFILE)\b")
_SEQUENCE = re.compile(r"\bNEXTVAL\b|\bNEXT VALUE FOR\b")
_LINKED = re.compile(r"->>[\s(]*(\w*)")
_UNCLEAR_END = re.compile(r"\r(?=[^\n])|\\\r?\Z")


def first_word(text: str, engine: str) -> str:
    """Returns the first word of the statement, in capitals; empty where there is none."""
    return _first(_words(list(parts_of(text, engine))))


def is_query(text: str, engine: str) -> bool:
    """Whether it is a SELECT or its like, so that it can stand in another as a subquery."""
    return first_word(text, engine) in _queries(engine)


def is_procedure(text: str, engine: str) -> bool:
    """Whether it calls a procedure or is a block of statements: what it does cannot be seen."""
    return first_word(text, engine) in _CALLS | _BLOCKS


def why_not_a_read(text: str, engine: str) -> str | None:
    """Returns what makes `text` more than one reading statement; None where nothing does.

    Placeholders are values by then. What a procedure does is not judged, but that it is all there
    is.
    """
    first, *others = readings_of(text, engine)
    problem = _problem(first, engine)
    if problem or not others:
        return problem
    problem = next(filter(None, (_problem(parts, engine) for parts in others)), None)
    return problem and f"{problem} (if sql_mode makes a backslash no escape: write '' for \\')"


def _problem(parts: Parts, engine: str) -> str | None:
    words = _words(parts)
    problem = _beginning(_first(words), engine) or _anywhere(parts, engine)
    if problem or _first(words) in _BLOCKS:
        return problem
    problem = _second_statement(parts, engine) or _run_on(parts, engine)
    if problem or _first(words) in _CALLS:
        return problem
    if _first(words) in _SHOWING:
        return _by_words(words)
    return None if _is_plain(words) else _by_tree(parts, engine)


def _by_tree(parts: Parts, engine: str) -> str | None:
    from extractors.sql.statements.syntax import why_no_read_by_tree

    judged, problem = why_no_read_by_tree(bare(parts, engine), engine)
    return problem if judged else _by_words(_words(parts))


def _is_plain(words: list[str]) -> bool:
    """Whether it is a SELECT without any word that a write, a lock or an INTO needs.

    Most are; sqlglot takes longer to load than they take to be judged.
    """
    return words[0] == "SELECT" and not set(words) & (_WRITES | {"FOR", "WITH"})


def _beginning(word: str, engine: str) -> str | None:
    """Returns what its first word gives away."""
    if not word:
        return "is no statement"
    if word == "EXPLAIN" and engine in _KEEPS_EXPLAINED:
        return "begins with EXPLAIN, which writes the plan into a table here"
    blocks = _BLOCKS if engine in _HAVE_BLOCKS else set()
    if word not in _queries(engine) | _SHOWING | _CALLS | blocks:
        return f"begins with {word}, which is no read"
    return None


def _anywhere(parts: Parts, engine: str) -> str | None:
    """Returns what its comments, names and functions give away."""
    text = " ".join(_words(parts))
    comments = (_comment(part) for kind, part in parts if kind == "comment")
    problem = next(filter(None, comments), None)
    if problem:
        return problem
    if any(
        was.upper().endswith("U&") and kind == "name" for (_, was), (kind, _) in pairwise(parts)
    ):
        return 'has a name with escapes (U&"…"): write it plainly'
    if engine in {"mysql", "mariadb"} and _FILE.search(text):
        return "writes its rows into a file (INTO OUTFILE)"
    if engine != "postgresql" and _SEQUENCE.search(text):
        return "takes a number from a sequence (NEXTVAL), which moves it"
    function = writing_function(parts, engine)
    return f"calls {function}, which can do more than read" if function else None


def _comment(part: str) -> str | None:
    if part.startswith(EXECUTED):
        return "has a comment that the server would run (/*! … */)"
    if part.startswith("/*") and "/*" in part[2:]:
        return "has a comment with /* in it, which ends elsewhere for some servers: take it out"
    if not part.startswith("/*") and _UNCLEAR_END.search(part):
        return "has a comment whose line ends elsewhere for some servers: end it by a newline"
    return None


def _second_statement(parts: Parts, engine: str) -> str | None:
    text = bare(parts, engine)
    links = _LINKED.findall(text.upper()) if engine == "snowflake" else []
    if ";" in text or not {*links} <= _QUERIES | _SHOWING:
        return "is more than one statement; give one"
    return None


def _run_on(parts: Parts, engine: str) -> str | None:
    """Finds a second statement that no semicolon of T-SQL marks; sqlglot takes it for a name."""
    if engine not in TSQL:
        return None
    text, before = "", ""
    for kind, part in parts:
        # what stands behind the dot of a quoted name is a name, too
        is_named = before == "name" and part.startswith(".")
        text += f"_{part}" if is_named else part if kind == "sql" else " "
        before = kind
    words = _TSQL_WORD.findall(text.upper())
    for word in words[1:]:
        if word[0].isdigit() and not _TSQL_NUMBER.fullmatch(word):
            return "has a number that runs on into a word: put a blank between"
        if word.split(".")[0] in _TSQL_WRITES:
            return f"has the word {word}; write a name of that kind in brackets"
    return None


def _by_words(words: list[str]) -> str | None:
    """Finds, in what cannot be parsed, a word that a write could need."""
    for before, word in zip(["", *words], words, strict=False):
        if word in _WRITES or (before, word) in {("FOR", "UPDATE"), ("FOR", "SHARE")}:
            return f"could not be parsed, and the word {word} may be a write"
    return None


def _queries(engine: str) -> set[str]:
    return _QUERIES | _QUERIES_OF.get(engine, set())


def _words(parts: Parts) -> list[str]:
    text = " ".join(part for kind, part in parts if kind == "sql")
    return re.findall(r"[A-Z_]\w*", text.upper())


def _first(words: list[str]) -> str:
    return words[0] if words else ""


# Functions that do more than read, though they stand in a SELECT: a short list by engine.

_MYSQL = r"SYS_EXEC|SYS_EVAL|SYS_SET"
_TSQL = r"OPENQUERY|OPENROWSET|OPENDATASOURCE|XP_CMDSHELL|SP_EXECUTESQL|SP_OACREATE"
_WRITING = {
    "postgresql": (
        r"DBLINK\w*|LO_(?:IMPORT|EXPORT|CREATE?|UNLINK|PUT|FROM_BYTEA|TRUNCATE(?:64)?)|LOWRITE"
        r"|PG_(?:TERMINATE|CANCEL)_BACKEND|PG_RELOAD_CONF|PG_ROTATE_LOGFILE\w*|PG_PROMOTE"
        r"|PG_SWITCH_(?:WAL|XLOG)|PG_CREATE_\w+|PG_(?:BACKUP_)?(?:START|STOP)(?:_BACKUP)?"
        r"|PG_WAL_REPLAY_\w+|PG_(?:DROP|ADVANCE|COPY)_\w+|PG_REPLICATION_\w+"
        r"|PG_LOGICAL_(?:SLOT_GET|EMIT)\w+|PG_STAT_(?:STATEMENTS_)?RESET\w*"
        r"|PG_FILE_(?:WRITE|RENAME|UNLINK|SYNC)"
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": r"LOAD_EXTENSION|WRITEFILE|EDIT",
    "duckdb": r"\w+_(?:EXECUTE|ATTACH)",
    "h2": r"FILE_WRITE|CSVWRITE|LINK_SCHEMA|(?:ABORT|CANCEL)_SESSION",
    "databricks": r"JAVA_METHOD|(?:TRY_)?REFLECT|HTTP_REQUEST",
    "snowflake": r"SYSTEM\$(?!TYPEOF$)\w+",
    **dict.fromkeys(TSQL, _TSQL),
}
_ALL = "|".join(dict.fromkeys(_WRITING.values()))
_CALLED = re.compile(r"([\w$]+)\s*\(")
_HAVE_PACKAGES = {"oracle", "db2"}
_PACKAGES = re.compile(
    r"(?<![\w$#])(?!(?:DBMS_(?:LOB|RANDOM|METADATA|CRYPTO|XMLGEN|ROWID|ASSERT|XPLAN)"
    r"|UTL_(?:RAW|I18N|ENCODE|MATCH|URL))\b)(?:DBMS|UTL)_\w+(?=\s*\.)"
)


def writing_function(parts: Parts, engine: str) -> str | None:
    """Finds the first function or package that can do more than read; None without one.

    Of an engine that is not known, every function of the list is one.
    """
    text = "".join(_plain(kind, part) for kind, part in parts).upper()
    if engine in _HAVE_PACKAGES:
        package = _PACKAGES.search(text)
        return package.group() if package else None
    writing = re.compile(_WRITING.get(engine, _ALL))
    return next((name for name in _CALLED.findall(text) if writing.fullmatch(name)), None)


def _plain(kind: str, part: str) -> str:
    if kind == "name":
        return re.sub(r"\W", "_", part[1:-1])
    return part if kind == "sql" else " "

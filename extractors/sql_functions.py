"""Functions that do more than read, though they stand in a SELECT: a short list by engine."""

import re

from extractors.sql_text import TSQL, Parts

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
    """The first function or package in a query that can do more than read; None without one.

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

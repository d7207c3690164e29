"""What a statement's syntax tree says of it, by sqlglot."""

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from extractors.sql_text import bare, parts_of

logging.getLogger("sqlglot").setLevel(logging.CRITICAL + 1)  # it logs texts it cannot parse

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

_READING_NODES = (exp.Query, exp.Values, exp.Table, exp.Pivot, exp.Summarize)
_WRITING_NODES = (
    exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Alter,
    exp.TruncateTable, exp.Copy, exp.Into, exp.Lock, exp.Command, exp.Set, exp.Execute,
)  # fmt: skip


def why_no_read_by_tree(text: str, engine: str) -> tuple[bool, str | None]:
    """Whether it can be parsed; and what makes it more than one reading statement, if anything."""
    trees: list[exp.Expr | None] = []
    try:
        trees = list(sqlglot.parse(text, read=DIALECTS.get(engine)))
    except (SqlglotError, RecursionError):
        return False, None
    return True, _by_trees([tree for tree in trees if tree is not None])


def is_ordered(text: str, engine: str) -> bool:
    """Whether it ends in an ORDER BY of its own; true where that cannot be told."""
    text = bare(list(parts_of(text, engine)), engine)
    try:
        tree = sqlglot.parse_one(text, read=DIALECTS.get(engine))
    except (SqlglotError, RecursionError):
        return True
    return tree.args.get("order") is not None


def _by_trees(trees: list[exp.Expr]) -> str | None:
    if len(trees) != 1:
        return f"is {len(trees)} statements; give one"
    if not isinstance(trees[0], _READING_NODES):
        return f"is a statement of type {type(trees[0]).__name__}, which is no read"
    for node in trees[0].walk():
        if isinstance(node, exp.Lock):
            return "locks rows (FOR UPDATE or its like)"
        if isinstance(node, exp.Into):
            return "writes its rows somewhere (INTO)"
        if isinstance(node, _WRITING_NODES):
            return f"has a part that writes ({type(node).__name__.upper()})"
    return None

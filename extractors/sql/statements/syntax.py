"""What a statement's syntax tree says of it, by sqlglot."""

import logging
import re

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from extractors.sql.statements.lexer import bare, parts_of

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


# Whether a query's rows lie in the same part each time it is asked, by its syntax tree.

_UNSTABLE_NODES: dict[type[exp.Expr], str] = {
    exp.Window: "a window function (OVER)",
    exp.Limit: "a LIMIT or a TOP",
    exp.Fetch: "a FETCH",
    exp.Offset: "an OFFSET",
    exp.TableSample: "a sample of a table",
    exp.Parameter: "a variable",
}
_UNSTABLE_FUNCTION = re.compile(
    r"(^|_)rand|^(?!uuid_to_|guidto).*(?<!to_)(uuid|guid)|newid|newsequentialid|next_?val|clock|timeofday|^seq\d|increasing_id"
    r"|^(now|today|curdate|curtime)$"
    r"|^(current|local|utc|sys|sysutc|get|getutc|get_current|statement|transaction)_?(date|time)"
)
_UNSTABLE_COLUMNS = {"rownum", "nextval", "current"}
"""What is no column, though sqlglot takes it for one: Oracle's, and DB2's CURRENT TIMESTAMP."""


def why_no_parts(text: str, engine: str, column: str) -> str | None:
    """Returns what may put a row into another part when it is read again; None for nothing.

    A row whose part changes while the parts are read is in none, or in two. So `column` has to be
    one of a table, as it is stored, and which rows there are may not depend on chance or order.
    """
    try:
        tree = sqlglot.parse_one(text, read=DIALECTS.get(engine))
    except (SqlglotError, RecursionError):
        return "could not be parsed, so nothing tells that its parts stay as they are"
    for node in tree.walk():
        cause = _instability(node)
        if cause:
            return f"has {cause}, so a row may be in another part each time"
    if _is_stored(tree, column):
        return None
    return f"has no column {column} as a table holds it: a computed one may differ each time"


def _instability(node: exp.Expr) -> str | None:
    name = node.name.lower()
    if isinstance(node, exp.Distinct) and node.args.get("on") is not None:
        return "a DISTINCT ON"
    if isinstance(node, exp.Column) and name in _UNSTABLE_COLUMNS:
        is_one = bool(node.table) and name != "nextval"
        if not is_one and not node.this.args.get("quoted"):
            return name.upper()
    is_compared = isinstance(node.parent, exp.EQ | exp.NEQ | exp.In)
    if isinstance(node, exp.Literal) and node.is_string and name == "now" and not is_compared:
        return "the time 'now'"
    if isinstance(node, exp.Func):
        called = name if isinstance(node, exp.Anonymous) else node.sql_name().lower()
        if _UNSTABLE_FUNCTION.search(called):
            return f"the function {called.upper()}"
    return _UNSTABLE_NODES.get(type(node))


def _is_stored(tree: exp.Expr, column: str) -> bool:
    """Whether each SELECT of a UNION or its like has it as a mere column, or a constant."""
    selects = _selects(tree)  # none of VALUES, which are constants
    names = [part.alias_or_name.casefold() for select in selects[:1] for part in select.selects]
    place = names.index(column.casefold()) if column.casefold() in names else None
    for select in selects:
        has_star = any(part.is_star for part in select.selects)
        if place is None or (has_star and select is not selects[0]):
            stored = has_star
        else:
            selected = select.selects[place].unalias()
            stored = isinstance(selected, exp.Column | exp.Literal | exp.Null)
        if not stored:
            return False
    return True


def _selects(tree: exp.Expr) -> list[exp.Query]:
    """Lists the SELECTs that a UNION or its like is made of, from left to right; else the one."""
    if isinstance(tree, exp.SetOperation):
        return [*_selects(tree.left), *_selects(tree.right)]
    if isinstance(tree, exp.Subquery):
        return _selects(tree.this)
    return [tree] if isinstance(tree, exp.Query) else []

"""A query's text becomes one statement with its values bound."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.sql.statements.statement import Statement, can_be_nested, to_statement
from schemas.errors import ConfigError
from schemas.source_file.kinds.sql_source import Query

ENGINES = (
    "postgresql", "mysql", "mariadb", "mssql", "oracle", "snowflake", "databricks", "sqlite",
    "duckdb", "db2",
)  # fmt: skip


def made(text: str, engine: str = "postgresql", capability: str = "list_accounts") -> Statement:
    return to_statement(capability, Query(sql=text), Path(), engine)


def test_a_procedure_is_called_only_where_it_cannot_write_or_is_vouched_for() -> None:
    assert made("CALL accounts();", "postgresql").rendered("qmark") == "CALL accounts()"
    for engine in {*ENGINES} - {"postgresql"}:
        with pytest.raises(
            ConfigError, match=rf"{engine} has no transaction.*allow_procedures: true"
        ):
            made("CALL accounts()", engine)
    query = Query(sql="BEGIN accounts(); END;")
    vouched = to_statement("list_accounts", query, Path(), "oracle", allow_procedures=True)
    assert vouched.rendered("named") == "BEGIN accounts(); END;"


def test_values_are_bound_and_never_pasted() -> None:
    text = (
        "SELECT a, '{x}', \"{y}\" FROM b -- {z}\n"
        "WHERE c LIKE '%' AND at >= {since} AND at < '{until}'"
    )
    statement = made(text, capability="list_activity_records")
    assert statement.names == ("since", "until")
    known = {"since": 1, "until": 2, "account_id": 3}
    assert statement.rendered("qmark").endswith("LIKE '%' AND at >= ? AND at < ?")
    assert statement.rendered("dollar").endswith("at >= $1 AND at < $2")
    assert statement.rendered("pyformat").endswith("LIKE '%%' AND at >= %s AND at < %s")
    assert statement.rendered("named").endswith("at >= :since AND at < :until")
    assert statement.values("qmark", known) == [1, 2]
    assert statement.values("named", known) == {"since": 1, "until": 2}


def test_a_percent_sign_is_doubled_only_beside_values() -> None:
    assert made("SELECT a FROM b WHERE c LIKE 'x%'").rendered("pyformat").endswith("'x%'")


def test_a_placeholder_that_is_not_known_is_named() -> None:
    with pytest.raises(ConfigError, match=r"list_activity_records: \{now\} is not known here"):
        made("SELECT {now}", capability="list_activity_records")


def test_a_snapshot_takes_no_since_for_it_would_not_be_whole() -> None:
    with pytest.raises(ConfigError, match=r"\{acount_id\} is not known here"):
        made("SELECT a FROM b WHERE c = '{acount_id}'", capability="get_account")
    with pytest.raises(ConfigError, match=r"\{since\} is not known here; list_accounts has none"):
        made("SELECT a FROM b WHERE at > {since}")


def test_a_query_lies_in_a_file_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("\ufeffSELECT a FROM b;\n", "utf-8")
    statement = to_statement("list_accounts", Query(file="q.sql"), tmp_path, "sqlite")
    assert statement.rendered("qmark") == "SELECT a FROM b"
    assert statement.origin == "list_accounts (q.sql)"
    with pytest.raises(ConfigError, match="leads out of the workspace"):
        to_statement("list_accounts", Query(file="../q.sql"), tmp_path, "sqlite")
    with pytest.raises(ConfigError, match=r"\(no\.sql\): the file cannot be read: No"):
        to_statement("list_accounts", Query(file="no.sql"), tmp_path, "sqlite")


@settings(deadline=None)
@given(st.text(alphabet="ab';-\n {}", max_size=20), st.sampled_from(ENGINES))
def test_what_stands_in_a_literal_changes_nothing(inside: str, engine: str) -> None:
    literal = "'" + inside.replace("'", "''") + "x'"
    assert made(f"SELECT {literal} AS a", engine).rendered("qmark") == f"SELECT {literal} AS a"


@pytest.mark.parametrize(
    ("engine", "sql", "nests"),
    [
        ("postgresql", "WITH x AS (SELECT 1 AS a) SELECT a FROM x ORDER BY a", True),
        ("mssql", "SELECT a FROM b", True),
        ("mssql", "SELECT a FROM b ORDER BY a", False),
        ("mssql", "WITH x AS (SELECT 1 AS a) SELECT a FROM x", False),
        ("db2", "SELECT a FROM b", True),
        ("db2", "SELECT a FROM b WITH UR", False),
        ("db2", "SELECT a FROM b FOR FETCH ONLY", False),
        ("sqlite", "EXPLAIN SELECT 1", False),
    ],
)
def test_a_query_stands_in_another_where_its_database_lets_it(
    engine: str, sql: str, nests: bool
) -> None:
    assert can_be_nested(made(sql, engine), engine) is nests

"""A query's text becomes one reading statement with its values bound, or is refused unsent."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.sql_statements import Statement, to_statement
from extractors.sql_text import parts_of, without_end
from schemas.errors import ConfigError, SourceUnavailableError
from schemas.sql_source import Query

ENGINES = (
    "postgresql", "mysql", "mariadb", "mssql", "oracle", "snowflake", "databricks", "sqlite",
    "duckdb", "db2",
)  # fmt: skip


def made(text: str, engine: str = "postgresql", capability: str = "list_accounts") -> Statement:
    return to_statement(capability, Query(sql=text), Path(), engine)


READS = [
    "SELECT a FROM b",
    "select a from b;",
    "SELECT a FROM b ; ; -- done;\n",
    "/* delete */ SELECT 'DELETE FROM x; drop table y' AS \"insert\" FROM b",
    "WITH x AS (SELECT 1 AS a) SELECT * FROM x UNION ALL SELECT 2",
    "(SELECT 1) UNION (SELECT 2)",
    "SELECT id AS integration_specific_id, updated FROM deleted_users WHERE call_me = 'x'",
    "SELECT CASE WHEN a = 1 THEN 'x' ELSE 'y' END FROM b ORDER BY 1",
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", READS)
def test_a_read_is_sent_as_it_is_but_for_what_ends_it(text: str, engine: str) -> None:
    statement = made(text, engine)
    assert statement.is_query
    assert statement.rendered("qmark") == without_end(text, engine)
    assert not statement.rendered("qmark").endswith(";")


WRITES = [
    "INSERT INTO a VALUES (1)",
    "UPDATE a SET b = 1",
    "DELETE FROM a",
    "DROP TABLE a",
    "CREATE TABLE a AS SELECT 1",
    "TRUNCATE TABLE a",
    "MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE",
    "ALTER TABLE a ADD b int",
    "GRANT ALL ON a TO b",
    "SELECT 1; DROP TABLE a",
    "SELECT 1; SELECT 2",
    "COMMIT",
    "SET TRANSACTION READ WRITE",
    "",
    "-- nothing",
    "LOCK TABLE a",
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("text", WRITES)
def test_what_is_no_read_is_refused_before_it_is_sent(text: str, engine: str) -> None:
    with pytest.raises(ConfigError, match="list_accounts: only reads are sent"):
        to_statement("list_accounts", Query.model_construct(sql=text), Path(), engine)


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("postgresql", "WITH x AS (DELETE FROM a RETURNING *) SELECT * FROM x"),
        ("postgresql", "SELECT a INTO b FROM c"),
        ("postgresql", "SELECT a FROM b FOR UPDATE"),
        ("postgresql", "SELECT a FROM b FOR SHARE"),
        ("postgresql", "COPY a TO '/tmp/x'"),
        ("postgresql", "EXPLAIN ANALYZE DELETE FROM a"),
        ("postgresql", "DO $$ BEGIN DELETE FROM a; END $$"),
        ("mysql", "SELECT a FROM b INTO OUTFILE '/tmp/x'"),
        ("mysql", "SELECT a INTO @b FROM c"),
        ("mysql", "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */"),
        ("mysql", "/*M!100000 DELETE FROM a */ SELECT 1"),
        ("mysql", "HANDLER a OPEN"),
        ("mysql", "SELECT 1; # harmless\nDELETE FROM a"),
        ("mssql", "SELECT a INTO #b FROM c"),
        ("mssql", "SELECT 1 DELETE FROM a"),
        ("oracle", "SELECT a FROM b FOR UPDATE OF a"),
        ("sqlite", "PRAGMA writable_schema = 1"),
        ("sqlite", "ATTACH 'x' AS y"),
        ("duckdb", "COPY a TO 'x.csv'"),
    ],
)
def test_a_write_in_a_readers_clothes_is_refused(engine: str, text: str) -> None:
    with pytest.raises(ConfigError, match="list_accounts"):
        made(text, engine)


@pytest.mark.parametrize(
    ("engine", "text"),
    [("mysql", "SHOW GRANTS"), ("snowflake", "SHOW USERS;"), ("postgresql", "SHOW server_version")],
)
def test_what_a_server_shows_is_read(engine: str, text: str) -> None:
    assert not made(text, engine).is_query


def test_a_procedure_is_called_only_where_it_cannot_write_or_is_vouched_for() -> None:
    assert made("CALL accounts()", "postgresql").rendered("qmark") == "CALL accounts()"
    with pytest.raises(ConfigError, match=r"mssql has no transaction.*allow_procedures: true"):
        made("EXEC accounts", "mssql")
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
    with pytest.raises(ConfigError, match=r"\{since\} is not known here; list_accounts has none"):
        made("SELECT a FROM b WHERE at > {since}")


def test_a_query_lies_in_a_file_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("\ufeffSELECT a FROM b;\n", "utf-8")
    statement = to_statement("list_accounts", Query(file="q.sql"), tmp_path, "sqlite")
    assert statement.rendered("qmark") == "SELECT a FROM b"
    assert statement.origin == "list_accounts (q.sql)"
    with pytest.raises(ConfigError, match="leads out of the workspace"):
        to_statement("list_accounts", Query(file="../q.sql"), tmp_path, "sqlite")
    with pytest.raises(SourceUnavailableError, match=r"\(no\.sql\): the file cannot be read: No"):
        to_statement("list_accounts", Query(file="no.sql"), tmp_path, "sqlite")


@given(st.text(alphabet="a'\"`$-/*#\\[]{};\n ", max_size=40), st.sampled_from(ENGINES))
def test_parts_are_the_text_whatever_it_is(text: str, engine: str) -> None:
    assert "".join(part for _, part in parts_of(text, engine)) == text


@given(st.text(alphabet="ab';-\n {}", max_size=20), st.sampled_from(ENGINES))
def test_what_stands_in_a_literal_changes_nothing(inside: str, engine: str) -> None:
    literal = "'" + inside.replace("'", "''") + "x'"
    assert made(f"SELECT {literal} AS a", engine).rendered("qmark") == f"SELECT {literal} AS a"

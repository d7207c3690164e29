"""One reading statement is sent as it is; whatever else a text may be is refused unsent."""

import contextlib
from pathlib import Path

import pytest

from extractors.sql.statements.read_only import why_not_a_read
from extractors.sql.statements.statement import Statement, to_statement
from extractors.sql.statements.syntax import why_no_read_by_tree
from schemas.errors import ConfigError
from schemas.source_file.kinds.sql_source import Query

ENGINES = (
    "postgresql", "mysql", "mariadb", "mssql", "oracle", "snowflake", "databricks", "sqlite",
    "duckdb", "db2",
)  # fmt: skip


def made(text: str, engine: str = "postgresql", capability: str = "list_accounts") -> Statement:
    return to_statement(capability, Query(sql=text), Path(), engine)


READS = {
    "SELECT a FROM b": "SELECT a FROM b",
    "select a from b;": "select a from b",
    "SELECT a FROM b ; ; -- done;\n": "SELECT a FROM b",
    "SELECT a FROM b /* a */ -- b": "SELECT a FROM b",
    "/* delete */ SELECT 'DELETE FROM x; drop table y' AS \"insert\" FROM b": (
        "/* delete */ SELECT 'DELETE FROM x; drop table y' AS \"insert\" FROM b"
    ),
    "WITH x AS (SELECT 1 AS a) SELECT * FROM x UNION ALL SELECT 2": (
        "WITH x AS (SELECT 1 AS a) SELECT * FROM x UNION ALL SELECT 2"
    ),
    "(SELECT 1) UNION (SELECT 2)": "(SELECT 1) UNION (SELECT 2)",
    "SELECT id AS one, updated FROM deleted_users WHERE call_me = 'x'": (
        "SELECT id AS one, updated FROM deleted_users WHERE call_me = 'x'"
    ),
    "SELECT CASE WHEN a = 1 THEN 'x;' ELSE 'y' END FROM b ORDER BY 1": (
        "SELECT CASE WHEN a = 1 THEN 'x;' ELSE 'y' END FROM b ORDER BY 1"
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("text", "sent"), READS.items())
def test_a_read_is_sent_as_it_is_but_for_what_ends_it(text: str, sent: str, engine: str) -> None:
    statement = made(text, engine)
    assert statement.is_query
    assert statement.rendered("qmark") == sent


@pytest.mark.parametrize(
    ("engine", "text", "sent"),
    [
        ("mysql", "SELECT a FROM b WHERE 10 > v --1", "SELECT a FROM b WHERE 10 > v --1"),
        ("mariadb", "SELECT a FROM b --1 -- 1", "SELECT a FROM b --1"),
        ("mysql", "SELECT a FROM b --", "SELECT a FROM b"),
        ("mysql", "SELECT 'it\\'s', \"\\\"a\" # y", "SELECT 'it\\'s', \"\\\"a\""),
        ("postgresql", "SELECT 5 #1 AS a --1", "SELECT 5 #1 AS a"),
        ("postgresql", "SELECT $a$it's; -- x$a$ -- y", "SELECT $a$it's; -- x$a$"),
        ("oracle", "SELECT q'!it's; -- x!' FROM b -- y", "SELECT q'!it's; -- x!' FROM b"),
        ("oracle", "SELECT Q'[a'; -- x]' FROM b -- y", "SELECT Q'[a'; -- x]' FROM b"),
        ("oracle", "SELECT nq'{it's; -- x}' FROM b;", "SELECT nq'{it's; -- x}' FROM b"),
        ("oracle", "SELECT q'<it's; -- x>' FROM b;", "SELECT q'<it's; -- x>' FROM b"),
        ("oracle", "SELECT q'(it's; -- x)' FROM b;", "SELECT q'(it's; -- x)' FROM b"),
        ("databricks", "SELECT r'\\', \"a';\" FROM b;", "SELECT r'\\', \"a';\" FROM b"),
        ("duckdb", "FROM b;", "FROM b"),
        ("duckdb", "PIVOT b ON a USING sum(c);", "PIVOT b ON a USING sum(c)"),
        ("duckdb", "SUMMARIZE b;", "SUMMARIZE b"),
        ("mssql", "SELECT x.[set], x.use, [x].begin, [y] AS \"commit\" FROM x;",
         "SELECT x.[set], x.use, [x].begin, [y] AS \"commit\" FROM x"),
        ("mssql", "SELECT 1.5, 1e5, 0x1F, $1 FROM x ORDER BY 1 OFFSET 0 ROWS FETCH NEXT 5 ROWS;",
         "SELECT 1.5, 1e5, 0x1F, $1 FROM x ORDER BY 1 OFFSET 0 ROWS FETCH NEXT 5 ROWS"),
        ("snowflake", "SHOW USERS ->> SELECT a FROM $1 // b", "SHOW USERS ->> SELECT a FROM $1"),
        ("snowflake", "SELECT SYSTEM$TYPEOF(a) FROM b", "SELECT SYSTEM$TYPEOF(a) FROM b"),
        ("oracle", "SELECT DBMS_LOB.SUBSTR(a, 9) FROM b", "SELECT DBMS_LOB.SUBSTR(a, 9) FROM b"),
        ("postgresql", "SELECT f('dblink(x)') AS dblink;", "SELECT f('dblink(x)') AS dblink"),
    ],
)  # fmt: skip
def test_a_read_is_sent_as_its_own_database_quotes_it(engine: str, text: str, sent: str) -> None:
    assert made(text, engine).rendered("qmark") == sent


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


HIDDEN = "COMMIT; BEGIN READ WRITE; DELETE FROM w; COMMIT; SELECT 1"


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("postgresql", f"CALL pp(); {HIDDEN}"),
        ("postgresql", f"CALL pp(1 AS x$$); {HIDDEN} AS y$$"),
        ("postgresql", f"SELECT 1 AS x$$; {HIDDEN} AS y$$"),
        ("postgresql", f"SELECT 1 AS x$E'\\'; {HIDDEN} AS a, '"),
        ("postgresql", f"SELECT $é$ ' $é$; {HIDDEN}, ' '"),
        ("postgresql", f"SELECT 1 -- x\r; {HIDDEN}\nAS x"),
        ("postgresql", f"SELECT 1 AS ` ; {HIDDEN} AS `"),
        ("postgresql", "BEGIN READ WRITE"),
        ("postgresql", "EXECUTE a; COMMIT"),
        ("postgresql", "SELECT U&\"dbl\\0069nk\"('', '')"),
        ("snowflake", "SELECT 1 ->> DELETE FROM w"),
        ("snowflake", "SHOW USERS ->> /* */ TRUNCATE w"),
        ("snowflake", "SHOW USERS ->> SELECT 1 ->> (INSERT INTO w SELECT 1)"),
        ("snowflake", "SELECT 1 // ' \n, SYSTEM$ABORT_SESSION(1) // '"),
        ("mssql", "SELECT NEXT VALUE FOR s"),
        ("mssql", "SELECT id FROM w WITH (UPDLOCK)"),
        ("oracle", "SELECT s.NEXTVAL FROM dual"),
        ("h2", f"SELECT 1 // ' \n; {HIDDEN} // '"),
        ("h2", f"SELECT $$ ' $$; {HIDDEN}, $$ ' $$"),
        ("mysql", f"SELECT v --1; {HIDDEN}"),
        ("mysql", f'SELECT 1 AS "\\"; {HIDDEN} -- "'),
        ("oracle", f"SELECT q'[ ' ]'; {HIDDEN}, ' ' FROM dual"),
        ("mssql", "EXEC accounts DELETE FROM w"),
        *((engine, f"/* /* */ SELECT ' */ {HIDDEN} -- '") for engine in ENGINES),
        *((engine, f"CALL pp(); {HIDDEN}") for engine in ENGINES),
    ],
)
def test_nothing_hides_what_is_more_than_a_read_not_even_behind_a_procedure(
    engine: str, text: str
) -> None:
    query = Query(sql=text)
    with pytest.raises(ConfigError, match="only reads are sent: the statement"):
        to_statement("list_accounts", query, Path(), engine, allow_procedures=True)


@pytest.mark.parametrize("sql", ['INTO OUTFILE "/tmp/x"', "INTO DUMPFILE '/tmp/x'", "INTO @x"])
@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
@pytest.mark.parametrize("quoted", [r'"\""', r"'\''", r'"\\"', "1e5", "1.0"])
def test_a_backslash_in_quotes_hides_no_file(sql: str, engine: str, quoted: str) -> None:
    with pytest.raises(ConfigError, match="writes its rows"):
        made(f"SELECT id, {quoted} {sql}", engine)


@pytest.mark.parametrize(
    "word",
    [
        "SET ROWCOUNT 10", "REVERT", "BEGIN TRAN", "COMMIT", "RECEIVE * FROM q", "CHECKPOINT",
        "DISABLE TRIGGER a ON b", "ENABLE TRIGGER a ON b", "SAVE TRAN a", "IF 1 = 1 SELECT 2",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["SELECT a FROM t", "SELECT [t].a FROM [t]", "EXEC accounts"])
def test_no_statement_of_t_sql_runs_on_into_another(word: str, before: str) -> None:
    for text in (f"{before} {word}", f"SELECT 1.{word}", f"SELECT 0x1F{word}"):
        with pytest.raises(ConfigError, match=r"has the word|runs on"):
            made(text, "mssql")


@pytest.mark.parametrize(
    ("engine", "text", "name"),
    [
        ("mssql", "SELECT * FROM OPENQUERY(s, 'DELETE FROM w')", "OPENQUERY"),
        ("mssql", "SELECT * FROM OPENROWSET('a', 'b', 'DELETE FROM w')", "OPENROWSET"),
        ("postgresql", "SELECT dblink_exec('', 'DELETE FROM w')", "DBLINK_EXEC"),
        ("postgresql", "SELECT * FROM public.dblink('', 'DELETE FROM w') AS t(a int)", "DBLINK"),
        ("postgresql", "SELECT \"lo_export\" /* x */ (1, '/tmp/x')", "LO_EXPORT"),
        ("postgresql", "SELECT lo_import('/tmp/x')", "LO_IMPORT"),
        ("postgresql", "SELECT pg_terminate_backend(1)", "PG_TERMINATE_BACKEND"),
        ("postgresql", "WITH a AS (SELECT pg_reload_conf()) TABLE a", "PG_RELOAD_CONF"),
        ("postgresql", "CALL dblink_exec('', 'DELETE FROM w')", "DBLINK_EXEC"),
        ("h2", "SELECT FILE_WRITE('x', '/tmp/x')", "FILE_WRITE"),
        ("h2", "CALL CSVWRITE('/tmp/x', 'SELECT 1')", "CSVWRITE"),
        ("h2", "SELECT * FROM LINK_SCHEMA('a', '', 'b', 'c', 'd', 'e')", "LINK_SCHEMA"),
        ("databricks", "SELECT java_method('java.lang.System', 'gc')", "JAVA_METHOD"),
        ("snowflake", "SELECT SYSTEM$CANCEL_ALL_QUERIES(1)", "SYSTEM$CANCEL_ALL_QUERIES"),
        ("mysql", "SELECT `sys_exec`('x')", "SYS_EXEC"),
        ("oracle", "SELECT UTL_FILE.FOPEN('A', 'b', 'w') FROM dual", "UTL_FILE"),
        ("oracle", 'SELECT "SYS"."DBMS_PIPE".RECEIVE_MESSAGE(\'a\') FROM dual', "DBMS_PIPE"),
        ("unheard", "SELECT dblink_exec('', 'DELETE FROM w')", "DBLINK_EXEC"),
    ],
)
def test_a_function_that_can_write_is_named_and_not_sent(engine: str, text: str, name: str) -> None:
    with pytest.raises(ConfigError) as error:
        to_statement("list_accounts", Query(sql=text), Path(), engine, allow_procedures=True)
    assert f"calls {name}" in str(error.value)
    assert "only reads are sent" in str(error.value)


@pytest.mark.parametrize("engine", ["oracle", "db2"])
def test_an_explanation_that_is_kept_in_a_table_is_no_read(engine: str) -> None:
    with pytest.raises(ConfigError, match="EXPLAIN"):
        made("EXPLAIN PLAN FOR SELECT a FROM b", engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_literal_of_a_statement_is_logged(engine: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"), contextlib.suppress(ConfigError):
        made("WITH a AS (SELECT 'c4nary') ALTER SESSION SET x = 'c4nary'", engine)
    with caplog.at_level("DEBUG"), contextlib.suppress(ConfigError):
        made("DESCRIBE 'c4nary'; COMMENT ON TABLE x 'c4nary'", engine)
    why_no_read_by_tree("ALTER SESSION SET canary = 'c4nary'", engine)
    assert "anary" not in caplog.text


@pytest.mark.parametrize(
    ("engine", "text"),
    [("mysql", "SHOW GRANTS"), ("snowflake", "SHOW USERS;"), ("postgresql", "SHOW server_version")],
)
def test_what_a_server_shows_is_read(engine: str, text: str) -> None:
    assert not made(text, engine).is_query


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM t WITH UR",
        "SELECT id FROM t FETCH FIRST 5 ROWS ONLY WITH UR",
        "SELECT id FROM t FOR READ ONLY",
        "SELECT id FROM t OPTIMIZE FOR 10 ROWS",
        "SELECT id FROM t WHERE seen < CURRENT TIMESTAMP - 3 MONTHS",
        "WITH x AS (SELECT 1 AS id FROM sysibm.sysdummy1) SELECT id FROM x WITH CS",
        "VALUES CURRENT TIMESTAMP",
        "SELECT first CONCAT last FROM t",
    ],
)
def test_db2_s_own_words_are_read(sql: str) -> None:
    assert why_not_a_read(sql, "db2") is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM FINAL TABLE (INSERT INTO t VALUES (1))",
        "SELECT * FROM OLD TABLE (DELETE FROM t)",
        "SELECT * FROM NEW TABLE (UPDATE t SET a = 1) x",
        "SELECT id FROM t FOR UPDATE OF id",
        "SELECT id FROM t WITH RS USE AND KEEP EXCLUSIVE LOCKS",
        "SELECT id FROM t; DELETE FROM t",
        "SET CURRENT SCHEMA = X",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
    ],
)
def test_a_db2_statement_that_writes_or_locks_is_refused_before_it_is_sent(sql: str) -> None:
    assert why_not_a_read(sql, "db2") is not None

"""Which queries may be read in parts: those whose rows lie in the same part each time."""

import pytest

from extractors.sql.statements.syntax import why_no_parts


@pytest.mark.parametrize(
    ("engine", "sql"),
    [
        ("postgresql", "SELECT id, n FROM people WHERE state = 'ACTIVE' ORDER BY n"),
        ("postgresql", "SELECT *, upper(mail) AS mail FROM people"),
        ("postgresql", "SELECT p.* FROM people p JOIN units u ON u.id = p.unit"),
        ("postgresql", "TABLE people"),
        ("postgresql", "VALUES (1), (2)"),
        ("duckdb", "FROM people"),
        ("postgresql", "WITH a AS (SELECT n + 1 AS n FROM p) SELECT DISTINCT n FROM a"),
        ("postgresql", "SELECT n, mail FROM a UNION ALL SELECT number, mail FROM b"),
        ("postgresql", "(SELECT n, mail FROM a) UNION SELECT 0, mail FROM b"),
        ("postgresql", "SELECT * FROM a UNION ALL SELECT * FROM b"),
        ("postgresql", "SELECT uuid, brand, n, current_user AS me, count(*) FROM p GROUP BY 1, 2"),
        ("mssql", "SELECT p.[n], random FROM people p"),
        ("mysql", "SELECT `N` FROM people"),
        ("mysql", "SELECT n, BIN_TO_UUID(id) FROM people WHERE state = 'now'"),
        ("mssql", "SELECT n, t.[current] FROM t"),
        ("oracle", "SELECT id AS n FROM people START WITH boss IS NULL CONNECT BY PRIOR id = boss"),
        ("db2", "SELECT id AS n, MAX(at) FROM people GROUP BY id"),
        ("sqlite", "SELECT rowid AS n, date(at) FROM people WHERE x = 'nowhere'"),
    ],
)
def test_a_stored_column_of_all_rows_has_parts(engine: str, sql: str):
    assert why_no_parts(sql, engine, "n") is None


@pytest.mark.parametrize(
    ("engine", "sql", "reason"),
    [
        ("postgresql", "SELECT row_number() OVER () AS n FROM p", "OVER"),
        ("postgresql", "SELECT n FROM (SELECT rank() OVER (ORDER BY at) AS n FROM p) q", "OVER"),
        ("postgresql", "SELECT n FROM p ORDER BY at LIMIT 5", "LIMIT"),
        ("postgresql", "SELECT n FROM (SELECT n FROM p LIMIT 5) q", "LIMIT"),
        ("postgresql", "SELECT n FROM p OFFSET 5", "OFFSET"),
        ("oracle", "SELECT n FROM p FETCH FIRST 5 ROWS ONLY", "FETCH"),
        ("mssql", "SELECT TOP 5 n FROM p", "TOP"),
        ("oracle", "SELECT n FROM p WHERE rownum < 5", "ROWNUM"),
        ("oracle", "SELECT n FROM (SELECT s.nextval AS n FROM p)", "NEXTVAL"),
        ("mssql", "SELECT n FROM (SELECT NEXT VALUE FOR s AS n FROM p) q", "NEXT_VALUE"),
        ("postgresql", "SELECT DISTINCT ON (mail) n, mail FROM p", "DISTINCT ON"),
        ("postgresql", "SELECT n FROM p TABLESAMPLE SYSTEM (5)", "sample"),
        ("oracle", "SELECT n FROM p SAMPLE (5)", "sample"),
        ("mysql", "SELECT n FROM (SELECT @r := @r + 1 AS n FROM p) q", "variable"),
        ("postgresql", "SELECT n FROM p WHERE random() < 0.5", "RAND"),
        ("postgresql", "SELECT n, gen_random_uuid() FROM p", "UUID"),
        ("postgresql", "SELECT n, uuid_generate_v4() FROM p", "UUID"),
        ("mssql", "SELECT n, newsequentialid() FROM p", "NEWSEQUENTIALID"),
        ("oracle", "SELECT n, sys_guid() FROM p", "SYS_GUID"),
        ("postgresql", "SELECT n FROM p WHERE at < now()", "CURRENT_TIMESTAMP"),
        ("mysql", "SELECT n FROM p WHERE at < now()", "NOW"),
        ("mysql", "SELECT n FROM p WHERE at < utc_date()", "UTC_DATE"),
        ("mssql", "SELECT n FROM p WHERE at < sysdatetimeoffset()", "CURRENT_TIMESTAMP"),
        ("mssql", "SELECT n FROM p WHERE at < getutcdate()", "GETUTCDATE"),
        ("oracle", "SELECT n FROM p WHERE at < systimestamp", "SYSTIMESTAMP"),
        ("postgresql", "SELECT n FROM p WHERE at < clock_timestamp()", "CLOCK"),
        ("postgresql", "SELECT n FROM p WHERE at < 'now'::timestamp", "'now'"),
        ("sqlite", "SELECT n FROM p WHERE at < datetime('now')", "'now'"),
        ("db2", "SELECT n FROM p WHERE at < CURRENT TIMESTAMP", "could not be parsed"),
        ("snowflake", "SELECT n FROM (SELECT seq4() AS n FROM p) q", "SEQ4"),
        ("databricks", "SELECT n FROM (SELECT monotonically_increasing_id() AS n) q", "INCREASING"),
        ("postgresql", "SELECT mine() AS n FROM p", "no column n"),
        ("postgresql", "SELECT id % 4 AS n, * FROM p", "no column n"),
        ("postgresql", "SELECT n(id) FROM p", "no column n"),
        ("postgresql", "SELECT id FROM p", "no column n"),
        ("postgresql", "SELECT n FROM a UNION ALL SELECT mine() FROM b", "no column n"),
        ("postgresql", "SELECT n FROM", "could not be parsed"),
    ],
)
def test_what_may_lie_elsewhere_the_next_time_has_none(engine: str, sql: str, reason: str):
    assert reason in (why_no_parts(sql, engine, "n") or "")

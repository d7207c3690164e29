-- As they were granted: on the server, a database, a table, a column or a routine. USAGE is no
-- privilege: it says that the user exists.
grants AS (
    SELECT
        p.GRANTEE AS grantee,
        p.PRIVILEGE_TYPE AS privilege,
        p.IS_GRANTABLE AS is_grantable,
        NULL AS kind,
        NULL AS db,
        NULL AS object,
        NULL AS part
    FROM information_schema.USER_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE'
    UNION ALL
    SELECT p.GRANTEE, p.PRIVILEGE_TYPE, p.IS_GRANTABLE, 'DATABASE', p.TABLE_SCHEMA, NULL, NULL
    FROM information_schema.SCHEMA_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE'
    UNION ALL
    SELECT p.GRANTEE, p.PRIVILEGE_TYPE, p.IS_GRANTABLE, 'TABLE', p.TABLE_SCHEMA, p.TABLE_NAME, NULL
    FROM information_schema.TABLE_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE'
    UNION ALL
    SELECT
        p.GRANTEE, p.PRIVILEGE_TYPE, p.IS_GRANTABLE, 'COLUMN', p.TABLE_SCHEMA, p.TABLE_NAME, p.COLUMN_NAME
    FROM information_schema.COLUMN_PRIVILEGES AS p
),
-- information_schema compares without regard to case; users and tables are told apart by it. A name
-- with a dot, a blank or a backtick stands in backticks: `a.b`.c and a.`b.c` are two.
named AS (
    SELECT
        CONVERT(g.grantee USING utf8mb4) COLLATE utf8mb4_bin AS grantee,
        CONVERT(g.privilege USING utf8mb4) COLLATE utf8mb4_bin AS privilege,
        CONVERT(g.is_grantable USING utf8mb4) COLLATE utf8mb4_bin AS is_grantable,
        CONVERT(g.kind USING utf8mb4) COLLATE utf8mb4_bin AS kind,
        CONVERT(g.db USING utf8mb4) COLLATE utf8mb4_bin AS db,
        CONVERT(g.object USING utf8mb4) COLLATE utf8mb4_bin AS object,
        CONVERT(g.part USING utf8mb4) COLLATE utf8mb4_bin AS part
    FROM grants AS g
),
routines AS (
    SELECT
        CONCAT('''', p.User, '''@''', p.Host, '''') AS grantee,
        v.privilege,
        CASE WHEN FIND_IN_SET('GRANT', UPPER(p.Proc_priv)) > 0 THEN 'YES' ELSE 'NO' END AS is_grantable,
        p.Routine_type AS kind,
        p.Db AS db,
        p.Routine_name AS object,
        NULL AS part
    FROM mysql.procs_priv AS p
    JOIN (
        SELECT 'EXECUTE' AS privilege
        UNION ALL SELECT 'ALTER ROUTINE'
        UNION ALL SELECT 'SHOW CREATE ROUTINE'
    ) AS v ON FIND_IN_SET(v.privilege, UPPER(p.Proc_priv)) > 0
),
named_routines AS (
    SELECT
        CONVERT(r.grantee USING utf8mb4) COLLATE utf8mb4_bin AS grantee,
        CONVERT(r.privilege USING utf8mb4) COLLATE utf8mb4_bin AS privilege,
        CONVERT(r.is_grantable USING utf8mb4) COLLATE utf8mb4_bin AS is_grantable,
        CONVERT(r.kind USING utf8mb4) COLLATE utf8mb4_bin AS kind,
        CONVERT(r.db USING utf8mb4) COLLATE utf8mb4_bin AS db,
        CONVERT(r.object USING utf8mb4) COLLATE utf8mb4_bin AS object,
        CONVERT(NULL USING utf8mb4) COLLATE utf8mb4_bin AS part
    FROM routines AS r
),
granted AS (
    SELECT
        n.grantee,
        n.privilege,
        n.is_grantable,
        n.kind,
        CONCAT_WS('.', n.db, n.object, n.part) AS label,
        CONCAT(
            CASE WHEN n.kind IN ('PROCEDURE', 'FUNCTION') THEN CONCAT(n.kind, ' ') ELSE '' END,
            CONCAT_WS(
                '.',
                CASE WHEN n.db REGEXP '[.` ]' THEN CONCAT('`', REPLACE(n.db, '`', '``'), '`') ELSE n.db END,
                CASE WHEN n.object REGEXP '[.` ]' THEN CONCAT('`', REPLACE(n.object, '`', '``'), '`') ELSE n.object END,
                CASE WHEN n.part REGEXP '[.` ]' THEN CONCAT('`', REPLACE(n.part, '`', '``'), '`') ELSE n.part END
            )
        ) AS resource_id
    FROM (SELECT * FROM named UNION ALL SELECT * FROM named_routines) AS n
)

-- The database, and the objects on which something was granted to a user that is not Oracle's own.
-- DBA_TAB_PRIVS (Oracle, "Database Reference"); the note is on what PUBLIC, so every account, may do.
SELECT
    'DATABASE' AS resource_type,
    SYS_CONTEXT('USERENV', 'DB_NAME') AS integration_specific_id,
    SYS_CONTEXT('USERENV', 'DB_NAME') AS label,
    CAST(NULL AS VARCHAR2(100)) AS description
FROM dual
UNION ALL
SELECT
    'TABLE',
    p.owner || '.' || p.table_name,
    p.owner || '.' || p.table_name,
    CASE
        WHEN EXISTS (
            SELECT 1
            FROM dba_tab_privs e
            WHERE e.grantee = 'PUBLIC' AND e.owner = p.owner AND e.table_name = p.table_name
        ) THEN 'Every account was granted something on it'
    END
FROM (
    SELECT DISTINCT t.owner, t.table_name
    FROM dba_tab_privs t
    JOIN dba_users u ON u.username = t.grantee
    WHERE u.oracle_maintained = 'N'
) p

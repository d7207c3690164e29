-- Every database, and the tables on which something was granted. The description notes what PUBLIC,
-- so every account, may do (MariaDB 10.11 or newer).
-- information_schema.SCHEMATA, SCHEMA_PRIVILEGES and TABLE_PRIVILEGES.
WITH
everyones AS (
    SELECT p.TABLE_SCHEMA AS resource_id, p.PRIVILEGE_TYPE AS privilege
    FROM information_schema.SCHEMA_PRIVILEGES AS p
    WHERE p.GRANTEE = '''PUBLIC''@'''''
    UNION
    SELECT CONCAT(p.TABLE_SCHEMA, '.', p.TABLE_NAME), p.PRIVILEGE_TYPE
    FROM information_schema.TABLE_PRIVILEGES AS p
    WHERE p.GRANTEE = '''PUBLIC''@''''' AND p.PRIVILEGE_TYPE <> 'USAGE'
),
noted AS (
    SELECT
        resource_id,
        CONCAT('Every account: ', GROUP_CONCAT(privilege ORDER BY privilege SEPARATOR ', ')) AS note
    FROM everyones
    GROUP BY resource_id
),
resources AS (
    SELECT 'DATABASE' AS resource_type, s.SCHEMA_NAME AS resource_id
    FROM information_schema.SCHEMATA AS s
    UNION
    -- A grant may name databases by a pattern, or one that is not there yet.
    SELECT 'DATABASE', p.TABLE_SCHEMA
    FROM information_schema.SCHEMA_PRIVILEGES AS p
    UNION
    SELECT 'TABLE', CONCAT(p.TABLE_SCHEMA, '.', p.TABLE_NAME)
    FROM information_schema.TABLE_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE'
)
SELECT
    r.resource_type,
    r.resource_id AS integration_specific_id,
    r.resource_id AS label,
    n.note AS description
FROM resources AS r
LEFT JOIN noted AS n ON n.resource_id = r.resource_id

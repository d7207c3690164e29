-- The connected database, its schemas, and the objects on which something was granted. The
-- description notes that public, so every account, was granted something.
-- sys.schemas, sys.objects, sys.database_permissions (Microsoft, "System catalog views").
WITH
everyones AS (
    SELECT p.class, p.major_id
    FROM sys.database_permissions AS p
    JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
    WHERE u.name = 'public' AND p.state IN ('G', 'W')
)
SELECT
    'DATABASE' AS resource_type,
    DB_NAME() AS integration_specific_id,
    DB_NAME() AS label,
    NULL AS description
UNION ALL
SELECT
    'SCHEMA',
    CONCAT(DB_NAME(), '.', s.name),
    CONCAT(DB_NAME(), '.', s.name),
    CASE
        WHEN EXISTS (SELECT 1 FROM everyones AS e WHERE e.class = 3 AND e.major_id = s.schema_id)
            THEN 'Every account was granted something on it'
    END
FROM sys.schemas AS s
UNION ALL
SELECT
    o.type_desc,
    CONCAT(DB_NAME(), '.', s.name, '.', o.name),
    CONCAT(DB_NAME(), '.', s.name, '.', o.name),
    CASE
        WHEN EXISTS (SELECT 1 FROM everyones AS e WHERE e.class = 1 AND e.major_id = o.object_id)
            THEN 'Every account was granted something on it'
    END
FROM sys.objects AS o
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
WHERE EXISTS (
    SELECT 1
    FROM sys.database_permissions AS p
    WHERE p.class = 1 AND p.minor_id = 0 AND p.major_id = o.object_id AND p.state IN ('G', 'W')
)

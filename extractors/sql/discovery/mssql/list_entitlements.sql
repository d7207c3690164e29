-- Roles of the server (resource '') and of the connected database, and privileges on the server, the
-- database, its schemas and its objects as they were granted. CONNECT is what makes an account.
-- sys.server_principals, sys.database_principals, sys.server_permissions, sys.database_permissions
-- (Microsoft, "Security catalog views"). Class 0 is the database, 1 an object, 3 a schema.
WITH
granted AS (
    SELECT p.permission_name, p.state, '' AS resource_id
    FROM sys.server_permissions AS p
    WHERE p.class = 100 AND p.state IN ('G', 'W') AND p.type <> 'COSQ'
    UNION
    SELECT p.permission_name, p.state, DB_NAME()
    FROM sys.database_permissions AS p
    JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
    WHERE p.class = 0 AND p.state IN ('G', 'W') AND p.type <> 'CO' AND u.name <> 'public'
    UNION
    SELECT p.permission_name, p.state, CONCAT(DB_NAME(), '.', s.name)
    FROM sys.database_permissions AS p
    JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
    JOIN sys.schemas AS s ON s.schema_id = p.major_id
    WHERE p.class = 3 AND p.state IN ('G', 'W') AND u.name <> 'public'
    UNION
    SELECT p.permission_name, p.state, CONCAT(DB_NAME(), '.', s.name, '.', o.name)
    FROM sys.database_permissions AS p
    JOIN sys.database_principals AS u ON u.principal_id = p.grantee_principal_id
    JOIN sys.objects AS o ON o.object_id = p.major_id
    JOIN sys.schemas AS s ON s.schema_id = o.schema_id
    WHERE p.class = 1 AND p.minor_id = 0 AND p.state IN ('G', 'W') AND u.name <> 'public'
)
SELECT
    'ROLE' AS entitlement_type,
    -- Names of the server and of the database may be compared by other rules.
    CONCAT('ROLE_', r.name) COLLATE DATABASE_DEFAULT AS integration_specific_id,
    '' AS integration_specific_resource_id,
    CONCAT('Role - ', r.name) COLLATE DATABASE_DEFAULT AS label,
    'Role of the server' AS description,
    'true' AS is_assignable
FROM sys.server_principals AS r
WHERE r.type = 'R' AND r.name <> 'public'
UNION ALL
SELECT
    'ROLE',
    CONCAT('ROLE_', r.name),
    DB_NAME(),
    CONCAT('Role - ', r.name),
    'Role of the database',
    'true'
FROM sys.database_principals AS r
WHERE r.type = 'R' AND r.name <> 'public'
UNION ALL
SELECT
    CASE WHEN state = 'W' THEN 'GRANT' ELSE 'PRIVILEGE' END,
    CONCAT(permission_name, CASE WHEN state = 'W' THEN ' WITH GRANT OPTION' ELSE '' END)
        COLLATE DATABASE_DEFAULT,
    resource_id,
    CONCAT(permission_name, CASE WHEN state = 'W' THEN ' with grant option' ELSE '' END)
        COLLATE DATABASE_DEFAULT,
    NULL,
    'true'
FROM granted

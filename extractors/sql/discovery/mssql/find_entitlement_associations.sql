-- Which account holds what: roles of the server and of the connected database through any number of
-- others, and the privileges that were granted to the account itself. What a role may do is the
-- role's. What was denied is not taken off.
-- sys.server_role_members, sys.database_role_members (Microsoft, "Security catalog views").
WITH
server_held AS (
    SELECT m.member_principal_id AS member_id, m.role_principal_id AS role_id
    FROM sys.server_role_members AS m
    UNION ALL
    SELECT h.member_id, m.role_principal_id
    FROM server_held AS h
    JOIN sys.server_role_members AS m ON m.member_principal_id = h.role_id
),
database_held AS (
    SELECT m.member_principal_id AS member_id, m.role_principal_id AS role_id
    FROM sys.database_role_members AS m
    UNION ALL
    SELECT h.member_id, m.role_principal_id
    FROM database_held AS h
    JOIN sys.database_role_members AS m ON m.member_principal_id = h.role_id
),
-- A database user is the login of its security id, where there is one; dbo is the owner's.
users AS (
    SELECT
        u.principal_id,
        COALESCE(p.name COLLATE DATABASE_DEFAULT, CONCAT(u.name, '@', DB_NAME())) AS account_id
    FROM sys.database_principals AS u
    LEFT JOIN sys.server_principals AS p ON p.sid = u.sid AND p.type IN ('S', 'U', 'G', 'E', 'X')
    WHERE u.type IN ('S', 'U', 'G', 'E', 'X')
        AND u.name NOT IN ('guest', 'sys', 'INFORMATION_SCHEMA')
        AND (u.name <> 'dbo' OR p.name IS NOT NULL)
),
granted AS (
    SELECT p.grantee_principal_id AS user_id, p.permission_name, p.state, DB_NAME() AS resource_id
    FROM sys.database_permissions AS p
    WHERE p.class = 0 AND p.state IN ('G', 'W') AND p.type <> 'CO'
    UNION
    SELECT p.grantee_principal_id, p.permission_name, p.state, CONCAT(DB_NAME(), '.', s.name)
    FROM sys.database_permissions AS p
    JOIN sys.schemas AS s ON s.schema_id = p.major_id
    WHERE p.class = 3 AND p.state IN ('G', 'W')
    UNION
    SELECT
        p.grantee_principal_id,
        p.permission_name,
        p.state,
        CONCAT(DB_NAME(), '.', s.name, '.', o.name)
    FROM sys.database_permissions AS p
    JOIN sys.objects AS o ON o.object_id = p.major_id
    JOIN sys.schemas AS s ON s.schema_id = o.schema_id
    WHERE p.class = 1 AND p.minor_id = 0 AND p.state IN ('G', 'W')
)
SELECT
    -- Names of the server and of the database may be compared by other rules.
    p.name COLLATE DATABASE_DEFAULT AS account_id,
    CONCAT('ROLE_', r.name) COLLATE DATABASE_DEFAULT AS integration_specific_entitlement_id,
    '' AS integration_specific_resource_id
FROM server_held AS h
JOIN sys.server_principals AS p ON p.principal_id = h.member_id
JOIN sys.server_principals AS r ON r.principal_id = h.role_id
WHERE p.type IN ('S', 'U', 'G', 'E', 'X')
UNION
SELECT u.account_id, CONCAT('ROLE_', r.name), DB_NAME()
FROM database_held AS h
JOIN users AS u ON u.principal_id = h.member_id
JOIN sys.database_principals AS r ON r.principal_id = h.role_id
UNION
SELECT
    p.name COLLATE DATABASE_DEFAULT,
    CONCAT(d.permission_name, CASE WHEN d.state = 'W' THEN ' WITH GRANT OPTION' ELSE '' END)
        COLLATE DATABASE_DEFAULT,
    ''
FROM sys.server_permissions AS d
JOIN sys.server_principals AS p ON p.principal_id = d.grantee_principal_id
WHERE d.class = 100
    AND d.state IN ('G', 'W')
    AND d.type <> 'COSQ'
    AND p.type IN ('S', 'U', 'G', 'E', 'X')
UNION
SELECT
    u.account_id,
    CONCAT(g.permission_name, CASE WHEN g.state = 'W' THEN ' WITH GRANT OPTION' ELSE '' END)
        COLLATE DATABASE_DEFAULT,
    g.resource_id
FROM granted AS g
JOIN users AS u ON u.principal_id = g.user_id

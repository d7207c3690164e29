-- Every login of the server, and the users of the connected database that have no login: contained
-- users, and those left over from a login that is gone. A user with a login is that login's: one
-- account. Certificates and keys are no logins.
-- sys.server_principals, sys.database_principals, LOGINPROPERTY (Microsoft, "System catalog views").
SELECT
    -- Names of the server and of the database may be compared by other rules.
    p.name COLLATE DATABASE_DEFAULT AS integration_specific_id,
    -- No e-mail is kept; a login that is one (Microsoft Entra) is one. The names say which, where.
    CASE
        WHEN p.type = 'E' AND CHARINDEX('@', p.name) > 1 THEN p.name COLLATE DATABASE_DEFAULT
    END AS email,
    p.name COLLATE DATABASE_DEFAULT AS given_name,
    'SQL Server login' AS family_name,
    p.name COLLATE DATABASE_DEFAULT AS username,
    CASE
        WHEN p.is_disabled = 1 THEN 'SUSPENDED'
        WHEN p.type = 'S' AND CAST(LOGINPROPERTY(p.name, 'IsLocked') AS INT) = 1 THEN 'SUSPENDED'
        WHEN p.type = 'S' AND CAST(LOGINPROPERTY(p.name, 'IsExpired') AS INT) = 1 THEN 'SUSPENDED'
        WHEN EXISTS (
            SELECT 1
            FROM sys.server_permissions AS d
            WHERE d.grantee_principal_id = p.principal_id AND d.type = 'COSQ' AND d.state = 'D'
        ) THEN 'SUSPENDED'
        ELSE 'ACTIVE'
    END AS user_status,
    -- The server's own keeper and its internal logins; a group's login is nobody's own.
    CASE
        WHEN p.principal_id = 1 OR LEFT(p.name, 2) = '##' OR LEFT(p.name, 3) = 'NT ' THEN 'service'
        WHEN p.type IN ('G', 'X') THEN 'service'
        ELSE 'user'
    END AS account_type,
    p.type_desc AS principal_type,
    p.default_database_name COLLATE DATABASE_DEFAULT AS default_database,
    p.create_date AS created_at
FROM sys.server_principals AS p
WHERE p.type IN ('S', 'U', 'G', 'E', 'X')
UNION ALL
SELECT
    CONCAT(u.name, '@', DB_NAME()),
    CASE WHEN u.type = 'E' AND CHARINDEX('@', u.name) > 1 THEN u.name END,
    u.name,
    CONCAT('SQL Server database ', DB_NAME()),
    u.name,
    -- Authentication 0 is none: the user cannot log in, only be impersonated.
    CASE WHEN u.authentication_type = 0 THEN 'SUSPENDED' ELSE 'ACTIVE' END,
    CASE WHEN u.type IN ('G', 'X') THEN 'service' ELSE 'user' END,
    u.type_desc,
    DB_NAME(),
    u.create_date
FROM sys.database_principals AS u
WHERE u.type IN ('S', 'U', 'G', 'E', 'X')
    AND u.name NOT IN ('guest', 'sys', 'INFORMATION_SCHEMA', 'dbo')
    AND NOT EXISTS (SELECT 1 FROM sys.server_principals AS p WHERE p.sid = u.sid)

-- Roles, and privileges on the server (resource ''), databases, tables, columns and routines as they
-- were granted; to act as another user (PROXY).
-- mysql.role_edges, mysql.user, procs_priv, proxies_priv and information_schema (MySQL 8.0 reference manual, "Using Roles").
WITH
-- A role is whatever was granted as one, and what CREATE ROLE makes: locked, with no password.
roles AS (
    SELECT CONCAT(e.FROM_USER, '@', e.FROM_HOST) AS role_id FROM mysql.role_edges AS e
    UNION
    SELECT CONCAT(u.User, '@', u.Host)
    FROM mysql.user AS u
    WHERE u.account_locked = 'Y' AND u.password_expired = 'Y' AND COALESCE(u.authentication_string, '') = ''
),
-- part: mysql/granted.sql
SELECT
    'ROLE' AS entitlement_type,
    CONCAT('ROLE_', role_id) AS integration_specific_id,
    '' AS integration_specific_resource_id,
    CONCAT('Role - ', role_id) AS label,
    NULL AS description,
    'true' AS is_assignable
FROM roles
UNION ALL
SELECT
    'ROLE_ADMIN',
    CONCAT('ADMIN_', role_id),
    '',
    CONCAT('Role - ', role_id, ' (admin option)'),
    'May grant the role to others',
    'true'
FROM roles
UNION ALL
SELECT DISTINCT
    CASE WHEN is_grantable = 'YES' THEN 'GRANT' ELSE 'PRIVILEGE' END,
    CONCAT(privilege, CASE WHEN is_grantable = 'YES' THEN ' WITH GRANT OPTION' ELSE '' END),
    resource_id,
    CONCAT(privilege, CASE WHEN is_grantable = 'YES' THEN ' with grant option' ELSE '' END),
    NULL,
    'true'
FROM granted
UNION ALL
SELECT DISTINCT
    'PROXY',
    CONCAT('PROXY_', Proxied_user, '@', Proxied_host, CASE WHEN With_grant THEN ' WITH GRANT OPTION' ELSE '' END),
    '',
    CONCAT(
        'Proxy - ',
        CASE WHEN Proxied_user = '' THEN 'anyone' ELSE CONCAT(Proxied_user, '@', Proxied_host) END,
        CASE WHEN With_grant THEN ' with grant option' ELSE '' END
    ),
    'May act as that user',
    'true'
FROM mysql.proxies_priv

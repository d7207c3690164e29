-- Roles, and privileges on the server (resource ''), databases, tables, columns and routines as they
-- were granted; to act as another user (PROXY).
-- mysql.global_priv, roles_mapping, procs_priv, proxies_priv and information_schema (MariaDB knowledge base).
WITH
-- PUBLIC is everyone, and no role to hold: list_resources notes it.
roles AS (
    SELECT g.User AS role_id
    FROM mysql.global_priv AS g
    WHERE COALESCE(JSON_VALUE(g.Priv, '$.is_role'), '0') IN ('1', 'true') AND g.User <> 'PUBLIC'
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
WHERE grantee <> '''PUBLIC''@'''''
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

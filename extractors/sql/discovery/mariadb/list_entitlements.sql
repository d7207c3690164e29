-- Roles, and privileges on the server (resource ''), databases and tables as they were granted.
-- mysql.global_priv, mysql.roles_mapping and information_schema (MariaDB knowledge base).
WITH
-- PUBLIC is everyone, and no role to hold: list_resources notes it.
roles AS (
    SELECT g.User AS role_id
    FROM mysql.global_priv AS g
    WHERE COALESCE(JSON_VALUE(g.Priv, '$.is_role'), '0') IN ('1', 'true') AND g.User <> 'PUBLIC'
),
granted AS (
    -- USAGE is no privilege: it says that the user exists.
    SELECT p.PRIVILEGE_TYPE AS privilege, p.IS_GRANTABLE AS is_grantable, '' AS resource_id
    FROM information_schema.USER_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE' AND p.GRANTEE <> '''PUBLIC''@'''''
    UNION
    SELECT p.PRIVILEGE_TYPE, p.IS_GRANTABLE, p.TABLE_SCHEMA
    FROM information_schema.SCHEMA_PRIVILEGES AS p
    WHERE p.GRANTEE <> '''PUBLIC''@'''''
    UNION
    SELECT p.PRIVILEGE_TYPE, p.IS_GRANTABLE, CONCAT(p.TABLE_SCHEMA, '.', p.TABLE_NAME)
    FROM information_schema.TABLE_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE' AND p.GRANTEE <> '''PUBLIC''@'''''
)
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
SELECT
    CASE WHEN is_grantable = 'YES' THEN 'GRANT' ELSE 'PRIVILEGE' END,
    CONCAT(privilege, CASE WHEN is_grantable = 'YES' THEN ' WITH GRANT OPTION' ELSE '' END),
    resource_id,
    CONCAT(privilege, CASE WHEN is_grantable = 'YES' THEN ' with grant option' ELSE '' END),
    NULL,
    'true'
FROM granted

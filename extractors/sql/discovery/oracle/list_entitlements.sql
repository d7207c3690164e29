-- Roles, system privileges and object privileges as they were granted; the database is the resource of
-- what is not on one object, since an empty text is null to Oracle.
-- DBA_ROLES, DBA_SYS_PRIVS, DBA_TAB_PRIVS (Oracle, "Database Reference"). The short labels are
-- Lumos's for versions whose names end at 30 characters.
SELECT
    'ROLE' AS entitlement_type,
    'ROLE_' || r.role AS integration_specific_id,
    SYS_CONTEXT('USERENV', 'DB_NAME') AS integ_specific_resource_id,
    'Role - ' || r.role AS label,
    CAST(NULL AS VARCHAR2(100)) AS description,
    'true' AS is_assignable
FROM dba_roles r
UNION ALL
SELECT
    'ROLE_ADMIN',
    'ADMIN_' || r.role,
    SYS_CONTEXT('USERENV', 'DB_NAME'),
    'Role - ' || r.role || ' (admin option)',
    'May grant the role to others',
    'true'
FROM dba_roles r
UNION ALL
SELECT DISTINCT
    CASE WHEN p.admin_option = 'YES' THEN 'GRANT' ELSE 'PRIVILEGE' END,
    p.privilege || CASE WHEN p.admin_option = 'YES' THEN ' WITH ADMIN OPTION' ELSE '' END,
    SYS_CONTEXT('USERENV', 'DB_NAME'),
    p.privilege || CASE WHEN p.admin_option = 'YES' THEN ' with admin option' ELSE '' END,
    CAST(NULL AS VARCHAR2(100)),
    'true'
FROM dba_sys_privs p
UNION ALL
-- What Oracle granted to itself and to PUBLIC is tens of thousands of rows, the same everywhere.
SELECT DISTINCT
    CASE WHEN p.grantable = 'YES' THEN 'GRANT' ELSE 'PRIVILEGE' END,
    p.privilege || CASE WHEN p.grantable = 'YES' THEN ' WITH GRANT OPTION' ELSE '' END,
    p.owner || '.' || p.table_name,
    p.privilege || CASE WHEN p.grantable = 'YES' THEN ' with grant option' ELSE '' END,
    CAST(NULL AS VARCHAR2(100)),
    'true'
FROM dba_tab_privs p
JOIN dba_users u ON u.username = p.grantee
WHERE u.oracle_maintained = 'N'

-- Which user holds what: roles through any number of others, the right to grant them, and the
-- privileges that were granted to the user itself. What a role may do is the role's.
-- DBA_ROLE_PRIVS, DBA_SYS_PRIVS, DBA_TAB_PRIVS (Oracle, "Database Reference"). Oracle refuses a circle
-- of roles (ORA-01934), so that the recursion ends.
WITH
held (account_id, role_name, admin_option) AS (
    SELECT u.username, g.granted_role, g.admin_option
    FROM dba_users u
    JOIN dba_role_privs g ON g.grantee = u.username
    UNION ALL
    SELECT h.account_id, g.granted_role, g.admin_option
    FROM held h
    JOIN dba_role_privs g ON g.grantee = h.role_name
)
SELECT DISTINCT
    h.account_id AS account_id,
    'ROLE_' || h.role_name AS integ_specific_entitlement_id,
    SYS_CONTEXT('USERENV', 'DB_NAME') AS integ_specific_resource_id
FROM held h
UNION ALL
SELECT DISTINCT h.account_id, 'ADMIN_' || h.role_name, SYS_CONTEXT('USERENV', 'DB_NAME')
FROM held h
WHERE h.admin_option = 'YES'
UNION ALL
SELECT
    u.username,
    p.privilege || CASE WHEN p.admin_option = 'YES' THEN ' WITH ADMIN OPTION' ELSE '' END,
    SYS_CONTEXT('USERENV', 'DB_NAME')
FROM dba_sys_privs p
JOIN dba_users u ON u.username = p.grantee
UNION ALL
SELECT DISTINCT
    u.username,
    p.privilege || CASE WHEN p.grantable = 'YES' THEN ' WITH GRANT OPTION' ELSE '' END,
    p.owner || '.' || p.table_name
FROM dba_tab_privs p
JOIN dba_users u ON u.username = p.grantee
WHERE u.oracle_maintained = 'N'

-- Which user holds which role, through any number of others: a role that was granted USAGE of another
-- has all that the other has. Of a dropped user nothing is left.
-- GRANTS_TO_USERS (by NAME, which need not be the LOGIN_NAME) and GRANTS_TO_ROLES of
-- SNOWFLAKE.ACCOUNT_USAGE (Snowflake, "Account Usage").
WITH RECURSIVE
edges AS (
    SELECT DISTINCT
        g.grantee_name AS holder,
        CASE WHEN g.granted_to = 'DATABASE_ROLE' THEN g.table_catalog ELSE '' END AS holder_database,
        g.name AS role_name,
        CASE WHEN g.granted_on = 'DATABASE_ROLE' THEN g.table_catalog ELSE '' END AS role_database
    FROM snowflake.account_usage.grants_to_roles AS g
    WHERE g.deleted_on IS NULL
        AND g.privilege = 'USAGE'
        AND g.granted_on IN ('ROLE', 'DATABASE_ROLE')
        AND g.granted_to IN ('ROLE', 'DATABASE_ROLE')
),
held AS (
    SELECT DISTINCT u.login_name AS account_id, g.role AS role_name, '' AS role_database
    FROM snowflake.account_usage.grants_to_users AS g
    JOIN snowflake.account_usage.users AS u ON u.name = g.grantee_name
    WHERE g.deleted_on IS NULL AND u.deleted_on IS NULL
    UNION ALL
    SELECT h.account_id, e.role_name, e.role_database
    FROM held AS h
    JOIN edges AS e ON e.holder = h.role_name AND e.holder_database = h.role_database
)
SELECT DISTINCT
    account_id,
    'ROLE_' || role_name AS integration_specific_entitlement_id,
    role_database AS integration_specific_resource_id
FROM held

-- Every role: of the account (resource ''), and of a database. Privileges are granted to roles alone in
-- Snowflake, and are the role's.
-- SNOWFLAKE.ACCOUNT_USAGE.ROLES (Snowflake, "Account Usage").
SELECT DISTINCT
    CASE WHEN r.role_type = 'DATABASE_ROLE' THEN 'DATABASE_ROLE' ELSE 'ROLE' END AS entitlement_type,
    'ROLE_' || r.name AS integration_specific_id,
    COALESCE(r.role_database_name, '') AS integration_specific_resource_id,
    'Role - ' || r.name AS label,
    NULLIF(r.comment, '') AS description,
    'true' AS is_assignable
FROM snowflake.account_usage.roles AS r
WHERE r.deleted_on IS NULL AND COALESCE(r.role_type, 'ROLE') IN ('ROLE', 'DATABASE_ROLE')

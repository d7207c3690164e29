-- Every database of the account.
-- SNOWFLAKE.ACCOUNT_USAGE.DATABASES (Snowflake, "Account Usage").
SELECT DISTINCT
    'DATABASE' AS resource_type,
    d.database_name AS integration_specific_id,
    d.database_name AS label,
    NULLIF(d.comment, '') AS description
FROM snowflake.account_usage.databases AS d
WHERE d.deleted IS NULL

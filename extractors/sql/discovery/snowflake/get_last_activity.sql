-- When each user last logged in.
-- LAST_SUCCESS_LOGIN of SNOWFLAKE.ACCOUNT_USAGE.USERS (Snowflake, "Account Usage").
SELECT
    u.login_name AS account_id,
    'last_login' AS event_type,
    MAX(u.last_success_login) AS happened_at
FROM snowflake.account_usage.users AS u
WHERE u.last_success_login IS NOT NULL
GROUP BY u.login_name

-- When each user last logged in; DBA_USERS.LAST_LOGIN, with its zone (12.1 or newer). Told in UTC by
-- the server: Oracle's Python driver drops a zone, and takes none that has a name.
SELECT
    u.username AS account_id,
    'last_login' AS event_type,
    TO_CHAR(u.last_login AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS happened_at
FROM dba_users u
WHERE u.last_login IS NOT NULL

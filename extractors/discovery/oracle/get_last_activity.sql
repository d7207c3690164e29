-- When each user last logged in; DBA_USERS.LAST_LOGIN, with its zone (12.1 or newer).
SELECT u.username AS account_id, 'last_login' AS event_type, u.last_login AS happened_at
FROM dba_users u
WHERE u.last_login IS NOT NULL

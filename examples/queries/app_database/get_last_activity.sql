SELECT id AS account_id, 'last_login' AS event_type, last_login_at AS happened_at
FROM accounts
WHERE last_login_at IS NOT NULL

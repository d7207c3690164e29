-- People, and the application's own service accounts: these have no e-mail, and Lumos then needs both
-- names. Every further column becomes a custom attribute.
SELECT
    id AS integration_specific_id,
    email,
    given_name,
    family_name,
    username,
    status AS user_status,
    'user' AS account_type,
    department AS "Department",
    NULL AS "Purpose"
FROM accounts
UNION ALL
SELECT
    s.id,
    NULL,
    s.name,
    'Service account',
    s.name,
    CASE WHEN s.is_enabled = 'true' THEN 'ACTIVE' ELSE 'SUSPENDED' END,
    'service',
    a.department,
    s.purpose
FROM service_accounts AS s
JOIN accounts AS a ON a.id = s.owner_id

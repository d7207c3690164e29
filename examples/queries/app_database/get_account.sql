-- One account, for a look at it; the value is bound, never pasted in.
SELECT
    id AS integration_specific_id,
    email,
    given_name,
    family_name,
    username,
    status AS user_status,
    'user' AS account_type
FROM accounts
WHERE id = {account_id}

-- What the reading account lacks. information_schema shows only its own privileges to an account that may
-- not read all of the database mysql, and says nothing of the others': a snapshot would be short.
SELECT 'GRANT SELECT ON mysql.*: the account sees only its own privileges' AS missing
FROM (
    SELECT COUNT(*) AS user_count
    FROM mysql.global_priv AS a
    WHERE COALESCE(JSON_VALUE(a.Priv, '$.is_role'), '0') NOT IN ('1', 'true')
) AS u
CROSS JOIN (
    -- Every user has a row there, if only of USAGE.
    SELECT COUNT(DISTINCT CAST(p.GRANTEE AS BINARY)) AS grantee_count
    FROM information_schema.USER_PRIVILEGES AS p
) AS g
WHERE g.grantee_count < u.user_count

-- Which user holds what: roles through any number of others, the right to grant them, and the
-- privileges that were granted to the user itself. What a role may do is the role's.
-- mysql.role_edges (FROM is the role, TO who was given it) and information_schema. Roles that
-- the server gives to everyone (mandatory_roles) are no row there.
WITH RECURSIVE
accounts AS (
    SELECT
        u.User AS user_name,
        u.Host AS host_name,
        CONCAT(u.User, '@', u.Host) AS account_id,
        CONCAT('''', u.User, '''@''', u.Host, '''') AS grantee
    FROM mysql.user AS u
    WHERE NOT (
        u.account_locked = 'Y'
        AND (
            (u.password_expired = 'Y' AND COALESCE(u.authentication_string, '') = '')
            OR EXISTS (
                SELECT 1
                FROM mysql.role_edges AS e
                WHERE e.FROM_USER = u.User AND e.FROM_HOST = u.Host
            )
        )
    )
),
edges AS (
    SELECT
        CONCAT(e.TO_USER, '@', e.TO_HOST) AS member_id,
        CONCAT(e.FROM_USER, '@', e.FROM_HOST) AS role_id,
        e.WITH_ADMIN_OPTION AS admin_option
    FROM mysql.role_edges AS e
),
-- SET ROLE takes on any role that was granted, so that every one counts.
held AS (
    SELECT a.account_id, e.role_id, e.admin_option
    FROM accounts AS a
    JOIN edges AS e ON e.member_id = a.account_id
    UNION
    SELECT h.account_id, e.role_id, e.admin_option
    FROM held AS h
    JOIN edges AS e ON e.member_id = h.role_id
),
-- part: mysql/granted.sql
SELECT
    account_id,
    CONCAT('ROLE_', role_id) AS integration_specific_entitlement_id,
    '' AS integration_specific_resource_id
FROM held
UNION
SELECT account_id, CONCAT('ADMIN_', role_id), ''
FROM held
WHERE admin_option = 'Y'
UNION
SELECT
    a.account_id,
    CONCAT(g.privilege, CASE WHEN g.is_grantable = 'YES' THEN ' WITH GRANT OPTION' ELSE '' END),
    g.resource_id
FROM granted AS g
JOIN accounts AS a ON CONVERT(a.grantee USING utf8mb4) COLLATE utf8mb4_bin = g.grantee
UNION
-- To act as another user after logging in; '' is whoever there is.
SELECT
    a.account_id,
    CONCAT('PROXY_', p.Proxied_user, '@', p.Proxied_host, CASE WHEN p.With_grant THEN ' WITH GRANT OPTION' ELSE '' END),
    ''
FROM mysql.proxies_priv AS p
JOIN accounts AS a ON a.user_name = p.User AND a.host_name = p.Host

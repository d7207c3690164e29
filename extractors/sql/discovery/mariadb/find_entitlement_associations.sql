-- Which user holds what: roles through any number of others, the right to grant them, and the
-- privileges that were granted to the user itself. What a role may do is the role's.
-- mysql.roles_mapping (a role granted to a role stands there without a host) and information_schema.
WITH RECURSIVE
accounts AS (
    SELECT
        g.User AS user_name,
        g.Host AS host_name,
        CONCAT(g.User, '@', g.Host) AS account_id,
        CONCAT('''', g.User, '''@''', g.Host, '''') AS grantee
    FROM mysql.global_priv AS g
    WHERE COALESCE(JSON_VALUE(g.Priv, '$.is_role'), '0') NOT IN ('1', 'true')
),
-- SET ROLE takes on any role that was granted, so that every one counts.
held AS (
    SELECT a.account_id, m.Role AS role_id, m.Admin_option AS admin_option
    FROM accounts AS a
    JOIN mysql.roles_mapping AS m ON m.User = a.user_name AND m.Host = a.host_name
    UNION
    SELECT h.account_id, m.Role, m.Admin_option
    FROM held AS h
    JOIN mysql.roles_mapping AS m ON m.User = h.role_id AND m.Host = ''
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

-- Every user of the server, by name and host: `jane@localhost` and `jane@10.%` are two accounts with
-- two passwords. MySQL 8.0 or newer keeps roles among them, marked by nothing: what CREATE ROLE makes
-- is locked, expired and without a password, and is left to list_entitlements. A locked user that
-- was granted as a role (mysql.role_edges) is one too.
-- mysql.user (MySQL 8.0 reference manual, "Grant Tables" and "Using Roles").
SELECT
    CONCAT(u.User, '@', u.Host) AS integration_specific_id,
    -- No e-mail is kept; a user name that is one is one. The names say which login, and where.
    CASE WHEN u.User REGEXP '^[^@ ]+@[^@ ]+[.][^@ ]+$' THEN u.User END AS email,
    CASE WHEN u.User = '' THEN '(anonymous)' ELSE u.User END AS given_name,
    CONCAT('MySQL, from ', u.Host) AS family_name,
    u.User AS username,
    -- A password that was expired, or is older than it may be, lets nobody work.
    CASE
        WHEN u.account_locked = 'Y' OR u.password_expired = 'Y' THEN 'SUSPENDED'
        -- Nobody logs in by it: others may act as it (PROXY).
        WHEN u.plugin = 'mysql_no_login' THEN 'SUSPENDED'
        WHEN COALESCE(u.password_lifetime, @@global.default_password_lifetime) > 0
            AND DATEDIFF(NOW(), u.password_last_changed)
            > COALESCE(u.password_lifetime, @@global.default_password_lifetime)
            THEN 'SUSPENDED'
        ELSE 'ACTIVE'
    END AS user_status,
    -- The server's own users, and those that may only come from the server's own machine.
    CASE
        WHEN u.User IN ('mysql.sys', 'mysql.session', 'mysql.infoschema') THEN 'service'
        WHEN u.Host IN ('localhost', '127.0.0.1', '::1') THEN 'service'
        ELSE 'user'
    END AS account_type,
    u.Host AS host,
    u.plugin AS authentication,
    CASE WHEN u.account_locked = 'Y' THEN 'true' ELSE 'false' END AS is_locked
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

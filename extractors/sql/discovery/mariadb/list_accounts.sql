-- Every user of the server, by name and host: `jane@localhost` and `jane@10.%` are two accounts with
-- two passwords. MariaDB 10.4 or newer keeps them in mysql.global_priv, one JSON document each
-- (MariaDB knowledge base, "mysql.global_priv Table"); is_role marks those that are roles.
SELECT
    CONCAT(a.User, '@', a.Host) AS integration_specific_id,
    -- No e-mail is kept; a user name that is one is one. The names say which login, and where.
    CASE WHEN a.User REGEXP '^[^@ ]+@[^@ ]+[.][^@ ]+$' THEN a.User END AS email,
    CASE WHEN a.User = '' THEN '(anonymous)' ELSE a.User END AS given_name,
    CONCAT('MariaDB, from ', a.Host) AS family_name,
    a.User AS username,
    -- A password that was expired (changed at 0), or is older than it may be, lets nobody work.
    CASE
        WHEN a.is_locked OR a.changed_at = 0 THEN 'SUSPENDED'
        -- No connection is allowed it (MAX_USER_CONNECTIONS -1), or no way in takes any password.
        WHEN a.most_connections < 0 OR a.ways_in = 0 THEN 'SUSPENDED'
        WHEN a.lifetime_days > 0 AND a.changed_at + a.lifetime_days * 86400 < UNIX_TIMESTAMP()
            THEN 'SUSPENDED'
        ELSE 'ACTIVE'
    END AS user_status,
    -- The server's own user, and those that may only come from the server's own machine.
    CASE
        WHEN a.User = 'mariadb.sys' OR a.Host IN ('localhost', '127.0.0.1', '::1') THEN 'service'
        ELSE 'user'
    END AS account_type,
    a.Host AS host,
    a.plugin AS authentication,
    CASE WHEN a.is_locked THEN 'true' ELSE 'false' END AS is_locked
FROM (
    SELECT
        g.User,
        g.Host,
        JSON_VALUE(g.Priv, '$.plugin') AS plugin,
        COALESCE(JSON_VALUE(g.Priv, '$.account_locked'), '0') IN ('1', 'true') AS is_locked,
        CAST(JSON_VALUE(g.Priv, '$.password_last_changed') AS INTEGER) AS changed_at,
        -- -1 is what the server's default says, 0 is never.
        CASE
            WHEN COALESCE(JSON_VALUE(g.Priv, '$.password_lifetime'), '-1') = '-1'
                THEN @@global.default_password_lifetime
            ELSE CAST(JSON_VALUE(g.Priv, '$.password_lifetime') AS INTEGER)
        END AS lifetime_days,
        CAST(COALESCE(JSON_VALUE(g.Priv, '$.max_user_connections'), '0') AS INTEGER) AS most_connections,
        -- The way in that is named first, and those of auth_or beside it; `invalid` is the hash of
        -- no password (MariaDB knowledge base, "Authentication from MariaDB 10.4").
        1 + COALESCE(JSON_LENGTH(JSON_EXTRACT(g.Priv, '$.auth_or[*].plugin')), 0)
        - CASE WHEN JSON_VALUE(g.Priv, '$.authentication_string') = 'invalid' THEN 1 ELSE 0 END
        - COALESCE(
            JSON_LENGTH(JSON_SEARCH(JSON_EXTRACT(g.Priv, '$.auth_or[*].authentication_string'), 'all', 'invalid')),
            0
        ) AS ways_in
    FROM mysql.global_priv AS g
    WHERE COALESCE(JSON_VALUE(g.Priv, '$.is_role'), '0') NOT IN ('1', 'true')
) AS a

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
-- As they were granted: on the server, a database, a table, a column or a routine. USAGE is no
-- privilege: it says that the user exists.
grants AS (
    SELECT
        p.GRANTEE AS grantee,
        p.PRIVILEGE_TYPE AS privilege,
        p.IS_GRANTABLE AS is_grantable,
        NULL AS kind,
        NULL AS db,
        NULL AS object,
        NULL AS part
    FROM information_schema.USER_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE'
    UNION ALL
    SELECT p.GRANTEE, p.PRIVILEGE_TYPE, p.IS_GRANTABLE, 'DATABASE', p.TABLE_SCHEMA, NULL, NULL
    FROM information_schema.SCHEMA_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE'
    UNION ALL
    SELECT p.GRANTEE, p.PRIVILEGE_TYPE, p.IS_GRANTABLE, 'TABLE', p.TABLE_SCHEMA, p.TABLE_NAME, NULL
    FROM information_schema.TABLE_PRIVILEGES AS p
    WHERE p.PRIVILEGE_TYPE <> 'USAGE'
    UNION ALL
    SELECT
        p.GRANTEE, p.PRIVILEGE_TYPE, p.IS_GRANTABLE, 'COLUMN', p.TABLE_SCHEMA, p.TABLE_NAME, p.COLUMN_NAME
    FROM information_schema.COLUMN_PRIVILEGES AS p
),
-- information_schema compares without regard to case; users and tables are told apart by it. A name
-- with a dot, a blank or a backtick stands in backticks: `a.b`.c and a.`b.c` are two.
named AS (
    SELECT
        CONVERT(g.grantee USING utf8mb4) COLLATE utf8mb4_bin AS grantee,
        CONVERT(g.privilege USING utf8mb4) COLLATE utf8mb4_bin AS privilege,
        CONVERT(g.is_grantable USING utf8mb4) COLLATE utf8mb4_bin AS is_grantable,
        CONVERT(g.kind USING utf8mb4) COLLATE utf8mb4_bin AS kind,
        CONVERT(g.db USING utf8mb4) COLLATE utf8mb4_bin AS db,
        CONVERT(g.object USING utf8mb4) COLLATE utf8mb4_bin AS object,
        CONVERT(g.part USING utf8mb4) COLLATE utf8mb4_bin AS part
    FROM grants AS g
),
routines AS (
    SELECT
        CONCAT('''', p.User, '''@''', p.Host, '''') AS grantee,
        v.privilege,
        CASE WHEN FIND_IN_SET('GRANT', UPPER(p.Proc_priv)) > 0 THEN 'YES' ELSE 'NO' END AS is_grantable,
        p.Routine_type AS kind,
        p.Db AS db,
        p.Routine_name AS object,
        NULL AS part
    FROM mysql.procs_priv AS p
    JOIN (
        SELECT 'EXECUTE' AS privilege
        UNION ALL SELECT 'ALTER ROUTINE'
        UNION ALL SELECT 'SHOW CREATE ROUTINE'
    ) AS v ON FIND_IN_SET(v.privilege, UPPER(p.Proc_priv)) > 0
),
named_routines AS (
    SELECT
        CONVERT(r.grantee USING utf8mb4) COLLATE utf8mb4_bin AS grantee,
        CONVERT(r.privilege USING utf8mb4) COLLATE utf8mb4_bin AS privilege,
        CONVERT(r.is_grantable USING utf8mb4) COLLATE utf8mb4_bin AS is_grantable,
        CONVERT(r.kind USING utf8mb4) COLLATE utf8mb4_bin AS kind,
        CONVERT(r.db USING utf8mb4) COLLATE utf8mb4_bin AS db,
        CONVERT(r.object USING utf8mb4) COLLATE utf8mb4_bin AS object,
        CONVERT(NULL USING utf8mb4) COLLATE utf8mb4_bin AS part
    FROM routines AS r
),
granted AS (
    SELECT
        n.grantee,
        n.privilege,
        n.is_grantable,
        n.kind,
        CONCAT_WS('.', n.db, n.object, n.part) AS label,
        CONCAT(
            CASE WHEN n.kind IN ('PROCEDURE', 'FUNCTION') THEN CONCAT(n.kind, ' ') ELSE '' END,
            CONCAT_WS(
                '.',
                CASE WHEN n.db REGEXP '[.` ]' THEN CONCAT('`', REPLACE(n.db, '`', '``'), '`') ELSE n.db END,
                CASE WHEN n.object REGEXP '[.` ]' THEN CONCAT('`', REPLACE(n.object, '`', '``'), '`') ELSE n.object END,
                CASE WHEN n.part REGEXP '[.` ]' THEN CONCAT('`', REPLACE(n.part, '`', '``'), '`') ELSE n.part END
            )
        ) AS resource_id
    FROM (SELECT * FROM named UNION ALL SELECT * FROM named_routines) AS n
)
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

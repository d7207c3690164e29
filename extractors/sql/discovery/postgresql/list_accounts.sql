-- Every role that may log in. Roles are the server's, not one database's.
-- pg_roles (PostgreSQL documentation, "System Views"): anyone may read it.
-- A role without login is a group: list_entitlements has it.
SELECT
    r.rolname AS integration_specific_id,
    -- No e-mail is kept; a login that is one (cloud IAM) is one. The names say which login, where.
    CASE WHEN r.rolname ~ '^[^@ ]+@[^@ ]+[.][^@ ]+$' THEN CAST(r.rolname AS text) END AS email,
    r.rolname AS given_name,
    'PostgreSQL ' || current_database() AS family_name,
    r.rolname AS username,
    -- VALID UNTIL is when the password ends: the engine's only sign of an account that is over. With
    -- CONNECTION LIMIT 0 nobody but a superuser gets in (src/backend/utils/init/miscinit.c).
    CASE
        WHEN r.rolvaliduntil <= now() OR (r.rolconnlimit = 0 AND NOT r.rolsuper) THEN 'SUSPENDED'
        ELSE 'ACTIVE'
    END AS user_status,
    -- The server's own keeper and its standbys; the engine tells people from programs by nothing else.
    CASE WHEN r.rolsuper OR r.rolreplication THEN 'service' ELSE 'user' END AS account_type,
    -- 'infinity' is no moment, and no driver can read it.
    CASE WHEN isfinite(r.rolvaliduntil) THEN r.rolvaliduntil END AS valid_until,
    CASE WHEN r.rolconnlimit >= 0 THEN r.rolconnlimit END AS connection_limit,
    pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment
FROM pg_catalog.pg_roles AS r
WHERE r.rolcanlogin

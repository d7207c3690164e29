-- Which login holds what: roles through any number of others, attributes, ownership, and the
-- privileges that were granted to the login itself. What a role may do is the role's.
WITH RECURSIVE
-- Memberships, with what each passes on. From PostgreSQL 16 a membership says so itself
-- (inherit_option, set_option); before, the member's INHERIT does, and SET ROLE is always allowed.
-- Through to_jsonb, so that one query does for both.
edges AS (
    SELECT
        m.member,
        m.roleid,
        coalesce(CAST(to_jsonb(m) ->> 'inherit_option' AS boolean), r.rolinherit) AS inherits,
        coalesce(CAST(to_jsonb(m) ->> 'set_option' AS boolean), TRUE) AS sets,
        m.admin_option
    FROM pg_catalog.pg_auth_members AS m
    JOIN pg_catalog.pg_roles AS r ON r.oid = m.member
),
-- in_force: privileges are there without more. settable: SET ROLE reaches it. usable: it is in
-- force after SET ROLE to a role on the way.
reached AS (
    SELECT
        r.oid AS account,
        r.oid AS roleid,
        TRUE AS in_force,
        TRUE AS settable,
        TRUE AS usable
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolcanlogin
    UNION
    SELECT
        h.account,
        e.roleid,
        h.in_force AND e.inherits,
        h.settable AND e.sets,
        (h.usable AND e.inherits) OR (h.settable AND e.sets)
    FROM reached AS h
    JOIN edges AS e ON e.member = h.roleid
    WHERE h.usable
),
held AS (
    SELECT account, roleid, bool_or(in_force) AS in_force, bool_or(usable) AS usable
    FROM reached
    WHERE account <> roleid
    GROUP BY account, roleid
),
logins AS (SELECT oid, rolname FROM pg_catalog.pg_roles WHERE rolcanlogin),
-- part: postgresql/objects.sql
, privileges AS (
    SELECT DISTINCT a.grantee, o.resource_id, a.privilege_type, a.is_grantable
    FROM objects AS o, aclexplode(o.acl) AS a
    WHERE a.grantee <> o.owner AND a.grantee >= o.least
)
SELECT
    l.rolname AS account_id,
    CASE WHEN h.in_force THEN 'ROLE_' ELSE 'SET_' END || r.rolname AS integration_specific_entitlement_id,
    '' AS integration_specific_resource_id
FROM held AS h
JOIN logins AS l ON l.oid = h.account
JOIN pg_catalog.pg_roles AS r ON r.oid = h.roleid
WHERE h.in_force OR h.usable
UNION
SELECT l.rolname, 'ADMIN_' || r.rolname, ''
FROM reached AS h
JOIN edges AS e ON e.member = h.roleid AND e.admin_option
JOIN logins AS l ON l.oid = h.account
JOIN pg_catalog.pg_roles AS r ON r.oid = e.roleid
WHERE h.usable
UNION
SELECT r.rolname, 'ATTRIBUTE_' || a.name, ''
FROM pg_catalog.pg_roles AS r,
LATERAL (
    VALUES
    ('SUPERUSER', r.rolsuper),
    ('CREATEROLE', r.rolcreaterole),
    ('CREATEDB', r.rolcreatedb),
    ('REPLICATION', r.rolreplication),
    ('BYPASSRLS', r.rolbypassrls)
) AS a (name, is_held)
WHERE r.rolcanlogin AND a.is_held
UNION
SELECT l.rolname, 'OWNER', quote_ident(d.datname)
FROM pg_catalog.pg_database AS d
JOIN logins AS l ON l.oid = d.datdba
UNION
SELECT l.rolname, 'OWNER', quote_ident(current_database()) || '.' || quote_ident(n.nspname)
FROM pg_catalog.pg_namespace AS n
JOIN logins AS l ON l.oid = n.nspowner
WHERE n.nspname !~ '^pg_(toast|temp)'
UNION
SELECT
    l.rolname,
    p.privilege_type || CASE WHEN p.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
    p.resource_id
FROM privileges AS p
JOIN logins AS l ON l.oid = p.grantee

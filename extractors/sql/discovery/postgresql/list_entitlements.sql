-- Roles, role attributes, and privileges as they were granted, on whatever they can be but parameters.
-- pg_roles, pg_auth_members, and the access lists (datacl, nspacl, relacl, …) through aclexplode()
-- (PostgreSQL documentation, "Privileges"). What is the server's has the resource ''.
WITH
here AS (
    SELECT quote_ident(current_database()) || '.' AS name, current_database() || '.' AS label
),
-- What privileges are granted on. A default, which is not written down (NULL), is its owner's and
-- PUBLIC's alone. Of the functions of pg_catalog, only what others were granted (oid 16384 on).
objects AS (
    SELECT
        'DATABASE' AS resource_type,
        quote_ident(d.datname) AS resource_id,
        CAST(d.datname AS text) AS label,
        d.datdba AS owner,
        d.datacl AS acl,
        0 AS least
    FROM pg_catalog.pg_database AS d
    UNION ALL
    SELECT 'SCHEMA', h.name || quote_ident(n.nspname), h.label || n.nspname, n.nspowner, n.nspacl, 0
    FROM here AS h, pg_catalog.pg_namespace AS n
    UNION ALL
    SELECT
        CASE c.relkind
            WHEN 'v' THEN 'VIEW'
            WHEN 'm' THEN 'VIEW'
            WHEN 'S' THEN 'SEQUENCE'
            ELSE 'TABLE'
        END,
        h.name || quote_ident(n.nspname) || '.' || quote_ident(c.relname),
        h.label || n.nspname || '.' || c.relname,
        c.relowner,
        c.relacl,
        0
    FROM here AS h, pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    UNION ALL
    SELECT
        'COLUMN',
        h.name || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || '.' || quote_ident(t.attname),
        h.label || n.nspname || '.' || c.relname || '.' || t.attname,
        c.relowner,
        t.attacl,
        0
    FROM here AS h, pg_catalog.pg_attribute AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.attrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE t.attacl IS NOT NULL AND NOT t.attisdropped
    UNION ALL
    SELECT
        'FUNCTION',
        'FUNCTION ' || h.name || quote_ident(n.nspname) || '.' || quote_ident(p.proname)
        || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')',
        h.label || n.nspname || '.' || p.proname || '()',
        p.proowner,
        p.proacl,
        16384
    FROM here AS h, pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.proacl IS NOT NULL
    UNION ALL
    SELECT
        'TYPE',
        'TYPE ' || h.name || quote_ident(n.nspname) || '.' || quote_ident(t.typname),
        h.label || n.nspname || '.' || t.typname,
        t.typowner,
        t.typacl,
        0
    FROM here AS h, pg_catalog.pg_type AS t
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
    WHERE t.typacl IS NOT NULL
    UNION ALL
    SELECT 'LANGUAGE', 'LANGUAGE ' || h.name || quote_ident(l.lanname), h.label || l.lanname, l.lanowner, l.lanacl, 0
    FROM here AS h, pg_catalog.pg_language AS l
    UNION ALL
    SELECT 'WRAPPER', 'WRAPPER ' || h.name || quote_ident(w.fdwname), h.label || w.fdwname, w.fdwowner, w.fdwacl, 0
    FROM here AS h, pg_catalog.pg_foreign_data_wrapper AS w
    UNION ALL
    SELECT 'SERVER', 'SERVER ' || h.name || quote_ident(s.srvname), h.label || s.srvname, s.srvowner, s.srvacl, 0
    FROM here AS h, pg_catalog.pg_foreign_server AS s
    UNION ALL
    SELECT 'LARGE OBJECT', 'LARGE OBJECT ' || h.name || m.oid, h.label || m.oid, m.lomowner, m.lomacl, 0
    FROM here AS h, pg_catalog.pg_largeobject_metadata AS m
    UNION ALL
    SELECT 'TABLESPACE', 'TABLESPACE ' || quote_ident(t.spcname), CAST(t.spcname AS text), t.spcowner, t.spcacl, 0
    FROM pg_catalog.pg_tablespace AS t
),
granted AS (
    -- A grantee of 0 is PUBLIC, which list_resources notes; what an owner may is its ownership.
    SELECT DISTINCT o.resource_id, a.privilege_type, a.is_grantable
    FROM objects AS o, aclexplode(o.acl) AS a
    WHERE a.grantee <> 0 AND a.grantee <> o.owner AND a.grantee >= o.least
),
owned AS (
    SELECT quote_ident(d.datname) AS resource_id FROM pg_catalog.pg_database AS d
    UNION
    SELECT quote_ident(current_database()) || '.' || quote_ident(n.nspname)
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname !~ '^pg_(toast|temp)'
),
-- What can be granted as a role: every role without login, and every login that has a member.
roles AS (
    SELECT
        r.rolname,
        pg_catalog.shobj_description(r.oid, 'pg_authid') AS description,
        -- The owner of the database at hand is a member of it, and nobody else can be.
        r.rolname <> 'pg_database_owner' AS is_assignable
    FROM pg_catalog.pg_roles AS r
    WHERE NOT r.rolcanlogin
    OR EXISTS (SELECT 1 FROM pg_catalog.pg_auth_members AS m WHERE m.roleid = r.oid)
)
SELECT
    'ROLE' AS entitlement_type,
    'ROLE_' || rolname AS integration_specific_id,
    '' AS integration_specific_resource_id,
    'Role - ' || rolname AS label,
    description,
    is_assignable
FROM roles
UNION ALL
SELECT
    'ROLE_SET',
    'SET_' || rolname,
    '',
    'Role - ' || rolname || ' (by SET ROLE)',
    'Its privileges are in force only after SET ROLE',
    FALSE
FROM roles
UNION ALL
SELECT
    'ROLE_ADMIN',
    'ADMIN_' || rolname,
    '',
    'Role - ' || rolname || ' (admin option)',
    'May grant the role to others',
    is_assignable
FROM roles
UNION ALL
SELECT 'ATTRIBUTE', 'ATTRIBUTE_' || a.name, '', a.name, a.description, TRUE
FROM (
    VALUES
    ('SUPERUSER', 'Passes every check but that of login'),
    ('CREATEROLE', 'May make, change and drop roles'),
    ('CREATEDB', 'May make databases'),
    ('REPLICATION', 'May read everything as a standby'),
    ('BYPASSRLS', 'Row security does not apply')
) AS a (name, description)
UNION ALL
SELECT 'OWNER', 'OWNER', resource_id, 'Owner', 'May do anything with it, and grant it', TRUE
FROM owned
UNION ALL
SELECT
    CASE WHEN is_grantable THEN 'GRANT' ELSE 'PRIVILEGE' END,
    privilege_type || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END,
    resource_id,
    privilege_type || CASE WHEN is_grantable THEN ' with grant option' ELSE '' END,
    NULL,
    TRUE
FROM granted

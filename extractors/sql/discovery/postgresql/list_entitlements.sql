-- Roles, role attributes, and privileges as they were granted, on whatever they can be but parameters.
-- pg_roles, pg_auth_members, and the access lists (datacl, nspacl, relacl, …) through aclexplode()
-- (PostgreSQL documentation, "Privileges"). What is the server's has the resource ''.
WITH
-- part: postgresql/objects.sql
, granted AS (
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

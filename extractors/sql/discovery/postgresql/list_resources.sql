-- Every database of the server; schemas and, where something was granted on them, tables of the
-- database that the URL names. The description notes what PUBLIC, so every account, may do.
-- pg_database, pg_namespace, pg_class and their access lists (PostgreSQL documentation, "Privileges").
SELECT
    'DATABASE' AS resource_type,
    quote_ident(d.datname) AS integration_specific_id,
    d.datname AS label,
    (
        SELECT 'Every account: ' || string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
        FROM aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
        WHERE a.grantee = 0
    ) AS description
FROM pg_catalog.pg_database AS d
UNION ALL
SELECT
    'SCHEMA',
    quote_ident(current_database()) || '.' || quote_ident(n.nspname),
    current_database() || '.' || n.nspname,
    (
        SELECT 'Every account: ' || string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
        FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
        WHERE a.grantee = 0
    )
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname !~ '^pg_(toast|temp)'
UNION ALL
SELECT
    CASE c.relkind
        WHEN 'v' THEN 'VIEW'
        WHEN 'm' THEN 'VIEW'
        WHEN 'S' THEN 'SEQUENCE'
        ELSE 'TABLE'
    END,
    quote_ident(current_database()) || '.' || quote_ident(n.nspname) || '.' || quote_ident(c.relname),
    current_database() || '.' || n.nspname || '.' || c.relname,
    (
        SELECT 'Every account: ' || string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)
        FROM aclexplode(c.relacl) AS a
        WHERE a.grantee = 0
    )
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE EXISTS (
    SELECT 1 FROM aclexplode(c.relacl) AS a WHERE a.grantee <> 0 AND a.grantee <> c.relowner
)
